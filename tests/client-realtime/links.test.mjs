// Links that break in all the ways they do, over each transport and codec: nothing is lost or doubled
// in silence.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { history, presence as presenceOf } from '@anywire/client';
import { assertCounts, connected, counting, fresh, listen, make, middlebox, Network, proxy, start,
  tokenFor, until, ways } from './stage.mjs';

/** Resolves when the client is open for the `opens`th time. */
const reopened = (client, opens, options) =>
  until(`opened ${opens} times, now ${client.snapshot.opens} and ${client.state}`,
    () => client.snapshot.opens >= opens && client.state === 'open', options);

for (const way of ways) {
  describe(`links of ${way.name}`, { concurrency: 6 }, () => {
    let server;
    before(async () => {
      server = await start();
    });
    after(async () => assert.equal((await server.stop()).code, 0, server.output));
    const join = (t, where = server, options = {}) =>
      connected(t, where, { ...way.options(), ...options });

    it('may be cut at any time, and a reader misses nothing', async (t) => {
      const name = fresh();
      const between = await proxy(t, server);
      const reader = await join(t, between);
      const listener = await listen(reader, name);
      const numbers = counting(await join(t), name);
      for (let cuts = 1; cuts <= 5; cuts++) {
        await listener.has(cuts * 10);
        between.cut();
        // A stream that is polled outlives the connections it is polled over.
        if (way.transport !== 'poll') await reopened(reader, cuts + 1);
      }
      const last = await numbers.stop();
      await listener.has(last);
      assertCounts(listener.data, last);
      assert.deepEqual([listener.gaps, reader.errors], [[], []]);
      assert.ok(listener.subscribed.slice(1).every(({ recovered }) => recovered === true));
      if (way.transport === 'poll') assert.equal(reader.snapshot.opens, 1);
    });

    it('may be cut at any time, and a writer publishes everything once', async (t) => {
      const name = fresh();
      const between = await proxy(t, server);
      const writer = await join(t, between);
      const listener = await listen(await join(t), name);
      const numbers = counting(writer, name);
      for (let cuts = 1; cuts <= 5; cuts++) {
        await listener.has(cuts * 10);
        between.cut();
        if (way.transport !== 'poll') await reopened(writer, cuts + 1);
      }
      const last = await numbers.stop();
      await listener.has(last);
      assertCounts(listener.data, last);
      const kept = [];
      for await (const { data } of history(writer.channel(name), { limit: 1000 })) kept.push(data);
      assertCounts(kept, last);
    });

    it('bring back what was missed of channels that the token subscribes to', async (t) => {
      const [heard, silent] = [fresh('own'), fresh('own')];
      const channels = [heard, silent];
      const capability = { 'own:*': ['publish'] };
      const between = await proxy(t, server);
      const reader = make(t, between,
        { ...way.options(), token: tokenFor('ann', 600, { channels }) });
      const listener = await listen(reader, heard);
      const writer = await join(t, server, { token: tokenFor('bob', 600, { capability }) });
      await writer.channel(heard).publish(1);
      await listener.has(1);
      between.refuse();
      between.cut();
      if (way.transport !== 'poll') await until('it is noticed', () => reader.state !== 'open');
      for (let i = 2; i <= 9; i++) {
        await writer.channel(heard).publish(i);
        await writer.channel(silent).publish(i);
      }
      between.refuse(false);
      await listener.has(9);
      await writer.channel(heard).publish(10);
      await listener.has(10);
      assertCounts(listener.data, 10);
      assert.deepEqual(listener.gaps, []);
      // The other one is there for whoever listens from now on.
      const late = await listen(reader, silent, { rewind: 2 });
      await late.has(2);
      assert.deepEqual(late.data, [8, 9]);
      assert.deepEqual(reader.errors, []);
    });

    it('report what history has no more', async (t) => {
      const name = fresh('short');
      const between = await proxy(t, server);
      const reader = await join(t, between);
      const listener = await listen(reader, name);
      const writer = await join(t);
      await writer.channel(name).publish(1);
      await listener.has(1);
      between.refuse();
      between.cut();
      await until('it is noticed', () => reader.state !== 'open');
      for (let i = 2; i <= 6; i++) await writer.channel(name).publish(i);
      between.refuse(false);
      await listener.has(3);
      assert.deepEqual(listener.data, [1, 5, 6]);
      const { epoch } = listener.subscribed[0].position;
      assert.deepEqual(listener.gaps, [{ channel: name, from: 2, to: 4, missed: undefined,
        reason: 'evicted', position: { epoch, offset: 4 } }]);
      assert.equal(listener.subscribed[1].recovered, false);
      await writer.channel(name).publish(7);
      await listener.has(4);
    });

    it('may go silent: the session goes on before the server knows of it', async (t) => {
      const name = fresh();
      const between = await proxy(t, server);
      const watcher = await join(t);
      const changes = [];
      presenceOf(watcher.channel(name)).on('join', ({ client }) => changes.push(['join', client]));
      presenceOf(watcher.channel(name)).on('leave', (_, reason) => changes.push(['leave', reason]));
      const network = new Network();
      const reader = await join(t, between, { network, token: tokenFor('ann') });
      const { clientId } = reader.snapshot;
      const listener = await listen(reader, name);
      await presenceOf(reader.channel(name)).enter({ name: 'Ann' });
      await until('the join', () => changes.length > 0);
      const writer = await join(t);
      const numbers = counting(writer, name);
      await listener.has(10);
      between.swallow();
      const { count } = numbers;
      await until('more is published', () => numbers.count > count + 10);
      network.blink();
      // Connections kept for later have died, too, which is found out one by one.
      await reopened(reader, 2, { deadlineMs: 10_000 });
      const last = await numbers.stop();
      await listener.has(last);
      assertCounts(listener.data, last);
      assert.deepEqual([reader.snapshot.clientId, listener.gaps], [clientId, []]);
      // Longer than the grace, so that a leave would have been told.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      assert.deepEqual(changes, [['join', clientId]]);
      assert.deepEqual(presenceOf(watcher.channel(name)).members.map(({ client, info }) => [client, info]),
        [[clientId, { name: 'Ann' }]]);
    });

    it('may lose the answer to the greeting: the session goes on all the same', async (t) => {
      const between = await middlebox(t, server);
      const network = new Network();
      const options = { token: tokenFor('ann'), connectTimeout: 500, network };
      const reader = await join(t, between, options);
      const { clientId } = reader.snapshot;
      await presenceOf(reader.channel(fresh())).enter();
      let failures = 0;
      reader.on('state', ({ state }, before) => {
        if (state === 'waiting' && before.state !== state) failures++;
      });
      for (let opens = 2; opens <= 3; opens++) {
        between.deafen(true);
        between.cut();
        // A stream that is polled does not mind the cut, only that no answers come.
        if (way.transport === 'poll') network.blink();
        const { swallowed } = between;
        // An attempt may also fail before there is an answer that could be lost.
        await until('an answer is lost', () => between.swallowed > swallowed,
          { deadlineMs: 10_000 });
        failures = 0;
        await until('the client gives up waiting for it', () => failures > 0);
        between.deafen(false);
        await reopened(reader, opens, { deadlineMs: 10_000 });
        assert.equal(reader.snapshot.clientId, clientId);
      }
    });

    it('keep the token fresh', async (t) => {
      const asked = [];
      const client = make(t, server, {
        ...way.options(),
        token: ({ reason }) => {
          asked.push(reason);
          return tokenFor('ann', asked.length === 1 ? 3 : 600);
        },
      });
      await client.connect();
      const name = fresh();
      const listener = await listen(client, name);
      await until('a refresh', () => asked.length === 2);
      await new Promise((resolve) => setTimeout(resolve, 3000));
      await client.channel(name).publish('after the first has expired');
      await listener.has(1);
      assert.deepEqual([asked, client.snapshot.opens], [['connect', 'refresh'], 1]);
    });

    it('end with the token, and come back with another', async (t) => {
      const asked = [];
      const client = make(t, server, {
        ...way.options(),
        token: ({ reason, signal }) => {
          asked.push(reason);
          if (reason !== 'refresh') return tokenFor('ann', asked.length === 1 ? 2 : 600);
          // Nobody answers in time.
          return new Promise((_, reject) => signal.addEventListener('abort', reject));
        },
      });
      const closes = [];
      client.on('state', ({ lastClose }) => lastClose && closes.push(lastClose.code));
      const name = fresh();
      const listener = await listen(client, name);
      const { clientId } = client.snapshot;
      await until('the end', () => closes.length > 0, { deadlineMs: 10_000 });
      await reopened(client, 2);
      assert.deepEqual([closes[0], asked], [4452, ['connect', 'refresh', 'denied']]);
      assert.equal(client.snapshot.clientId, clientId);
      await client.channel(name).publish(1);
      await listener.has(1);
    });

    it('are refused with a token that is not valid, and the reason is told', async (t) => {
      const forged = `${tokenFor('ann').slice(0, -4)}AAAA`;
      for (const [bad, code, reason] of [['nonsense', 4451, 'malformed'],
        [forged, 4451, 'bad_signature'], [tokenFor('ann', -60), 4452, 'expired']]) {
        const client = make(t, server, { ...way.options(), token: bad });
        await assert.rejects(client.connect(), { code: 'unauthorized' });
        const { lastClose, error } = client.snapshot;
        assert.deepEqual([client.state, lastClose.code], ['failed', code]);
        assert.match(error.message, new RegExp(`\\b${reason}: \\w`));
      }
    });
  });
}

