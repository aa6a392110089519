import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { decodeProtectedHeader, importSPKI, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Algorithm, checkSigning, mintToken, readTtl } from '../src/token/mint';
import { claimsOf, errorOf, secret } from './support/tokens';

const noon = Date.UTC(2030, 0, 1, 12);
/** Both halves of a new key as files have them. */
const pemOf = ({ publicKey, privateKey }: KeyPairKeyObjectResult) => ({
  publicKey: String(publicKey.export({ type: 'spki', format: 'pem' })),
  privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
});

beforeEach(() => {
  vi.useFakeTimers({ now: noon + 900, toFake: ['Date'] });
  vi.stubEnv('ANYWIRE_SECRET', undefined);
  vi.stubEnv('ANYWIRE_AUTH_HS256_SECRET', undefined);
  vi.stubEnv('ANYWIRE_KEY', undefined);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe('a token', () => {
  it('is signed with HS256 and says from when to when it is good', async () => {
    const { token, expires } = await mintToken({ user: 'ann' }, { secret });
    expect(await claimsOf(token)).toEqual({
      sub: 'ann',
      iat: noon / 1000,
      exp: noon / 1000 + 300,
    });
    expect(expires).toBe(noon + 300_000);
  });

  it('lives as long as asked for, in seconds', async () => {
    const { token, expires } = await mintToken({ user: 'ann' }, { secret, ttl: 3600 });
    expect((await claimsOf(token)).exp).toBe(noon / 1000 + 3600);
    expect(expires).toBe(noon + 3_600_000);
  });

  it('names issuer and audience where the server wants them', async () => {
    const options = { secret, issuer: 'https://app.example.com', audience: 'anywire' };
    const { token } = await mintToken({ user: 'ann' }, options);
    expect(await claimsOf(token)).toMatchObject({
      iss: 'https://app.example.com',
      aud: 'anywire',
    });
  });

  it('carries info, channels and capability', async () => {
    const claims = {
      user: 'ann',
      info: { name: 'Änn 💬' },
      channels: ['news'],
      capability: { 'room:*': ['subscribe' as const] },
    };
    const { token } = await mintToken(claims, { secret });
    const { user, ...rest } = claims;
    expect(await claimsOf(token)).toMatchObject({ sub: user, ...rest });
  });

  it('of a guest has no subject', async () => {
    const { token } = await mintToken({ user: null }, { secret });
    expect(await claimsOf(token)).not.toHaveProperty('sub');
  });

  it('has characters only that may be in a header, a URL and a subprotocol', async () => {
    const { token } = await mintToken({ user: '💬/+=?' }, { secret });
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it('longer than the server reads is not made', async () => {
    const channels = Array.from({ length: 128 }, (_, i) => `${i}-${'x'.repeat(60)}`);
    const error = await errorOf(() => mintToken({ user: 'ann', channels }, { secret }));
    expect(error.code).toBe('bad_claims');
    expect(error.message).toMatch(/the token has \d+ bytes, and the server reads 8192/);
  });

  it('with claims that the server would refuse is not made', async () => {
    const error = await errorOf(() => mintToken({ user: '' }, { secret }));
    expect(error.code).toBe('bad_claims');
  });
});

describe('the secret', () => {
  it('is that of the application, else that of the server', async () => {
    const other = 'another secret, also of 32 bytes or more';
    vi.stubEnv('ANYWIRE_AUTH_HS256_SECRET', secret);
    expect(await claimsOf((await mintToken({ user: 'ann' })).token)).toBeDefined();
    vi.stubEnv('ANYWIRE_SECRET', other);
    expect(await claimsOf((await mintToken({ user: 'ann' })).token, other)).toBeDefined();
    const { token } = await mintToken({ user: 'ann' }, { secret });
    expect(await claimsOf(token)).toBeDefined();
  });

  it('that is an empty option gives way to the variable', async () => {
    vi.stubEnv('ANYWIRE_SECRET', secret);
    const { token } = await mintToken({ user: 'ann' }, { secret: '' });
    expect(await claimsOf(token)).toBeDefined();
  });

  it('counts in bytes, and in UTF-8', async () => {
    const short = 'ü'.repeat(16);
    expect(
      await claimsOf((await mintToken({ user: 'a' }, { secret: short })).token, short),
    ).toBeDefined();
    const error = await errorOf(() => mintToken({ user: 'a' }, { secret: 'x'.repeat(31) }));
    expect(error.code).toBe('bad_secret');
    expect(error.message).toContain('at least 32 bytes, and it has 31');
  });

  it('that is missing is an error with advice', async () => {
    const error = await errorOf(() => mintToken({ user: 'ann' }));
    expect(error.code).toBe('bad_secret');
    expect(error.message).toContain('there is none');
    expect(error.message).toContain('ANYWIRE_SECRET');
  });

  it('is not in any message', async () => {
    const error = await errorOf(() => mintToken({ user: 'ann' }, { secret: 'hunter2' }));
    expect(error.message).not.toContain('hunter2');
  });
});

describe('the lifetime', () => {
  it.each([10, 300, 86_400])('may be %i seconds', (ttl) => {
    expect(readTtl(ttl)).toBe(ttl);
  });

  it('is cut to whole seconds', () => {
    expect(readTtl(59.9)).toBe(59);
  });

  it('is five minutes unless said otherwise', () => {
    expect(readTtl(undefined)).toBe(300);
  });

  it.each([0, -1, 9, 86_401, Number.NaN, Number.POSITIVE_INFINITY, '300' as unknown as number])(
    'may not be %j',
    async (ttl) => {
      const error = await errorOf(() => readTtl(ttl));
      expect(error.code).toBe('bad_claims');
      expect(error.message).toContain('from 10 to 86400');
    },
  );
});

describe('a key', () => {
  it('of a name is named in the token, by option or variable', async () => {
    const { token } = await mintToken({ user: 'ann' }, { secret, key: 'web' });
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT', kid: 'web' });
    vi.stubEnv('ANYWIRE_KEY', 'env');
    const other = await mintToken({ user: 'ann' }, { secret });
    expect(decodeProtectedHeader(other.token).kid).toBe('env');
  });

  const pairs: [Algorithm, () => KeyPairKeyObjectResult][] = [
    ['RS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['PS512', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['ES384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['EdDSA', () => generateKeyPairSync('ed25519')],
  ];

  it.each(pairs)('signs with %s, which its public half shows', async (algorithm, generate) => {
    const { publicKey, privateKey } = pemOf(generate());
    const options = { secret: privateKey, algorithm, key: 'k' };
    checkSigning(options);
    const { token } = await mintToken({ user: 'ann' }, options);
    const currentDate = new Date(noon);
    const { payload, protectedHeader } = await jwtVerify(
      token,
      await importSPKI(publicKey, algorithm),
      { currentDate },
    );
    expect(protectedHeader.alg).toBe(algorithm);
    expect(payload.sub).toBe('ann');
    // As variables have it, in one line.
    vi.stubEnv('ANYWIRE_SECRET', privateKey.replaceAll('\n', '\\n'));
    await mintToken({ user: 'ann' }, { algorithm });
  });

  it.each(['HS384', 'HS512'] as const)('signs with %s', async (algorithm) => {
    const { token } = await mintToken({ user: 'ann' }, { secret, algorithm });
    const key = new TextEncoder().encode(secret);
    expect((await jwtVerify(token, key, { currentDate: new Date(noon) })).payload.sub).toBe('ann');
  });

  it('of another kind is refused without telling what it was', async () => {
    const { privateKey } = pemOf(generateKeyPairSync('ed25519'));
    for (const wrong of [secret, privateKey, '']) {
      const error = await errorOf(() =>
        mintToken({ user: 'a' }, { secret: wrong, algorithm: 'RS256' }),
      );
      expect(error.code).toBe('bad_secret');
      expect(error.message).toContain('is a private key of that kind');
      if (wrong) expect(error.message).not.toContain(wrong.slice(30, 50));
    }
  });
});

describe('options that no token could be made with', () => {
  it.each([
    ['bad_secret', {}],
    ['bad_secret', { secret: 'short' }],
    ['bad_secret', { secret, algorithm: 'ES256' }],
    ['bad_claims', { secret, ttl: 1 }],
  ] as const)('are %s: %j', async (code, options) => {
    expect((await errorOf(() => checkSigning(options))).code).toBe(code);
  });

  it('are told from those that are good', () => {
    expect(() => checkSigning({ secret, ttl: 60 })).not.toThrow();
  });
});
