// What only time, load and schemas bring: 408, 429 and 503 of every operation, as the OpenAPI
// document says, and 422 of publications.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { newFile } from '../durable/support.mjs';
import { Client } from '../native/client.mjs';
import { pool, until, within } from '../support/poll.mjs';
import { basic, bearer, Caller, startApi } from './support.mjs';

const all = { '*': ['*', 'manage'] };
const kBody = { '/publish': { channel: 'a', data: 1 },
  '/batch': { publications: [{ channel: 'a', data: 1 }] },
  '/broadcast': { channels: ['a'], data: 1 }, '/disconnect': { user: 'zoe' },
  '/subscribe': { user: 'zoe', channel: 'a' }, '/unsubscribe': { user: 'zoe', channel: 'a' },
  '/grants': { user: 'zoe', capability: { a: ['publish'] } }, '/revocations': { token: 't' },
  '/tickets': { user: 'zoe' }, '/rpc': { client: 'c', method: 'm' } };
const kQuery = { '/history': '?channel=a', '/presence': '?channel=a', '/connections': '?user=a' };

let document;
const ajv = new Ajv2020({ strict: false });

/** [method, path] of what has this status. */
const operationsWith = (status) => Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).filter(([, { responses }]) => status in responses)
    .map(([verb]) => [verb.toUpperCase(), path]));

const ask = (caller, method, path) =>
  caller.call(method, path + (kQuery[path] ?? ''), method === 'GET' ? undefined : kBody[path]);

/** Checks an answer against the document, and gives its error. */
function refused({ status, headers, body, raw }, wanted, code) {
  assert.equal(status, wanted, raw);
  assert.ok(ajv.validate({ $ref: 'document#/components/schemas/Error' }, body),
    `${raw} ${ajv.errorsText()}`);
  const { error } = body;
  assert.deepEqual([error.code, error.retry], [code, true], raw);
  if (status !== 408) assert.match(headers['retry-after'], /^[1-9]\d*$/);
  if (error.retryAfter !== undefined) {
    assert.equal(Number(headers['retry-after']), Math.ceil(error.retryAfter / 1000));
  }
  return error;
}

/** A caller from another address of this machine. */
function callerFrom(server, localAddress, options) {
  const caller = new Caller(server, options);
  caller.agent = new http.Agent({ keepAlive: true, maxSockets: 1, localAddress });
  return caller;
}

before(async () => {
  const server = await startApi();
  const caller = new Caller(server, { authorization: '' });
  document = (await caller.get('/openapi.json')).body;
  ajv.addSchema(document, 'document');
  caller.close();
  await server.stop();
});

/** A server with these flags, for `work`. */
async function withServer(flags, work) {
  const server = await startApi({ flags });
  try {
    await work(server);
  } finally {
    assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.output);
  }
}

describe('bodies', { concurrency: true }, () => {
  it('that do not come in time are answered with 408', () => withServer({}, async (server) => {
    const operations = operationsWith('408');
    assert.equal(operations.length, 11);
    const caller = new Caller(server);
    await Promise.all(operations.map(async ([method, path]) => {
      const socket = net.connect(server.port, server.host);
      let got = '';
      socket.setEncoding('latin1').on('data', (chunk) => (got += chunk));
      socket.write(`${method} /api/v1${path} HTTP/1.1\r\nHost: a\r\nAuthorization: ${basic()}\r\n` +
        'Content-Length: 100\r\n\r\n{"channel":');
      await within(`the end of ${method} ${path}`, once(socket, 'close'), 45_000);
      const [head, body] = got.split('\r\n\r\n');
      assert.match(head, /^HTTP\/1\.1 408 .*\r\n(.*\r\n)*Connection: close(\r\n|$)/);
      const answer = { status: 408, body: JSON.parse(body), raw: got };
      assert.equal(refused(answer, 408, 'request_timeout').message,
        'the body took too long to arrive');
    }));
    // Nobody else has waited for that.
    assert.equal((await caller.post('/publish', kBody['/publish'])).status, 200);
    caller.close();
  }));

  it('that are together more than is held are answered with 503', () => withServer({
    'api.body_bytes_max': '64MiB', loops: 1,
  }, async (server) => {
    const part = Buffer.alloc(60 << 20, ' ');
    const held = Array.from({ length: 5 }, () => {
      const socket = net.connect(server.port, server.host);
      socket.on('error', () => {});
      socket.write(`POST /api/v1/publish HTTP/1.1\r\nHost: a\r\nAuthorization: ${basic()}\r\n` +
        `Content-Length: ${part.length + 1}\r\n\r\n`);
      socket.write(part);
      return socket;
    });
    // Four fit into the 256 MiB that are held for all: it is whoever comes too late.
    const got = await within('an answer', Promise.race(held.map(async (socket) =>
      String((await once(socket, 'data'))[0]))), 20_000);
    const [head, body] = got.split('\r\n\r\n');
    const wait = /\r\nRetry-After: (\d+)/.exec(head)?.[1];
    refused({ status: Number(head.split(' ')[1]), headers: { 'retry-after': wait },
      body: JSON.parse(body), raw: got }, 503, 'overloaded');
    for (const socket of held) socket.destroy();
    const caller = new Caller(server);
    const whole = `{"channel":"a","data":1${part.toString()}}`;
    await until('there is room again', async () =>
      (await caller.post('/publish', whole)).status === 200);
    caller.close();
  }));
});

