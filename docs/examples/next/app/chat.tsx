'use client';
import { AnywireProvider, useOptimisticPublish, usePresence } from '@anywire/react';
import { AnywireDevtools } from '@anywire/react/devtools';
import { useState } from 'react';
import { rt } from '@/lib/realtime';

export function Chat({ name }: { name: string }) {
  return (
    <AnywireProvider url="/anywire" token="/api/anywire/token">
      <Room name={name} />
      <AnywireDevtools />
    </AnywireProvider>
  );
}

function Room({ name }: { name: string }) {
  const [text, setText] = useState('');
  const room = rt.channel('room:lobby');
  const { members } = usePresence(room, { name });
  const { messages, publish, retry, status, error } = useOptimisticPublish(room);
  return (
    <main>
      <p role="status">
        {status} · here: {members.map((member) => member.info?.name).join(', ')}
      </p>
      {error && <p role="alert">{error.message}</p>}
      <ol>
        {messages.map((message) => (
          <li key={message.key} style={{ opacity: message.pending ? 0.5 : 1 }}>
            <b>{message.user ?? name}</b> {message.data.text}{' '}
            {message.failed && (
              <button type="button" onClick={() => retry(message.key)}>
                Not sent. Try again
              </button>
            )}
          </li>
        ))}
      </ol>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim()) publish({ text });
          setText('');
        }}
      >
        <input aria-label="Message" value={text} onChange={(e) => setText(e.target.value)} />
        <button type="submit">Send</button>
      </form>
    </main>
  );
}
