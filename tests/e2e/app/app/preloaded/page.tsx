import { HistoryBoundary, preloadHistory } from '@anywire/next';
import { Suspense } from 'react';
import { Live } from '../../components/native/Live';
import { NativeProbe } from '../../components/native/NativeProbe';
import type { HookSpec } from '../../components/native/specs';

interface Props {
  readonly searchParams: Promise<{ channel?: string; down?: string }>;
}

const pageSize = 20;

/** Two hooks that begin with what the server has loaded. `down`: the server is not there. */
export default function PreloadedPage({ searchParams }: Props) {
  return (
    <Suspense fallback={<p>…</p>}>
      <Preloaded searchParams={searchParams} />
    </Suspense>
  );
}

async function Preloaded({ searchParams }: Props) {
  const { channel = 'preloaded', down } = await searchParams;
  const url = down ? 'http://127.0.0.1:9/anywire' : `${process.env.ANYWIRE_TARGET}/anywire`;
  const state = await preloadHistory(channel, { url, limit: pageSize });
  const hooks: HookSpec[] = [
    { id: 'h', kind: 'history', channel, pageSize, list: true },
    { id: 'c', kind: 'channel', channel, list: true },
  ];
  return (
    <Live>
      <HistoryBoundary state={state}>
        <NativeProbe initial={{ hooks }} />
      </HistoryBoundary>
    </Live>
  );
}
