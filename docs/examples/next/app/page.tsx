import { HistoryBoundary, mintToken, preloadHistory } from '@anywire/next';
import { redirect } from 'next/navigation';
import { Suspense } from 'react';
import { rt } from '@/lib/realtime';
import { currentUser } from '@/lib/session';
import { Chat } from './chat';

export default function Page() {
  return (
    <Suspense fallback={<p>One moment…</p>}>
      <Lobby />
    </Suspense>
  );
}

async function Lobby() {
  const name = await currentUser();
  if (!name) redirect('/sign-in');
  const history = await preloadHistory(rt.channel('room:lobby'), {
    token: () => mintToken({ user: name, capability: { 'room:*': ['subscribe', 'history'] } }),
  });
  return (
    <HistoryBoundary state={history}>
      <Chat name={name} />
    </HistoryBoundary>
  );
}
