// A disk that gets full under a running server, and gets room again.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { temporaryFolder } from '../support/certificate.mjs';
import { until } from '../support/poll.mjs';
import { Client } from '../native/client.mjs';
import { historyOf, newFile, startDurable } from './support.mjs';

const channel = 'disk:a';
const fill = 'x'.repeat(4000);

/** Publishes until it is refused; the numbers that were acknowledged, and the refusal. */
async function publishUntilRefused(client, from) {
  const acknowledged = [];
  for (let i = from; i < from + 5000; i++) {
    const reply = await client.ask('publish',
      { channel, data: { i, fill }, idempotencyKey: `k${i}` });
    if (reply.type !== 'published') return { acknowledged, refused: i, reply };
    acknowledged.push(i);
  }
  throw new Error('never refused');
}

const linesOf = (server, text) => server.log.filter(({ msg }) => msg === text).length;
const kGone = 'durable history is not available';
const kBack = 'durable history is available again';

/**
 * The story of a full disk; `takeAway` and `giveBack` change how much room there is, and `takeAll`
 * leaves none, not even what a checkpoint of the log would make.
 */
async function fullDisk(server, takeAway, giveBack, takeAll) {
  const publisher = await Client.connect(server);
  const reader = await Client.connect(server, {}, { format: 'msgpack' });
  const { epoch } = await reader.ask('subscribe', { channel });
  let next = 1;
  const acknowledged = [];
  for (let round = 0; round < 2; round++) {
    await takeAway(server);
    const { acknowledged: some, refused, reply } = await publishUntilRefused(publisher, next);
    acknowledged.push(...some);
    assert.deepEqual([reply.type, reply.code, reply.retry], ['error', 'unavailable', true]);
    // It stays so, and is not written to the log again and again; the connection lives.
    takeAll?.();
    for (let i = 0; i < 200; i++) {
      const more = await publisher.ask('publish',
        { channel, data: { i: refused, fill }, idempotencyKey: `k${refused}` });
      if (!takeAll && more.type === 'published') break;
      assert.equal(more.code, 'unavailable');
    }
    // Others are not concerned.
    for (const client of [publisher, reader]) {
      assert.equal((await client.ask('ping')).type, 'pong');
      const reply = await client.ask('publish', { channel: 'memory:a', data: round });
      assert.equal(reply.type, 'published');
    }
    await giveBack(server);
    const again = await until('there is room', async () => {
      const reply = await publisher.ask('publish',
        { channel, data: { i: refused, fill }, idempotencyKey: `k${refused}` });
      return reply.type === 'published' && reply;
    });
    acknowledged.push(refused);
    assert.equal(again.epoch, epoch);
    next = refused + 1;
  }
  const got = [];
  while (got.length < acknowledged.length) got.push(await reader.next());
  assert.deepEqual(got.map(({ type, offset, data }) => [type, offset, data.i]),
    acknowledged.map((i, index) => ['message', index + 1, i]));
  assert.deepEqual((await historyOf(publisher, channel)).map(({ data }) => data.i), acknowledged);
  assert.ok(linesOf(server, kGone) >= 1 && linesOf(server, kGone) <= 2, server.output);
  assert.ok(linesOf(server, kBack) <= linesOf(server, kGone));
}

describe('a disk that is full', () => {
  it('refuses durable publishes until there is room: the limit of a file', async () => {
    const server = await startDurable(newFile());
    // Of the log, which is written first.
    const limit = (bytes) => execFileSync('prlimit', ['--pid', server.pid, `--fsize=${bytes}:`]);
    let room = 0;
    await fullDisk(server, () => limit(room += 600_000), () => limit('unlimited'),
      () => limit(1));
    await server.stop();
  });

  it('refuses them until there is room: a file system', async (t) => {
    const folder = temporaryFolder();
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder]);
    if (mount.status !== 0) return t.skip('may not mount');
    after(() => spawnSync('umount', ['-l', folder]));
    const ballast = path.join(folder, 'ballast');
    const server = await startDurable(path.join(folder, 'history.db'));
    let kilobytes = 1500;
    await fullDisk(server, () => writeFileSync(ballast, Buffer.alloc(kilobytes * 1024)),
      () => (rmSync(ballast), (kilobytes -= 600)));
    await server.stop();
  });

  it('refuses them at the configured size, and goes on when there is room', async () => {
    const file = newFile();
    let server = await startDurable(file, { flags: { 'history.disk_max': '1MiB' } });
    let client = await Client.connect(server);
    const { acknowledged, reply } = await publishUntilRefused(client, 1);
    assert.deepEqual([reply.code, reply.retry], ['unavailable', true]);
    assert.ok(acknowledged.length > 100 && acknowledged.length < 262, `${acknowledged.length}`);
    assert.equal((await historyOf(client, channel)).length, acknowledged.length);
    await server.stop();
    server = await startDurable(file,
      { flags: { 'history.disk_max': '1MiB' }, rule: { history_ttl: '1s' } });
    client = await Client.connect(server);
    await until('there is room', async () => {
      const reply = await client.ask('publish', { channel, data: fill });
      return reply.type === 'published';
    });
    await server.stop();
  });

  it('stops the start if there is none at all', async (t) => {
    const folder = temporaryFolder();
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status !== 0) {
      return t.skip('may not mount');
    }
    after(() => spawnSync('umount', ['-l', folder]));
    writeFileSync(path.join(folder, 'ballast'), Buffer.alloc(60 * 1024));
    await assert.rejects(startDurable(path.join(folder, 'history.db')),
      /\\"history\.path\\" \(.*\): the disk is full/);
  });
});
