import { define } from '@anywire/client/contract';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Api, ApiError, type ApiOptions, createApi } from '../src/index';
import { FakeServer, ok, problem } from './support/fake-server';

const rt = define({
  channels: {
    'room:{id}': {
      message: v.pipe(
        v.object({ text: v.string() }),
        v.transform(({ text }) => ({ text, length: text.length })),
      ),
      presence: v.object({ name: v.string() }),
    },
    'prices:{of}': { events: { tick: v.object({ price: v.number() }) } },
  },
});
const published = { epoch: '00000000000000aa', offset: 7, duplicate: false };
let server: FakeServer;
let api: Api;

beforeEach(() => {
  server = new FakeServer();
  api = createApi({ url: 'http://127.0.0.1:9', token: 'a.b.c', fetch: server.fetch });
});

/** Method, path, query and body of the last call. */
function asked() {
  const { method, url, body } = server.last;
  return [method, url.pathname, Object.fromEntries(url.searchParams), body];
}

describe('publish', () => {
  it('posts data, and all that goes with it', async () => {
    server.reply(ok(published));
    const options = {
      event: 'said',
      messageId: 'm1',
      tags: { lang: 'de' },
      conflationKey: 'k',
      idempotencyKey: 'form-1',
    };
    expect(await api.publish('room', { text: 'hi' }, options)).toEqual(published);
    expect(asked()).toEqual([
      'POST',
      '/api/v1/publish',
      {},
      { channel: 'room', data: { text: 'hi' }, ...options },
    ]);
    expect(server.last.headers.get('content-type')).toBe('application/json');
  });

  it.each([null, false, 0, [], {}])('takes %j for what it is', async (data) => {
    server.reply(ok(published));
    await api.publish('room', data);
    expect(server.last.body).toMatchObject({ data });
  });

  it.each(['', 'text'])('sends a string as text, as clients do: "%s"', async (text) => {
    server.reply(ok(published));
    await api.publish('room', text);
    expect(server.last.body).toMatchObject({ text });
    expect(server.last.body).not.toHaveProperty('data');
  });

  it.each([
    ['a view', new Uint8Array([0, 255, 1]).subarray(1)],
    ['a buffer', new Uint8Array([255, 1]).buffer],
  ])('sends bytes as base64: %s', async (_, bytes) => {
    server.reply(ok(published));
    await api.publish('room', bytes);
    expect(server.last.body).toMatchObject({ binary: '/wE=' });
    expect(server.last.body).not.toHaveProperty('data');
  });

  it('sends many bytes', async () => {
    server.reply(ok(published));
    const bytes = Uint8Array.from({ length: 100_000 }, (_, n) => n % 251);
    await api.publish('room', bytes);
    const { binary } = server.last.body as { binary: string };
    expect(Uint8Array.from(atob(binary), (one) => one.charCodeAt(0))).toEqual(bytes);
  });

  it.each([undefined, () => 1, Symbol('s')])(
    'refuses what JSON does not have: %s',
    async (data) => {
      await expect(api.publish('room', data)).rejects.toMatchObject({ code: 'bad_data' });
      expect(server.sent).toHaveLength(0);
    },
  );

  it('refuses what cannot be written', async () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    await expect(api.publish('room', circle)).rejects.toMatchObject({ code: 'bad_data' });
    await expect(api.publish('room', 1n)).rejects.toMatchObject({ code: 'bad_data' });
  });

  it('checks by the contract before anything is sent, and sends what the schema takes', async () => {
    const room = rt.channel('room:42');
    await expect(api.publish(room, { text: 1 } as never)).rejects.toMatchObject({ code: 'schema' });
    expect(server.sent).toHaveLength(0);
    server.reply(ok(published));
    await api.publish(room, { text: 'four' });
    expect(server.last.body).toMatchObject({ channel: 'room:42', data: { text: 'four' } });
  });

  it('refuses a channel that the contract does not have', async () => {
    const other = rt.channel('elsewhere' as 'room:1');
    await expect(api.publish(other, { text: 'x' })).rejects.toMatchObject({
      code: 'unknown_channel',
    });
    await expect(api.history(other)).rejects.toMatchObject({ code: 'unknown_channel' });
    expect(server.sent).toHaveLength(0);
  });

  it('to a user names the user', async () => {
    server.reply(ok(published));
    await api.sendToUser('ann', { ping: 1 }, { event: 'nudge' });
    expect(server.last.body).toMatchObject({ user: 'ann', data: { ping: 1 }, event: 'nudge' });
    expect(server.last.body).not.toHaveProperty('channel');
  });

  it('tells where the server finds a schema broken', async () => {
    server.reply(problem(422, 'schema_violation', { path: '/text' }));
    await expect(api.publish('room', {})).rejects.toMatchObject({
      code: 'schema_violation',
      status: 422,
      path: '/text',
    });
  });
});

