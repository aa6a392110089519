// Several apps in one process: what docs/guides/apps.md promises, and that nothing of one app is of
// use in another.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { basic, Caller, exchange } from '../api/support.mjs';
import { Client, token } from '../native/client.mjs';
import { until, within } from '../support/poll.mjs';
import { launch, startServer } from '../support/server.mjs';

const kSecrets = {
  default: 'the default app has this secret, 32 bytes',
  shop: 'the shop has this secret of 32 bytes or so',
  game: 'the game has this secret of 32 bytes or so',
};
const kBadToken = 4451;
const kPaths = { default: '', shop: '/shop', game: '/games/one' };
const rules = (durable) => `
[[channels]]
pattern = "kept"
durable = ${durable}
history_messages = 10

[[channels]]
pattern = "*"
presence = true
history_messages = 100
`;

const folder = mkdtempSync(path.join(tmpdir(), 'anywire-apps-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const write = (name, text) => {
  writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
};

function configure({ more = {}, shopSecret = kSecrets.shop, durable = false } = {}) {
  const file = (name, secret) => write(`${name}.toml`, `
[auth]
hs256_secret = "${secret}"
anonymous = true
${rules(durable)}
${more[name] ?? ''}`);
  const apps = `
[[apps]]
name = "shop"
config = "${file('shop', shopSecret)}"
path = "/shop"
hosts = ["shop.example"]

[[apps]]
name = "game"
config = "${file('game', kSecrets.game)}"
path = "/games/one"
`;
  return write('anywire.toml', `
[auth]
hs256_secret = "${kSecrets.default}"
anonymous = true
${rules(durable)}
${more.default ?? ''}
${apps}`);
}

const start = (options = {}) =>
  startServer({ conformance: false, loops: 2, ...options, flags: { config: configure(options) } });

const at = (server, app) => ({ url: (p) => server.url(kPaths[app] + p) });
const seconds = () => Math.floor(Date.now() / 1000);
const tokenOf = (app, claims = {}) =>
  token({ iat: seconds(), exp: seconds() + 600, sub: 'ann', capability: { '*': ['*', 'manage'] },
    ...claims }, kSecrets[app]);

const opened = [];
/** The close code of who is not let in. */
async function refusal(server, app, members = { token: tokenOf(app) }) {
  const client = await Client.open(at(server, app));
  opened.push(client);
  client.send({ type: 'connect', id: 1, ...members });
  return (await within('the refusal', client.closed)).code;
}

async function connect(server, app, members = { token: tokenOf(app) }, options) {
  const client = await Client.connect(at(server, app), members, options);
  opened.push(client);
  return client;
}
const api = (server, app, authorization = basic('', kSecrets[app])) => {
  const caller = new Caller(server, { authorization, path: `${kPaths[app]}/api/v1` });
  opened.push({ socket: { terminate: () => caller.close() } });
  return caller;
};
after(() => opened.forEach((client) => client.socket.terminate()));

async function stop(server) {
  const exit = await server?.stop();
  assert.equal(exit?.code, 0, server?.output);
}

describe('apps in one process', { concurrency: 4 }, () => {
  let server;
  before(async () => {
    server = await start();
  });
  after(() => stop(server));

  test('have channels, history and presence of their own', async () => {
    const clients = {};
    for (const app of Object.keys(kPaths)) {
      clients[app] = await connect(server, app);
      assert.equal(clients[app].connected.type, 'connected', app);
      const joined = await clients[app].ask('subscribe', { channel: 'room', presence: true });
      assert.equal(joined.type, 'subscribed');
    }
    await clients.shop.ask('enter', { channel: 'room', info: { in: 'shop' } });
    for (const app of Object.keys(kPaths)) {
      const { status, body } = await api(server, app).post('/publish', { channel: 'room', data: app });
      assert.equal(status, 200);
      assert.equal(body.offset, 1, 'each counts for itself');
    }
    for (const app of Object.keys(kPaths)) {
      const message = await until('the message', async () => {
        const push = await clients[app].next();
        return push.type === 'message' && push;
      });
      assert.equal(message.data, app);
      const { body } = await api(server, app).get('/history', { channel: 'room' });
      assert.deepEqual(body.messages.map(({ data }) => data), [app]);
      const presence = await api(server, app).get('/presence', { channel: 'room' });
      assert.equal(presence.body.members.length, app === 'shop' ? 1 : 0);
      const channels = await api(server, app).get('/channels');
      assert.ok(channels.body.channels.some(({ channel }) => channel === 'room'));
    }
  });

  test('are found by host as well', async () => {
    const client = await Client.connect({ url: (p) => server.url(p) }, { token: tokenOf('shop') },
      { headers: { Host: 'shop.example' } });
    opened.push(client);
    assert.equal(client.connected.type, 'connected');
    const other = await connect(server, 'shop', { token: tokenOf('shop', { sub: 'bob' }) });
    await other.ask('subscribe', { channel: 'by-host' });
    assert.equal((await client.ask('publish', { channel: 'by-host', data: 1 })).type, 'published');
    assert.equal((await other.next()).data, 1);
  });

  test('serve raw channels and the fallbacks below their path', async () => {
    const heard = [];
    const sockets = ['shop', 'game'].map((app) =>
      new WebSocket(server.url(`${kPaths[app]}/raw/plain`),
        { headers: { Authorization: `Bearer ${tokenOf(app)}` } }));
    for (const socket of sockets) {
      socket.on('message', (data) => heard.push(String(data)));
      await within('the upgrade', once(socket, 'open'));
      opened.push({ socket });
    }
    await api(server, 'shop').post('/publish', { channel: 'plain', data: 'for the shop' });
    await until('the shop hears', () => heard.length > 0);
    await api(server, 'game').post('/publish', { channel: 'plain', data: 'for the game' });
    await until('the game hears', () => heard.length > 1);
    assert.deepEqual(heard, ['"for the shop"', '"for the game"']);

    const poll = await fetch(server.url('/shop/anywire/poll', 'http'), {
      method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ messages: [{ type: 'connect', id: 1, token: tokenOf('shop') }] }),
    });
    assert.equal(poll.status, 200);
    assert.equal((await poll.json()).messages[0].type, 'connected');
  });

  test('say in their document where they are', async () => {
    for (const app of Object.keys(kPaths)) {
      const { body } = await api(server, app).get('/openapi.json');
      assert.equal(body.servers[0].url, `${kPaths[app]}/api/v1`);
    }
  });
});

