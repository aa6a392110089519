'use client';
import { useWebSocket } from '@anywire/react';

export function Echo({ url = '/raw/lobby' }: { url?: string }) {
  const { connected, messages, send } = useWebSocket<{ msg: string }>(url, { heartbeat: true });
  return (
    <>
      <p role="status">{connected ? 'connected' : 'connecting…'}</p>
      <ul>
        {messages.map((message, i) => (
          <li key={i}>{message.msg}</li>
        ))}
      </ul>
      <button type="button" onClick={() => send({ msg: 'hello' })}>
        Send
      </button>
    </>
  );
}