describe('several at once', () => {
  const error = { code: 'forbidden', message: 'no', retry: false };

  it('have a result each', async () => {
    server.reply(ok({ results: [published, { error }] }));
    const [first, second] = await api.batch([
      { channel: 'a', data: 1 },
      { user: 'ann', data: 2, idempotencyKey: 'two' },
    ]);
    expect(first).toEqual(published);
    expect(second?.error).toBeInstanceOf(ApiError);
    expect(second?.error).toMatchObject({ code: 'forbidden', message: 'no' });
    expect(server.last.body).toEqual({
      publications: [
        { channel: 'a', data: 1, idempotencyKey: expect.any(String) },
        { user: 'ann', data: 2, idempotencyKey: 'two' },
      ],
    });
  });

  it('of one message are a broadcast', async () => {
    server.reply(ok({ results: [published, published] }));
    await api.broadcast(['a', rt.channel('room:1')], { text: 'x' }, { idempotencyKey: 'k' });
    expect(asked()).toEqual([
      'POST',
      '/api/v1/broadcast',
      {},
      { channels: ['a', 'room:1'], data: { text: 'x' }, idempotencyKey: 'k' },
    ]);
  });

  it('without a key of the caller have one key together', async () => {
    server.reply(ok({ results: [published, published] }));
    await api.broadcast(['a', 'b'], 1);
    expect(server.last.url.pathname).toBe('/api/v1/broadcast');
    expect((server.last.body as { idempotencyKey: string }).idempotencyKey).toMatch(/^[\w-]{36}$/);
  });
});

describe('history', () => {
  const page = {
    channel: 'room:1',
    epoch: '00000000000000aa',
    top: 9,
    oldest: 1,
    more: true,
    messages: [
      { offset: 9, time: 3, data: { text: 'abc' }, user: 'ann' },
      { offset: 8, time: 2, text: 'plain' },
      { offset: 7, time: 1, binary: '/wE=' },
    ],
  };

  it('comes newest first, with text and bytes as what they are', async () => {
    server.reply(ok(page));
    const { messages, ...rest } = await api.history('room:1', { limit: 3, before: 10 });
    expect(asked()).toEqual([
      'GET',
      '/api/v1/history',
      { channel: 'room:1', limit: '3', order: 'backward', before: '10' },
      undefined,
    ]);
    expect(rest).toMatchObject({ top: 9, more: true });
    expect(messages.map(({ data }) => data)).toEqual([
      { text: 'abc' },
      'plain',
      new Uint8Array([255, 1]),
    ]);
  });

  it('of a contract holds what its schema gives, and nothing that it refuses', async () => {
    server.reply(ok(page));
    const { messages } = await api.history(rt.channel('room:1'));
    expect(messages.map(({ data }) => data)).toEqual([{ text: 'abc', length: 3 }]);
  });

  it('goes on page by page, in one stream, until there is no more', async () => {
    server.reply(
      ok(page),
      ok({ ...page, more: false, messages: [{ offset: 6, time: 0, data: 'last' }] }),
    );
    const offsets: number[] = [];
    for await (const { offset } of api.messages('room:1')) offsets.push(offset);
    expect(offsets).toEqual([9, 8, 7, 6]);
    expect(Object.fromEntries(server.last.url.searchParams)).toEqual({
      channel: 'room:1',
      order: 'backward',
      before: '7',
      epoch: page.epoch,
    });
  });

  it('goes on forward, too', async () => {
    const forward = [...page.messages].reverse();
    server.reply(ok({ ...page, messages: forward }), ok({ ...page, more: false, messages: [] }));
    for await (const _ of api.messages('room:1', { order: 'forward' }));
    expect(server.last.url.searchParams.get('after')).toBe('9');
  });

  it('is read no further than asked for', async () => {
    server.reply(ok(page));
    for await (const _ of api.messages('room:1')) break;
    expect(server.sent).toHaveLength(1);
  });
});

