import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const next = vi.hoisted(() => ({ connection: vi.fn<() => Promise<void>>() }));
const react = vi.hoisted(() => ({ cache: undefined as unknown }));
vi.mock('next/server.js', () => next);
vi.mock('react', () => react);

/** Modules look for React's `cache` when they are loaded. */
const fresh = async () => {
  vi.resetModules();
  return await import('../src/request');
};

beforeEach(() => {
  next.connection.mockReset().mockResolvedValue(undefined);
  react.cache = undefined;
});
afterEach(() => vi.restoreAllMocks());

describe('waiting for a request', () => {
  it('waits as long as Next.js says', async () => {
    const { waitForRequest } = await fresh();
    let go = () => {};
    next.connection.mockReturnValue(
      new Promise((resolve) => {
        go = resolve;
      }),
    );
    const passed = vi.fn();
    const waiting = waitForRequest().then(passed);
    await Promise.resolve();
    expect(passed).not.toHaveBeenCalled();
    go();
    await waiting;
    expect(passed).toHaveBeenCalled();
  });

  it("passes Next.js's signals on: it stops rendering ahead in its own way", async () => {
    const { waitForRequest } = await fresh();
    const signal = Object.assign(new Error('Dynamic'), { digest: 'DYNAMIC_SERVER_USAGE' });
    next.connection.mockRejectedValue(signal);
    await expect(waitForRequest()).rejects.toBe(signal);
    next.connection.mockImplementation(() => {
      throw signal;
    });
    await expect(waitForRequest()).rejects.toBe(signal);
  });

  it('does not wait where there are no requests: scripts, tests, the Pages Router', async () => {
    const { waitForRequest } = await fresh();
    next.connection.mockImplementation(() => {
      throw new Error('`connection` was called outside a request scope. Read more: ...');
    });
    await expect(waitForRequest()).resolves.toBeUndefined();
  });

  it('knows what the Next.js that is installed says there', async () => {
    const { connection } = await vi.importActual<typeof import('next/server.js')>('next/server.js');
    next.connection.mockImplementation(connection);
    const { waitForRequest } = await fresh();
    await expect(waitForRequest()).resolves.toBeUndefined();
  });
});

describe('once for each request', () => {
  it("is React's business, where it has a cache", async () => {
    react.cache = <A extends unknown[], R>(ask: (...args: A) => R) => {
      const answers = new Map<string, R>();
      return (...args: A): R => {
        const key = JSON.stringify(args);
        if (!answers.has(key)) answers.set(key, ask(...args));
        return answers.get(key) as R;
      };
    };
    const { perRequest } = await fresh();
    const ask = vi.fn((name: string, limit: number) => `${name} ${limit}`);
    const once = perRequest(ask);
    expect([once('a', 1), once('a', 1), once('b', 1)]).toEqual(['a 1', 'a 1', 'b 1']);
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('cannot be had elsewhere: every call asks', async () => {
    const { perRequest } = await fresh();
    const ask = vi.fn((name: string) => name);
    const same = perRequest(ask);
    same('a');
    same('a');
    expect(ask).toHaveBeenCalledTimes(2);
  });
});
