'use client';

// react-use-websocket under the same load, for comparison: the way its users read messages, and a
// list as short as ours.
import { useEffect, useInsertionEffect, useRef, useState } from 'react';
import useWebSocket, { ReadyState } from 'react-use-websocket';

const limit = 100;

declare global {
  interface Window {
    ruw?: {
      renders: number;
      seen: number;
      doneAt: number;
      connected: boolean;
      clear: () => void;
    };
  }
}

export function RuwFlood({ url }: { url: string }) {
  const { lastJsonMessage, readyState } = useWebSocket<{ n: number } | null>(url);
  const [items, setItems] = useState<readonly { n: number }[]>([]);
  const renders = useRef(0);
  const seen = useRef(0);
  useInsertionEffect(() => {
    renders.current++;
  });
  useEffect(() => {
    if (!lastJsonMessage) return;
    seen.current++;
    setItems((old) => [...old.slice(1 - limit), lastJsonMessage]);
  }, [lastJsonMessage]);
  useEffect(() => {
    window.ruw = {
      renders: renders.current,
      seen: seen.current,
      doneAt: performance.now(),
      connected: readyState === ReadyState.OPEN,
      clear: () => setItems([]),
    };
  });
  return (
    <ul>
      {items.map((item) => (
        <li key={item.n}>{JSON.stringify(item)}</li>
      ))}
    </ul>
  );
}
