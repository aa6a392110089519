// The HTTP API from outside: what docs/api.md promises.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from '../native/client.mjs';
import { until } from '../support/poll.mjs';
import { basic, bearer, Caller, exchange, startApi } from './support.mjs';

let server;
let api;
const clients = [];

before(async () => {
  server = await startApi();
  api = new Caller(server);
});
after(async () => {
  api?.close();
  for (const client of clients) client.socket.terminate();
  const exit = await server?.stop();
  assert.equal(exit?.code, 0, server?.output);
});

const fails = (answer, status, code) => {
  assert.equal(answer.status, status, answer.raw);
  assert.equal(answer.body.error.code, code, answer.raw);
  return answer.body.error;
};

let names = 0;
const fresh = () => `room:${++names}`;

async function connect(claims, options = {}) {
  const members = claims ? { token: bearer(claims).slice('Bearer '.length) } : {};
  const client = await Client.connect(server, members, options);
  assert.equal(client.connected.type, 'connected');
  clients.push(client);
  return client;
}

describe('publishing', () => {
  test('reaches subscribers of both forms, with a position', async () => {
    const channel = fresh();
    const [json, msgpack] = [await connect(), await connect(undefined, { format: 'msgpack' })];
    for (const client of [json, msgpack]) await client.ask('subscribe', { channel });
    const { status, body } = await api.post('/publish', {
      channel, data: { text: 'hi' }, event: 'chat', tags: { a: 'b' }, messageId: 'm1',
    });
    assert.equal(status, 200);
    assert.deepEqual({ ...body, epoch: 'e' }, { epoch: 'e', offset: 1, duplicate: false });
    for (const client of [json, msgpack]) {
      const message = await client.next('message');
      assert.deepEqual(message.data, { text: 'hi' });
      assert.equal(message.event, 'chat');
      assert.equal(message.id, 'm1');
      assert.equal(message.user, undefined);
    }
  });

  test('to a user reaches all connections of that user and nobody else', async () => {
    const [ann, other, bob] = [
      await connect({ sub: 'ann' }), await connect({ sub: 'ann' }), await connect({ sub: 'bob' })];
    for (const client of [ann, other]) {
      assert.equal((await client.ask('subscribe', { channel: '$user:ann' })).type, 'subscribed');
    }
    assert.equal((await bob.ask('subscribe', { channel: '$user:ann' })).code, 'forbidden');
    assert.equal((await api.post('/publish', { user: 'ann', text: 'psst' })).status, 200);
    for (const client of [ann, other]) assert.equal((await client.next('message')).text, 'psst');
  });

  test('happens once for a key, from two connections at once', async () => {
    const channel = fresh();
    const callers = Array.from({ length: 8 }, () => new Caller(server));
    const body = { channel, data: 1, idempotencyKey: 'k' };
    const answers = await Promise.all(callers.map((caller) => caller.post('/publish', body)));
    for (const caller of callers) caller.close();
    assert.deepEqual([...new Set(answers.map(({ body: { offset } }) => offset))], [1]);
    assert.equal(answers.filter(({ body: { duplicate } }) => !duplicate).length, 1);
    assert.equal((await api.get('/history', { channel })).body.top, 1);
    fails(await api.post('/publish', { ...body, data: 2 }), 409, 'idempotency_conflict');
    const again = await api.post('/publish', { channel, data: 1 }, { 'Idempotency-Key': 'k' });
    assert.equal(again.body.duplicate, true);
  });

  test('in a batch keeps the order and stops for nothing', async () => {
    const channel = fresh();
    const publications = Array.from({ length: 100 }, (_, n) =>
      n % 10 === 3 ? { channel: '' , data: n } : { channel, data: n });
    const { body } = await api.post('/batch', { publications });
    assert.equal(body.results.length, 100);
    let offset = 0;
    for (const [n, result] of body.results.entries()) {
      if (n % 10 === 3) assert.equal(result.error.code, 'bad_channel');
      else assert.equal(result.offset, ++offset);
    }
    const page = await api.get('/history', { channel, limit: 1000 });
    assert.deepEqual(page.body.messages.map(({ data }) => data),
      publications.filter((one) => one.channel).map(({ data }) => data));
    fails(await api.post('/batch', { publications: Array(101).fill({}) }), 413, 'too_large');
  });

  test('to many channels shares nothing but the payload', async () => {
    const channels = Array.from({ length: 20 }, fresh);
    const { body } = await api.post('/broadcast', { channels, binary: 'AAEC' });
    assert.deepEqual(body.results.map(({ offset }) => offset), channels.map(() => 1));
    for (const channel of channels) {
      const page = await api.get('/history', { channel });
      assert.equal(page.body.messages[0].binary, 'AAEC');
    }
  });
});

