// @anywire/server against the binary: every method does what it says.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ApiError, createApi, mintToken } from '@anywire/server';
import { Client, kSecret } from '../native/client.mjs';
import { startServer } from '../support/server.mjs';

const kChannels = JSON.stringify([{ pattern: 'closed:*' }, { pattern: '*', subscribe: 'users', publish: 'users',
  history_messages: 100, presence: true, presence_access: 'users', history_access: 'users' }]);
const kWeb = 'the secret of the key named web, 32 bytes';
const kBound = 'the secret of the key named bound, 32 byte';
const kKeys = JSON.stringify([
  { name: 'web', algorithm: 'HS512', secret: kWeb },
  { name: 'bound', algorithm: 'HS256', secret: kBound, capability: '{"news:*": ["publish"]}' },
]);

describe('the API of @anywire/server', { concurrency: false }, () => {
  let server;
  let api;
  const opened = [];
  const make = (options = {}) =>
    createApi({ url: server.url('', 'http'), secret: kSecret, ...options });

  before(async () => {
    server = await startServer({ conformance: false, loops: 2,
      flags: { 'auth.hs256_secret': kSecret, channels: kChannels, keys: kKeys } });
    api = make();
  });
  after(async () => {
    for (const client of opened) client.socket.terminate();
    await server?.stop();
  });

  const signIn = async (user, claims = {}) => {
    const { token } = await mintToken({ user, ...claims }, { secret: kSecret });
    const client = await Client.connect(server, { token });
    assert.equal(client.connected.type, 'connected', JSON.stringify(client.connected));
    opened.push(client);
    return client;
  };
  const failure = async (promise) => {
    const error = await promise.then(() => assert.fail('it went well'), (reason) => reason);
    assert.ok(error instanceof ApiError, String(error));
    assert.ok(!String(error).includes(kSecret));
    return error;
  };

  it('publishes what it is given, as it is', async () => {
    const client = await signIn('ann');
    await client.ask('subscribe', { channel: 'a/b c:ü' });
    const first = await api.publish('a/b c:ü', { n: 1 },
      { event: 'e', messageId: 'm1', tags: { t: '1' } });
    assert.deepEqual([first.offset, first.duplicate], [1, false]);
    await api.publish('a/b c:ü', 'text');
    await api.publish('a/b c:ü', new Uint8Array([255, 0]));
    const seen = [await client.next(), await client.next(), await client.next()];
    assert.deepEqual(seen.map(({ data, text, binary }) => data ?? text ?? binary),
      [{ n: 1 }, 'text', '/wA=']);
    assert.deepEqual([seen[0].event, seen[0].tags], ['e', { t: '1' }]);
  });

  it('publishes once under one key, and refuses another message under it', async () => {
    const key = { idempotencyKey: 'k1' };
    const one = await api.publish('once', 1, key);
    const two = await api.publish('once', 1, key);
    assert.deepEqual([two.offset, one.duplicate, two.duplicate], [one.offset, false, true]);
    const other = await failure(api.publish('once', 2, key));
    assert.deepEqual([other.code, other.status], ['idempotency_conflict', 409]);
  });

  it('publishes to several, each with its own result', async () => {
    const results = await api.batch([
      { channel: 'b:1', data: 1 }, { channel: '$nobody', data: 2 }, { user: 'ann', data: 3 }]);
    assert.deepEqual(results.map(({ offset }) => offset !== undefined), [true, false, true]);
    assert.ok(results[1].error instanceof ApiError);
    const all = await api.broadcast(['b:1', 'b:2'], { to: 'all' });
    assert.deepEqual(all.map(({ offset }) => offset), [2, 1]);
  });

  it('reads history, page by page as well', async () => {
    for (let n = 0; n < 7; n++) await api.publish('long', { n });
    const page = await api.history('long', { limit: 3 });
    assert.deepEqual(page.messages.map(({ data }) => data.n), [6, 5, 4]);
    assert.deepEqual([page.more, page.top, page.oldest], [true, 7, 1]);
    const read = async (options) => {
      const all = [];
      for await (const { data } of api.messages('long', { limit: 3, ...options })) all.push(data.n);
      return all;
    };
    assert.deepEqual(await read(), [6, 5, 4, 3, 2, 1, 0]);
    assert.deepEqual(await read({ order: 'forward', after: 2 }), [2, 3, 4, 5, 6]);
    assert.equal((await failure(api.history('long', { epoch: 'x' }))).status, 409);
  });

  it('sees who is there, and where', async () => {
    const client = await signIn('bob', { info: { name: 'Bob' } });
    await client.ask('subscribe', { channel: 'here' });
    const entered = await client.ask('enter', { channel: 'here' });
    assert.notEqual(entered.type, 'error', JSON.stringify(entered));
    const { members } = await api.presence('here');
    assert.deepEqual(members.map(({ user, info }) => [user, info]), [['bob', { name: 'Bob' }]]);
    const { subscribers, count, users } = await api.counts('here');
    assert.deepEqual([subscribers, count, users], [1, 1, 1]);
    const { channels } = await api.channels({ pattern: 'her*' });
    assert.deepEqual(channels, [{ channel: 'here', subscribers: 1, members: 1 }]);
    const [connection] = await api.connections('bob');
    assert.deepEqual([connection.user, connection.protocol], ['bob', 'native']);
    assert.deepEqual(await api.connections('nobody'), []);
  });

  it('subscribes and unsubscribes others', async () => {
    const client = await signIn('cat');
    assert.equal(await api.subscribe({ user: 'cat' }, 'for:cat'), 1);
    assert.equal((await client.next()).type, 'subscribed');
    await api.publish('for:cat', 1);
    assert.equal((await client.next()).data, 1);
    assert.equal(await api.unsubscribe({ user: 'cat' }, 'for:cat'), 1);
    assert.equal((await client.next()).type, 'unsubscribed');
    assert.equal(await api.subscribe({ user: 'nobody' }, 'for:cat'), 0);
  });

  it('grants and takes back', async () => {
    const client = await signIn('dan', { capability: {} });
    const ask = (n) => client.ask('publish', { channel: 'closed:dan', data: n });
    assert.equal((await ask(1)).code, 'forbidden');
    const capability = { 'closed:dan': ['publish'] };
    assert.equal(await api.grant({ user: 'dan' }, capability, { expiresIn: 60 }), 1);
    assert.equal((await ask(2)).type, 'published');
    assert.equal(await api.ungrant({ user: 'dan' }), 1);
    assert.equal((await ask(3)).code, 'forbidden');
  });

  it('calls methods of clients', async () => {
    const client = await signIn('eve');
    const [{ client: id }] = await api.connections('eve');
    client.onPush = ({ type, call, method, data }) => {
      if (type !== 'call') return;
      client.send(method === 'double'
        ? { type: 'answer', call, data: data * 2 }
        : { type: 'answer', call, error: { code: 'no_handler', message: 'no such method' } });
    };
    assert.equal(await api.rpc(id, 'double', 21), 42);
    assert.equal((await failure(api.rpc(id, 'triple', 1))).code, 'no_handler');
    client.onPush = () => {};
    assert.equal((await failure(api.rpc(id, 'never', 1, { timeout: 100 }))).code, 'timeout');
    assert.equal((await failure(api.rpc('nobody', 'double', 1))).code, 'client_gone');
  });

  it('disconnects and revokes', async () => {
    const client = await signIn('fay');
    assert.equal(await api.disconnect({ user: 'fay' }, { reason: 'bye', reconnect: false }), 1);
    const closed = await client.closed;
    assert.equal(closed.reason, 'bye');
    const again = await signIn('fay', { id: 'token-1' });
    assert.equal(await api.revoke({ token: 'token-1' }), 1);
    assert.equal((await again.closed).code, 4453);
  });

  it('makes tickets, each for one connection', async () => {
    const { ticket, expires } = await api.createTicket({ user: 'gil', expiresIn: 60 });
    assert.ok(expires > Date.now());
    const at = { url: (path, scheme) => server.url(`${path}?ticket=${ticket}`, scheme) };
    const client = await Client.connect(at);
    opened.push(client);
    assert.equal(client.connected.user, 'gil');
    const second = await Client.open(at).catch(() => undefined);
    second?.send({ type: 'connect', id: 1 });
    assert.equal((await second?.closed)?.code ?? 4451, 4451);
  });

  it('goes by a key of a name, its algorithm and its bounds', async () => {
    const web = make({ key: 'web', secret: kWeb, algorithm: 'HS512' });
    assert.equal((await web.publish('w', 1)).offset, 1);
    const capability = { 'news:*': ['publish'] };
    const bound = make({ key: 'bound', secret: kBound, capability });
    assert.equal((await bound.publish('news:1', 1)).offset, 1);
    const refused = await failure(bound.publish('other', 1));
    assert.deepEqual([refused.code, refused.status], ['forbidden', 403]);
  });

  it('says why a call is refused', async () => {
    const stranger = make({ secret: 'a secret that is not the server’s own' });
    const refused = await failure(stranger.publish('x', 1));
    assert.deepEqual([refused.code, refused.status], ['unauthorized', 401]);
    const { token } = await mintToken({ user: 'ann' }, { secret: kSecret });
    const user = make({ token });
    assert.equal((await failure(user.disconnect({ user: 'bob' }))).code, 'forbidden');
    assert.equal((await failure(api.publish('', 1))).status, 400);
  });
});
