// Who may do what, over several loops: the application is asked, the HTTP API reaches the clients
// of all loops, tokens are revoked and keys are loaded anew, all at once and, when ANYWIRE_BIN is
// built so, under ThreadSanitizer: a race makes the server exit with another status than 0.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Caller } from '../api/support.mjs';
import { App, flagsFor } from '../application/app.mjs';
import { Client, kSecret, token } from '../native/client.mjs';
import { until } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';

const kLoops = 4;
const kSpeakers = 12;
const kMessagesEach = 40;
const kVisitors = 8;
const kVisits = 15;
const kCallers = 6;
const kCallsEach = 40;
const kDeadlineMs = 120000;

function answer({ type, client, channel, data }) {
  switch (type) {
    case 'connect':
      return { channels: ['news'], actions: [{ do: 'publish', channel: 'came', data: client.user }] };
    case 'publish':
      return { data: { ...data, seen: true }, actions: [{ do: 'publish', channel: 'audit', data }] };
    case 'rpc':
      return { data: { you: client.user }, actions: [{ do: 'subscribe', channel: 'extra' },
        { do: 'unsubscribe', channel: 'extra', user: client.user }] };
    default:
      return channel === 'private:closed' ? { allow: false, message: 'closed' } : {};
  }
}

const channels = JSON.stringify([
  { pattern: 'asked:*', publish_hook: true },
  { pattern: 'private:*', subscribe_hook: true },
  { pattern: '*', presence: true, history_messages: 100 },
]);

const named = (user, more = {}) =>
  ({ token: token({ sub: user, iat: Math.floor(Date.now() / 1000), capability: { '*': ['*'] }, ...more }) });
const formats = ['json', 'msgpack'];

