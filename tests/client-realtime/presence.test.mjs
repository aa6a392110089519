// Presence among many clients over all transports, whose links break meanwhile: everybody ends with
// the same list, which is the true one.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { presence as presenceOf } from '@anywire/client';
import { connected, fresh, proxy, start, tokenFor, until, ways } from './stage.mjs';

const kClients = 32;
const kRounds = 6;
const kSeed = Number(process.env.ANYWIRE_SEED ?? 1);

/** Repeatable chance (mulberry32). */
function chance(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x ^= x + Math.imul(x ^ (x >>> 7), 61 | x);
    return ((x ^ (x >>> 14)) >>> 0) % below;
  };
}

const sorted = (members) =>
  members.map(({ client, user, info }) => JSON.stringify([client, user, info])).sort();

describe('presence', { concurrency: 5 }, () => {
  let server;
  before(async () => {
    server = await start();
  });
  after(async () => assert.equal((await server.stop()).code, 0, server.output));

  for (const way of ways) {
    it(`is entered, updated and left over ${way.name}`, async (t) => {
      const name = fresh();
      const [ann, bob] = await Promise.all(['ann', 'bob'].map((user) =>
        connected(t, server, { ...way.options(), token: tokenFor(user) })));
      const told = [];
      const presence = presenceOf(bob.channel(name));
      presence.on('join', ({ user, info }) => told.push(['join', user, info]));
      presence.on('update', ({ user, info }, old) => told.push(['update', user, info, old.info]));
      presence.on('leave', ({ user }, reason) => told.push(['leave', user, reason]));
      await until('the list', () => presence.snapshot.complete);
      const own = presenceOf(ann.channel(name));
      const steps = [
        [() => own.enter({ at: 1 }), ['join', 'ann', { at: 1 }]],
        [() => own.update({ at: 2 }), ['update', 'ann', { at: 2 }, { at: 1 }]],
        [() => own.leave(), ['leave', 'ann', 'left']],
      ];
      for (const [i, [step, expected]] of steps.entries()) {
        await step();
        await until(`step ${i}`, () => told.length > i);
        assert.deepEqual(told[i], expected);
        assert.equal(presence.snapshot.count, i < 2 ? 1 : 0);
      }
      assert.deepEqual(presence.members, []);
      // Who closes is seen to leave at once, and not only after the grace.
      await own.enter();
      await until('the join', () => told.length === 4);
      await ann.close();
      await until('the leave', () => told.length === 5);
      assert.deepEqual(told[4], ['leave', 'ann', 'left']);
    });
  }

  it(`converges for ${kClients} clients who come, change, go and are cut off`, async (t) => {
    t.diagnostic(`seed ${kSeed}`);
    const random = chance(kSeed);
    const name = fresh();
    const links = await Promise.all(ways.map(() => proxy(t, server)));
    const clients = await Promise.all(Array.from({ length: kClients }, (_, i) =>
      connected(t, links[i % 4],
        { ...ways[i % 4].options(), token: tokenFor(`user-${i}`) })));
    const wishes = new Map();
    for (const client of clients) presenceOf(client.channel(name)).on('change', () => {});
    for (let round = 0; round < kRounds; round++) {
      const answers = [];
      for (let i = 0; i < kClients; i++) {
        const presence = presenceOf(clients[i].channel(name));
        const dice = random(4);
        if (dice === 3) {
          wishes.delete(i);
          answers.push(presence.leave());
        } else if (dice > 0) {
          wishes.set(i, { round, dice });
          answers.push(presence.enter({ round, dice }));
        }
      }
      if (round % 2 === 0) links[random(4)].cut();
      await Promise.all(answers);
    }
    const expected = sorted([...wishes].map(([i, info]) =>
      ({ client: clients[i].snapshot.clientId, user: `user-${i}`, info })));
    for (const [i, client] of clients.entries()) {
      const presence = presenceOf(client.channel(name));
      const same = () => presence.snapshot.complete &&
        JSON.stringify(sorted(presence.members)) === JSON.stringify(expected);
      await until(`client ${i}, ${ways[i % 4].name}, has ${expected.length} members`, same,
        { deadlineMs: 15_000 }).catch((error) => {
        assert.deepEqual(sorted(presence.members), expected, error.message);
        throw error;
      });
      assert.equal(presence.snapshot.count, wishes.size);
    }
    assert.deepEqual(clients.flatMap(({ errors }) => errors), []);
    // All at once, and not one of them is left behind.
    const [watcher, ...others] = clients;
    await presenceOf(watcher.channel(name)).leave();
    await Promise.all(others.map((client) => client.close()));
    await until('nobody', () => presenceOf(watcher.channel(name)).snapshot.count === 0,
      { deadlineMs: 15_000 });
  });
});
