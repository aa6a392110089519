import { HistoryBoundary, mintToken, preloadHistory } from '@anywire/next';
import { rt } from '@/lib/realtime';
import { Room } from './room';

export default async function Page() {
  const history = await preloadHistory(rt.channel('room:1'), {
    token: () => mintToken({ user: 'page', capability: { 'room:*': ['history'] } }),
    limit: 3,
  });
  return (
    <HistoryBoundary state={history}>
      <p id="trouble">{history.error?.code ?? 'none'}</p>
      <Room />
    </HistoryBoundary>
  );
}
