import { type Client, presence } from '@anywire/client';
import { expect, it } from 'vitest';
import type { Log, Stage } from './stage';

/** Numbers below n, the same ones for the same seed. */
export function chance(seed: number): (n: number) => number {
  let state = seed * 2_654_435_761;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

/** What a listener was told accounts for every offset once: as a message, or within a gap. */
function account(log: Log, truth: ReadonlyMap<number, unknown>, top: number): void {
  const begin = log.subscribed[0]?.position?.offset ?? 0;
  const seen = new Map<number, string>();
  const mark = (offset: number, how: string) => {
    expect(seen.get(offset), `offset ${offset}`).toBeUndefined();
    seen.set(offset, how);
  };
  for (const { from, to, reason } of log.gaps) {
    expect(reason).toBe('evicted');
    for (let offset = from ?? 0; offset <= (to ?? -1); offset++) mark(offset, 'lost');
  }
  let last = begin;
  for (const { offset, data } of log.messages) {
    expect(offset).toBeGreaterThan(last);
    last = offset;
    mark(offset, 'had');
    expect(data).toEqual(truth.get(offset));
  }
  expect(last).toBe(top);
  for (let offset = begin + 1; offset <= top; offset++) expect(seen.has(offset)).toBe(true);
}

/** Clients that do things by chance, on links that break by chance. */
async function walk(s: Stage, seed: number, kind: string, steps: number): Promise<void> {
  const pick = chance(seed);
  const name = s.fresh(kind);
  const truth = new Map<number, unknown>();
  const clients: Client[] = [];
  const logs: Log[] = [];
  const away = new Set<Client>();
  const inside = new Set<Client>();
  const sent: Promise<unknown>[] = [];
  for (let i = 0; i < 3; i++) {
    const client = await s.open({ token: s.token({ sub: `user-${i}` }) });
    clients.push(client);
    logs.push(await s.listen(client, name));
  }
  const publish = (client: Client, data: unknown) => {
    const done = client.channel(name).publish(data);
    sent.push(done.then(({ offset }) => truth.set(offset, data)));
  };
  for (let step = 0; step < steps; step++) {
    const client = clients[pick(clients.length)] as Client;
    const what = pick(10);
    if (what < 6) {
      for (let n = pick(4); n >= 0; n--) publish(client, { seed, step, n });
    } else if (what === 6 && kind === 'open') {
      const there = presence(client.channel(name));
      if (inside.delete(client)) void there.leave().catch(() => {});
      else {
        inside.add(client);
        void there.enter(step).catch(() => {});
      }
    } else if (away.delete(client)) {
      await s.back(client);
    } else {
      const stays = pick(2) === 1;
      if (stays) away.add(client);
      s.cut(client, stays);
    }
    if (pick(3) === 0) await s.world.pass(pick(20));
  }
  for (const client of clients) await s.back(client);
  await s.done(Promise.all(sent));
  const end = await s.done((clients[0] as Client).channel(name).publish('end'));
  truth.set(end.offset, 'end');
  expect(truth.size).toBe(end.offset);
  for (const log of logs) {
    await s.until('the end', () => log.data.at(-1) === 'end');
    account(log, truth, end.offset);
    if (kind === 'open') expect(log.gaps).toEqual([]);
  }
  if (kind !== 'open') return;
  const users = [...inside].map(({ snapshot }) => snapshot.user).sort();
  const raw = await s.raw({});
  await s.world.pass(1200);
  const { members } = await raw.ask('members', { channel: name });
  expect((members as { user: string }[]).map(({ user }) => user).sort()).toEqual(users);
}

export function walks(s: Stage): void {
  it.each([1, 2, 3, 4, 5])('loses nothing by chance, with seed %i', (seed) =>
    walk(s, seed, 'open', 60),
  );

  it.each([11, 12, 13])('tells of every loss where little is kept, with seed %i', (seed) =>
    walk(s, seed, 'short', 60),
  );
}
