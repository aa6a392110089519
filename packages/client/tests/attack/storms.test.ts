import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/clock';
import { type ClientOptions, history, type Member, presence } from '../../src/index';
import { FakeWebSocket } from '../support/fake-web-socket';
import { opened, type Realtime, realtime } from '../support/realtime';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const minute = 60_000;
const never = () => new Promise<never>(() => {});

/** How often a client knocks, and asks for a token, within a minute of its beginning. */
async function knocks(
  options: Partial<ClientOptions>,
  arrange: (r: Realtime) => void = () => {},
): Promise<{ r: Realtime; sockets: number }> {
  const r = realtime(options);
  // The middle of what chance allows.
  r.clock.chance = 0.5;
  arrange(r);
  r.client.connect();
  await r.settle();
  await r.pass(minute);
  return { r, sockets: FakeWebSocket.all.length };
}

describe('a url that leads nowhere', () => {
  it.each<[string, ClientOptions['url']]>([
    ['empty', ''],
    ['not set', undefined as never],
    ['null', null as never],
    ['relative, where there is no page', '/anywire'],
    ['of another kind', 'ftp://example.com/anywire'],
    ['code', 'javascript:alert(1)'],
    ['unparsable', 'http://[::1'],
    ['a word', 'anywire'],
    ['a function that answers nothing', () => undefined as never],
    ['a function that answers an object', () => ({}) as never],
    ['a promise of nothing', async () => '' as never],
  ])('is said at once, and not tried again: %s', async (_, url) => {
    const { r, sockets } = await knocks({ url });
    expect(sockets).toBe(0);
    expect(r.client.snapshot).toMatchObject({
      state: 'failed',
      error: { code: 'bad_url', retry: false, advice: expect.stringContaining('absolute') },
    });
    expect(r.clock.pending).toBe(0);
  });

  it.each(['', undefined, null])('is not the page itself: %s', async (url) => {
    vi.stubGlobal('location', { href: 'https://page.test/room' });
    const { resolveUrl } = await import('../../src/url');
    expect(() => resolveUrl(url as string, 'https://page.test/room')).toThrow(TypeError);
  });

  it.each<[string, ClientOptions['url']]>([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['never answers', never],
  ])('is asked for again with back-off by a function that %s', async (_, url) => {
    const ask = vi.fn(url as () => string);
    const { r, sockets } = await knocks({ url: ask });
    expect(sockets).toBe(0);
    expect(ask.mock.calls.length).toBeGreaterThan(2);
    expect(ask.mock.calls.length).toBeLessThan(15);
    expect(r.client.snapshot.error).toMatchObject({ code: 'network', retry: true });
  });

  it('is a failure where the platform refuses it, as a secure page does with ws:', async () => {
    const { r } = await knocks({}, () => {
      FakeWebSocket.refuse = new DOMException('insecure', 'SecurityError');
    });
    expect(r.client.snapshot).toMatchObject({ state: 'failed', error: { retry: false } });
    expect(r.client.snapshot.error?.message).toContain('insecure');
    expect(r.client.snapshot.error?.advice).toContain('wss:');
  });
});

