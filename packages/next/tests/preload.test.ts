import { define } from '@anywire/client/contract';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type PreloadOptions, preloadHistory } from '../src/preload';
import { type Stage, stage } from './support/stage';

const rt = define({
  channels: {
    'room:{id}': {
      message: v.object({ text: v.string() }),
      events: { typing: v.object({ on: v.boolean() }) },
    },
    prices: { message: v.pipe(v.string(), v.transform(Number)) },
  },
});

let on: Stage;
/** Each test has a time of its own, so that what is told now and then is told in each. */
let now = Date.UTC(2030, 0, 1);

beforeEach(() => {
  now += 3_600_000;
  vi.useFakeTimers({ now });
  vi.stubEnv('ANYWIRE_URL', 'http://rt.internal:3001');
  on = stage();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const texts = (...all: string[]) => all.map((text) => ({ data: { text } }));

/** Lets promises run until `asked` has settled; time stands still. */
async function settled<T>(asked: Promise<T>): Promise<T> {
  let over = false;
  const mark = () => {
    over = true;
  };
  asked.then(mark, mark);
  for (let i = 0; i < 200 && !over; i++) await Promise.resolve();
  for (let i = 0; i < 50 && !over; i++) await vi.advanceTimersByTimeAsync(0);
  expect(over, 'still waiting').toBe(true);
  return await asked;
}

const load = (channel: string, options?: PreloadOptions) =>
  settled(preloadHistory(channel, options));

describe('what was said before', () => {
  it('comes as plain data, oldest first, with the position to go on at', async () => {
    on.say('news', { data: 1 }, { data: 2, user: 'ann' }, { text: 'drei', event: 'x' });
    const state = await load('news');
    expect(state).toEqual({
      channel: 'news',
      epoch: 'e1',
      top: 3,
      oldest: 1,
      more: false,
      messages: [
        { channel: 'news', epoch: 'e1', offset: 1, time: 1001, kind: 'json', data: 1 },
        { channel: 'news', epoch: 'e1', offset: 2, time: 1002, kind: 'json', data: 2, user: 'ann' },
        {
          channel: 'news',
          epoch: 'e1',
          offset: 3,
          time: 1003,
          kind: 'text',
          data: 'drei',
          event: 'x',
        },
      ],
    });
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });

  it('is the newest part of it, as much as asked for', async () => {
    on.say('news', ...Array.from({ length: 80 }, (_, data) => ({ data })));
    const usual = await load('news');
    expect(usual).toMatchObject({ top: 80, oldest: 1, more: true });
    expect(usual.messages.map(({ offset }) => offset)).toEqual(
      Array.from({ length: 50 }, (_, i) => i + 31),
    );
    const few = await load('news', { limit: 2 });
    expect(few.messages.map(({ offset }) => offset)).toEqual([79, 80]);
    const all = await load('news', { limit: 1000 });
    expect(all).toMatchObject({ more: false });
    expect(all.messages).toHaveLength(80);
  });

  it('may be nothing at all; the position is there', async () => {
    expect(await load('quiet')).toEqual({
      channel: 'quiet',
      epoch: 'e1',
      top: 0,
      oldest: 1,
      more: false,
      messages: [],
    });
  });

  it('may be binary', async () => {
    on.say('news', { binary: 'AQI=' });
    const { messages } = await load('news');
    expect(messages[0]).toMatchObject({ kind: 'binary', data: new Uint8Array([1, 2]) });
  });
});

describe('a channel of a contract', () => {
  it('is asked for by its name', async () => {
    on.say('room:1', ...texts('a', 'b'));
    const state = await settled(preloadHistory(rt.channel('room:1')));
    expect(state.channel).toBe('room:1');
    expect(state.messages.map(({ data }) => data)).toEqual([{ text: 'a' }, { text: 'b' }]);
  });

  it('leaves out what the schema refuses, and says so', async () => {
    on.say('room:2', ...texts('a'), { data: { text: 7 } }, { data: null }, ...texts('b'));
    const state = await settled(preloadHistory(rt.channel('room:2')));
    expect(state.messages.map(({ offset }) => offset)).toEqual([1, 4]);
    expect(state).toMatchObject({ top: 4, oldest: 1, epoch: 'e1' });
    expect(state.error).toBeUndefined();
    expect(on.warnings).toHaveLength(1);
    expect(on.warnings[0]).toContain('message 2 of "room:2" is left out');
  });

  it('knows its events', async () => {
    const typing = { event: 'typing', data: { on: true } };
    on.say('room:3', typing, { ...typing, data: { on: 1 } }, ...texts('a'));
    const state = await settled(preloadHistory(rt.channel('room:3')));
    expect(state.messages.map(({ offset }) => offset)).toEqual([1, 3]);
  });

  it('gives what the schema makes of a message', async () => {
    on.say('prices', { text: '12.5' });
    const state = await settled(preloadHistory(rt.channel('prices')));
    expect(state.messages[0]?.data).toBe(12.5);
  });
});

describe('the request', () => {
  it('goes to the address that the option or the environment names', async () => {
    const urls: string[] = [];
    vi.stubGlobal('fetch', (url: string) => {
      urls.push(url);
      return Promise.reject(new TypeError('fetch failed'));
    });
    await load('a', { url: 'wss://b.example.com/live' });
    await load('a');
    vi.stubEnv('ANYWIRE_URL', undefined);
    await load('a');
    expect(urls).toEqual([
      'https://b.example.com/live/poll',
      'http://rt.internal:3001/anywire/poll',
      'http://127.0.0.1:3001/anywire/poll',
    ]);
  });

  it('is never answered from a cache, unless the page may be', async () => {
    await load('a');
    expect(on.inits.length).toBeGreaterThan(0);
    expect(on.inits.map(({ cache }) => cache)).toEqual(on.inits.map(() => 'no-store'));
    on.inits.splice(0);
    await load('a', { cached: true });
    expect(on.inits.length).toBeGreaterThan(0);
    expect(on.inits.map(({ cache }) => cache)).toEqual(on.inits.map(() => undefined));
  });

  it('takes two round trips: to connect, and to ask', async () => {
    on.say('news', { data: 1 });
    expect((await load('news')).messages).toHaveLength(1);
    const [first, ...rest] = on.net.requests.map(({ path }) => path);
    expect(first).toBe('poll');
    // At the same time; a further poll is given up as soon as it is begun.
    expect(rest.slice(0, 2).sort()).toEqual(['poll', 'send']);
    expect(rest.slice(2).filter((path) => path !== 'poll')).toEqual([]);
    expect(rest.length).toBeLessThanOrEqual(3);
    expect(on.server.conns).toHaveLength(1);
  });

  it('leaves nothing behind: no request that waits, no timer', async () => {
    await load('news');
    await vi.advanceTimersByTimeAsync(0);
    const count = on.net.requests.length;
    expect(on.inits.at(-1)?.signal?.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(on.net.requests).toHaveLength(count);
  });

  it('asks for the history only: nothing is subscribed to, nobody is present', async () => {
    await load('news');
    expect(on.server.last.got.map(({ type }) => type)).toEqual(['connect', 'history']);
  });
});

describe('for whom', () => {
  const tokenOf = () => on.server.last.of('connect')[0]?.token;

  it('is said by a token, in any of its forms', async () => {
    await load('a', { token: 'one' });
    expect(tokenOf()).toBe('one');
    await load('a', { token: { token: 'two', expires: 1 } as { token: string } });
    expect(tokenOf()).toBe('two');
    await load('a', { token: async () => 'three' });
    expect(tokenOf()).toBe('three');
    await load('a', { token: async () => ({ token: 'four' }) });
    expect(tokenOf()).toBe('four');
    await load('a');
    expect(tokenOf()).toBeUndefined();
  });

  it('nobody, when the function has no token: an error, and no request', async () => {
    const state = await load('a', { token: async () => null });
    expect(state).toMatchObject({ messages: [], error: { code: 'token' } });
    expect(on.net.requests).toHaveLength(0);
  });

  it('is a question once asked: a token function that fails is not asked again', async () => {
    const token = vi.fn(() => Promise.reject(new Error('no secret')));
    const state = await load('a', { token });
    expect(state.error).toMatchObject({ code: 'token' });
    expect(token).toHaveBeenCalledTimes(1);
  });
});

describe('when there is trouble, the page goes on without', () => {
  const nothing = { channel: 'a', epoch: '', messages: [], top: 0, oldest: 1, more: false };

  it('at once when the server is down, without trying again', async () => {
    on.net.fault = () => 'lost';
    expect(await load('a')).toEqual({
      ...nothing,
      error: { code: 'network', message: expect.stringContaining('(network)') },
    });
    expect(on.net.requests).toHaveLength(1);
  });

  it('when the server is away behind a proxy that answers for it', async () => {
    on.net.fault = () => 502;
    expect((await load('a')).error?.code).toBe('network');
  });

  it.each([4450, 4451, 4452])('when the server does not take the token (%i)', async (code) => {
    on.server.judge = () => code;
    const state = await load('a', { token: 'old' });
    expect(state).toMatchObject({ ...nothing, error: { code: 'unauthorized' } });
  });

  it.each([
    ['forbidden', false],
    ['no_history', false],
    ['bad_channel', false],
    ['overloaded', true],
  ])('when the server refuses: %s', async (code, retry) => {
    on.server.script = (conn, { type, id }) => {
      if (type !== 'history') return false;
      conn.say({ type: 'error', id, code, message: 'so it is', retry });
      return true;
    };
    const asked = preloadHistory('a', { timeout: 1000 });
    await vi.advanceTimersByTimeAsync(1001);
    const { error } = await settled(asked);
    expect(['timeout', code]).toContain(error?.code);
    if (!retry) expect(error?.code).toBe(code);
  });

  it('when the server hangs: after the time that was allowed', async () => {
    on.net.fault = () => 'hang';
    const seen = vi.fn();
    const asked = preloadHistory('a', { timeout: 700 });
    void asked.then(seen);
    await vi.advanceTimersByTimeAsync(699);
    expect(seen).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect((await settled(asked)).error?.code).toBe('timeout');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('after three seconds unless said otherwise', async () => {
    on.server.script = (_, { type }) => type === 'history';
    const seen = vi.fn();
    const asked = preloadHistory('a');
    void asked.then(seen);
    await vi.advanceTimersByTimeAsync(2999);
    expect(seen).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect((await settled(asked)).error?.code).toBe('timeout');
  });

  it('when the connection breaks before the answer', async () => {
    on.server.script = (conn, { type }) => {
      if (type === 'history') conn.close(1012, 'restart');
      return type === 'history';
    };
    expect((await load('a')).error).toBeDefined();
  });

  it('when what answers is something else', async () => {
    vi.stubGlobal('fetch', async () => new Response('<!doctype html>', { status: 200 }));
    expect((await load('a')).error?.code).toBe('network');
  });

  it.each(['/anywire', 'nowhere', 'ftp://rt.internal'])(
    'when the address cannot be one: %s',
    async (url) => {
      const state = await load('a', { url });
      expect(state).toMatchObject({ ...nothing, error: { code: 'bad_url' } });
      expect(on.warnings[0]).toContain('preloadHistory: ');
      expect(on.warnings[0]).toContain('ANYWIRE_URL');
      expect(on.net.requests).toHaveLength(0);
    },
  );

  it('and browsers are not told where the server is, in production', async () => {
    on.net.fault = () => 'lost';
    const spoken = await load('a');
    expect(spoken.error?.message).toContain('fetch failed');
    vi.stubEnv('NODE_ENV', 'production');
    const { error } = await load('a');
    expect(error?.message).toBe('The history could not be loaded on the server (network)');
  });

  it('and the log says it once in ten seconds for each kind of trouble', async () => {
    on.net.fault = () => 'lost';
    await load('a');
    await load('b');
    expect(on.warnings).toHaveLength(1);
    expect(on.warnings[0]).toContain(
      'no history of "a" from http://rt.internal:3001/anywire: network',
    );
    await load('c', { token: async () => null });
    expect(on.warnings).toHaveLength(2);
    expect(on.warnings[1]).toContain(': token: ');
    await vi.advanceTimersByTimeAsync(10_000);
    await load('d');
    expect(on.warnings).toHaveLength(3);
  });
});

describe('options that make no sense', () => {
  it.each([0, -1, 1001, 1.5, Number.NaN])('limit %d', async (limit) => {
    await expect(load('a', { limit })).rejects.toThrow('"limit" must be 1 to 1000');
  });

  it.each([0, -5, Number.NaN])('timeout %d', async (timeout) => {
    await expect(load('a', { timeout })).rejects.toThrow('"timeout" must be above 0 ms');
  });

  it('are told before anything is asked', () => {
    expect(on.net.requests).toHaveLength(0);
  });
});
