'use client';
import { useChannel } from '@anywire/react';
import { useState } from 'react';
import { rt } from './contract';

export function Room({ id }: { id: string }) {
  const [lost, setLost] = useState(0);
  const { messages, publish, status, error } = useChannel(rt.channel('room:{id}', { id }), {
    limit: 200,
    onGap: (gap) => setLost((n) => n + (gap.missed ?? 1)),
  });
  return (
    <section aria-label={`Room ${id}`}>
      <p role="status">{status}</p>
      {error && <p role="alert">{error.message}</p>}
      {lost > 0 && <p>Some messages are missing.</p>}
      <ul>
        {messages.map((message) => (
          <li key={`${message.epoch}:${message.offset}`}>{message.data.text}</li>
        ))}
      </ul>
      <button type="button" onClick={() => publish({ text: 'hello' })}>
        Say hello
      </button>
    </section>
  );
}