describe('reading', () => {
  test('shows presence and channels', async () => {
    const channel = `here:${fresh()}`;
    const client = await connect({ sub: 'ann' });
    await client.ask('subscribe', { channel });
    await client.ask('enter', { channel, info: { n: 1 } });
    await until('presence is told', async () =>
      (await api.get('/presence', { channel })).body.count === 1);
    const { body } = await api.get('/presence', { channel });
    assert.deepEqual(body.members, [{ client: client.connected.client, user: 'ann', info: { n: 1 } }]);
    assert.deepEqual((await api.get('/presence', { channel, counts: 'true' })).body,
      { channel, subscribers: 1, count: 1, users: 1 });
    assert.deepEqual((await api.get('/channels', { pattern: 'here:*' })).body,
      { channels: [{ channel, subscribers: 1, members: 1 }], more: false });
  });

  test('lists many channels a page at a time', async () => {
    const client = await connect();
    const wanted = Array.from({ length: 100 }, (_, n) => `many:${String(n).padStart(3, '0')}`);
    await Promise.all(wanted.map((channel) => client.ask('subscribe', { channel })));
    const got = [];
    for (let more = true, after = ''; more; ) {
      const { body } = await api.get('/channels', { pattern: 'many:*', limit: 7, after });
      got.push(...body.channels.map(({ channel }) => channel));
      after = got.at(-1);
      more = body.more;
    }
    assert.deepEqual(got, wanted);
  });
});

