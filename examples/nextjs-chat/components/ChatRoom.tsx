'use client';

import { useSyncExternalStore } from 'react';
import * as identity from '../lib/identity';
import { useRoom } from '../lib/useRoom';
import { Composer } from './Composer';
import { ConnectionBanner, ConnectionPill } from './Connection';
import { Mark } from './Icon';
import { MessageList } from './MessageList';
import { Profile } from './Profile';
import { Rooms } from './Rooms';

/** The whole page of one room. `server` comes from the server component, at request time. */
export function ChatRoom({ server, room: name }: { server: string; room: string }) {
  const me = useSyncExternalStore(identity.subscribe, identity.snapshot, identity.serverSnapshot);
  const room = useRoom(server, name, me);
  return (
    <div className="app">
      <aside>
        <p className="brand">
          <Mark />
          Anywire
        </p>
        <Rooms current={name} />
        <Profile me={me} />
      </aside>
      <main>
        <header>
          <h1>
            <span aria-hidden="true">#</span>
            {name}
          </h1>
          <ConnectionPill link={room.link} />
        </header>
        <ConnectionBanner
          link={room.link}
          waiting={room.outgoing.filter((one) => !one.failed).length}
        />
        <MessageList room={room} name={name} me={me} />
        <Composer room={name} ready={me !== undefined} submit={room.say} />
      </main>
    </div>
  );
}