describe('what is of one app', { concurrency: 4 }, () => {
  let server;
  before(async () => {
    server = await start();
  });
  after(() => stop(server));

  test('a token is worth nothing in another', async () => {
    for (const [app, other] of [['shop', 'game'], ['default', 'shop'], ['game', 'default']]) {
      assert.equal(await refusal(server, other, { token: tokenOf(app) }), kBadToken);
      const { status } = await api(server, other, `Bearer ${tokenOf(app)}`).get('/channels');
      assert.equal(status, 401);
      assert.equal((await api(server, other, basic('', kSecrets[app])).get('/channels')).status, 401);
    }
  });

  test('a session cannot be resumed in another', async () => {
    const client = await connect(server, 'shop', { token: tokenOf('shop') });
    const { session } = client.connected;
    client.socket.terminate();
    const elsewhere = await connect(server, 'game', { token: tokenOf('game'), session });
    assert.equal(elsewhere.connected.type, 'connected');
    assert.equal(elsewhere.connected.resumed, false);
    const back = await connect(server, 'shop', { token: tokenOf('shop'), session });
    assert.equal(back.connected.resumed, true);
  });

  test('a ticket opens nothing in another', async () => {
    const { status, body } = await api(server, 'shop').post('/tickets', { user: 'ann', expiresIn: 30 });
    assert.equal(status, 200, JSON.stringify(body));
    const url = (app) => ({ url: () => server.url(`${kPaths[app]}/anywire?ticket=${body.ticket}`) });
    const wrong = await Client.open(url('game'));
    opened.push(wrong);
    wrong.send({ type: 'connect', id: 1 });
    assert.equal((await within('the refusal', wrong.closed)).code, kBadToken);
    const right = await Client.connect(url('shop'));
    opened.push(right);
    assert.equal(right.connected.user, 'ann');
  });

  test('a user is not the user of that name in another, nor are revocations of it', async () => {
    const [shop, game] = [await connect(server, 'shop', { token: tokenOf('shop', { sub: 'eve' }) }),
      await connect(server, 'game', { token: tokenOf('game', { sub: 'eve' }) })];
    const found = await api(server, 'game').get('/connections', { user: 'eve' });
    assert.equal(found.body.connections.length, 1);
    const sent = await api(server, 'shop').post('/publish', { user: 'eve', data: 1 });
    assert.equal(sent.status, 200);
    const revoked = await api(server, 'shop').post('/revocations', { user: 'eve' });
    assert.equal(revoked.body.disconnected, 1);
    assert.equal((await within('the end', shop.closed)).code, 4453);
    assert.equal((await game.ask('ping')).type, 'pong');
    assert.equal(game.unread, 0);
  });

  test('an idempotency key is free in another', async () => {
    const publish = { channel: 'keys', data: 1, idempotencyKey: 'once' };
    for (const app of ['shop', 'game']) {
      assert.equal((await api(server, app).post('/publish', publish)).body.duplicate, false);
      assert.equal((await api(server, app).post('/publish', publish)).body.duplicate, true);
    }
  });

  test('no spelling of a path or a host leads elsewhere', async () => {
    const ask = async (target, host = 'x') => {
      const answer = await exchange(server, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n` +
        `Authorization: ${basic('', kSecrets.shop)}\r\nConnection: close\r\n\r\n`);
      return Number(answer.slice(9, 12));
    };
    assert.equal(await ask('/shop/api/v1/channels'), 200);
    assert.equal(await ask('/%73hop/api/v1/channels'), 200);
    assert.equal(await ask('/api/v1/channels', 'Shop.Example:3001'), 200);
    assert.equal(await ask('/api/v1/channels', 'shop.example.'), 200);
    assert.equal(await ask('http://shop.example/api/v1/channels'), 400, 'Host says another');
    for (const target of ['/shop/../api/v1/channels', '/games/one/api/v1/channels',
      '/shop/..%2fgames/one/api/v1/channels', '/SHOP/api/v1/channels', '//shop/api/v1/channels',
      '/shop//api/v1/channels', '/shop%2fapi/v1/channels', '/shop;/api/v1/channels',
      '/games/api/v1/channels', '/api/v1/channels']) {
      assert.ok([400, 401, 404].includes(await ask(target)), `${target}: ${await ask(target)}`);
    }
    assert.equal(await ask('/api/v1/channels', 'shop.example.evil'), 401);
  });
});

describe('trouble of one app', () => {
  test('its limits are its own', async () => {
    const server = await start({ more: { shop: '[limits]\nmessages_per_app = "1/m burst 5"\n' } });
    const [shop, game] = [await connect(server, 'shop'), await connect(server, 'game')];
    const codes = [];
    for (let i = 0; i < 10; ++i) {
      const reply = await shop.ask('publish', { channel: 'a', data: i });
      codes.push(reply.code ?? reply.type);
    }
    assert.ok(codes.includes('rate_limited'), codes.join());
    for (let i = 0; i < 20; ++i) {
      assert.equal((await game.ask('publish', { channel: 'a', data: i })).type, 'published');
    }
    await stop(server);
  });

  test('an application that does not answer holds up nobody else', async () => {
    const server = await start({ more: {
      shop: `[app]\nurl = "http://127.0.0.1:1/hooks"\nsecret = "${kSecrets.shop}"\n` +
        'hooks = ["connect"]\ntimeout = "1s"\n' } });
    assert.equal(await refusal(server, 'shop'), 4503);
    assert.equal((await connect(server, 'game')).connected.type, 'connected');
    assert.equal((await connect(server, 'default')).connected.type, 'connected');
    await stop(server);
  });
});

describe('an operator', () => {
  test('replaces the keys of one app by SIGHUP, and a broken file changes nothing', async () => {
    const server = await start();
    const rotated = 'the shop has got another secret by now, yes';
    const said = (msg) => server.log.filter((event) => event.msg === msg);
    configure({ shopSecret: rotated });
    server.signal('SIGHUP');
    await until('all three are reloaded', () => said('keys reloaded').length === 3);
    assert.deepEqual(said('keys reloaded').map(({ app }) => app), ['default', 'shop', 'game']);
    assert.equal(await refusal(server, 'shop'), kBadToken);
    const fresh = token({ exp: seconds() + 600, sub: 'ann' }, rotated);
    assert.equal((await connect(server, 'shop', { token: fresh })).connected.type, 'connected');
    assert.equal((await connect(server, 'game')).connected.type, 'connected');

    write('shop.toml', '[auth]\nhs256_secret = "short"\n');
    server.signal('SIGHUP');
    await until('it is refused', () => said('keys not reloaded, the old ones stay').length === 1);
    assert.equal((await connect(server, 'shop', { token: fresh })).connected.type, 'connected');
    assert.ok(server.log.some(({ msg }) => msg.includes('shop.toml:2:')), server.output);
    await stop(server);
  });

  test('is told when two apps believe the same tokens', async () => {
    const server = await start({ shopSecret: kSecrets.game });
    const warning = server.log.find(({ msg }) => msg.includes('have a secret in common'));
    assert.match(warning.msg, /"shop" and "game"/);
    assert.ok(!server.output.includes(kSecrets.game), 'which one is not said');
    await stop(server);
  });

  test('is told in one line which file of which app is wrong', async () => {
    const config = configure({ more: { game: '[tls]\ncertificate = "x"\n' } });
    const server = launch(['serve', '--config', config]);
    const { code } = await within('the refusal', server.finished);
    assert.equal(code, 2);
    assert.match(server.output, /game\.toml:\d+:2: "tls" is for all apps of the process/);
    const taken = configure({ more: { game: '[history]\npath = "/nowhere/at/all.db"\n' } });
    const unopened = launch(['serve', '--listen', '127.0.0.1:0', '--config', taken]);
    assert.equal((await within('the refusal', unopened.finished)).code, 1);
    assert.match(unopened.output, /app \\?"game\\?": /);
  });

  test('finds the durable channels of each app after a restart', async () => {
    const history = (name) => `[history]\npath = "${path.join(folder, `${name}.db`)}"\n`;
    const more = Object.fromEntries(Object.keys(kPaths).map((name) => [name, history(name)]));
    const first = await start({ more, durable: true });
    for (const app of Object.keys(kPaths)) {
      const { status, body } = await api(first, app).post('/publish', { channel: 'kept', data: app });
      assert.equal(status, 200, JSON.stringify(body));
    }
    await stop(first);
    const second = await start({ more, durable: true });
    for (const app of Object.keys(kPaths)) {
      const { body } = await api(second, app).get('/history', { channel: 'kept' });
      assert.deepEqual(body.messages.map(({ data }) => data), [app]);
    }
    await stop(second);
  });
});
