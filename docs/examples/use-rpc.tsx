'use client';
import { useRpc } from '@anywire/react';
import { rt } from './contract';

export function Adder() {
  const { call, data, error, isPending } = useRpc(rt.rpc('math.add'));
  return (
    <p>
      <button type="button" disabled={isPending} onClick={() => call([1, 2])}>
        1 + 2
      </button>
      <output>{error ? `${error.code}: ${error.message}` : data}</output>
    </p>
  );
}
