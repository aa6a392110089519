import { HistoryBoundary, preloadHistory } from '@anywire/next';
import { rt } from './contract';
import { Log } from './use-history';

/** A server component, e.g. app/room/[id]/page.tsx. */
export async function RoomPage({ id, url }: { id: string; url: string }) {
  const state = await preloadHistory(rt.channel('room:{id}', { id }), { url, limit: 50 });
  return (
    <HistoryBoundary state={state}>
      <Log id={id} />
    </HistoryBoundary>
  );
}