describe('a token that is no help', () => {
  it.each<[string, NonNullable<ClientOptions['token']>]>([
    [
      'throws at once',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('500'))],
    ['never resolves', never],
  ])('is asked for with back-off by a function that %s', async (_, token) => {
    const ask = vi.fn(token as () => Promise<string>);
    const { r, sockets } = await knocks({ token: ask });
    expect(sockets).toBe(0);
    expect(ask.mock.calls.length).toBeGreaterThan(2);
    expect(ask.mock.calls.length).toBeLessThan(15);
    expect(r.client.state).toMatch(/waiting|connecting/);
    expect(r.client.snapshot.error?.advice).toEqual(expect.any(String));
  });

  it.each([4450, 4451, 4452, 4453])('ends when it is the one that %i denied', async (code) => {
    const token = vi.fn(() => 'always the same');
    const { r, sockets } = await knocks({ token }, ({ server }) => {
      server.judge = () => code;
    });
    expect(r.client.snapshot).toMatchObject({ state: 'failed', error: { code: 'unauthorized' } });
    expect(sockets).toBe(1);
    expect(token).toHaveBeenCalledTimes(2);
  });

  it.each([4450, 4451, 4452, 4453])(
    'is asked for with back-off while %i denies each',
    async (code) => {
      let tokens = 0;
      const { r } = await knocks({ token: () => `t${++tokens}` }, ({ server }) => {
        server.judge = () => code;
      });
      expect(tokens).toBeGreaterThan(3);
      expect(tokens).toBeLessThan(15);
      expect(r.client.snapshot.error).toMatchObject({ code: 'unauthorized' });
    },
  );

  it.each(['', 0, {}, { token: '' }, { token: null }, [], false, undefined, null])(
    'means that nobody is signed in, where there is none: %j',
    async (answer) => {
      const { r, sockets } = await knocks({ token: () => answer as never });
      expect(sockets).toBe(0);
      expect(r.client.snapshot).toMatchObject({
        state: 'failed',
        error: { code: 'token', advice: expect.stringContaining('signed in') },
      });
    },
  );

  it.each([
    ['the same', () => 'same'],
    ['another one', () => `${Math.random()}`],
  ])('is not asked for all the time when it is always about to end: %s', async (_, make) => {
    const token = vi.fn(make);
    const r = await opened({ token });
    r.clock.chance = 0.5;
    // As a server does whose clock is ahead: each token is at its end when it comes.
    r.server.script = (conn, { type, id }) => {
      if (type !== 'auth') return false;
      conn.say({ type: 'ok', id, expires: 1 }, { type: 'expiring', expires: 1 });
      return true;
    };
    r.server.last.say({ type: 'expiring', expires: 1 });
    for (let s = 0; s < 60; s++) await r.pass(1000);
    expect(token.mock.calls.length).toBeGreaterThan(3);
    expect(token.mock.calls.length).toBeLessThan(16);
    expect(r.client.state).toBe('open');
  });

  it('is asked for at once when the last one has held for a while', async () => {
    let tokens = 0;
    const r = await opened({ token: () => `t${++tokens}` });
    for (let i = 2; i < 6; i++) {
      r.server.last.say({ type: 'expiring', expires: 1 });
      await r.pass(1);
      expect(tokens).toBe(i);
      await r.pass(minute);
    }
  });
});

describe('a server that closes with whatever code', () => {
  const codes = [
    1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1015,
  ];
  const own = [
    3000, 3999, 4000, 4001, 4399, 4400, 4403, 4409, 4449, 4450, 4451, 4452, 4453, 4499, 4500, 4501,
    4503,
  ];
  it.each([...codes, ...own, 4529, 4599, 4600, 4999, 0, 65_535, -1])(
    'is knocked at a few times a minute: %i',
    async (code) => {
      let tokens = 0;
      const r = await opened({ token: () => `t${++tokens}` });
      r.clock.chance = 0.5;
      r.client.channel('room').subscribe(() => {});
      r.server.script = (conn, { type }) => {
        if (type === 'subscribe') conn.close(code, 'because');
        return type === 'subscribe';
      };
      r.server.last.close(code, 'because');
      await r.pass(minute);
      expect(r.server.conns.length).toBeLessThan(16);
      expect(tokens).toBeLessThan(16);
      const final = code >= 4400 && code < 4450;
      expect(r.client.state === 'failed').toBe(final);
      expect(r.client.snapshot.error ?? r.client.snapshot.lastClose).toBeDefined();
      r.client.close();
      await r.pass(5000);
      expect(r.clock.pending).toBe(0);
    },
  );
});

describe('a channel that is refused', () => {
  it.each([
    ['forbidden', false, 1],
    ['bad_channel', false, 1],
    ['too_many_channels', false, 1],
    ['from the future', false, 1],
    ['overloaded', true, 12],
    ['rate_limited', true, 12],
  ])('is not asked for in a storm: %s', async (code, retry, most) => {
    const r = await opened();
    r.clock.chance = 0.5;
    const got: unknown[] = [];
    r.client.channel('good').subscribe(({ data }) => got.push(data));
    await r.settle();
    r.server.script = (conn, { type, id, channel }) => {
      if (type !== 'subscribe' || channel !== 'bad') return false;
      conn.say({ type: 'error', id, code, message: 'no', retry, channel });
      return true;
    };
    for (let i = 0; i < 20; i++) r.client.channel('bad').subscribe(() => {});
    await r.pass(minute);
    const asked = r.server.last.of('subscribe').filter(({ channel }) => channel === 'bad');
    expect(asked.length).toBeLessThanOrEqual(most * 2);
    r.server.publish('good', { data: 1 });
    expect(got).toEqual([1]);
    expect(r.errors[0]).toMatchObject({ code, retry, channel: 'bad' });
  });

  it('that the server ends again and again is asked for ever more slowly', async () => {
    const r = await opened();
    r.clock.chance = 0.5;
    r.client.channel('room').subscribe(() => {});
    r.server.script = (conn, { type, id, channel }) => {
      if (type !== 'subscribe') return false;
      conn.say({ type: 'subscribed', id, channel, epoch: 'e', offset: 0, top: 0 });
      conn.say({ type: 'unsubscribed', channel, code: 'overloaded', message: 'no' });
      return true;
    };
    await r.cut();
    await r.pass(minute);
    expect(r.server.last.of('subscribe').length).toBeLessThan(15);
  });

  it('with holes that never close is asked for a few times a minute', async () => {
    const r = await opened();
    r.clock.chance = 0.5;
    r.client.channel('room').subscribe(() => {});
    r.server.script = (conn, { type, id, channel }) => {
      if (type !== 'subscribe') return false;
      conn.say({ type: 'subscribed', id, channel, epoch: 'e', offset: 5, top: 9, recovered: true });
      conn.say({ type: 'message', channel, offset: 9, time: 1, data: 1 });
      return true;
    };
    await r.cut();
    await r.pass(minute);
    expect(r.server.last.of('subscribe').length).toBeLessThan(40);
  });
});