describe('reaching clients', () => {
  test('lists, subscribes and disconnects the connections of a user', async () => {
    const channel = fresh();
    const client = await connect({ sub: 'carl' });
    const { body } = await api.get('/connections', { user: 'carl' });
    assert.equal(body.connections.length, 1);
    assert.equal(body.connections[0].client, client.connected.client);
    assert.equal(body.connections[0].address, '127.0.0.1');
    assert.equal(body.connections[0].protocol, 'native');
    assert.deepEqual((await api.post('/subscribe', { user: 'carl', channel })).body,
      { connections: 1 });
    assert.equal((await client.next('subscribed')).channel, channel);
    assert.deepEqual((await api.post('/unsubscribe', { client: client.connected.client, channel }))
      .body, { connections: 1 });
    assert.deepEqual((await api.post('/disconnect',
      { user: 'carl', reason: 'banned', reconnect: false })).body, { disconnected: 1 });
    const { code, reason } = await client.closed;
    assert.equal(code, 4403);
    assert.equal(reason, 'banned');
  });

  test('grants, and takes back', async () => {
    const client = await connect({ sub: 'dora' });
    const publish = () => client.ask('publish', { channel: 'room:granted', data: 1 });
    assert.equal((await publish()).code, 'forbidden');
    const grant = { user: 'dora', capability: { 'room:granted': ['publish'] } };
    assert.deepEqual((await api.post('/grants', grant)).body, { connections: 1 });
    assert.equal((await publish()).type, 'published');
    assert.deepEqual((await api.call('DELETE', '/grants', { user: 'dora' })).body,
      { connections: 1 });
    assert.equal((await publish()).code, 'forbidden');
  });

  test('revokes tokens and closes who goes by them', async () => {
    const client = await connect({ sub: 'emil', jti: 'token-1' });
    assert.deepEqual((await api.post('/revocations', { token: 'token-1' })).body,
      { disconnected: 1 });
    assert.equal((await client.closed).code, 4453);
    const caller = new Caller(server, { authorization: bearer({ sub: 'emil', jti: 'token-1' }) });
    fails(await caller.get('/history', { channel: 'a' }), 401, 'unauthorized');
    caller.close();
  });

  test('makes tickets for one connection', async () => {
    const { body } = await api.post('/tickets', { user: 'fred', expiresIn: 10 });
    assert.match(body.ticket, /^[\w-]{22}$/);
    assert.ok(body.expires > Date.now());
  });

  for (const format of ['json', 'msgpack']) {
    test(`calls a client (${format}) and brings its answer`, async () => {
      const client = await connect({ sub: 'gina' }, { format });
      client.onPush = ({ type, call, method, data }) => {
        if (type !== 'call') return;
        if (method === 'sum') client.send({ type: 'answer', call, data: data[0] + data[1] });
        else if (method === 'no') {
          client.send({ type: 'answer', call, error: { code: 'busy', message: 'not now' } });
        } else if (method === 'leave') client.socket.terminate();
      };
      const ask = (method, more = {}) =>
        api.post('/rpc', { client: client.connected.client, method, data: [1, 2], ...more });
      assert.deepEqual((await ask('sum')).body, { data: 3 });
      assert.equal(fails(await ask('no'), 422, 'refused').reason, 'busy');
      fails(await ask('never', { timeout: 50 }), 504, 'timeout');
      const several = Array.from({ length: 8 }, () => new Caller(server));
      const sums = await Promise.all(several.map((caller) =>
        caller.post('/rpc', { client: client.connected.client, method: 'sum', data: [3, 4] })));
      for (const caller of several) caller.close();
      assert.deepEqual(sums.map(({ body }) => body), several.map(() => ({ data: 7 })));
      fails(await ask('leave'), 404, 'client_gone');
      fails(await ask('sum'), 404, 'client_gone');
    });
  }
});

