'use client';
import { AnywireProvider, useChannel } from '@anywire/react';

function Messages() {
  const { messages, publish, status } = useChannel<{ text: string }>('exported', { rewind: 10 });
  return (
    <>
      <p role="status">{status}</p>
      <ul>
        {messages.map((message) => (
          <li key={`${message.epoch}:${message.offset}`}>{message.data.text}</li>
        ))}
      </ul>
      <button type="button" onClick={() => publish({ text: 'hello' })}>
        say hello
      </button>
    </>
  );
}

/** The server that serves the page is the one it talks to. */
export function Room() {
  return (
    <AnywireProvider url="/anywire">
      <Messages />
    </AnywireProvider>
  );
}
