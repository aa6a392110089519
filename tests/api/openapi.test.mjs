// The OpenAPI document and the server, held against each other: every operation, status and member
// of the document is met, every answer is as the document says, and the server has no path besides.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Client } from '../native/client.mjs';
import { bearer, Caller, startApi } from './support.mjs';

let server;
let api;
let document;
let client;
const ajv = new Ajv2020({ strict: false, allErrors: true });
const met = new Set();

before(async () => {
  server = await startApi({
    flags: {
      'websocket.message_bytes_max': '100KiB',
      channels: JSON.stringify([
        { pattern: 'bare', history_messages: 0, presence: false },
        { pattern: '*', history_messages: 1000, presence: true, subscribe: 'anyone',
          presence_access: 'anyone' },
      ]),
    },
  });
  api = new Caller(server);
  document = (await new Caller(server, { authorization: '' }).get('/openapi.json')).body;
  ajv.addSchema(document, 'document');
  client = await Client.connect(server, {
    token: bearer({ sub: 'ann', info: { n: 1 }, capability: { 'room:*': ['publish'] } })
      .slice('Bearer '.length) });
  client.onPush = ({ type, call, method }) => {
    if (type !== 'call' || method === 'never') return;
    const error = { code: 'busy', message: 'not now' };
    client.send(method === 'sum' ? { type: 'answer', call, data: 3 }
      : method === 'nothing' ? { type: 'answer', call } : { type: 'answer', call, error });
  };
  await client.ask('subscribe', { channel: 'room:1' });
  await client.ask('enter', { channel: 'room:1', info: { n: 1 } });
});
after(async () => {
  api?.close();
  client?.socket.terminate();
  await server?.stop();
});

const pointer = (...parts) =>
  `document#/${parts.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
    .map(encodeURIComponent).join('/')}`;

const operationOf = (method, path) => document.paths[path]?.[method.toLowerCase()];

/** Notes which members of its schema an object has. */
function note(schema, value, where) {
  const known = schema.$ref
    ? document.components.schemas[schema.$ref.split('/').at(-1)] : schema;
  const name = schema.$ref ?? where;
  for (const part of known.oneOf ?? []) {
    if (part.$ref && ajv.validate({ $ref: `document${part.$ref}` }, value)) note(part, value, where);
  }
  if (Array.isArray(value)) {
    for (const one of value) if (known.items) note(known.items, one, `${name}[]`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [member, inner] of Object.entries(value)) {
      if (!known.properties?.[member]) continue;
      met.add(`${name} ${member}`);
      note(known.properties[member], inner, `${name}.${member}`);
    }
  }
}

/** A call whose request and answer are as the document says; `wrong` requests need not be. */
async function call(method, path, body, { wrong = false, caller = api, headers, status = 200 } = {}) {
  const [plain] = path.split('?');
  const operation = operationOf(method, plain);
  assert.ok(operation, `${method} ${plain} is not in the document`);
  if (body !== undefined && !wrong) {
    const schema = operation.requestBody.content['application/json'].schema;
    const validate = ajv.getSchema(
      pointer('paths', plain, method.toLowerCase(), 'requestBody', 'content', 'application/json',
        'schema'));
    assert.ok(validate(body), `${path} ${JSON.stringify(body)} ${ajv.errorsText(validate.errors)}`);
    note(schema, body, `${method} ${plain} body`);
  }
  if (!wrong) {
    for (const name of new URLSearchParams(path.split('?')[1] ?? '').keys()) {
      assert.ok(operation.parameters.some((one) => one.in === 'query' && one.name === name), name);
      met.add(`${method} ${plain} ?${name}`);
    }
  }
  const answer = await caller.call(method, path, body, headers);
  assert.equal(answer.status, status, `${method} ${path}: ${answer.raw}`);
  const validate = ajv.getSchema(pointer('paths', plain, method.toLowerCase(), 'responses',
    `${status}`, 'content', 'application/json', 'schema'));
  assert.ok(validate, `${method} ${plain} ${status} is not in the document`);
  assert.ok(validate(answer.body), `${answer.raw} ${ajv.errorsText(validate.errors)}`);
  met.add(`${method} ${plain} ${status}`);
  note(operation.responses[status].content['application/json'].schema, answer.body,
    `${method} ${plain} ${status}`);
  if (answer.body.error) met.add(`code ${answer.body.error.code}`);
  return answer.body;
}