describe('a list that never ends', () => {
  it('of members is given up where a page brings nobody new', async () => {
    const r = await opened();
    r.server.script = (conn, { type, id, channel }) => {
      if (type !== 'members') return false;
      const members = [{ client: 'a' }, { client: 'b' }];
      conn.say({
        type,
        id,
        channel,
        epoch: 'p',
        version: 7,
        count: 2,
        users: 2,
        members,
        more: true,
      });
      return true;
    };
    const room = r.client.channel('room');
    const lists: (readonly Member[])[] = [];
    presence(room).on('change', ({ members }) => lists.push(members));
    await r.settle();
    r.server.last.say({ type: 'presence', channel: 'room', epoch: 'p', from: 5, version: 6 });
    await r.pass(minute);
    expect(r.server.last.of('members').length).toBeLessThan(5);
    expect(lists.at(-1)?.map(({ client }) => client)).toEqual(['a', 'b']);
  });

  it('of members holds no more than it may', async () => {
    const r = await opened({ membersMax: 500 });
    let next = 0;
    r.server.script = (conn, { type, id, channel }) => {
      if (type !== 'members') return false;
      const members = Array.from({ length: 100 }, () => ({ client: `m${++next}` }));
      conn.say({ type, id, channel, epoch: 'p', version: 7, count: 1e9, members, more: true });
      return true;
    };
    const room = r.client.channel('room');
    presence(room).on('change', () => {});
    await r.settle();
    r.server.last.say({ type: 'presence', channel: 'room', epoch: 'p', from: 5, version: 6 });
    await r.pass(minute);
    expect(next).toBeLessThan(1000);
    expect(presence(room).snapshot).toMatchObject({ count: 1e9, complete: false });
  });

  it('of history ends where a page is the one before', async () => {
    const r = await opened();
    r.server.script = (conn, { type, id }) => {
      if (type !== 'history') return false;
      const messages = [{ offset: 7, time: 1, data: 1 }];
      conn.say({ type, id, epoch: 'e', top: 9, oldest: 1, messages, more: true });
      return true;
    };
    const seen: number[] = [];
    const read = (async () => {
      for await (const { offset } of history(r.client.channel('room'))) seen.push(offset);
    })();
    await r.pass(1000);
    await read;
    expect(seen).toEqual([7, 7]);
  });
});

describe('times beyond what a timer can count', () => {
  it.each([Number.POSITIVE_INFINITY, 2 ** 31, 1e15])('are long, and not over at once: %d', (ms) => {
    vi.useFakeTimers();
    const run = vi.fn();
    const timer = systemClock.setTimeout(run, ms);
    vi.advanceTimersByTime(24 * 3600_000);
    expect(run).not.toHaveBeenCalled();
    systemClock.clearTimeout(timer);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('may be those of a publish, which then waits', async () => {
    vi.useFakeTimers();
    FakeWebSocket.reset();
    const { createClient } = await import('../../src/index');
    const client = createClient({ url: 'ws://x/', WebSocket: FakeWebSocket });
    const refused = vi.fn();
    client.channel('room').publish(1, { timeout: Number.POSITIVE_INFINITY }).catch(refused);
    await vi.advanceTimersByTimeAsync(200_000);
    expect(refused).not.toHaveBeenCalled();
    void client.close();
    await vi.advanceTimersByTimeAsync(5000);
    expect(refused).toHaveBeenCalledTimes(1);
  });

  it('that a server wants between two pings keep no timer busy', async () => {
    const r = realtime();
    const set = vi.spyOn(r.clock, 'setTimeout');
    r.server.greeting = { ping: 1e15 };
    r.client.connect();
    await r.settle();
    set.mockClear();
    await r.pass(minute);
    expect(set.mock.calls.length).toBeLessThan(5);
    expect(r.server.last.of('ping')).toEqual([]);
  });
});
