import type { ReactNode } from 'react';
import { Realtime } from '../../components/Realtime';
import { Session } from '../../components/Session';
import { Sidebar } from '../../components/Sidebar';
import { canSignIn, currentAccount } from '../../lib/session';

/** Stays while people go from room to room, and with it the one connection. */
export default async function RoomsLayout({ children }: { children: ReactNode }) {
  return (
    <Session account={await currentAccount()} canSignIn={canSignIn()}>
      <Realtime>
        <div className="app">
          <Sidebar />
          {children}
        </div>
      </Realtime>
    </Session>
  );
}
