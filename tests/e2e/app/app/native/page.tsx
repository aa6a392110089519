import Link from 'next/link';
import { Asked, type AskedProps } from '../../components/Asked';
import { NativeProbe } from '../../components/native/NativeProbe';
import type { ProbeSpec } from '../../components/native/specs';

/** Hooks given as JSON in the query are there from the first HTML on; the rest comes by `show`. */
export default function NativePage({ searchParams }: AskedProps) {
  return (
    <main>
      <Asked
        searchParams={searchParams}
        show={({ spec = '{}' }) => <NativeProbe initial={JSON.parse(spec) as ProbeSpec} />}
      />
      <Link href="/away">away</Link>
    </main>
  );
}
