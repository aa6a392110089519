import { HistoryBoundary, preloadHistory } from '@anywire/next';
import { createApi } from '@anywire/server';
import Link from 'next/link';
import { roomChannel } from '../lib/contract';
import { kMembersRoom } from '../lib/rooms';
import { canSignIn, currentAccount } from '../lib/session';
import { ChatRoom } from './ChatRoom';
import { Mark } from './Icon';

/** A page answers within this, with or without what was said before. */
const kPreloadMs = 1500;
const kApi = createApi({ retries: 0 });

/**
 * A server component: the page arrives with the newest messages in it, and the browser goes on
 * behind them, without a hole and without asking for them again.
 */
export async function RoomPage({ room }: { room: string }) {
  const account = await currentAccount();
  if (room === kMembersRoom && !account && canSignIn()) return <Door />;
  const state = await preloadHistory(roomChannel(room), {
    limit: 50,
    timeout: kPreloadMs,
    // The key reads all rooms, and so may whoever has come so far. Without it: what guests may read.
    api: account && kApi,
  });
  const { epoch, top, error } = state;
  return (
    <HistoryBoundary state={state}>
      <ChatRoom key={room} room={room} top={error ? undefined : { epoch, offset: top }} />
    </HistoryBoundary>
  );
}

function Door() {
  return (
    <main className="blank">
      <Mark />
      <h1>#{kMembersRoom}</h1>
      <p>This room is for people who have signed in.</p>
      <Link className="button" href="/sign-in">
        Sign in
      </Link>
    </main>
  );
}
