import { act } from '@testing-library/react';
import { Suspense } from 'react';
import { describe, expect, it } from 'vitest';
import { dice } from '../../client/tests/support/chance';
import { useChannel, useHistory } from '../src/suspense';
import { cut, makeClient, pass, server, settle } from './realtime';
import { page } from './suspense-page';

interface Guest {
  readonly id: number;
  readonly kind: 'channel' | 'history';
  /** Every number that `onMessage` was told. */
  readonly seen: number[];
  /** The list as it was rendered last. */
  shown: readonly number[];
  /** Something beside it is still awaited until this promise is resolved. */
  gate: { readonly promise: Promise<void>; readonly open: () => void } | undefined;
}

function Listener({ guest }: { guest: Guest }) {
  const { messages } = useChannel<number>('room', {
    onMessage: ({ data }) => void guest.seen.push(data),
  });
  guest.shown = messages.map(({ data }) => data);
  return null;
}

function Reader({ guest }: { guest: Guest }) {
  const { messages } = useHistory<number>('room', {
    pageSize: 5,
    onMessage: ({ data }) => void guest.seen.push(data),
  });
  guest.shown = messages.map(({ data }) => data);
  return null;
}

function Gate({ guest }: { guest: Guest }) {
  if (guest.gate) throw guest.gate.promise;
  return null;
}

function Place({ guest }: { guest: Guest }) {
  return (
    <Suspense fallback="…">
      {guest.kind === 'channel' ? <Listener guest={guest} /> : <Reader guest={guest} />}
      <Gate guest={guest} />
    </Suspense>
  );
}

function makeGuest(id: number, kind: Guest['kind'], gated: boolean): Guest {
  let open = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { id, kind, seen: [], shown: [], gate: gated ? { promise, open } : undefined };
}

/** No number twice, none left out, none out of order. */
function expectRun(numbers: readonly number[]): void {
  const [first = 0] = numbers;
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => first + i));
}

async function walk(seed: number, strict: boolean): Promise<void> {
  const roll = dice(seed);
  const client = makeClient();
  let guests: Guest[] = [];
  let published = 0;
  let ids = 0;
  const p = page(null, { client, strict });
  const draw = () => p.rerender(guests.map((guest) => <Place key={guest.id} guest={guest} />));
  const steps: (() => unknown)[] = [
    () => {
      const kind = roll(2) === 0 ? 'channel' : 'history';
      guests = [...guests, makeGuest(++ids, kind, roll(2) === 0)];
      draw();
    },
    () => {
      guests = guests.filter((_, i) => i !== roll(guests.length + 1));
      draw();
    },
    () =>
      act(async () => {
        for (let i = roll(4); i >= 0; i--) server.publish('room', { data: ++published });
      }),
    () =>
      act(async () => {
        const closed = guests.find(({ gate }) => gate);
        const { gate } = closed ?? {};
        if (closed) closed.gate = undefined;
        gate?.open();
      }),
    () => (server.conns.length > 0 ? cut() : undefined),
    () => settle(),
    () => pass(roll(3) * 400),
  ];
  for (let i = 0; i < 40; i++) await steps[roll(steps.length)]?.();

  await act(async () => {
    for (const guest of guests) {
      guest.gate?.open();
      guest.gate = undefined;
    }
  });
  await pass(3000);
  await act(async () => {
    server.publish('room', { data: ++published });
  });
  await settle();
  for (const { kind, seen, shown } of guests) {
    if (kind === 'channel') expect(seen).toEqual(shown);
    expectRun(seen);
    expect(seen.at(-1)).toBe(published);
    expectRun(shown);
    expect(shown.at(-1)).toBe(published);
    // Nothing was told that is not shown.
    expect(shown.slice(-seen.length)).toEqual(seen);
  }
  p.unmount();
  await pass(6000);
  const subscribed = server.conns.filter(({ open }) => open).flatMap((c) => [...c.subscriptions]);
  expect(subscribed).toEqual([]);
}

describe('whatever comes and goes, in whatever order', () => {
  const seeds = Array.from({ length: 30 }, (_, i) => i + 1);
  it.each(seeds)('every component that stays has had every message once (seed %d)', (seed) =>
    walk(seed, seed % 3 === 0),
  );
});
