// Who clients are, against the binary: keys of every kind in tokens that `jose` signs, JWKS and its
// rotation, the places where a credential may be, and that nothing of them is in the log.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import * as jose from 'jose';
import WebSocket from 'ws';
import { until, within } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';
import { Client, kSecret, token } from './client.mjs';

const kAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const kOrigin = 'https://app.example';
const now = () => Math.floor(Date.now() / 1000);
const claims = (more = {}) => ({ sub: 'ann', iat: now(), exp: now() + 60, capability: { 'room:*': ['*'] }, ...more });
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'anywire-identity-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const file = (name, text) => {
  fs.writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
};

const pairs = new Map();
const sign = (alg, kid, payload = claims()) =>
  new jose.SignJWT(payload).setProtectedHeader({ alg, ...(kid ? { kid } : {}) }).sign(pairs.get(kid).privateKey);
const makePair = async (alg, kid) => {
  pairs.set(kid, await jose.generateKeyPair(alg, { extractable: true }));
  return pairs.get(kid);
};

/** The end of a connection that is refused at `connect`, or what it answers. */
async function connect(server, members = {}, options = {}) {
  const client = await Client.open(server, options);
  const answer = await Promise.race([client.ask('connect', members), client.closed]);
  client.socket.terminate();
  return answer;
}

/** A raw socket: resolves with 'open' once it is in its channel, or with the code of its end. */
function raw(server, where, protocols = [], options = {}) {
  const socket = new WebSocket(server.url(where), protocols, options);
  socket.on('error', () => {});
  const ended = once(socket, 'close').then(([code]) => code);
  const opened = once(socket, 'open').then(() => new Promise((resolve) => setImmediate(resolve, 'open')));
  return { socket, ended, opened };
}

describe('keys', () => {
  let server;
  const configFile = path.join(folder, 'anywire.toml');
  const write = (keys) => fs.writeFileSync(configFile, keys.join('\n'));
  const key = async (alg) => {
    const { publicKey } = await makePair(alg, alg);
    return `[[keys]]\nname = "${alg}"\nalgorithm = "${alg}"\npublic_key_file = "${
      file(`${alg}.pem`, await jose.exportSPKI(publicKey))}"\n`;
  };
  let keys;
  before(async () => {
    keys = await Promise.all(kAlgorithms.map(key));
    keys.push(`[[keys]]\nname = "web"\nsecret_file = "${file('web', `${kSecret}\n`)}"\n` +
      `capability = '{"room:*": ["*"]}'\ngrants = '{"inbox:{sub}": ["subscribe"]}'\n`);
    write(keys);
    server = await startServer({ conformance: false, flags: {}, args: [], env: { ANYWIRE_CONFIG: configFile } });
  });
  after(async () => assert.equal((await server.stop()).code, 0, server.output));

  for (const alg of kAlgorithms) {
    it(`takes ${alg} tokens of its key and of no other`, async () => {
      assert.equal((await connect(server, { token: await sign(alg, alg) })).user, 'ann');
      const other = await jose.generateKeyPair(alg);
      const forged = await new jose.SignJWT(claims()).setProtectedHeader({ alg, kid: alg }).sign(other.privateKey);
      const end = await connect(server, { token: forged });
      assert.equal(end.code, 4451);
      assert.match(end.reason, /^bad_signature/);
    });
  }

  it('refuses a public key used as a secret', async () => {
    const pem = fs.readFileSync(path.join(folder, 'RS256.pem'), 'utf8');
    const end = await connect(server, { token: token(claims(), pem) });
    assert.equal(end.code, 4451);
  });

  it('cuts a token down to what its key may grant', async () => {
    const text = await new jose.SignJWT(claims({ capability: { '*': ['*'] } }))
      .setProtectedHeader({ alg: 'HS256', kid: 'web' }).sign(new TextEncoder().encode(kSecret));
    const client = await Client.connect(server, { token: text });
    const subscribe = async (channel) => (await client.ask('subscribe', { channel })).type;
    assert.equal(await subscribe('room:1'), 'subscribed', 'the part of * that the key has');
    assert.equal(await subscribe('news'), 'error');
    assert.equal(await subscribe('inbox:ann'), 'subscribed');
    assert.equal(await subscribe('inbox:bob'), 'error');
    client.socket.terminate();
  });

  it('reads its keys again on SIGHUP and disconnects nobody', async () => {
    const client = await Client.connect(server, { token: await sign('ES256', 'ES256') });
    const added = await key('ES384');
    write([...keys.filter((one) => !one.includes('"ES256"') && !one.includes('"ES384"')), added]);
    server.signal('SIGHUP');
    await until('the keys are reloaded', () => server.log.some((event) => event.msg === 'keys reloaded'));
    assert.equal((await connect(server, { token: await sign('ES256', 'ES256') })).code, 4451);
    assert.equal((await connect(server, { token: await sign('ES384', 'ES384') })).user, 'ann');
    assert.equal((await client.ask('ping')).type, 'pong');
    client.socket.terminate();
    fs.writeFileSync(configFile, '[[keys]]\nnam = "x"\n');
    server.signal('SIGHUP');
    await until('the mistake is reported', () => server.output.includes('keys not reloaded'));
    assert.equal((await connect(server, { token: await sign('ES384', 'ES384') })).user, 'ann');
  });
});

