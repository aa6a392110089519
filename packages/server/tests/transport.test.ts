import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, createApi } from '../src/index';
import { FakeServer, ok, problem, silence } from './support/fake-server';

const secret = 'a secret of thirty-two bytes or so';
const published = { epoch: '00000000000000aa', offset: 7, duplicate: false };
let server: FakeServer;

beforeEach(() => {
  server = new FakeServer();
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const api = (more: object = {}) =>
  createApi({ url: 'http://127.0.0.1:9', token: 'a.b.c', fetch: server.fetch, ...more });

/** What it rejects with, with time going by. */
async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const failed = promise.then(
    () => {
      throw new Error('it was carried out');
    },
    (error: unknown) => error,
  );
  await vi.runAllTimersAsync();
  const error = await failed;
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

describe('a call', () => {
  it('is tried again after a pause that doubles, where nothing came back', async () => {
    const times: number[] = [];
    const begin = Date.now();
    server.always = () => {
      times.push(Date.now() - begin);
      throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
    };
    const error = await failure(api().publish('room', 1));
    expect(times).toEqual([0, 100, 300, 700]);
    expect(error).toMatchObject({ code: 'network', status: 0, retry: true, uncertain: true });
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('has one idempotency key in all its tries', async () => {
    server.reply(
      new TypeError('fetch failed'),
      problem(503, 'overloaded', { retry: true }),
      ok(published),
    );
    const answer = api().publish('room', { text: 'hello' });
    await vi.runAllTimersAsync();
    expect(await answer).toEqual(published);
    const keys = server.sent.map(({ body }) => (body as { idempotencyKey: string }).idempotencyKey);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is not tried again where the server says that it never helps', async () => {
    server.reply(problem(403, 'forbidden'));
    const error = await failure(api().publish('room', 1));
    expect(server.sent).toHaveLength(1);
    expect(error).toMatchObject({ code: 'forbidden', status: 403, retry: false });
    expect(error.message).toBe('forbidden it is');
  });

  it('waits as long as the server asks, by the body or by the header', async () => {
    const times: number[] = [];
    const begin = Date.now();
    const told = [
      problem(429, 'rate_limited', { retry: true, retryAfter: 1500 }),
      problem(503, 'overloaded', { retry: true }, { 'retry-after': '2' }),
      ok(published),
    ];
    server.always = () => {
      times.push(Date.now() - begin);
      return told[times.length - 1] as Response;
    };
    const answer = api().publish('room', 1);
    await vi.runAllTimersAsync();
    await answer;
    expect(times).toEqual([0, 1600, 3800]);
  });

  it('is turned away in the words of a server that has not read it, and tried again', async () => {
    const turnedAway = (status: number, code: string) =>
      Response.json(
        { code, message: 'the server has more to do than it can', retryAfter: 700 },
        {
          status,
          headers: { 'retry-after': '1' },
        },
      );
    server.reply(
      turnedAway(503, 'overloaded'),
      turnedAway(429, 'too_many_connections'),
      ok(published),
    );
    const answer = api().publish('room', 1);
    await vi.runAllTimersAsync();
    expect(await answer).toEqual(published);
    server.always = () => turnedAway(503, 'overloaded');
    const error = await failure(api().publish('room', 1));
    expect(error).toMatchObject({ code: 'overloaded', status: 503, retry: true, retryAfter: 700 });
    expect(error.message).toBe('the server has more to do than it can');
    // Any other server may have a `code` of its own.
    server.always = () => Response.json({ code: 'E_NOT_HERE' }, { status: 404 });
    expect(await failure(api().publish('room', 1))).toMatchObject({ code: 'bad_answer' });
  });

  it('fails at once where the server asks for more time than there is', async () => {
    const retry = { retry: true, retryAfter: 60_000 };
    server.reply(problem(429, 'rate_limited', retry));
    const begin = Date.now();
    const error = await failure(api().publish('room', 1));
    expect(error).toMatchObject({ code: 'rate_limited', retryAfter: 60_000 });
    expect(server.sent).toHaveLength(1);
    expect(Date.now() - begin).toBeLessThanOrEqual(10_000);
  });

  it('ends after its time, all tries together', async () => {
    server.always = silence;
    const begin = Date.now();
    const error = await failure(api({ timeout: 2000 }).publish('room', 1));
    expect(error).toMatchObject({ code: 'timeout', uncertain: true });
    expect(Date.now() - begin).toBe(2000);
  });

  it('ends when its caller says so, also in a pause', async () => {
    server.always = new TypeError('fetch failed');
    const abort = new AbortController();
    const call = api().publish('room', 1, { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    expect(await failure(call)).toMatchObject({ code: 'aborted' });
    expect(Date.now()).toBeDefined();
    expect(server.sent.length).toBeLessThanOrEqual(2);
  });

  it('of a caller who has given up before is not sent', async () => {
    server.always = ok(published);
    const call = api().publish('room', 1, { signal: AbortSignal.abort() });
    expect(await failure(call)).toMatchObject({ code: 'aborted' });
  });

  it('that is not safe to repeat is not, when the connection broke', async () => {
    server.always = new TypeError('fetch failed');
    expect(await failure(api().rpc('c1', 'where'))).toMatchObject({ code: 'network' });
    expect(server.sent).toHaveLength(1);
  });

  it('leaves no timer behind', async () => {
    server.always = ok(published);
    await api().publish('room', 1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('tells of what answers that is no Anywire server', async () => {
    server.reply(new Response('<h1>Not Found</h1>', { status: 404 }));
    const error = await failure(api().channels());
    expect(error).toMatchObject({ code: 'bad_answer', status: 404 });
    expect(error.message).toContain('[api] enabled');
  });

  it('does not take a page for an answer', async () => {
    server.reply(new Response('<h1>Welcome</h1>'));
    expect(await failure(api().channels())).toMatchObject({ code: 'bad_answer', status: 200 });
  });

  it('tries again behind a proxy whose server is away', async () => {
    server.reply(new Response('Bad Gateway', { status: 502 }), ok({ channels: [], more: false }));
    const answer = api().channels();
    await vi.runAllTimersAsync();
    expect(await answer).toEqual({ channels: [], more: false });
  });

  it('follows no redirect, and its error names none', async () => {
    server.reply(new Response(null, { status: 302, headers: { location: 'https://elsewhere' } }));
    const error = await failure(api().channels());
    expect(error.code).toBe('bad_answer');
    expect(server.sent).toHaveLength(1);
  });
});

describe('who calls', () => {
  const tokenOf = () => server.last.headers.get('authorization')?.replace('Bearer ', '') ?? '';
  const part = (n: number) =>
    JSON.parse(atob((tokenOf().split('.')[n] ?? '').replaceAll('-', '+').replaceAll('_', '/')));

  it('is a token of five minutes by the key, never the secret', async () => {
    server.always = ok(published);
    await api({
      token: undefined,
      secret,
      key: 'web',
      issuer: 'https://app',
      audience: 'rt',
    }).publish('room', 1);
    expect(part(0)).toEqual({ alg: 'HS256', typ: 'JWT', kid: 'web' });
    const { iat, exp, ...claims } = part(1);
    expect(exp - iat).toBe(300);
    expect(claims).toEqual({ capability: { '*': ['*', 'manage'] }, iss: 'https://app', aud: 'rt' });
    expect(JSON.stringify([...server.last.headers])).not.toContain(secret);
  });

  it('is the same token until a minute before its end', async () => {
    server.always = ok(published);
    const one = api({ token: undefined, secret });
    await one.publish('room', 1);
    const first = tokenOf();
    vi.setSystemTime(Date.now() + 239_000);
    await one.publish('room', 1);
    expect(tokenOf()).toBe(first);
    vi.setSystemTime(Date.now() + 3000);
    await one.publish('room', 1);
    expect(tokenOf()).not.toBe(first);
  });

  it('is what the environment says, read at the first call', async () => {
    const one = createApi({ fetch: server.fetch });
    vi.stubEnv('ANYWIRE_URL', 'wss://realtime.example.com/base/');
    vi.stubEnv('ANYWIRE_SECRET', secret);
    vi.stubEnv('ANYWIRE_KEY', 'from-env');
    server.always = ok(published);
    await one.publish('room', 1);
    expect(server.last.url.href).toBe('https://realtime.example.com/base/api/v1/publish');
    expect(part(0).kid).toBe('from-env');
  });

  it('may be a token of its own, or what gets one', async () => {
    server.always = ok(published);
    await api({ token: 'aaa.bbb.ccc' }).publish('room', 1);
    expect(tokenOf()).toBe('aaa.bbb.ccc');
    await api({ token: async () => 'ddd.eee.fff' }).publish('room', 1);
    expect(tokenOf()).toBe('ddd.eee.fff');
  });

  it.each([
    ['none', ''],
    ['a short one', 'short'],
  ])('has a secret: %s is an error that says where it comes from', async (_, short) => {
    vi.stubEnv('ANYWIRE_SECRET', undefined);
    vi.stubEnv('ANYWIRE_AUTH_HS256_SECRET', undefined);
    const error = await failure(createApi({ secret: short, fetch: server.fetch }).publish('r', 1));
    expect(error.code).toBe('bad_secret');
    expect(error.message).toContain('ANYWIRE_SECRET');
    expect(server.sent).toHaveLength(0);
  });

  it.each(['localhost:3001', 'ftp://x', 'not an address', 'https://key:secret@host'])(
    'has an address: %s is none, and is not shown',
    async (url) => {
      const error = await failure(api({ url }).publish('room', 1));
      expect(error.code).toBe('bad_url');
      expect(error.message).not.toContain(url);
    },
  );
});
