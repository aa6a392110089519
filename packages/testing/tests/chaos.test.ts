import { type Client, type Gap, type Message, presence } from '@anywire/client';
import { expect, it } from 'vitest';
import { createMockServer, ManualClock, type MockServer } from '../src/index';
import { chance } from './same/walk';

type Pick = (n: number) => number;

/** What one listener is told, in the order in which it is told. */
class Ear {
  readonly client: Client;
  readonly told: ({ readonly message: Message } | { readonly gap: Gap })[] = [];

  constructor(client: Client) {
    this.client = client;
    const room = client.channel('room');
    room.on('gap', (gap) => this.told.push({ gap }));
    room.subscribe((message) => this.told.push({ message }));
  }

  get last(): unknown {
    const last = this.told.at(-1);
    return last && 'message' in last ? last.message.data : undefined;
  }

  /** Nothing twice, nothing out of order, nothing changed, and no hole that no gap tells of. */
  check(truth: ReadonlyMap<string, unknown>): void {
    let at: { epoch: unknown; offset: number } | undefined;
    for (const one of this.told) {
      if ('gap' in one) {
        const { from, position } = one.gap;
        expect(position).toBeDefined();
        if (at && one.gap.reason !== 'epoch') expect(from).toBe(at.offset + 1);
        at = position;
        continue;
      }
      const { epoch, offset, data } = one.message;
      if (at) expect([epoch, offset]).toEqual([at.epoch, at.offset + 1]);
      at = { epoch, offset };
      expect(truth.get(`${epoch} ${offset}`)).toEqual(data);
    }
  }
}

/** One thing that goes wrong. */
function trouble(server: MockServer, pick: Pick): void {
  const [connection] = server.connections.slice(pick(3));
  const troubles: (() => void)[] = [
    () => server.drop(),
    () => server.drop({ code: 1012 }),
    () => connection?.drop(),
    () => connection?.drop({ code: 4500 }),
    () => server.refuse(1 + pick(3)),
    () => server.refuse({ code: 1013 }),
    () => server.hold((['all', 'answers', 'commands'] as const)[pick(3)]),
    () => server.slow(pick(3) * 100),
    () => server.gap('room', 1 + pick(3)),
    () => server.forget('room'),
    () => server.newEpoch('room'),
    () => server.restart(),
    () => server.denyNextToken(),
    () => server.expireToken(),
    () => server.warnOfExpiry(),
    () => server.fail('subscribe', { code: 'overloaded' }),
    () => server.fail('publish', { code: 'unavailable' }),
    () => server.fail('enter', { code: 'overloaded' }),
    () => server.fail('members', { code: 'unavailable' }),
  ];
  (troubles[pick(troubles.length)] as () => void)();
}

async function chaos(seed: number): Promise<void> {
  const pick = chance(seed);
  const clock = new ManualClock();
  const server = createMockServer({ clock, channels: [{ pattern: '*', historyMessages: 20 }] });
  let tokens = 0;
  const ears = [1, 2, 3].map(
    (n) => new Ear(server.createClient({ token: () => JSON.stringify([n, ++tokens]) })),
  );
  const names = ears.map(({ client }) => presence(client.channel('room')));
  const settled: Promise<unknown>[] = [];
  const present = new Set<number>();
  for (let step = 0; step < 80; step++) {
    const n = pick(ears.length);
    const what = pick(10);
    if (what < 3) server.publish('room', ['test', step]);
    else if (what < 6) {
      const { client } = ears[n] as Ear;
      settled.push(client.channel('room').publish(['client', step]));
    } else if (what === 6) {
      const there = names[n] as (typeof names)[0];
      if (present.delete(n)) settled.push(there.leave());
      else settled.push(present.add(n) && there.enter(step));
    } else if (what === 7) {
      server.release();
    } else trouble(server, pick);
    await clock.advance(pick(4) * 50);
  }
  server.release();
  server.refuse(0);
  server.slow(0);
  // Scripted failures are met, and back-off comes to its end.
  await clock.advance(120_000);
  await Promise.allSettled(settled);
  server.publish('room', 'end');
  await clock.advance(60_000);
  const truth = new Map(
    server.messages('room').map(({ epoch, offset, data }) => [`${epoch} ${offset}`, data]),
  );
  // Keys outlive all but a restart, with which the epoch ends.
  const once = server.messages('room').map(({ epoch, data }) => JSON.stringify([epoch, data]));
  expect(once).toEqual([...new Set(once)]);
  for (const ear of ears) {
    expect(ear.client.state).toBe('open');
    expect(ear.last).toBe('end');
    ear.check(truth);
  }
  server.close();
  expect(clock.pending).toBe(0);
}

it.each(Array.from({ length: 20 }, (_, i) => i + 1))(
  'clients come through whatever the server is told to do, with seed %i',
  chaos,
  20_000,
);
