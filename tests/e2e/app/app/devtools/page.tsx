import { AnywireDevtools } from '@anywire/react/devtools';
import { Live } from '../../components/native/Live';
import { NativeProbe } from '../../components/native/NativeProbe';
import type { HookSpec } from '../../components/native/specs';

const hooks: HookSpec[] = [
  { id: 'a', kind: 'channel', channel: 'devtools' },
  { id: 's', kind: 'state' },
];

/** As an application has them: in the tree always, in the bundle only in development. */
export default function DevtoolsPage() {
  return (
    <Live>
      <NativeProbe initial={{ hooks }} />
      <AnywireDevtools />
    </Live>
  );
}
