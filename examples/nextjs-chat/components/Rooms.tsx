'use client';

import { usePresence } from '@anywire/react';
import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { type FormEvent, useEffect, useId, useRef, useState, useSyncExternalStore } from 'react';
import { type Author, roomChannel } from '../lib/contract';
import { peopleOf } from '../lib/people';
import { kMembersRoom, kSuggestedRooms, roomName, roomPath } from '../lib/rooms';
import { useUnread } from '../lib/useUnread';
import * as visited from '../lib/visited';
import { Icon } from './Icon';
import { useSession } from './Session';

/** More than this is not a number anybody reads. */
const kUnreadShownMax = 99;

export function Rooms({ current, me }: { current: string; me: Author | undefined }) {
  const been = useSyncExternalStore(visited.subscribe, visited.snapshot, visited.serverSnapshot);
  const { account } = useSession();
  const own = account ? [kMembersRoom] : [];
  const rooms = [...new Set([...kSuggestedRooms, ...own, current, ...been])];
  const list = useRef<HTMLElement>(null);
  useEffect(() => {
    visited.visit(current);
    // On a phone the rooms are a strip that may be wider than the screen.
    list.current
      ?.querySelector('[aria-current]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [current]);
  return (
    <nav className="rooms" aria-label="Rooms" ref={list}>
      <h2>Rooms</h2>
      <ul>
        {rooms.map((room) => (
          <li key={room}>
            <RoomLink room={room} current={room === current} person={me?.id} />
          </li>
        ))}
        <li className="new-room">
          <NewRoom />
        </li>
      </ul>
    </nav>
  );
}

/** A room with what has been said in it meanwhile, and how many are there now. */
function RoomLink(props: { room: string; current: boolean; person: string | undefined }) {
  const { room, current, person } = props;
  const unread = useUnread(room, person, !current);
  const here = usePresence(roomChannel(room), null, {
    // Of people and not of windows, unless they are too many for a list.
    select: ({ members, count }) => (members.length > 0 ? peopleOf(members).length : count),
  });
  return (
    <Link
      href={roomPath(room)}
      aria-current={current ? 'page' : undefined}
      data-unread={unread > 0 || undefined}
    >
      <span aria-hidden="true">#</span>
      <span className="text">{room}</span>
      {unread > 0 ? (
        <em>
          {unread > kUnreadShownMax ? `${kUnreadShownMax}+` : unread}
          <span className="unseen"> unread</span>
        </em>
      ) : (
        here > 0 && (
          <small>
            {here}
            <span className="unseen"> here</span>
          </small>
        )
      )}
    </Link>
  );
}

function NewRoom() {
  const router = useRouter();
  const id = useId();
  const [typed, setTyped] = useState('');
  const room = roomName(typed);

  const open = (event: FormEvent) => {
    event.preventDefault();
    if (!room) return;
    setTyped('');
    router.push(roomPath(room));
  };

  return (
    <form onSubmit={open}>
      <label className="unseen" htmlFor={id}>
        Open another room
      </label>
      <input
        id={id}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        placeholder="another room"
        autoComplete="off"
        autoCapitalize="none"
        maxLength={32}
      />
      <button className="quiet" type="submit" disabled={!room} aria-label="Open room">
        <Icon name="plus" />
      </button>
    </form>
  );
}
