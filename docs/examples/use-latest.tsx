'use client';
import { useLatest } from '@anywire/react';
import { rt } from './contract';

/** Renders when the whole number changes, not with every tick. */
export function Price({ symbol }: { symbol: string }) {
  const price = useLatest(rt.channel('ticker:{symbol}', { symbol }), ({ data }) =>
    Math.round(data.price),
  );
  return <output>{price === undefined ? '…' : `${symbol} ${price}`}</output>;
}
