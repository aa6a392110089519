import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { claimsOf, errorOf, secret } from '../../server/tests/support/tokens';
import { anywireToken, type Grant, type TokenRouteOptions } from '../src/token/route';

const ann: Grant = { user: 'ann', capability: { 'room:*': ['subscribe'] } };

const ask = (
  options: Partial<TokenRouteOptions>,
  headers: Record<string, string> = {},
): Promise<Response> => {
  const { POST } = anywireToken({ secret, authorize: () => ann, ...options });
  const body = '{"reason":"connect"}';
  return POST(new Request('http://localhost:3000/api/token', { method: 'POST', headers, body }));
};

const logged = vi.fn();

beforeEach(() => {
  vi.stubEnv('ANYWIRE_SECRET', undefined);
  vi.stubEnv('ANYWIRE_AUTH_HS256_SECRET', undefined);
  vi.stubEnv('NODE_ENV', 'production');
  vi.spyOn(console, 'error').mockImplementation(logged);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  logged.mockReset();
});

describe('the token route', () => {
  it('answers with a token and when it ends', async () => {
    const answer = await ask({});
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('application/json');
    const body = (await answer.json()) as { token: string; expires: number };
    expect(Object.keys(body)).toEqual(['token', 'expires']);
    const { token, expires } = body;
    const claims = await claimsOf(token);
    expect(claims).toMatchObject({ sub: 'ann', capability: ann.capability });
    expect(expires).toBe((claims.exp ?? 0) * 1000);
  });

  it('answers to POST only', () => {
    expect(Object.keys(anywireToken({ secret, authorize: () => null }))).toEqual(['POST']);
  });

  it('gives authorize the request as it came, its body unread', async () => {
    const seen: unknown[] = [];
    const authorize = async (request: Request) => {
      seen.push(request.headers.get('cookie'), request.bodyUsed, await request.json());
      return ann;
    };
    expect((await ask({ authorize }, { cookie: 'session=1' })).status).toBe(200);
    expect(seen).toEqual(['session=1', false, { reason: 'connect' }]);
  });

  it('does not read a body, however large', async () => {
    const pull = vi.fn((controller: ReadableStreamDefaultController<Uint8Array>) =>
      controller.enqueue(new Uint8Array(65_536)),
    );
    const body = new ReadableStream({ pull }, { highWaterMark: 0 });
    const { POST } = anywireToken({ secret, authorize: () => ann });
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    expect((await POST(new Request('http://localhost/', init))).status).toBe(200);
    expect(pull).not.toHaveBeenCalled();
  });

  it('may be asked by many at once', async () => {
    const { POST } = anywireToken({
      secret,
      authorize: async (request) => ({ user: request.headers.get('cookie') ?? '' }),
    });
    const names = Array.from({ length: 20 }, (_, i) => `user-${i}`);
    const answers = await Promise.all(
      names.map((cookie) =>
        POST(new Request('http://localhost/', { method: 'POST', headers: { cookie } })),
      ),
    );
    const tokens = await Promise.all(
      answers.map((one) => one.json() as Promise<{ token: string }>),
    );
    const claims = await Promise.all(tokens.map(({ token }) => claimsOf(token)));
    expect(claims.map(({ sub }) => sub)).toEqual(names);
  });

  it('keeps its answers out of every cache', async () => {
    for (const authorize of [() => ann, () => null, () => Promise.reject(new Error('no'))]) {
      const { headers } = await ask({ authorize });
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('vary')).toContain('Cookie');
    }
  });

  it('says nothing of other origins, so that their pages cannot read an answer', async () => {
    const { headers } = await ask({}, { 'sec-fetch-site': 'same-origin' });
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('how long a token lives', () => {
  const lifetimeOf = async (options: Partial<TokenRouteOptions>): Promise<number> => {
    const { token } = (await (await ask(options)).json()) as { token: string };
    const { exp = 0, iat = 0 } = await claimsOf(token);
    return exp - iat;
  };

  it('is five minutes, or what the route says, or what authorize says', async () => {
    expect(await lifetimeOf({})).toBe(300);
    expect(await lifetimeOf({ ttl: 60 })).toBe(60);
    expect(await lifetimeOf({ ttl: 60, authorize: () => ({ ...ann, ttl: 3600 }) })).toBe(3600);
    expect(await lifetimeOf({ ttl: 60, authorize: () => ({ ...ann, ttl: undefined }) })).toBe(60);
  });

  it('that makes no sense is told at start', async () => {
    const error = await errorOf(() => anywireToken({ secret, ttl: 1, authorize: () => null }));
    expect(error.code).toBe('bad_claims');
  });
});

describe('a request that gets no token', () => {
  it('401: nobody is signed in', async () => {
    const answer = await ask({ authorize: async () => null });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: 'signed_out' });
    expect(logged).not.toHaveBeenCalled();
  });

  it('403: a page of another site, and authorize is not even asked', async () => {
    const authorize = vi.fn(() => ann);
    const answer = await ask({ authorize }, { 'sec-fetch-site': 'cross-site' });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toEqual({
      code: 'foreign_origin',
      message: 'Only pages of this site may ask',
    });
    expect(authorize).not.toHaveBeenCalled();
  });

  it('403 says why and what to do, outside of production', async () => {
    vi.stubEnv('NODE_ENV', 'development');
    const answer = await ask({}, { origin: 'http://app.test', host: 'localhost:3000' });
    const { message } = (await answer.json()) as { message: string };
    expect(message).toContain('it comes from "http://app.test"');
    expect(message).toContain('allowedOrigins');
  });

  it('other origins may be admitted', async () => {
    const headers = { origin: 'https://admin.test', 'sec-fetch-site': 'cross-site' };
    expect((await ask({ allowedOrigins: ['https://admin.test'] }, headers)).status).toBe(200);
    const behind = { origin: 'http://app.test', host: 'inner', 'x-forwarded-host': 'app.test' };
    expect((await ask({}, behind)).status).toBe(403);
    expect((await ask({ trustForwardedHost: true }, behind)).status).toBe(200);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('the database at 10.0.0.5 is down'))],
    ['throws what is no error', () => Promise.reject('10.0.0.5')],
    ['throws nothing', () => Promise.reject(undefined)],
    ['answers undefined', () => undefined as never],
    ['answers without a user', () => ({}) as never],
    ['answers with claims that cannot be', () => ({ user: 'x'.repeat(300) })],
    ['answers with a lifetime that cannot be', () => ({ user: 'ann', ttl: 0 })],
  ])('500: authorize %s; the reason is in the log only', async (_, authorize) => {
    const answer = await ask({ authorize });
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({
      code: 'token_failed',
      message: 'No token could be made',
    });
    expect(logged).toHaveBeenCalledTimes(1);
    expect(logged.mock.calls[0]?.[0]).toBe('[anywire] no token could be made:');
  });

  it('500 says why, outside of production', async () => {
    vi.stubEnv('NODE_ENV', 'development');
    const answer = await ask({ authorize: () => Promise.reject(new Error('no database')) });
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining('no database') });
  });

  it("Next.js's own signals pass: redirects, and those of rendering ahead", async () => {
    for (const digest of ['NEXT_REDIRECT;push;/sign-in;307;', 'DYNAMIC_SERVER_USAGE']) {
      const signal = Object.assign(new Error('signal'), { digest });
      await expect(ask({ authorize: () => Promise.reject(signal) })).rejects.toBe(signal);
    }
    expect(logged).not.toHaveBeenCalled();
  });
});

