'use client';
import { useChannel, useChannelEvent, useConnectionState, usePresence } from '@anywire/react';
import { useState } from 'react';

interface Note {
  readonly text: string;
}

/** Before: `ChannelProvider`, `useChannel`, `usePresence`, `usePresenceListener`. */
export function Notes({ name }: { name: string }) {
  const [pinned, setPinned] = useState('');
  const { state } = useConnectionState();
  const { messages, publish } = useChannel<Note>('notes', { rewind: 10 });
  useChannelEvent<Note>('notes', 'pin', ({ data }) => setPinned(data.text));
  const { members } = usePresence<{ name: string }>('notes', { name });
  return (
    <>
      <p role="status">
        {state}, {members.map(({ info }) => info?.name).join(', ')}
      </p>
      <p>Pinned: {pinned}</p>
      <ul>
        {messages.map((message) => (
          <li key={`${message.epoch}:${message.offset}`}>{message.data.text}</li>
        ))}
      </ul>
      <button type="button" onClick={() => publish({ text: 'milk' }, { event: 'pin' })}>
        Pin milk
      </button>
    </>
  );
}
