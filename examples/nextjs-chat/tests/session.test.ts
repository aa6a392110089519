import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { canSignIn, readSession, sealSession } from '../lib/session';

const kSecret = 'the secret of cookies, 32 bytes or more';

vi.mock('next/headers', () => ({}));

beforeEach(() => {
  vi.stubEnv('SESSION_SECRET', kSecret);
  vi.stubEnv('ANYWIRE_SECRET', 'the secret of tokens, 32 bytes or more');
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

const signed = (secret: string, audience: string, sub = 'ada') =>
  new SignJWT({ sub })
    .setProtectedHeader({ alg: 'HS256' })
    .setAudience(audience)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret));

describe('a session', () => {
  it('is the account that it was made for', async () => {
    expect(await readSession(await sealSession('ada'))).toMatchObject({ id: 'ada', name: 'Ada' });
    expect(await readSession(await signed(kSecret, 'nextjs-chat'))).toBeDefined();
  });

  it('is nobody’s without a cookie, or with one that is not ours', async () => {
    for (const sealed of [
      undefined,
      '',
      'x.y.z',
      await signed('another secret, also of 32 bytes or more', 'nextjs-chat'),
      await signed(kSecret, 'something-else'),
      await signed(kSecret, 'nextjs-chat', 'mallory'),
    ]) {
      expect(await readSession(sealed)).toBeUndefined();
    }
  });

  it('ends after a week', async () => {
    const sealed = await sealSession('ada');
    vi.useFakeTimers({ now: Date.now() + 8 * 86_400_000, toFake: ['Date'] });
    expect(await readSession(sealed)).toBeUndefined();
  });

  it('can be had only where both secrets are', () => {
    expect(canSignIn()).toBe(true);
    vi.stubEnv('SESSION_SECRET', '');
    expect(canSignIn()).toBe(false);
    vi.stubEnv('SESSION_SECRET', kSecret);
    vi.stubEnv('ANYWIRE_SECRET', undefined);
    expect(canSignIn()).toBe(false);
  });
});
