import { describe, expect, it } from 'vitest';
import { HistoryBoundary, useChannel, useLatest } from '../src/index';
import { cut, pass, probe, publish, server, settle } from './realtime';

interface Price {
  readonly price: number;
  readonly volume: number;
}
const tick = (price: number, volume = 1): Price => ({ price, volume });

describe('useLatest', () => {
  it('gives the newest message', async () => {
    const p = probe(() => useLatest<Price>('btc'));
    expect(p.result).toBeUndefined();
    await settle();
    await publish('btc', tick(1), tick(2));
    expect(p.result).toMatchObject({ channel: 'btc', offset: 2, data: tick(2) });
  });

  it('begins with the last message there is', async () => {
    server.publish('btc', { data: tick(1) });
    server.publish('btc', { data: tick(2) });
    const p = probe(() => useLatest<Price, number>('btc', ({ data }) => data.price));
    await settle();
    expect(p.result).toBe(2);
  });

  it('begins with the last message also where others have subscribed before', async () => {
    server.publish('btc', { data: tick(1) });
    const p = probe(() => useChannel('btc').messages.length);
    await settle();
    const latest = probe(() => useLatest<Price, number>('btc', ({ data }) => data.price), {
      client: p.client,
    });
    await settle();
    expect(latest.result).toBe(1);
    expect(p.result).toBe(0);
  });

  it('renders only when the selected value changes', async () => {
    const p = probe(() => useLatest<Price, number>('btc', ({ data }) => data.price));
    await settle();
    await publish('btc', tick(5, 1));
    await publish('btc', tick(5, 2));
    await publish('btc', tick(5, 3));
    await publish('btc', tick(6, 3));
    expect(p.results).toEqual([undefined, 5, 6]);
  });

  it('compares what is selected member by member', async () => {
    const p = probe(() =>
      useLatest<Price, object>('btc', ({ data }) => ({ up: data.price > 3, p: [data.price][1] })),
    );
    await settle();
    await publish('btc', tick(1));
    await publish('btc', tick(2));
    await publish('btc', tick(4));
    expect(p.results).toEqual([undefined, { up: false }, { up: true }]);
  });

  it('may select something deep and new each time without rendering for ever', async () => {
    const p = probe(() => useLatest<Price, object>('btc', ({ data }) => ({ deep: { data } })));
    await settle();
    await publish('btc', tick(1));
    expect(p.result).toEqual({ deep: { data: tick(1) } });
    expect(p.renders()).toBeLessThan(5);
  });

  it('uses the newest select at once, also for the message it has', async () => {
    const p = probe(() => useLatest<Price, number>('btc', ({ data }) => data.price));
    await settle();
    await publish('btc', tick(1, 7));
    p.rerender(() => useLatest<Price, number>('btc', ({ data }) => data.volume));
    expect(p.result).toBe(7);
  });

  it('gives the initial value until there is a message', async () => {
    const p = probe(() =>
      useLatest<Price, number>('btc', ({ data }) => data.price, { initial: 0 }),
    );
    await settle();
    expect(p.result).toBe(0);
    await publish('btc', tick(9));
    expect(p.result).toBe(9);
  });

  it('renders at most once a frame, and seldom in a flood', async () => {
    const p = probe(() => useLatest<Price, number>('btc', ({ data }) => data.price));
    await settle();
    for (let i = 0; i < 5000; i++) server.publish('btc', { data: tick(i) });
    await pass(100);
    expect(p.result).toBe(4999);
    expect(p.renders()).toBeLessThan(5);
  });

  it('shows nothing of another channel, and nothing without one', async () => {
    const use = (name: string | null) => () =>
      useLatest<Price, number>(name, ({ data }) => data.price);
    const p = probe(use('btc'));
    await settle();
    await publish('btc', tick(1));
    p.rerender(use('eth'));
    expect(p.result).toBeUndefined();
    await settle();
    await publish('btc', tick(2));
    expect(p.result).toBeUndefined();
    await publish('eth', tick(3));
    expect(p.result).toBe(3);
    p.rerender(use(null));
    expect(p.result).toBeUndefined();
    await pass(300);
    expect(server.last.subscriptions.size).toBe(0);
  });

  it('is up to date after a break', async () => {
    const p = probe(() => useLatest<Price, number>('btc', ({ data }) => data.price));
    await settle();
    await publish('btc', tick(1));
    await cut();
    server.publish('btc', { data: tick(2) });
    expect(p.result).toBe(1);
    await pass(1000);
    expect(p.result).toBe(2);
  });

  it('begins with what a boundary brought', async () => {
    const state = {
      channel: 'btc',
      epoch: 'e1',
      messages: [
        { channel: 'btc', epoch: 'e1', offset: 1, time: 1, data: tick(3), kind: 'json' as const },
      ],
      top: 1,
      oldest: 1,
      more: false,
    };
    server.publish('btc', { data: tick(3) });
    const p = probe(() => useLatest<Price, number>('btc', ({ data }) => data.price), {
      wrap: (children) => <HistoryBoundary state={state}>{children}</HistoryBoundary>,
    });
    expect(p.results[0]).toBe(3);
    await settle();
    await publish('btc', tick(4));
    expect(p.results).toEqual([3, 4]);
  });

  it('subscribes once in StrictMode', async () => {
    server.publish('btc', { data: tick(1) });
    const p = probe(() => useLatest<Price>('btc')?.offset, { strict: true });
    await settle();
    expect(p.result).toBe(1);
    expect(server.last.of('subscribe')).toHaveLength(1);
  });
});