describe('a route without a secret', () => {
  it('fails at start, with advice', async () => {
    const error = await errorOf(() => anywireToken({ authorize: () => null }));
    expect(error.code).toBe('bad_secret');
    const short = await errorOf(() => anywireToken({ secret: 'short', authorize: () => null }));
    expect(short.message).toContain('it has 5');
  });

  it('says so in every answer of a development server, and in its log', async () => {
    vi.stubEnv('NODE_ENV', 'development');
    const authorize = vi.fn(() => ann);
    const { POST } = anywireToken({ secret: 'short', authorize });
    for (const site of ['same-origin', 'cross-site']) {
      const headers = { 'sec-fetch-site': site };
      const answer = await POST(new Request('http://localhost/', { method: 'POST', headers }));
      const { code, message } = (await answer.json()) as { code: string; message: string };
      if (site === 'cross-site') {
        expect([answer.status, code]).toEqual([403, 'foreign_origin']);
      } else {
        expect([answer.status, code]).toEqual([500, 'token_failed']);
        expect(message).toContain('must have at least 32 bytes, and it has 5');
        expect(message).toContain('ANYWIRE_SECRET');
      }
    }
    expect(authorize).not.toHaveBeenCalled();
    expect(logged).toHaveBeenCalledTimes(1);
  });

  it('does not keep the application from being built, where there are no secrets', async () => {
    vi.stubEnv('NEXT_PHASE', 'phase-production-build');
    const { POST } = anywireToken({ authorize: () => ann });
    const answer = await POST(new Request('http://localhost/', { method: 'POST' }));
    expect(answer.status).toBe(500);
  });

  it('that gets one later uses it', async () => {
    vi.stubEnv('NEXT_PHASE', 'phase-production-build');
    const { POST } = anywireToken({ authorize: () => ann });
    vi.stubEnv('ANYWIRE_SECRET', secret);
    const answer = await POST(new Request('http://localhost/', { method: 'POST' }));
    const { token } = (await answer.json()) as { token: string };
    expect((await claimsOf(token)).sub).toBe('ann');
  });
});