describe('callers that are too fast', { concurrency: true }, () => {
  it('are told so by every operation, and others are not concerned', () => withServer({
    'limits.messages_per_user': '1/m',
  }, async (server) => {
    const operations = operationsWith('429');
    assert.equal(operations.length, 15);
    for (const [index, [method, path]] of operations.entries()) {
      const caller = new Caller(server,
        { authorization: bearer({ sub: `user-${index}`, capability: all }) });
      const first = await ask(caller, method, path);
      assert.ok(first.status === 200 || first.status === 404, first.raw);
      const error = refused(await ask(caller, method, path), 429, 'rate_limited');
      assert.match(error.message, /messages_per_user: 1 in a minute/);
      assert.ok(error.retryAfter > 0 && error.retryAfter <= 60_000);
      caller.close();
    }
  }));

  it('with a key that is wrong are limited by their address', () => withServer({
    'limits.messages_per_address': '3/m',
  }, async (server) => {
    const guess = callerFrom(server, '127.0.0.2', { authorization: basic('', 'x'.repeat(32)) });
    for (let i = 0; i < 3; i++) {
      assert.equal((await guess.post('/publish', kBody['/publish'])).status, 401);
    }
    const error = refused(await guess.post('/publish', kBody['/publish']), 429, 'rate_limited');
    assert.match(error.message, /messages_per_address/);
    // It is the address that is limited: the right key is no way round it.
    const owner = callerFrom(server, '127.0.0.2');
    refused(await owner.post('/publish', kBody['/publish']), 429, 'rate_limited');
    const elsewhere = callerFrom(server, '127.0.0.3');
    assert.equal((await elsewhere.post('/publish', kBody['/publish'])).status, 200);
    for (const caller of [guess, owner, elsewhere]) caller.close();
  }));

  it('are limited by bytes, too', () => withServer({
    'limits.bytes_per_app': '10KiB/s',
  }, async (server) => {
    const caller = new Caller(server);
    const large = { channel: 'a', text: 'x'.repeat(9000) };
    assert.equal((await caller.post('/publish', large)).status, 200);
    const error = refused(await caller.post('/publish', large), 429, 'rate_limited');
    assert.match(error.message, /bytes_per_app/);
    assert.ok(error.retryAfter <= 1000);
    await until('it may again', async () => (await caller.post('/publish', large)).status === 200);
    caller.close();
  }));

  it('call a client that is behind with its answers', () => withServer({}, async (server) => {
    const client = await Client.connect(server, { token: bearer({ sub: 'ann' }).slice(7) });
    const calls = [];
    client.onPush = (push) => push.type === 'call' && calls.push(push.call);
    const body = { client: client.connected.client, method: 'm', timeout: 30_000 };
    const callers = Array.from({ length: 65 }, () => new Caller(server));
    const last = callers.pop();
    const answers = callers.map((caller) => caller.post('/rpc', body));
    await until('64 calls', () => calls.length === 64);
    refused(await last.post('/rpc', body), 429, 'too_many_pending');
    assert.equal(calls.length, 64, 'the client was not asked');
    for (const call of calls) client.send({ type: 'answer', call, data: call });
    for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
    const again = last.post('/rpc', body);
    await until('one more call', () => calls.length === 65);
    client.send({ type: 'answer', call: calls[64], data: 1 });
    assert.equal((await again).status, 200);
    for (const caller of [...callers, last]) caller.close();
    client.socket.terminate();
  }));
});

