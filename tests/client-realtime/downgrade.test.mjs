// Where WebSocket is blocked: how fast messages flow another way, that the way back is found, and that
// neither costs a message. The bound is the one that the documentation promises; nothing is cut from
// it, and the machine may be busy.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { poll, sse } from '@anywire/client/fallbacks';
import { msgpack } from '@anywire/client/msgpack';
import { history, presence as presenceOf, websocket } from '@anywire/client';
import { all, assertCounts, connected, counting, fresh, listen, make, middlebox, start, tokenFor,
  until } from './stage.mjs';

const kBoundMs = 3000;

/** Settles what the client remembers: a place to look, and nothing shared between tests. */
function memory() {
  const known = new Map();
  return {
    known,
    get: (server) => known.get(server),
    set: (server, name) => known.set(server, name),
  };
}

describe('client whose WebSocket is blocked', { concurrency: 4 }, () => {
  let server;
  before(async () => {
    server = await start();
  });
  after(async () => assert.equal((await server.stop()).code, 0, server.output));

  const blocks = [
    ['forbidden', 'upgrades are answered with 403'],
    ['bad-gateway', 'upgrades are answered with 502'],
    ['silent', 'upgrades are never answered'],
    ['reset', 'connections are reset behind the upgrade'],
    ['mute', 'upgrades pass, and no frame does'],
    ['deaf', 'upgrades pass, and no frame of the server does'],
  ];
  for (const [events, expected] of [['pass', 'sse'], ['buffered', 'poll']]) {
    for (const [block, title] of blocks) {
      const and = events === 'buffered' ? ', and event streams are held back' : '';
      it(`has messages over ${expected} in less than 3 s where ${title}${and}`, async (t) => {
        const name = fresh();
        const box = await middlebox(t, server);
        Object.assign(box, { websocket: block, events });
        const speaker = await connected(t, server);
        await speaker.channel(name).publish('before');

        const begun = performance.now();
        const client = make(t, box, { ...all(), token: async () => tokenFor('ann') });
        const seen = [];
        let firstMs;
        client.channel(name, { rewind: 1 }).subscribe(({ data }) => {
          firstMs ??= performance.now() - begun;
          seen.push(data);
        });
        const published = client.channel(name).publish('mine');
        await until('a message', () => seen.length > 0, { deadlineMs: 10_000 });
        await published;
        const ackMs = performance.now() - begun;
        t.diagnostic(`${block}, ${events}: message after ${Math.round(firstMs)} ms, ` +
          `own publish acknowledged after ${Math.round(ackMs)} ms`);
        assert.equal(client.snapshot.transport, expected);
        assert.ok(firstMs < kBoundMs, `${firstMs} ms`);
        assert.ok(ackMs < kBoundMs, `${ackMs} ms`);
        await speaker.channel(name).publish('after');
        await until('the rest', () => seen.length >= 3);
        assert.deepEqual(seen, ['before', 'mine', 'after']);
      });
    }
  }

  for (const [block, title] of blocks) {
    for (const codec of [undefined, msgpack()]) {
      const where = codec ? 'MessagePack' : 'JSON';
      it(`returns to WebSocket, ${where}, when ${title} no more`, async (t) => {
        const name = fresh();
        const box = await middlebox(t, server);
        box.websocket = block;
        const watcher = await connected(t, server);
        const changes = [];
        presenceOf(watcher.channel(name)).on('join', ({ user }) => changes.push(`join ${user}`));
        presenceOf(watcher.channel(name)).on('leave', ({ user }) => changes.push(`leave ${user}`));
        const numbers = counting(watcher, name);
        const client = await connected(t, box, {
          ...all(), codec, upgradeAfter: 100, connectTimeout: 1500, token: () => tokenFor('ann'),
        });
        const { clientId } = client.snapshot;
        assert.equal(client.snapshot.transport, 'sse');
        const listener = await listen(client, name, {}, { since: await begin(watcher, name) });
        await presenceOf(client.channel(name)).enter();
        // It has tried in vain once, and nobody noticed.
        const { upgrades } = box;
        await until('a try in vain', () => box.upgrades > upgrades, { deadlineMs: 10_000 });
        assert.equal(client.snapshot.opens, 1);
        box.websocket = 'pass';
        const mine = counting(client, `${name}:mine`);
        await until('WebSocket', () => client.snapshot.transport === 'websocket',
          { deadlineMs: 15_000 });
        assert.deepEqual([client.snapshot.opens, client.snapshot.clientId], [2, clientId]);
        const { count } = numbers;
        await until('more numbers', () => numbers.count > count + 5);
        const [last, own] = [await numbers.stop(), await mine.stop()];
        await listener.has(last);
        assertCounts(listener.data, last);
        const kept = [];
        for await (const { data } of history(client.channel(`${name}:mine`))) kept.push(data);
        assertCounts(kept, own);
        assert.deepEqual([listener.gaps, client.errors, changes], [[], [], ['join ann']]);
      });
    }
  }

  it('loses nothing when a network begins to block in the middle', async (t) => {
    for (const block of ['forbidden', 'silent', 'mute']) {
      const name = fresh();
      const box = await middlebox(t, server);
      const client = await connected(t, box, { ...all(), failover: 300 });
      assert.equal(client.snapshot.transport, 'websocket');
      const listener = await listen(client, name);
      const speaker = await connected(t, server);
      const numbers = counting(speaker, name);
      await listener.has(5);
      box.websocket = block;
      box.cut();
      await until('another way', () => client.snapshot.transport === 'sse', { deadlineMs: 10_000 });
      const { count } = numbers;
      await until('more numbers', () => numbers.count > count + 5);
      const last = await numbers.stop();
      await listener.has(last);
      assertCounts(listener.data, last);
      assert.deepEqual(listener.gaps, []);
    }
  });

  it('remembers for each server what has worked', async (t) => {
    const box = await middlebox(t, server);
    box.websocket = 'silent';
    const known = memory();
    const first = await connected(t, box, { ...all(), memory: known });
    assert.equal(first.snapshot.transport, 'sse');
    assert.deepEqual([...known.known], [[`127.0.0.1:${box.port}`, 'sse']]);
    const { upgrades } = box;
    const second = await connected(t, box, { ...all(), memory: known });
    assert.deepEqual([second.snapshot.transport, box.upgrades], ['sse', upgrades]);
    const elsewhere = await connected(t, server, { ...all(), memory: known });
    assert.equal(elsewhere.snapshot.transport, 'websocket');
    // What was remembered does not work any more.
    box.websocket = 'pass';
    box.events = 'buffered';
    const third = await connected(t, box, {
      transports: [websocket(), sse(), poll()], memory: known,
    });
    assert.equal(third.snapshot.transport, 'websocket');
  });
});

/** Where a channel's stream begins. */
async function begin(client, name) {
  const { epoch } = await until('a first message', async () => {
    const page = await history(client.channel(name), { limit: 1 });
    return page.messages.length > 0 && page;
  });
  return { epoch, offset: 0 };
}