describe('what is there', () => {
  it('is asked for by query', async () => {
    server.always = ok({ channels: [], connections: [], members: [] });
    await api.presence('room &1', { after: 'c', limit: 5 });
    expect(asked().slice(1, 3)).toEqual([
      '/api/v1/presence',
      { channel: 'room &1', after: 'c', limit: '5' },
    ]);
    await api.counts('room');
    expect(asked().slice(1, 3)).toEqual(['/api/v1/presence', { channel: 'room', counts: 'true' }]);
    await api.channels({ pattern: 'room:*' });
    expect(asked().slice(1, 3)).toEqual(['/api/v1/channels', { pattern: 'room:*' }]);
    expect(await api.connections('ann')).toEqual([]);
    expect(asked().slice(1, 3)).toEqual(['/api/v1/connections', { user: 'ann' }]);
  });
});

describe('connections', () => {
  it('are closed, subscribed, granted and revoked, and counted', async () => {
    server.always = ok({ disconnected: 2, connections: 3 });
    expect(await api.disconnect({ user: 'ann' }, { reason: 'bye', reconnect: false })).toBe(2);
    expect(asked()).toEqual([
      'POST',
      '/api/v1/disconnect',
      {},
      { user: 'ann', reason: 'bye', reconnect: false },
    ]);
    expect(await api.subscribe({ client: 'c1' }, 'room')).toBe(3);
    expect(asked().slice(1)).toEqual(['/api/v1/subscribe', {}, { client: 'c1', channel: 'room' }]);
    expect(await api.unsubscribe({ user: 'ann' }, rt.channel('room:1'))).toBe(3);
    expect(asked().slice(1)).toEqual([
      '/api/v1/unsubscribe',
      {},
      { user: 'ann', channel: 'room:1' },
    ]);
    const capability = { 'room:1': ['publish' as const] };
    expect(await api.grant({ user: 'ann' }, capability, { expiresIn: 60 })).toBe(3);
    expect(asked()).toEqual([
      'POST',
      '/api/v1/grants',
      {},
      { user: 'ann', capability, expiresIn: 60 },
    ]);
    expect(await api.ungrant({ client: 'c1' })).toBe(3);
    expect(asked()).toEqual(['DELETE', '/api/v1/grants', {}, { client: 'c1' }]);
    expect(await api.revoke({ user: 'ann', issuedBefore: 5 })).toBe(2);
    expect(asked().slice(1)).toEqual(['/api/v1/revocations', {}, { user: 'ann', issuedBefore: 5 }]);
  });

  it('get tickets', async () => {
    server.reply(ok({ ticket: 't', expires: 5 }));
    expect(await api.createTicket({ user: 'ann', expiresIn: 10 })).toEqual({
      ticket: 't',
      expires: 5,
    });
    expect(asked().slice(1)).toEqual(['/api/v1/tickets', {}, { user: 'ann', expiresIn: 10 }]);
  });

  it('are called, and answer', async () => {
    server.reply(ok({ data: { x: 1 } }));
    expect(await api.rpc('c1', 'where', { now: true })).toEqual({ x: 1 });
    expect(asked().slice(1)).toEqual([
      '/api/v1/rpc',
      {},
      { client: 'c1', method: 'where', data: { now: true }, timeout: 10_000 },
    ]);
    server.reply(problem(422, 'refused', { reason: 'busy' }));
    await expect(api.rpc('c1', 'where')).rejects.toMatchObject({ code: 'refused', reason: 'busy' });
    expect(server.last.body).not.toHaveProperty('data');
  });
});

describe('who calls', () => {
  const secret = 'a secret of the tests, of 32 bytes or more';
  const make = (options: ApiOptions) =>
    createApi({ url: 'http://127.0.0.1:9', fetch: server.fetch, ...options });
  const tokenOf = () => server.last.headers.get('authorization')?.replace('Bearer ', '') ?? '';

  beforeEach(() => {
    server.always = ok(published);
    for (const name of ['KEY', 'SECRET', 'AUTH_HS256_SECRET']) {
      vi.stubEnv(`ANYWIRE_${name}`, undefined);
    }
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('is a key, by its name and algorithm, with all that it may', async () => {
    await make({ key: 'web', secret, algorithm: 'HS512' }).publish('room', 1);
    expect(decodeProtectedHeader(tokenOf())).toMatchObject({ alg: 'HS512', kid: 'web' });
    expect(decodeJwt(tokenOf())).toMatchObject({ capability: { '*': ['*', 'manage'] } });
    expect(decodeJwt(tokenOf())).not.toHaveProperty('sub');
  });

  it('may be one who is to do less', async () => {
    const capability = { 'news:*': ['publish' as const] };
    await make({ secret, capability }).publish('news:1', 1);
    expect(decodeJwt(tokenOf()).capability).toEqual(capability);
  });
});