test('the document is one of OpenAPI 3.1', () => {
  assert.equal(document.openapi, '3.1.0');
  assert.equal(document.servers[0].url, '/api/v1');
  const ids = Object.values(document.paths).flatMap((item) =>
    Object.values(item).map(({ operationId }) => operationId));
  assert.equal(new Set(ids).size, ids.length);
});

test('every operation does what it says', async () => {
  const id = client.connected.client;
  const message = { event: 'e', tags: { a: 'b' }, conflationKey: 'c', messageId: 'm' };
  await call('POST', '/publish', { channel: 'room:1', data: 1, idempotencyKey: 'k', ...message });
  await call('POST', '/publish', { user: 'ann', text: 'x' });
  await call('POST', '/publish', { channel: 'room:1', binary: 'AAEC' });
  await call('POST', '/publish', { channel: 'room:1', text: 'x' });
  const ann = new Caller(server, { authorization: bearer({ sub: 'ann', capability: { '*': ['*'] } }) });
  await call('POST', '/publish', { channel: 'room:1', data: 1 }, { caller: ann });
  await client.ask('publish', { channel: 'room:1', data: 1 });
  await call('POST', '/batch', { publications: [{ channel: 'room:1', data: 1 }] },
    { headers: { 'Idempotency-Key': 'b' } });
  await call('POST', '/batch', { publications: [{ channel: '', data: 1 }] }, { wrong: true });
  await call('POST', '/broadcast', { channels: ['room:1', 'b'], data: 1, idempotencyKey: 'bc', ...message });
  await call('POST', '/broadcast', { users: ['ann'], binary: 'AAEC' });
  await call('POST', '/broadcast', { users: ['ann'], text: 'x' });
  const { epoch } = await call('GET', '/history?channel=room:1&limit=100');
  await call('GET', `/history?channel=room:1&order=backward&after=0&before=9&from=0&to=9999999999999&epoch=${epoch}`);
  await call('GET', '/presence?channel=room:1&limit=10&after=');
  await call('GET', '/presence?channel=room:1&counts=true');
  await call('GET', '/channels?pattern=room:*&after=a&limit=10');
  await call('GET', '/connections?user=ann');
  for (const path of ['/subscribe', '/unsubscribe']) {
    await call('POST', path, { user: 'ann', channel: 'news' });
    await call('POST', path, { client: id, channel: 'news' });
  }
  const capability = { 'room:*': ['publish'] };
  await call('POST', '/grants', { user: 'ann', capability, expiresIn: 60 });
  await call('POST', '/grants', { client: id, capability });
  await call('DELETE', '/grants', { user: 'ann', capability });
  await call('DELETE', '/grants', { client: id });
  await call('POST', '/tickets', { user: 'bob', info: {}, capability, channels: ['a'], expiresIn: 9 });
  assert.deepEqual(await call('POST', '/rpc', { client: id, method: 'sum', data: [1, 2], timeout: 5000 }),
    { data: 3 });
  assert.deepEqual(await call('POST', '/rpc', { client: id, method: 'nothing' }), {});
  await call('POST', '/revocations', { token: 'nobody' });
  await call('POST', '/revocations', { user: 'nobody', issuedBefore: 1 });
  await call('POST', '/revocations', { key: 'nobody' });
  await call('POST', '/revocations', { all: true, issuedBefore: 1 });
  await call('POST', '/disconnect', { user: 'nobody', reason: 'r', reconnect: false });
  await call('POST', '/disconnect', { client: 'nobody' });
});

