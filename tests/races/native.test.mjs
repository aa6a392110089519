// The native protocol over several loops and a disk, under load and, when ANYWIRE_BIN is built so,
// under ThreadSanitizer: a race makes the server exit with another status than 0.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Client, kSecret, token } from '../native/client.mjs';
import { until } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';

const kLoops = 4;
const kChannels = ['open:1', 'open:2', 'kept:1', 'kept:2'];
const kStayers = 16;
const kWanderers = 16;
const kRounds = 20;
const kMessagesEach = 60;
const kDeadlineMs = 120000;

const everything = { capability: { '*': ['*'] } };
const rule = { history_messages: 10000, history_bytes_max: '8MiB', presence: true, occupancy: true };
const channels = JSON.stringify([
  { pattern: 'kept:*', durable: true, ...rule },
  { pattern: '*', ...rule },
]);

// Nobody comes near them, but all loops take from the same buckets.
const limits = {
  'limits.connects_per_address': '100000/s',
  'limits.messages_per_user': '100000/s',
  'limits.messages_per_app': '1000000/s',
  'limits.bytes_per_address': '1GiB/s',
  'limits.subscribes_per_app': '100000/s',
  'limits.presence_per_address': '100000/s',
  'limits.connections_per_user_max': 1000,
  'server.memory_max': '64GiB',
  'server.loop_lag_max': '1m',
};

/** What one client hears, by the cursor rule, over all its connections. */
class Reader {
  heard = new Map(kChannels.map((channel) => [channel, []]));
  cursors = new Map();
  members = new Map();
  early = new Map();
  wrong = [];

  async subscribe(client) {
    client.onPush = (push) => this.#take(push);
    await Promise.all(kChannels.map(async (channel) => {
      const since = this.cursors.get(channel);
      const answer = await client.ask('subscribe', { channel, presence: true, ...(since && { since }) });
      assert.equal(answer.type, 'subscribed', JSON.stringify(answer));
      if (since) assert.equal(answer.recovered, true, JSON.stringify(answer));
      else this.cursors.set(channel, { epoch: answer.epoch, offset: answer.offset });
      for (const push of this.early.get(channel)?.splice(0) ?? []) this.#take(push);
    }));
  }

  #take(all) {
    const { type, channel, offset, text, ...push } = all;
    if (type === 'presence') this.members.set(channel, push.count);
    if (type === 'gap') this.wrong.push({ channel, ...push });
    if (type !== 'message') return;
    const cursor = this.cursors.get(channel);
    // The answer is in the same frame, perhaps, but its promise has yet to be seen.
    if (!cursor) return this.early.set(channel, [...this.early.get(channel) ?? [], all]);
    if (offset <= cursor.offset) return;
    if (offset !== cursor.offset + 1) this.wrong.push({ channel, offset, after: cursor.offset });
    cursor.offset = offset;
    this.heard.get(channel).push(`${offset} ${text}`);
  }
}

const greeting = (name) => ({ token: token({ sub: name, ...everything }) });
const formats = ['json', 'msgpack'];

test(`sessions wander over ${kLoops} loops while everybody talks`, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'anywire-races-'));
  const server = await startServer({ loops: kLoops, conformance: false, flags: {
    'auth.hs256_secret': kSecret, 'auth.expiry_required': false, channels,
    'history.path': path.join(folder, 'history.db'), ...limits } });
  const stayers = [];
  try {
    for (let i = 0; i < kStayers; i++) {
      const client = await Client.connect(server, greeting(`stayer-${i}`), { format: formats[i % 2] });
      const reader = new Reader();
      await reader.subscribe(client);
      stayers.push({ client, reader });
    }
    const watcher = await Client.connect(server, greeting('watcher'));
    let watched = 0;
    watcher.onPush = ({ type }) => { if (type === 'message') watched++; };
    assert.equal((await watcher.ask('subscribe', { pattern: '*' })).type, 'subscribed');

    const talk = async ({ client }, who) => {
      for (let n = 0; n < kMessagesEach; n++) {
        const channel = kChannels[(who + n) % kChannels.length];
        const said = { channel, text: `${who}:${n}`, idempotencyKey: `${who}:${n}` };
        const [once, twice] = await Promise.all(
          [client.ask('publish', said), client.ask('publish', said)]);
        assert.equal(once.type, 'published', JSON.stringify(once));
        assert.equal(once.offset, twice.offset);
        if (n % 4 === 0) await client.ask('enter', { channel, info: { n } });
        if (n % 4 === 2) await client.ask('history', { channel, order: 'backward', limit: 20 });
        if (n % 4 === 3) await client.ask('occupancy', { channel });
      }
    };
    const wander = async (who) => {
      const reader = new Reader();
      let session;
      for (let round = 0; round < kRounds; round++) {
        const client = await Client.connect(server,
          { ...greeting(`wanderer-${who}`), ...(session && { session }) },
          { format: formats[round % 2] });
        assert.equal(client.connected.resumed, round > 0, 'the session goes along');
        session = client.connected.session;
        await reader.subscribe(client);
        await client.ask('enter', { channel: kChannels[who % kChannels.length] });
        client.socket.terminate();
        await client.closed;
      }
      assert.deepEqual(reader.wrong, []);
    };
    await Promise.all([
      ...stayers.map(talk),
      ...Array.from({ length: kWanderers }, (_, who) => wander(who)),
    ]);
    const total = kStayers * kMessagesEach;
    const count = (reader) => [...reader.heard.values()].reduce((sum, { length }) => sum + length, 0);
    await until('everybody has everything', () => watched === total &&
      stayers.every(({ reader }) => count(reader) === total), { deadlineMs: kDeadlineMs });
    for (const { reader } of stayers) {
      assert.deepEqual(reader.wrong, []);
      assert.deepEqual(reader.heard, stayers[0].reader.heard);
    }
    await until('all lists of members agree', () => stayers.every(({ reader }) =>
      kChannels.every((channel) =>
        reader.members.get(channel) === stayers[0].reader.members.get(channel))),
    { deadlineMs: kDeadlineMs });
  } finally {
    stayers.forEach(({ client }) => client.socket.terminate());
    const { code, signal } = await server.stop({ deadlineMs: kDeadlineMs });
    rmSync(folder, { recursive: true });
    assert.equal(code, 0, `the server ended with ${code ?? signal}:\n${server.output}`);
  }
});
