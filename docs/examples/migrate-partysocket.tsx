'use client';
import { useWebSocket } from '@anywire/react';

/** Before: `usePartySocket({ host, room, query: async () => ({ token }), onMessage })`. */
export function Room({ room, getToken }: { room: string; getToken: () => Promise<string> }) {
  const { connected, messages, send } = useWebSocket<{ text: string }>(`/raw/${room}`, {
    heartbeat: true,
    token: getToken, // never in the URL, where logs would keep it
    backoff: { min: 500, max: 10_000 },
    queue: { max: 100 },
  });
  return (
    <button type="button" onClick={() => send({ text: 'hello' })}>
      {connected ? 'connected' : 'connecting…'}, {messages.length} messages
    </button>
  );
}
