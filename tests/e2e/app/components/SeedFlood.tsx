'use client';

// The seed's hook and list under the same load, for comparison; see scenario 19.
import { useEffect, useInsertionEffect, useRef } from 'react';
import { useWebSocket } from '../../../../examples/seed-chat/hooks/useWebSocket';

declare global {
  interface Window {
    seed?: { renders: number; seen: number; doneAt: number; connected: boolean };
  }
}

export function SeedFlood({ url }: { url: string }) {
  const { connected, messages } = useWebSocket(url);
  const renders = useRef(0);
  useInsertionEffect(() => {
    renders.current++;
  });
  useEffect(() => {
    const seen = messages.length;
    window.seed = { renders: renders.current, seen, connected, doneAt: performance.now() };
  });
  return (
    <ul>
      {messages.map((message, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: as the seed does it.
        <li key={place}>{JSON.stringify(message)}</li>
      ))}
    </ul>
  );
}
