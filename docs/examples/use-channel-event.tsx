'use client';
import { useChannelEvent } from '@anywire/react';
import { useRef } from 'react';
import { rt } from './contract';

/** Draws every tick on a canvas; React renders nothing. */
export function Sparkline({ symbol }: { symbol: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const x = useRef(0);
  useChannelEvent(rt.channel('ticker:{symbol}', { symbol }), ({ data }) => {
    const pen = canvas.current?.getContext('2d');
    pen?.fillRect(x.current++ % 300, 150 - data.price, 1, 1);
  });
  return <canvas ref={canvas} aria-label={symbol} />;
}
