// What @anywire/next makes, before the real binary: tokens are taken and refused, capabilities
// hold, history is loaded in all kinds of weather. The package is the built one.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { createClient, history } from '@anywire/client';
import { anywireToken, mintToken, preloadHistory } from '@anywire/next';
import { WebSocket } from 'ws';
import { until } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';

const kSecret = 'a secret of the tests, of 32 bytes or more';
const kRules = JSON.stringify([
  { pattern: 'room:*', history_messages: 5000, history_bytes_max: '64MiB', presence: true },
  { pattern: '*' },
]);

let server;
const clients = [];
const start = (flags = {}) =>
  startServer({
    conformance: false,
    flags: { channels: kRules, ...flags },
    env: { ANYWIRE_AUTH_HS256_SECRET: kSecret },
  });

before(async () => {
  // Node.js shows it as it does in production.
  process.env.NODE_ENV = 'production';
  console.warn = () => {};
  server = await start({ 'auth.leeway': '0s' });
});
after(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await server.stop();
});

const url = () => server.url('', 'http');
const all = { 'room:*': ['*'] };
const mint = (claims = {}, options = {}) =>
  mintToken({ user: 'ann', capability: all, ...claims }, { secret: kSecret, ...options });

/** A member with this token, or function that gets one; it is closed at the end. */
function member(given) {
  const token = given.token ?? given;
  const client = createClient({ url: server.url('/anywire'), WebSocket, token });
  clients.push(client);
  return client;
}

/** What became of an attempt to connect: `open`, or the code of the error. */
async function attempt(token) {
  const client = member(token);
  try {
    await client.connect();
    return client.snapshot.state;
  } catch (error) {
    return error.code;
  }
}

/** Publishes through a member that may. */
async function say(room, ...messages) {
  const channel = member(await mint()).channel(room);
  for (const message of messages) await channel.publish(message);
}

describe('a minted token', () => {
  it('is taken, and speaks for its user', async () => {
    const client = member(await mint());
    await client.connect();
    assert.equal(client.snapshot.user, 'ann');
  });

  it('of a guest is taken, and speaks for nobody', async () => {
    const client = member(await mint({ user: null }));
    await client.connect();
    assert.equal(client.snapshot.user, undefined);
  });

  it('with everything that the server takes is taken', async () => {
    const client = member(
      await mint({
        user: 'ü'.repeat(127),
        info: 'x'.repeat(4000),
        channels: ['room:given'],
        capability: Object.fromEntries(
          Array.from({ length: 40 }, (_, i) => [`room:${i}:*`, ['subscribe', 'rpc']]),
        ),
      }),
    );
    await client.connect();
    assert.equal(client.snapshot.state, 'open');
  });

  it('signed with another secret is refused', async () => {
    const secret = 'another secret, also of 32 bytes or more';
    assert.equal(await attempt(await mint({}, { secret })), 'unauthorized');
  });

  it('is refused when it has expired', async () => {
    const { now } = Date;
    try {
      Date.now = () => now() - 20_000;
      const old = await mint({}, { ttl: 10 });
      Date.now = now;
      assert.equal(await attempt(old), 'unauthorized');
    } finally {
      Date.now = now;
    }
  });

  it('allows what its capability says, and nothing else', async () => {
    const capability = { 'room:read': ['subscribe', 'history'], 'room:write': ['publish'] };
    const client = member(await mint({ capability }));
    await say('room:read', 'hello');
    assert.equal((await history(client.channel('room:read'))).messages.length, 1);
    await client.channel('room:write').publish('hi');
    const forbidden = { code: 'forbidden' };
    await assert.rejects(client.channel('room:read').publish('hi'), forbidden);
    await assert.rejects(Promise.resolve(history(client.channel('room:write'))), forbidden);
    await assert.rejects(client.channel('elsewhere').publish('hi'), forbidden);
  });

  it('that names issuer and audience passes where they are checked', async (t) => {
    const strict = await start({ 'auth.issuer': 'our-app', 'auth.audience': 'anywire' });
    t.after(() => strict.stop());
    const load = async (options) => {
      const token = await mint({}, options);
      return (await preloadHistory('room:1', { url: strict.url('', 'http'), token })).error?.code;
    };
    assert.equal(await load({ issuer: 'our-app', audience: 'anywire' }), undefined);
    assert.equal(await load({ issuer: 'other', audience: 'anywire' }), 'unauthorized');
    assert.equal(await load({ issuer: 'our-app' }), 'unauthorized');
  });
});

describe('the token route', () => {
  it('keeps a client connected: its tokens are renewed before they end', async () => {
    let asked = 0;
    const { POST } = anywireToken({
      secret: kSecret,
      ttl: 10,
      authorize: () => ({ user: 'ann', capability: all }),
    });
    const reasons = [];
    const client = member(async ({ reason }) => {
      asked++;
      reasons.push(reason);
      const answer = await POST(new Request('http://localhost/', { method: 'POST' }));
      return await answer.json();
    });
    await client.connect();
    await until('it is renewed', () => asked === 2, { deadlineMs: 9000 });
    assert.deepEqual(reasons, ['connect', 'refresh']);
    assert.equal(client.snapshot.opens, 1);
  });
});