describe('requests', () => {
  test('show a key or a token', async () => {
    for (const authorization of ['', basic('', 'x'.repeat(32)), basic('nobody'), 'Bearer a.b.c',
      'Digest x', bearer({ exp: 1 })]) {
      const caller = new Caller(server, { authorization });
      const answer = await caller.post('/publish', { channel: 'a', data: 1 });
      fails(answer, 401, 'unauthorized');
      assert.ok(answer.headers['www-authenticate'], authorization);
      caller.close();
    }
    const caller = new Caller(server, { authorization: bearer({ capability: { a: ['publish'] } }) });
    assert.equal((await caller.post('/publish', { channel: 'a', data: 1 })).status, 200);
    fails(await caller.post('/publish', { channel: 'b', data: 1 }), 403, 'forbidden');
    fails(await caller.post('/disconnect', { user: 'ann' }), 403, 'forbidden');
    caller.close();
  });

  test('have a path, a method, a type and a body', async () => {
    fails(await api.get('/nothing'), 404, 'not_found');
    const wrong = await api.get('/publish');
    fails(wrong, 405, 'method_not_allowed');
    assert.equal(wrong.headers.allow, 'POST');
    fails(await api.post('/publish', '{}', { 'Content-Type': 'text/plain' }), 415,
      'unsupported_media_type');
    fails(await api.post('/publish', ''), 400, 'bad_request');
    const error = fails(await api.post('/publish', '{"channel":"a",\n"data":}'), 400, 'bad_request');
    assert.match(error.message, /line 2, column 8/);
    assert.match(fails(await api.post('/publish', { chanel: 'a', data: 1 }), 400, 'bad_request')
      .message, /did you mean "channel"/);
    const options = await api.call('OPTIONS', '/publish', undefined,
      { Origin: 'https://example.com', 'Access-Control-Request-Method': 'POST' });
    assert.equal(options.status, 204);
    const head = await api.call('HEAD', '/history?channel=a');
    assert.equal(head.status, 200);
    assert.equal(head.raw, '');
  });

  test('that are hostile harm nobody', async () => {
    const bodies = [
      `${'['.repeat(100_000)}`, `{"channel":"a","data":${'['.repeat(65)}${']'.repeat(65)}}`,
      '{"channel":"a","channel":"b","data":1}', '{"channel":"a","data":"\\ud800"}',
      '{"channel":"a","data":01}', '\u0000', `{"channel":"a","data":1${' '.repeat(1000)}`,
    ];
    for (const body of bodies) fails(await api.post('/publish', body), 400, 'bad_request');
    assert.equal((await api.post('/publish', `{"channel":"a","data":1e999999}`)).status, 200);
    fails(await api.post('/publish', JSON.stringify({ channel: 'a', text: 'x'.repeat(3 << 20) })),
      413, 'too_large');
    const head = (more) => `POST /api/v1/publish HTTP/1.1\r\nHost: a\r\nAuthorization: ${basic()}\r\n` +
      `Connection: close\r\n${more}\r\n`;
    const invalid = Buffer.concat([Buffer.from('{"channel":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    assert.match(await exchange(server, [head(`Content-Length: ${invalid.length}\r\n`), invalid]),
      /^HTTP\/1.1 400 [\s\S]*not UTF-8/);
    assert.match(await exchange(server, [head('Transfer-Encoding: chunked\r\n'),
      '1\r\n{\r\n', '15\r\n"channel":"a","text":\r\n', '4\r\n"x"}\r\n', '0\r\n\r\n']),
      /^HTTP\/1.1 200 /);
    assert.match(await exchange(server, [head('Transfer-Encoding: chunked\r\n'), 'ffffffff\r\n']),
      /^HTTP\/1.1 413 [\s\S]*too_large/);
    assert.equal((await api.post('/publish', { channel: 'a', data: 1 })).status, 200);
  });

  test('are answered in order over one connection', async () => {
    const channel = fresh();
    const one = (n) => {
      const body = JSON.stringify({ channel: n % 2 ? channel : `${channel}:other`, data: n });
      return `POST /api/v1/publish HTTP/1.1\r\nHost: a\r\nAuthorization: ${basic()}\r\n` +
        `${n === 49 ? 'Connection: close\r\n' : ''}Content-Length: ${body.length}\r\n\r\n${body}`;
    };
    const got = await exchange(server, Array.from({ length: 50 }, (_, n) => one(n)).join(''));
    const offsets = [...got.matchAll(/"offset":(\d+)/g)].map(([, offset]) => Number(offset));
    assert.deepEqual(offsets, Array.from({ length: 50 }, (_, n) => Math.floor(n / 2) + 1));
  });
});

test('durable publications are answered when they are on disk, and outlive the server', async (t) => {
  const { mkdtemp, rm } = await import('node:fs/promises');
  const folder = await mkdtemp('/tmp/anywire-api-');
  t.after(() => rm(folder, { recursive: true }));
  const flags = {
    'history.path': `${folder}/history.db`,
    channels: JSON.stringify([{ pattern: '*', durable: true, history_messages: 100 }]),
  };
  const first = await startApi({ flags });
  const one = new Caller(first);
  const body = { channel: 'a', data: 1, idempotencyKey: 'k' };
  const answer = await one.post('/publish', body);
  assert.equal(answer.status, 200);
  one.close();
  first.child.kill('SIGKILL');
  await first.finished;
  const second = await startApi({ flags });
  const two = new Caller(second);
  assert.deepEqual((await two.post('/publish', body)).body, { ...answer.body, duplicate: true });
  assert.equal((await two.get('/history', { channel: 'a' })).body.messages.length, 1);
  two.close();
  await second.stop();
});
