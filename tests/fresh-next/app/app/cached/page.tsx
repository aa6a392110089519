import { HistoryBoundary, mintToken, preloadHistory } from '@anywire/next';
import { rt } from '@/lib/realtime';
import { Room } from '../room';

export const revalidate = 1;

/** Rendered ahead of requests, and again now and then. */
export default async function Page() {
  const history = await preloadHistory(rt.channel('room:1'), {
    token: () => mintToken({ user: 'page', capability: { 'room:*': ['history'] } }),
    cached: true,
  });
  return (
    <HistoryBoundary state={history}>
      <p id="trouble">{history.error?.code ?? 'none'}</p>
      <Room />
    </HistoryBoundary>
  );
}
