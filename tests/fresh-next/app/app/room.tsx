'use client';
import { AnywireProvider, useHistory } from '@anywire/react';
import { rt } from '@/lib/realtime';

export function Room() {
  return (
    <AnywireProvider url="/anywire" token="/api/token/node">
      <Messages />
    </AnywireProvider>
  );
}

function Messages() {
  const { messages, status } = useHistory(rt.channel('room:1'));
  return (
    <>
      <p role="status">{status}</p>
      <ol>
        {messages.map(({ offset, data }) => (
          <li key={offset}>{data.text}</li>
        ))}
      </ol>
    </>
  );
}
