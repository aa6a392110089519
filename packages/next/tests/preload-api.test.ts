import { define } from '@anywire/client/contract';
import { createApi } from '@anywire/server';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { preloadHistory } from '../src/preload';

const secret = 'a secret of the tests, of 32 bytes or more';
const page = {
  channel: 'news',
  epoch: 'e1',
  top: 9,
  oldest: 2,
  more: true,
  messages: [
    { offset: 9, time: 1009, text: 'neun' },
    { offset: 8, time: 1008, data: { n: 8 }, event: 'x', user: 'ann' },
  ],
};
const fetched = vi.fn<typeof fetch>();
const api = createApi({ url: 'http://rt.internal', secret, fetch: fetched, retries: 0 });

beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
  fetched.mockReset();
});

describe('history by the HTTP API', () => {
  it('is one request, and comes as it does over a session', async () => {
    fetched.mockResolvedValue(Response.json(page));
    expect(await preloadHistory('news', { api, limit: 2 })).toEqual({
      channel: 'news',
      epoch: 'e1',
      top: 9,
      oldest: 2,
      more: true,
      messages: [
        {
          channel: 'news',
          epoch: 'e1',
          offset: 8,
          time: 1008,
          kind: 'json',
          data: { n: 8 },
          event: 'x',
          user: 'ann',
        },
        { channel: 'news', epoch: 'e1', offset: 9, time: 1009, kind: 'text', data: 'neun' },
      ],
    });
    expect(fetched).toHaveBeenCalledOnce();
    const url = new URL(String(fetched.mock.calls[0]?.[0]));
    expect(url.origin + url.pathname).toBe('http://rt.internal/api/v1/history');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      channel: 'news',
      limit: '2',
      order: 'backward',
    });
  });

  it('is checked by the contract', async () => {
    const rt = define({ channels: { news: { message: v.object({ n: v.number() }) } } });
    fetched.mockResolvedValue(Response.json(page));
    const { messages } = await preloadHistory(rt.channel('news'), { api });
    expect(messages.map(({ data }) => data)).toEqual([{ n: 8 }]);
  });

  it('is empty where it is refused, and says so', async () => {
    const error = { code: 'forbidden', message: 'not this channel', retry: false };
    fetched.mockResolvedValue(Response.json({ error }, { status: 403 }));
    const state = await preloadHistory('news', { api });
    expect(state).toMatchObject({ messages: [], error: { code: 'forbidden' } });
    expect(JSON.stringify(state)).not.toContain(secret);
  });

  it('is empty where the server cannot be reached', async () => {
    fetched.mockRejectedValue(new TypeError('fetch failed'));
    expect(await preloadHistory('news', { api })).toMatchObject({ error: { code: 'network' } });
  });

  it('is not waited for longer than said', async () => {
    fetched.mockImplementation(
      (_, init) =>
        new Promise((_resolve, reject) =>
          init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))),
        ),
    );
    const state = await preloadHistory('news', { api, timeout: 1 });
    expect(state).toMatchObject({ messages: [], error: { code: 'timeout' } });
  });

  it.each([{ token: 'x' }, { url: 'http://a' }, { cached: true }])(
    'does not go with %j, which would be without effect',
    async (more) => {
      await expect(preloadHistory('news', { api, ...more })).rejects.toThrow(TypeError);
      expect(fetched).not.toHaveBeenCalled();
    },
  );
});