describe('the server goes and comes back', { concurrency: 2 }, () => {
  const crowd = async (t, server) => {
    const between = await proxy(t, server);
    const all = [];
    for (const way of ways) {
      const client = await connected(t, between, way.options());
      const name = fresh();
      const listener = await listen(client, name);
      await client.channel(name).publish('before');
      await listener.has(1);
      const closes = new Set();
      client.on('state', ({ lastClose }) => closes.add(lastClose?.code));
      all.push({ way, client, name, listener, closes });
    }
    return { between, all };
  };

  it('after a crash: the new life of each channel is told', async (t) => {
    const first = await start();
    const { between, all } = await crowd(t, first);
    first.signal('SIGKILL');
    await first.finished;
    const second = await start();
    between.target = { host: '127.0.0.1', port: second.port };
    for (const { way, client, name, listener } of all) {
      await client.channel(name).publish('after');
      await listener.has(2);
      assert.deepEqual(listener.data, ['before', 'after'], way.name);
      const [{ from, to, reason, position }, ...more] = listener.gaps;
      assert.deepEqual([from, to, reason, more], [2, 0, 'epoch', []], way.name);
      assert.notEqual(position.epoch, listener.subscribed[0].position.epoch);
      assert.equal(listener.subscribed.at(-1).recovered, false);
    }
    for (const { client } of all) await client.close();
    assert.equal((await second.stop()).code, 0, second.output);
  });

  it('after a drain: everybody is told, and nobody keeps it from ending', async (t) => {
    const first = await start();
    const { between, all } = await crowd(t, first);
    // Nobody can come back before there is somebody else.
    between.refuse();
    const { code } = await first.stop();
    assert.equal(code, 0, first.output);
    for (const { way, client, closes } of all) {
      await until(`${way.name} notices`, () => client.state !== 'open');
      // A client that is about to poll at this moment finds nobody there.
      assert.ok(closes.has(1001) || way.transport === 'poll', `${way.name}: ${[...closes]}`);
    }
    const second = await start();
    between.target = { host: '127.0.0.1', port: second.port };
    between.refuse(false);
    for (const { way, client, name, listener } of all) {
      await client.channel(name).publish('after');
      await listener.has(2);
      assert.deepEqual([listener.data, listener.gaps.length], [['before', 'after'], 1], way.name);
    }
    for (const { client } of all) await client.close();
    assert.equal((await second.stop()).code, 0, second.output);
  });
});
