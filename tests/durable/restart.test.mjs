// What a durable channel keeps over the end of the server, however it ends, and what it answers at
// SIGTERM.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { until } from '../support/poll.mjs';
import { launch } from '../support/server.mjs';
import { Client } from '../native/client.mjs';
import { historyOf, newFile, startDurable } from './support.mjs';

const channel = 'disk:a';

describe('a durable channel', () => {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    it(`is the same after ${signal}: history, epoch, offsets, keys`, async () => {
      const file = newFile();
      let server = await startDurable(file);
      let client = await Client.connect(server);
      const sent = [
        { data: { a: ['é', 1, null] }, event: 'chat', messageId: 'm', tags: { t: 'v' } },
        { text: 'plain' }, { binary: 'AP+A' },
      ];
      const first = await client.ask('publish', { channel, ...sent[0], idempotencyKey: 'k' });
      for (const message of sent.slice(1)) await client.ask('publish', { channel, ...message });
      const subscribed = await client.ask('subscribe', { channel: 'disk:b' });
      const before = await historyOf(client, channel);
      assert.deepEqual(before.map(({ offset }) => offset), [1, 2, 3]);
      await server.stop({ signal });

      server = await startDurable(file, { loops: 3 });
      client = await Client.connect(server, {}, { format: 'msgpack' });
      const json = await Client.connect(server);
      assert.deepEqual(await historyOf(json, channel), before);
      const again = await client.ask('publish', { channel, ...sent[0], idempotencyKey: 'k' });
      assert.deepEqual({ ...again, id: first.id }, { ...first, duplicate: true });
      const other = await client.ask('publish', { channel, data: 2, idempotencyKey: 'k' });
      assert.equal(other.code, 'idempotency_conflict');
      const fourth = await client.ask('publish', { channel, data: 4 });
      assert.deepEqual([fourth.epoch, fourth.offset], [first.epoch, 4]);
      // Also the position of a stream without a message.
      const { epoch, offset } = subscribed;
      const back = await client.ask('subscribe', { channel: 'disk:b', since: { epoch, offset } });
      assert.deepEqual([back.recovered, back.epoch], [true, epoch]);
      const recovered = await client.ask('subscribe',
        { channel, since: { epoch: first.epoch, offset: 1 } });
      assert.equal(recovered.recovered, true);
      const pushes = [];
      for (let i = 0; i < 3; i++) pushes.push((await client.next()).offset);
      assert.deepEqual(pushes, [2, 3, 4]);
      await server.stop();
    });
  }

  it('keeps what its rule allows and no more', async () => {
    const file = newFile();
    let server = await startDurable(file);
    let client = await Client.connect(server);
    for (let i = 1; i <= 9; i++) await client.ask('publish', { channel, data: i });
    await server.stop();
    server = await startDurable(file, { rule: { history_messages: 3 } });
    client = await Client.connect(server);
    assert.deepEqual((await historyOf(client, channel)).map(({ data }) => data), [7, 8, 9]);
    await server.stop();
    server = await startDurable(file, { rule: { history_ttl: '1s' } });
    client = await Client.connect(server);
    await until('the messages have had their time',
      async () => (await historyOf(client, channel)).length === 0);
    await server.stop();
  });

  it('leaves other channels to memory', async () => {
    const file = newFile();
    let server = await startDurable(file);
    let client = await Client.connect(server);
    const { epoch } = await client.ask('publish', { channel: 'memory:a', data: 1 });
    await server.stop();
    server = await startDurable(file);
    client = await Client.connect(server);
    const again = await client.ask('publish', { channel: 'memory:a', data: 1 });
    assert.equal(again.offset, 1);
    assert.notEqual(again.epoch, epoch);
    await server.stop();
  });

  it('is answered before the server goes at SIGTERM', async () => {
    const file = newFile();
    const server = await startDurable(file);
    const client = await Client.connect(server);
    const answers = [];
    const frame = [];
    // One frame, so that all of it has been taken when the first answer is here; large enough for
    // the disk to need a while.
    for (let i = 0; i < 90; i++) {
      const text = 'x'.repeat(10_000);
      frame.push({ type: 'publish', id: 1000 + i, channel: `disk:${i % 5}`, text });
    }
    client.socket.on('message', (data) => {
      for (const message of [JSON.parse(data)].flat()) {
        if (message.type === 'published') answers.push(message);
        if (answers.length === 1) server.signal('SIGTERM');
      }
    });
    client.send(frame);
    const { code } = await client.closed;
    assert.equal(code, 1001);
    assert.equal(answers.length, frame.length);
    assert.deepEqual(await server.finished, { code: 0, signal: null });
    const next = await startDurable(file);
    const reader = await Client.connect(next);
    let kept = 0;
    for (let i = 0; i < 5; i++) kept += (await historyOf(reader, `disk:${i}`)).length;
    assert.equal(kept, frame.length);
    await next.stop();
  });

  it('has a file that only the server may read, and no log after a clean end', async () => {
    const file = newFile();
    const server = await startDurable(file);
    const client = await Client.connect(server);
    await client.ask('publish', { channel, data: 1 });
    for (const name of readdirSync(path.dirname(file))) {
      assert.equal(statSync(path.join(path.dirname(file), name)).mode & 0o077, 0, name);
    }
    await server.stop();
    assert.deepEqual(readdirSync(path.dirname(file)), [path.basename(file)]);
  });
});

describe('anywire dev', () => {
  it('keeps everything in memory', async () => {
    const file = newFile();
    const server = launch(['dev', '--port', '0', '--log.format', 'json'],
      { prefix: ['env', '-C', path.dirname(file)] });
    await until('it listens', () => server.addresses.length > 0);
    const client = await Client.connect(server);
    assert.equal((await client.ask('publish', { channel, data: 1 })).type, 'published');
    assert.deepEqual(readdirSync(path.dirname(file)), []);
    assert.equal(existsSync(file), false);
    await server.stop();
  });
});
