// @vitest-environment node
import type { ReactNode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createClient } from '../../client/src/index';
import {
  AnywireProvider,
  HistoryBoundary,
  type PreloadedHistory,
  useAnywire,
  useChannel,
  useChannelEvent,
  useConnectionState,
  useHistory,
  useLatest,
  useOptimisticPublish,
  usePresence,
  useRpc,
} from '../src/index';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const preloaded: PreloadedHistory = {
  channel: 'room',
  epoch: 'e1',
  messages: [1, 2].map((offset) => ({
    channel: 'room',
    epoch: 'e1',
    offset,
    time: offset,
    data: `message ${offset}`,
    kind: 'text',
  })),
  top: 2,
  oldest: 1,
  more: true,
};

/** Draws it where whatever belongs to a browser throws, and returns what the hook did. */
function draw<R>(use: () => R, wrap: (children: ReactNode) => ReactNode = (x) => x): R {
  vi.useFakeTimers();
  const forbidden = (name: string) => () => {
    throw new Error(`${name} on the server`);
  };
  for (const name of ['WebSocket', 'fetch', 'EventSource']) {
    vi.stubGlobal(name, forbidden(name));
  }
  const warned = vi.spyOn(console, 'error');
  const results: R[] = [];
  const Hook = () => {
    results.push(use());
    return <p>{JSON.stringify(results.at(-1))}</p>;
  };
  const html = renderToString(
    <AnywireProvider url="/anywire" token="/api/anywire/token">
      {wrap(<Hook />)}
    </AnywireProvider>,
  );
  expect(html).toMatch(/^<p>.*<\/p>$/);
  expect(vi.getTimerCount()).toBe(0);
  expect(warned).not.toHaveBeenCalled();
  expect(results).toHaveLength(1);
  expect(typeof window).toBe('undefined');
  return results[0] as R;
}
const within = (children: ReactNode) => (
  <HistoryBoundary state={preloaded}>{children}</HistoryBoundary>
);

describe('on the server', () => {
  it('useConnectionState is idle', () => {
    expect(draw(() => useConnectionState())).toMatchObject({
      state: 'idle',
      connected: false,
      online: true,
    });
    expect(draw(() => useConnectionState(({ state }) => state))).toBe('idle');
  });

  it('useChannel is off and empty', () => {
    expect(draw(() => useChannel('room', { rewind: 5 }))).toMatchObject({
      status: 'off',
      messages: [],
      error: undefined,
    });
    expect(draw(() => useChannel(null)).status).toBe('off');
  });

  it('useChannel shows what was preloaded, selected and within the limit', () => {
    const options = { select: ({ offset }: { offset: number }) => offset };
    expect(draw(() => useChannel('room', options), within).messages).toEqual([1, 2]);
    const limited = draw(() => useChannel('room', { ...options, limit: 1 }), within);
    expect(limited.messages).toEqual([2]);
  });

  it('useChannelEvent does nothing', () => {
    const listener = vi.fn();
    draw(() => useChannelEvent('room', listener) ?? null);
    draw(() => useChannelEvent('room', 'typing', listener) ?? null, within);
    expect(listener).not.toHaveBeenCalled();
  });

  it('useLatest has nothing, the initial value, or what was preloaded', () => {
    expect(draw(() => useLatest('room') ?? 'none')).toBe('none');
    expect(draw(() => useLatest('room', ({ data }) => data, { initial: 'first' }))).toBe('first');
    expect(draw(() => useLatest('room', ({ data }) => data), within)).toBe('message 2');
  });

  it('usePresence is off and empty, and nobody enters', () => {
    expect(draw(() => usePresence('room', { name: 'ann' }))).toMatchObject({
      status: 'off',
      self: undefined,
      others: [],
      members: [],
      count: 0,
      users: 0,
      complete: false,
    });
    expect(draw(() => usePresence('room', null, { select: ({ count }) => count }))).toBe(0);
  });

  it('useHistory is off, and shows what was preloaded', () => {
    expect(draw(() => useHistory('room'))).toMatchObject({
      status: 'off',
      messages: [],
      hasOlder: false,
      isFetching: false,
      atLive: false,
      gaps: [],
    });
    const { messages, hasOlder } = draw(() => useHistory('room'), within);
    expect(messages).toEqual(preloaded.messages);
    expect(hasOlder).toBe(true);
  });

  it('useOptimisticPublish is as useHistory', () => {
    expect(draw(() => useOptimisticPublish('room'))).toMatchObject({ status: 'off', messages: [] });
    const { messages } = draw(() => useOptimisticPublish('room'), within);
    expect(messages).toEqual(
      preloaded.messages.map((message) => ({
        ...message,
        key: `${message.epoch}:${message.offset}`,
      })),
    );
  });

  it('useRpc waits', () => {
    expect(draw(() => useRpc('math.add'))).toMatchObject({
      data: undefined,
      error: undefined,
      isPending: false,
    });
  });

  it('useAnywire gives a client that nobody has used', () => {
    const state = draw(() => useAnywire().snapshot.state);
    expect(state).toBe('idle');
  });

  it('an address that is none is no error yet', () => {
    const Page = () => <p>{useChannel('room').status}</p>;
    expect(
      renderToString(
        <AnywireProvider url="http://[">
          <Page />
        </AnywireProvider>,
      ),
    ).toBe('<p>off</p>');
  });

  it('a client that is connected there, for other reasons, does not show', () => {
    const client = createClient({ url: 'nonsense:' });
    void client.connect();
    const Page = () => <p>{`${useConnectionState().state} ${useChannel('room').status}`}</p>;
    expect(client.snapshot.state).not.toBe('idle');
    expect(
      renderToString(
        <AnywireProvider client={client}>
          <Page />
        </AnywireProvider>,
      ),
    ).toBe('<p>idle off</p>');
  });

  it('importing the package creates nothing', async () => {
    vi.useFakeTimers();
    const before = Object.getOwnPropertyNames(globalThis).length;
    vi.resetModules();
    await import('../src/index');
    expect(Object.getOwnPropertyNames(globalThis)).toHaveLength(before);
    expect(vi.getTimerCount()).toBe(0);
  });
});