describe('a server', { concurrency: true }, () => {
  it('of which too many calls wait refuses every operation for a while', async () => {
    const kCallsMax = 10_000;
    const server = await startApi({ loops: 1 });
    const waiting = [];
    try {
      const callers = operationsWith('503').map((operation) => [operation, new Caller(server)]);
      assert.equal(callers.length, 15);
      // Their connections are there before: it is the call that is refused, not the connection.
      for (const [, caller] of callers) await caller.get('/channels');
      const head = `POST /api/v1/publish HTTP/1.1\r\nHost: a\r\nAuthorization: ${basic()}\r\n` +
        'Content-Length: 100\r\n\r\n{';
      await pool(kCallsMax, 64, async () => {
        const socket = net.connect(server.port, server.host);
        socket.on('error', () => {});
        await once(socket, 'connect');
        socket.write(head);
        waiting.push(socket);
      });
      const probe = callers[0];
      await until('so many wait', async () => (await ask(probe[1], ...probe[0])).status === 503,
        { deadlineMs: 20_000 });
      for (const [[method, path], caller] of callers) {
        const error = refused(await ask(caller, method, path), 503, 'overloaded');
        assert.deepEqual([error.message, error.retryAfter],
          ['too many calls wait for their answer', 1000]);
      }
      for (const socket of waiting.splice(0)) socket.destroy();
      await until('there is room', async () => (await ask(probe[1], ...probe[0])).status === 200);
      for (const [, caller] of callers) caller.close();
    } finally {
      for (const socket of waiting) socket.destroy();
      assert.equal((await server.stop()).code, 0, server.output);
    }
  });

  it('whose room on disk is used up says so, but for what needs no disk', () => withServer({
    'history.path': newFile(),
    'history.disk_max': '1MiB',
    channels: JSON.stringify([
      { pattern: 'disk', durable: true, history_messages: 10_000, history_bytes_max: '64MiB' },
      { pattern: '*' },
    ]),
  }, async (server) => {
    const caller = new Caller(server);
    const one = { channel: 'disk', text: 'x'.repeat(50_000) };
    assert.equal((await caller.post('/publish', one)).status, 200);
    let answer;
    for (let i = 0; i < 100 && (i === 0 || answer.status === 200); i++) {
      answer = await caller.post('/publish', one);
    }
    refused(answer, 503, 'unavailable');
    const batch = await caller.post('/batch',
      { publications: [one, { ...one, channel: 'memory' }] });
    assert.equal(batch.status, 200);
    assert.deepEqual(batch.body.results.map(({ error }) => error?.code),
      ['unavailable', undefined]);
    const broadcast = await caller.post('/broadcast',
      { channels: ['memory', 'disk'], text: one.text });
    assert.deepEqual(broadcast.body.results.map(({ error }) => error?.code),
      [undefined, 'unavailable']);
    assert.equal((await caller.get('/channels')).status, 200);
    caller.close();
  }));
});

describe('a channel with a schema', () => {
  it('refuses what breaks it with 422, and names the place', async () => {
    const schema = newFile();
    writeFileSync(schema, '{"properties":{"lines":{"items":{"type":"string"}}}}');
    const channels = JSON.stringify([{ pattern: 'typed', schema }, { pattern: '*' }]);
    await withServer({ channels }, async (server) => {
      const caller = new Caller(server);
      const wrong = { channel: 'typed', data: { lines: ['one', 2] } };
      const answer = await caller.post('/publish', wrong);
      assert.equal(answer.status, 422);
      assert.ok(ajv.validate({ $ref: 'document#/components/schemas/Error' }, answer.body));
      const { code, path, retry } = answer.body.error;
      assert.deepEqual([code, path, retry], ['schema_violation', '/lines/1', false]);
      const good = { channel: 'typed', data: { lines: ['one'] } };
      const batch = await caller.post('/batch', { publications: [wrong, good] });
      assert.deepEqual(batch.body.results.map(({ error, offset }) => error?.path ?? offset),
        ['/lines/1', 1]);
      const broadcast = await caller.post('/broadcast', { channels: ['typed', 'free'], text: 'x' });
      assert.deepEqual(broadcast.body.results.map(({ error, offset }) => error?.code ?? offset),
        ['schema_violation', 1]);
      caller.close();
    });
  });
});