test(`the application and its calls meet over ${kLoops} loops`, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'anywire-races-'));
  const config = path.join(folder, 'anywire.toml');
  const spare = (round) => writeFileSync(config,
    `[[keys]]\nname = "spare"\nalgorithm = "HS256"\nsecret = "${String(round).padStart(40, 'spare-')}"\n`);
  spare(0);
  const app = await new App().listen();
  app.onHook = answer;
  const server = await startServer({ loops: kLoops, conformance: false, flags: flagsFor(app, {
    config, channels, 'app.hooks': 'connect,rpc,events', 'auth.hs256_secret': kSecret,
    'limits.messages_per_user': '100000/s', 'limits.connects_per_app': '100000/s' }) });
  const speakers = [];
  const callers = [];
  try {
    for (let i = 0; i < kSpeakers; i++) {
      const client = await Client.connect(server, named(`speaker-${i}`), { format: formats[i % 2] });
      assert.equal(client.connected.type, 'connected', JSON.stringify(client.connected));
      const heard = { asked: 0, audit: 0 };
      client.onPush = (push) => {
        if (push.type === 'call') {
          client.send({ type: 'answer', call: push.call, data: push.data });
        } else if (push.type === 'message' && push.channel === 'asked:1') {
          assert.equal(push.data.seen, true);
          heard.asked++;
        } else if (push.type === 'message' && push.channel === 'audit') {
          heard.audit++;
        }
      };
      for (const channel of ['asked:1', 'audit', 'room:1']) {
        assert.equal((await client.ask('subscribe', { channel })).type, 'subscribed');
      }
      speakers.push({ client, heard });
    }

    const talk = async ({ client }, who) => {
      for (let n = 0; n < kMessagesEach; n++) {
        const published = await client.ask('publish', { channel: 'asked:1', data: { who, n } });
        assert.equal(published.type, 'published', JSON.stringify(published));
        if (n % 5 === 0) {
          const { data } = await client.ask('rpc', { method: 'who' });
          assert.deepEqual(data, { you: `speaker-${who}` });
        }
        if (n % 7 === 0) await client.ask('subscribe', { channel: 'private:closed' });
        if (n % 9 === 0) await client.ask('enter', { channel: 'room:1' });
      }
    };
    // Comes, and is made to go in one way or another.
    const visit = async (caller, who) => {
      for (let round = 0; round < kVisits; round++) {
        const [user, jti] = [`visitor-${who}`, `visit-${who}-${round}`];
        const client = await Client.connect(server, named(user, { jti }), { format: formats[round % 2] });
        const id = client.connected.client;
        const way = [
          ['/disconnect', { user, reason: 'go' }, 'disconnected'],
          ['/disconnect', { client: id, reason: 'go', reconnect: false }, 'disconnected'],
          ['/revocations', { token: jti }, 'disconnected'],
        ][round % 3];
        const { status, body } = await caller.post(way[0], way[1]);
        assert.deepEqual([status, body], [200, { [way[2]]: 1 }]);
        const { code } = await client.closed;
        assert.notEqual(code, 1006);
      }
    };
    const call = async (caller, who) => {
      for (let n = 0; n < kCallsEach; n++) {
        const { client } = speakers[(who * 7 + n) % kSpeakers];
        const user = `speaker-${(who * 7 + n) % kSpeakers}`;
        const answers = await Promise.all([
          caller.post('/publish', { channel: 'news', data: n }, { 'Idempotency-Key': `${who}:${n}` }),
          caller.post('/rpc', { client: client.connected.client, method: 'echo', data: { who, n } }),
          caller.post('/grants', { user, capability: { [`given:${who}`]: ['*'] }, expiresIn: 60 }),
          caller.post('/subscribe', { user, channel: `given:${who}` }),
          caller.post('/unsubscribe', { user, channel: `given:${who}` }),
          caller.get('/connections', { user }),
          caller.get('/channels', { pattern: '*' }),
          caller.get('/presence', { channel: 'room:1' }),
          caller.get('/history', { channel: 'news' }),
        ]);
        for (const { status, body } of answers) assert.equal(status, 200, JSON.stringify(body));
        assert.deepEqual(answers[1].body, { data: { who, n } });
        await caller.call('DELETE', '/grants', { user });
      }
    };
    const reload = async () => {
      for (let round = 1; round <= 20; round++) {
        spare(round);
        server.signal('SIGHUP');
        const secret = String(round).padStart(40, 'spare-');
        await until('the new key counts', async () => {
          const client = await Client.open(server);
          client.send({ type: 'connect', id: 1, token: token({ sub: 'late' }, secret) });
          const first = await Promise.race([client.next(), client.closed]);
          client.socket.terminate();
          return first.type === 'connected';
        }, { deadlineMs: kDeadlineMs });
      }
    };
    const caller = () => {
      callers.push(new Caller(server, {
        authorization: `Basic ${Buffer.from(`:${kSecret}`).toString('base64')}` }));
      return callers.at(-1);
    };
    await Promise.all([
      ...speakers.map(talk),
      ...Array.from({ length: kVisitors }, (_, who) => visit(caller(), who)),
      ...Array.from({ length: kCallers }, (_, who) => call(caller(), who)),
      reload(),
    ]);

    const total = kSpeakers * kMessagesEach;
    await until('everybody has everything', () => speakers.every(({ heard }) =>
      heard.asked === total && heard.audit === total), { deadlineMs: kDeadlineMs });
    const gone = () => app.asks('events').flatMap(({ events }) => events)
      .filter(({ type, user }) => type === 'disconnected' && user?.startsWith('visitor-'));
    await until('the application knows who has gone', () => gone().length === kVisitors * kVisits,
      { deadlineMs: kDeadlineMs });
  } finally {
    for (const { client } of speakers) client.socket.terminate();
    for (const one of callers) one.close();
    const { code, signal } = await server.stop({ deadlineMs: kDeadlineMs });
    await app.stop();
    rmSync(folder, { recursive: true });
    assert.equal(code, 0, `the server ended with ${code ?? signal}:\n${server.output}`);
  }
});