describe('preloaded history', () => {
  it('has the newest messages and where to go on', async () => {
    await say('room:a', { n: 1 }, 'two', new Uint8Array([3]));
    const state = await preloadHistory('room:a', { url: url(), token: await mint() });
    assert.equal(state.error, undefined);
    const { messages: _, epoch, ...rest } = state;
    assert.deepEqual(rest, { channel: 'room:a', top: 3, oldest: 1, more: false });
    assert.match(epoch, /./);
    assert.deepEqual(
      state.messages.map(({ offset, kind, data, user }) => ({ offset, kind, data, user })),
      [
        { offset: 1, kind: 'json', data: { n: 1 }, user: 'ann' },
        { offset: 2, kind: 'text', data: 'two', user: 'ann' },
        { offset: 3, kind: 'binary', data: new Uint8Array([3]), user: 'ann' },
      ],
    );
  });

  it('is where a subscription goes on, without a hole and without a message twice', async () => {
    await say('room:b', 1, 2, 3);
    const state = await preloadHistory('room:b', { url: url(), token: await mint(), limit: 2 });
    await say('room:b', 4, 5);
    const seen = state.messages.map(({ data }) => data);
    const channel = member(await mint()).channel('room:b');
    const { epoch, messages } = state;
    const { offset } = messages.at(-1);
    channel.on('gap', (gap) => seen.push(gap));
    channel.subscribe(({ data }) => seen.push(data), { since: { epoch, offset } });
    await say('room:b', 6);
    await until('the last message', () => seen.at(-1) === 6);
    assert.deepEqual(seen, [2, 3, 4, 5, 6]);
  });

  it('may be empty', async () => {
    const state = await preloadHistory('room:empty', { url: url(), token: await mint() });
    assert.equal(state.error, undefined);
    assert.deepEqual([state.messages, state.top, state.oldest], [[], 0, 1]);
  });

  it('of a huge channel is as much as asked for, and as the server puts into a page', async () => {
    const channel = member(await mint()).channel('room:huge');
    const text = 'x'.repeat(20_000);
    for (let i = 0; i < 200; i++) await channel.publish(text);
    const few = await preloadHistory('room:huge', { url: url(), token: await mint() });
    assert.deepEqual([few.top, few.more, few.error], [200, true, undefined]);
    assert.equal(few.messages.at(-1).offset, 200);
    const much = await preloadHistory('room:huge', {
      url: url(),
      token: await mint(),
      limit: 1000,
    });
    assert.equal(much.error, undefined);
    const offsets = much.messages.map(({ offset }) => offset);
    assert.deepEqual(offsets, offsets.map((_, i) => 201 - offsets.length + i));
    assert.equal(much.more, offsets.length < 200);
  });

  for (const [what, code, channel, token] of [
    ['no token', 'unauthorized', 'room:1', () => undefined],
    ['a token that is none', 'unauthorized', 'room:1', () => 'nonsense'],
    ['a token for other rooms', 'forbidden', 'room:1', () => mint({ capability: {} })],
    ['a plain channel', 'no_history', 'plain', () => mint({ capability: { '*': ['*'] } })],
    ['a name that is none', 'bad_channel', 'a\nb', () => mint()],
  ]) {
    it(`with ${what} is an error: ${code}`, async () => {
      const begun = performance.now();
      const state = await preloadHistory(channel, { url: url(), token: await token() });
      assert.equal(state.error?.code, code, state.error?.message);
      assert.deepEqual(state.messages, []);
      assert.ok(performance.now() - begun < 1000);
      assert.ok(!state.error.message.includes('127.0.0.1'));
    });
  }

  it('is given up at once when the server is down', async () => {
    const down = await start();
    await down.stop();
    const begun = performance.now();
    const state = await preloadHistory('room:1', { url: down.url('', 'http') });
    assert.equal(state.error.code, 'network');
    assert.ok(performance.now() - begun < 500, `${performance.now() - begun} ms`);
  });

  it('is given up in time when the server hangs', async (t) => {
    const held = createServer(() => {}).listen(0, '127.0.0.1');
    t.after(() => {
      held.closeAllConnections();
      held.close();
    });
    await until('it listens', () => held.address());
    const begun = performance.now();
    const hung = `http://127.0.0.1:${held.address().port}`;
    const state = await preloadHistory('room:1', { url: hung, timeout: 300 });
    const ms = performance.now() - begun;
    assert.equal(state.error.code, 'timeout');
    assert.ok(ms > 290 && ms < 1500, `${ms} ms`);
  });

  it('takes two round trips, and ends what it began', async (t) => {
    await say('room:c', 1);
    const requests = [];
    const between = createServer(async (request, response) => {
      const parts = [];
      const entry = { path: request.url, open: true };
      requests.push(entry);
      response.on('close', () => (entry.open = false));
      for await (const part of request) parts.push(part);
      const answer = await fetch(`${url()}${request.url}`, {
        method: request.method,
        body: Buffer.concat(parts),
        headers: { 'content-type': request.headers['content-type'] ?? 'text/plain' },
      });
      entry.status = answer.status;
      response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
    }).listen(0, '127.0.0.1');
    t.after(() => {
      between.closeAllConnections();
      between.close();
    });
    await until('it listens', () => between.address());
    const through = `http://127.0.0.1:${between.address().port}`;
    const state = await preloadHistory('room:c', { url: through, token: await mint() });
    assert.equal(state.messages.length, 1);
    await until('nothing waits', () => requests.every(({ open }) => !open));
    const answered = requests.filter(({ status }) => status);
    t.diagnostic(JSON.stringify(requests.map(({ path, status }) => [path, status])));
    assert.equal(requests[0].path, '/anywire/poll');
    assert.equal(answered.filter(({ path }) => path === '/anywire/send').length, 1);
    assert.ok(answered.length <= 4, `${answered.length} requests`);
  });
});