test('every refusal is as it says', async () => {
  const nobody = new Caller(server, { authorization: '' });
  const little = new Caller(server, { authorization: bearer({ sub: 'x', capability: { y: ['rpc'] } }) });
  const id = client.connected.client;
  const good = {
    '/publish': { channel: 'a', data: 1 }, '/batch': { publications: [{ channel: 'a', data: 1 }] },
    '/broadcast': { channels: ['a'], data: 1 }, '/disconnect': { user: 'zoe' },
    '/subscribe': { user: 'zoe', channel: 'a' }, '/unsubscribe': { user: 'zoe', channel: 'a' },
    '/grants': { user: 'zoe', capability: { a: ['publish'] } }, '/revocations': { token: 't' },
    '/tickets': { user: 'zoe' }, '/rpc': { client: id, method: 'm' },
  };
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [verb, { responses, security }] of Object.entries(item)) {
      if (security) continue;
      const method = verb.toUpperCase();
      const body = method === 'GET' ? undefined : good[path];
      const query = { '/history': '?channel=a', '/presence': '?channel=secret',
        '/connections': '?user=a' }[path] ?? '';
      await call(method, path + query, body, { caller: nobody, status: 401 });
      // In a batch each publication is refused by itself.
      if (path !== '/batch' && path !== '/broadcast' && path !== '/presence') {
        await call(method, path + query, body, { caller: little, status: 403 });
      }
      if (method === 'GET') {
        await call(method, `${path}?wrong=1`, undefined, { wrong: true, status: 400 });
        await call(method, path + query, { a: 1 }, { wrong: true, status: 413 });
      } else {
        await call(method, path, { wrong: 1 }, { wrong: true, status: 400 });
        await call(method, path, body, { status: 415, headers: { 'Content-Type': 'text/plain' } });
        const large = { ...body, text: 'x'.repeat(3 << 20) };
        await call(method, path, large, { wrong: true, status: 413 });
      }
      assert.ok(responses[429] && responses[503]);
    }
  }
  await call('GET', '/history?channel=bare', undefined, { status: 404 });
  await call('GET', '/presence?channel=bare', undefined, { status: 404 });
  await call('GET', '/history?channel=a&epoch=0123456789abcdef', undefined, { status: 409 });
  const key = { channel: 'a', data: 1, idempotencyKey: 'twice' };
  await call('POST', '/publish', key);
  await call('POST', '/publish', { ...key, data: 2 }, { status: 409 });
  await call('POST', '/rpc', { client: 'nobody', method: 'm' }, { status: 404 });
  await call('POST', '/rpc', { client: id, method: 'no' }, { status: 422 });
  await call('POST', '/rpc', { client: id, method: 'never', timeout: 20 }, { status: 504 });
  const away = await api.get('/nothing');
  assert.equal(away.body.error.code, 'not_found');
  assert.equal((await api.call('PUT', '/publish')).body.error.code, 'method_not_allowed');
  nobody.close();
  little.close();
});

test('a batch tells of forbidden publications by themselves', async () => {
  const little = new Caller(server, { authorization: bearer({ sub: 'x' }) });
  const { results } = await call('POST', '/batch',
    { publications: [{ channel: 'a', data: 1 }] }, { caller: little });
  assert.equal(results[0].error.code, 'forbidden');
  little.close();
});

test('the server answers other methods with those of the document', async () => {
  for (const [path, item] of Object.entries(document.paths)) {
    const answer = await api.call('PATCH', path);
    assert.equal(answer.status, 405, path);
    const allowed = answer.headers.allow.split(', ').filter((method) => method !== 'HEAD').sort();
    assert.deepEqual(allowed, Object.keys(item).map((verb) => verb.toUpperCase()).sort(), path);
  }
});

// What only time or load brings is met by refusals.test.mjs.
const elsewhere = /^(408|429|503)$/;

test('nothing in the document went unmet', () => {
  const wanted = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [verb, operation] of Object.entries(item)) {
      const method = verb.toUpperCase();
      if (operation.security) continue;
      for (const status of Object.keys(operation.responses)) {
        if (elsewhere.test(status)) continue;
        // Of a batch and of presence: see above. Of schemas: refusals.test.mjs.
        if (status === '403' && ['/batch', '/broadcast', '/presence'].includes(path)) continue;
        if (status === '422' && path === '/publish') continue;
        wanted.push(`${method} ${path} ${status}`);
      }
      for (const parameter of operation.parameters ?? []) {
        if (parameter.in === 'query') wanted.push(`${method} ${path} ?${parameter.name}`);
      }
    }
  }
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    for (const member of Object.keys(schema.properties ?? {})) {
      if (name === 'ErrorBody' && member === 'retryAfter') continue;
      wanted.push(`#/components/schemas/${name} ${member}`);
    }
  }
  assert.deepEqual(wanted.filter((one) => !met.has(one)), []);
});
