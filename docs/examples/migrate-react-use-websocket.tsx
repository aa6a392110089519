'use client';
import { useWebSocket } from '@anywire/react';
import { useState } from 'react';

interface Tick {
  readonly price: number;
}

/**
 * Before: `useWebSocket(url, { share: true, shouldReconnect: () => true, heartbeat: true })` and an
 * effect on `lastJsonMessage`.
 */
export function Prices({ url }: { url: string }) {
  const [highest, setHighest] = useState(0);
  const { state, messages, send } = useWebSocket<Tick>(url, {
    onMessage: (tick) => setHighest((price) => Math.max(price, tick.price)),
    heartbeat: true,
    limit: 20,
  });
  return (
    <>
      <p role="status">{state}</p>
      <p>
        {messages.length} ticks, highest {highest}
      </p>
      <button type="button" onClick={() => send({ subscribe: 'ACME' })}>
        Subscribe
      </button>
    </>
  );
}
