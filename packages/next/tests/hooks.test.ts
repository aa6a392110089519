import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { anywireHooks } from '../src/index';

const secret = 'the secret that both sides share, 32+';
const question = {
  type: 'subscribe',
  id: 'd1',
  client: { id: 'c1', protocol: 'native' },
  channel: 'room:1',
};

function signed(by: string): Request {
  const body = JSON.stringify(question);
  const timestamp = String(Math.floor(Date.now() / 1000));
  const mac = createHmac('sha256', by).update(`${timestamp}.${body}`).digest('hex');
  return new Request('http://app.example/api/anywire', {
    method: 'POST',
    headers: { 'anywire-timestamp': timestamp, 'anywire-signature': `v1=${mac}` },
    body,
  });
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a route of hooks', () => {
  it('answers what is signed, and nothing else', async () => {
    const { POST } = anywireHooks({ secret, onSubscribe: () => false });
    expect(await (await POST(signed(secret))).json()).toEqual({ allow: false });
    expect((await POST(signed('somebody else’s secret, 32 bytes'))).status).toBe(401);
  });

  it('does not start in production without a secret', () => {
    vi.stubEnv('NODE_ENV', 'production');
    vi.stubEnv('ANYWIRE_APP_SECRET', undefined);
    expect(() => anywireHooks({})).toThrow('ANYWIRE_APP_SECRET');
  });

  it('is built without one', () => {
    vi.stubEnv('NODE_ENV', 'production');
    vi.stubEnv('NEXT_PHASE', 'phase-production-build');
    vi.stubEnv('ANYWIRE_APP_SECRET', undefined);
    expect(anywireHooks({})).toHaveProperty('POST');
  });

  it('says in development, at each request, what is missing', async () => {
    vi.stubEnv('ANYWIRE_APP_SECRET', undefined);
    const onError = vi.fn();
    const answer = await anywireHooks({ onError }).POST(signed(secret));
    expect(answer.status).toBe(500);
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'bad_secret' });
  });
});
