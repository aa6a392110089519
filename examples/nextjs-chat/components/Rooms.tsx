'use client';

import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { type FormEvent, useEffect, useId, useRef, useState, useSyncExternalStore } from 'react';
import { kSuggestedRooms, roomName, roomPath } from '../lib/rooms';
import * as visited from '../lib/visited';
import { Icon } from './Icon';

export function Rooms({ current }: { current: string }) {
  const been = useSyncExternalStore(visited.subscribe, visited.snapshot, visited.serverSnapshot);
  const rooms = [...new Set([...kSuggestedRooms, current, ...been])];
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
            <Link href={roomPath(room)} aria-current={room === current ? 'page' : undefined}>
              <span aria-hidden="true">#</span>
              {room}
            </Link>
          </li>
        ))}
        <li className="new-room">
          <NewRoom />
        </li>
      </ul>
    </nav>
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
