import { afterEach, describe, expect, it, vi } from 'vitest';
import { createClient, presence as presenceOf, websocket } from '../../src/index';
import { tabMemory } from '../../src/realtime/memory';
import { FakeWebSocket } from '../support/fake-web-socket';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('on a server that renders pages', () => {
  it('a client is made and looked at without a global, a timer or a connection', async () => {
    const timeout = vi.spyOn(globalThis, 'setTimeout');
    for (const name of ['WebSocket', 'fetch', 'sessionStorage', 'navigator', 'crypto']) {
      vi.stubGlobal(name, undefined);
    }
    const { createClient } = await import('../../src/index');
    const { poll, sse } = await import('../../src/fallbacks');
    const { msgpack } = await import('../../src/msgpack');
    const transports = [websocket(), sse(), poll()];
    const client = createClient({ url: '/anywire', transports, codec: msgpack() });
    const channel = client.channel('a');
    expect(client.snapshot.state).toBe('idle');
    expect(channel.cursor).toBeUndefined();
    expect(presenceOf(channel).snapshot).toBe(presenceOf(channel).snapshot);
    expect(presenceOf(channel).members).toEqual([]);
    expect(presenceOf(channel).get('x')).toBeUndefined();
    expect(timeout).not.toHaveBeenCalled();
  });

  it('a relative address has no meaning, which is an error and no exception', async () => {
    const client = createClient({ url: '/anywire', WebSocket: FakeWebSocket });
    await expect(client.connect()).rejects.toMatchObject({ code: 'bad_url' });
    expect(client.state).toBe('failed');
  });

  it('is disposed of by `await using`', async () => {
    const client = createClient({ url: 'wss://x.test/', WebSocket: FakeWebSocket });
    await client[Symbol.asyncDispose]();
    expect(client.state).toBe('closed');
  });

  it('fails where there is no WebSocket at all', async () => {
    vi.stubGlobal('WebSocket', undefined);
    const client = createClient({ url: 'wss://x.test/' });
    await expect(client.connect()).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('the memory of a tab', () => {
  it('is the session storage, where there is one and it may be used', () => {
    const stored = new Map<string, string>();
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => stored.set(key, value),
    });
    expect(tabMemory.get('a.test')).toBeNull();
    tabMemory.set('a.test', 'sse');
    expect(tabMemory.get('a.test')).toBe('sse');
    expect([...stored.values()]).toEqual(['sse']);
    stored.set([...stored.keys()].join().replace('a.test', 'b.test'), 'poll');
    expect(tabMemory.get('b.test')).toBe('poll');
    expect(tabMemory.get('c.test')).toBeNull();
  });

  it('is the page where storage is forbidden', () => {
    vi.stubGlobal('sessionStorage', {
      getItem() {
        throw new Error('SecurityError');
      },
      setItem() {
        throw new Error('QuotaExceededError');
      },
    });
    expect(tabMemory.get('d.test')).toBeUndefined();
    expect(() => tabMemory.set('d.test', 'sse')).not.toThrow();
    expect(tabMemory.get('d.test')).toBe('sse');
  });
});