describe('keys of a JWKS document', () => {
  let server, publisher, document, asked = 0;
  const publish = async (...kids) => {
    document = JSON.stringify({ keys: await Promise.all(kids.map(async (kid) => ({
      ...(await jose.exportJWK(pairs.get(kid).publicKey)), kid, use: 'sig', alg: 'ES256' }))) });
  };
  before(async () => {
    await makePair('ES256', 'old');
    await makePair('ES256', 'new');
    await publish('old');
    publisher = http.createServer((_, answer) => {
      asked += 1;
      answer.end(document);
    }).listen(0, '127.0.0.1');
    await once(publisher, 'listening');
    server = await startServer({ conformance: false, flags: {
      'auth.jwks_url': `http://127.0.0.1:${publisher.address().port}/jwks.json`,
      'auth.jwks_grants': '{"news": ["subscribe"]}' } });
    await until('the keys are there', () => server.log.some((event) => event.msg === 'keys fetched'));
  });
  after(async () => {
    assert.equal((await server.stop()).code, 0, server.output);
    publisher.closeAllConnections();
    publisher.close();
  });

  it('takes their tokens, with what is granted to all of them', async () => {
    const client = await Client.connect(server, { token: await sign('ES256', 'old', claims({ capability: undefined })) });
    assert.equal(client.connected.user, 'ann');
    assert.equal((await client.ask('subscribe', { channel: 'news' })).type, 'subscribed');
    client.socket.terminate();
  });

  it('asks for a key that nobody knows, and no more than once in ten seconds', async () => {
    await publish('old', 'new');
    const before = asked;
    // The first request was moments ago, so this one is judged by the keys there are.
    const tokens = await Promise.all(Array.from({ length: 20 }, () => sign('ES256', 'new')));
    const ends = await Promise.all(tokens.map((one) => connect(server, { token: one })));
    assert.ok(ends.every((end) => end.code === 4451 || end.user === 'ann'));
    assert.ok(asked - before <= 1, `asked ${asked - before} times`);
  });
});

describe('credentials', () => {
  let server;
  before(async () => {
    server = await startServer({ conformance: false, flags: {
      'auth.hs256_secret': kSecret, 'auth.cookie': 'session', 'auth.expiry_grace': '100ms',
      'auth.leeway': '1s', 'http.allowed_origins': kOrigin, 'log.level': 'debug' } });
  });
  after(async () => {
    assert.equal((await server.stop()).code, 0, server.output);
  });

  it('are found in the header, the subprotocols and a cookie of a named Origin', async () => {
    const text = token(claims());
    assert.equal((await connect(server, {}, { headers: { Authorization: `Bearer ${text}` } })).user, 'ann');
    assert.equal((await connect(server, {}, { headers: { Cookie: `session=${text}` }, origin: kOrigin })).user, 'ann');
    const socket = new WebSocket(server.url('/anywire'), ['anywire.v1.json', `anywire.token.${text}`]);
    await once(socket, 'open');
    assert.equal(socket.protocol, 'anywire.v1.json', 'the token is never selected');
    socket.send(JSON.stringify({ type: 'connect', id: 1 }));
    const [answer] = await within('the answer', once(socket, 'message'));
    assert.equal(JSON.parse(answer).user, 'ann');
    socket.terminate();
  });

  it('are no cookies of other pages, or of none', async () => {
    const headers = { Cookie: `session=${token(claims())}` };
    const end = await connect(server, {}, { headers });
    assert.equal(end.code, 4450, 'without an Origin');
    await assert.rejects(connect(server, {}, { headers, origin: 'https://evil.example' }), /403/);
  });

  it('count for plain WebSocket, too', async () => {
    const text = token(claims());
    // A browser takes no answer that names none of the subprotocols it offered.
    const good = raw(server, '/raw/room:1', ['anywire.raw.v1', `anywire.token.${text}`]);
    await within('a member by subprotocol', good.opened);
    assert.equal(good.socket.protocol, 'anywire.raw.v1');
    const header = raw(server, '/raw/room:1', [], { headers: { Authorization: `Bearer ${text}` } });
    await within('a member', header.opened);
    const heard = once(header.socket, 'message');
    header.socket.send('hello');
    assert.equal((await within('its message', heard))[0].toString(), 'hello');
    header.socket.terminate();
    good.socket.terminate();
    assert.equal(await within('no token', raw(server, '/raw/room:1').ended), 4450);
    const other = raw(server, '/raw/other', [], { headers: { Authorization: `Bearer ${text}` } });
    assert.equal(await within('another channel', other.ended), 4403);
    const bad = raw(server, '/raw/room:1', [], { headers: { Authorization: 'Bearer x' } });
    assert.equal(await within('a bad token', bad.ended), 4451);
  });

  it('end connections of both protocols after their grace', async () => {
    const text = token(claims({ exp: now() + 1 }));
    const plain = raw(server, '/raw/room:1', [], { headers: { Authorization: `Bearer ${text}` } });
    const client = await Client.connect(server, { token: text });
    assert.equal((await within('the end', client.closed)).code, 4452);
    assert.equal(await within('the end of the other', plain.ended), 4452);
  });

  it('are never in the log', async () => {
    const secret = 'SECRETSECRETSECRETSECR';
    await connect(server, { token: secret }, { headers: { Authorization: `Bearer ${secret}`, Cookie: `session=${secret}` } });
    const socket = new WebSocket(server.url(`/anywire?ticket=${secret}`));
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connect', id: 1 }));
    assert.equal((await within('the refusal', once(socket, 'close')))[0], 4451);
    await fetch(server.url(`/nothing?ticket=${secret}&token=${secret}`, 'http'));
    assert.ok(!server.output.includes(secret), server.output);
    assert.ok(!server.output.includes(token(claims()).split('.')[0]), 'nor a part of a token');
  });
});
