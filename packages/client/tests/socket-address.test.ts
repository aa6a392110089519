import { describe, expect, it } from 'vitest';
import { RAW_PROTOCOL, type TokenContext } from '../src/index';
import { harness } from './support/harness';

const settle = async () => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
};

describe('a URL function', () => {
  it('is asked before every try', async () => {
    let tickets = 0;
    const h = harness({ url: () => `wss://a.test/?ticket=${++tickets}` });
    h.socket.connect();
    expect(h.socket.state).toBe('connecting');
    await settle();
    expect(h.ws().url).toBe('wss://a.test/?ticket=1');
    h.ws().end();
    h.clock.advance(1000);
    await settle();
    expect(h.ws().url).toBe('wss://a.test/?ticket=2');
  });

  it('may be asynchronous and give a URL object', async () => {
    const h = harness({ url: async () => new URL('https://a.test/x') });
    h.socket.connect();
    await settle();
    expect(h.ws().url).toBe('wss://a.test/x');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('that %s is tried again with backoff', async (_, url) => {
    const h = harness({ url });
    h.socket.connect();
    await settle();
    expect(h.socket.snapshot).toMatchObject({
      state: 'waiting',
      attempt: 1,
      error: { code: 'url', message: 'The url function failed: no' },
    });
    h.clock.advance(250);
    expect(h.socket.state).toBe('connecting');
    await settle();
    expect(h.socket.snapshot.attempt).toBe(2);
  });

  it('that gives nonsense fails for good', async () => {
    const h = harness({ url: () => 'nonsense' });
    h.socket.connect();
    await settle();
    expect(h.socket.snapshot).toMatchObject({ state: 'failed', error: { code: 'bad-url' } });
  });

  it('that never answers runs into the time limit', () => {
    const h = harness({ url: () => new Promise<string>(() => {}) });
    h.socket.connect();
    h.clock.advance(10_000);
    expect(h.socket.snapshot).toMatchObject({ state: 'waiting', error: { code: 'timeout' } });
  });

  it('that answers after close() opens nothing', async () => {
    const h = harness({ url: async () => 'wss://a.test/' });
    h.socket.connect();
    void h.socket.close();
    await settle();
    expect(h.made()).toBe(0);
    expect(h.socket.state).toBe('closed');
  });

  it('that answers after reconnect() is not used twice', async () => {
    const answers: ((url: string) => void)[] = [];
    const h = harness({ url: () => new Promise<string>((resolve) => answers.push(resolve)) });
    h.socket.connect();
    h.socket.reconnect();
    answers[0]?.('wss://old.test/');
    answers[1]?.('wss://new.test/');
    await settle();
    expect(h.made()).toBe(1);
    expect(h.ws().url).toBe('wss://new.test/');
  });

  it('that rejects after close() changes nothing', async () => {
    const h = harness({ url: () => Promise.reject(new Error('late')) });
    h.socket.connect();
    void h.socket.close();
    await settle();
    expect(h.socket.snapshot).toMatchObject({ state: 'closed', error: undefined });
  });
});

describe('a token', () => {
  it('travels as a subprotocol, beside one that the server can select', () => {
    const h = harness({ token: 'eyJh.b-c_.d~' });
    h.socket.connect();
    expect(h.ws().protocols).toEqual([RAW_PROTOCOL, 'anywire.bearer.eyJh.b-c_.d~']);
  });

  it.each(['', 'with space', 'a,b', 'a/b', 'a=b', 'é', 'a\nb'])(
    '%j is refused, for no header may hold it',
    (token) => {
      const h = harness({ token });
      h.socket.connect();
      expect(h.socket.snapshot).toMatchObject({ state: 'failed', error: { code: 'token' } });
      expect(JSON.stringify(h.socket.snapshot.error)).not.toContain('bearer');
    },
  );

  it('function is told why and asked before every try', async () => {
    const contexts: TokenContext[] = [];
    const h = harness({
      token: async (context) => {
        contexts.push(context);
        return `t${contexts.length}`;
      },
    });
    h.socket.connect();
    await settle();
    expect(h.ws().protocols).toContain('anywire.bearer.t1');
    h.ws().end();
    h.clock.advance(1000);
    await settle();
    expect(h.ws().protocols).toContain('anywire.bearer.t2');
    expect(contexts.map(({ reason }) => reason)).toEqual(['connect', 'retry']);
  });

  it('function that fails is asked again with backoff, for a route may be down', async () => {
    let calls = 0;
    const h = harness({
      token: () => {
        if (++calls === 1) throw new Error('500');
        return 'ok';
      },
    });
    h.socket.connect();
    await settle();
    expect(h.socket.snapshot).toMatchObject({ state: 'waiting', error: { code: 'token' } });
    h.clock.advance(250);
    await settle();
    expect(h.ws().protocols).toContain('anywire.bearer.ok');
  });

  it('function is told by its signal when nobody waits any more', async () => {
    let signal: AbortSignal | undefined;
    const h = harness({
      token: (context) => {
        signal = context.signal;
        return new Promise<string>(() => {});
      },
    });
    h.socket.connect();
    await settle();
    expect(signal?.aborted).toBe(false);
    void h.socket.close();
    expect(signal?.aborted).toBe(true);
  });
});

describe('subprotocols', () => {
  it('are none unless asked for, so that any server accepts', () => {
    const h = harness();
    h.socket.connect();
    expect(h.ws().protocols).toEqual([]);
  });

  it('are those of the user', () => {
    const one = harness({ protocols: 'chat' });
    one.socket.connect();
    expect(one.ws().protocols).toEqual(['chat']);
    const two = harness({ protocols: ['v2', 'v1'] });
    two.socket.connect();
    expect(two.ws().protocols).toEqual(['v2', 'v1']);
  });

  it.each([true, {}, { interval: 1000 }])(
    'include that of Anywire after those of the user for heartbeat %j',
    (heartbeat) => {
      const h = harness({ protocols: 'chat', heartbeat });
      h.socket.connect();
      expect(h.ws().protocols).toEqual(['chat', RAW_PROTOCOL]);
    },
  );

  it.each([false, { probe: 'ping' }])('do not for heartbeat %j', (heartbeat) => {
    const h = harness({ heartbeat });
    h.socket.connect();
    expect(h.ws().protocols).toEqual([]);
  });

  it('are never named twice, which browsers refuse', () => {
    const h = harness({ protocols: [RAW_PROTOCOL, 'a', 'a'], heartbeat: true, token: 'x' });
    h.socket.connect();
    expect(h.ws().protocols).toEqual([RAW_PROTOCOL, 'a', 'anywire.bearer.x']);
  });
});
