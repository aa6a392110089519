import { render } from '@testing-library/react';
import { StrictMode, useState } from 'react';
import { describe, expect, it, vi } from 'vitest';
import { AnywireProvider, useChannel, useChannelEvent } from '../src/index';
import { cut, makeClient, pass, probe, publish, server, settle } from './realtime';

describe('useChannelEvent', () => {
  it('hears every message, in order, in the turn in which it arrives', async () => {
    const seen: unknown[] = [];
    probe(() => useChannelEvent('room', ({ data }) => seen.push(data)));
    await settle();
    server.publish('room', { data: 1 });
    server.publish('room', { data: 2, event: 'chat' });
    expect(seen).toEqual([1, 2]);
  });

  it('hears one event only, when it is named', async () => {
    const seen: unknown[] = [];
    probe(() => useChannelEvent('room', 'typing', ({ event, data }) => seen.push([event, data])));
    await settle();
    server.publish('room', { data: 1 });
    server.publish('room', { data: 2, event: 'chat' });
    server.publish('room', { data: 3, event: 'typing' });
    expect(seen).toEqual([['typing', 3]]);
  });

  it('never renders, whatever comes', async () => {
    const p = probe(() => useChannelEvent('room', () => {}));
    await settle();
    for (let i = 0; i < 100; i++) server.publish('room');
    await pass(500);
    await cut();
    await pass(2000);
    expect(p.renders()).toBe(1);
  });

  it('calls the newest function, for the newest event', async () => {
    const seen: string[] = [];
    const use = (event: string) => () =>
      useChannelEvent('room', event, () => seen.push(`as ${event}`));
    const p = probe(use('a'));
    await settle();
    p.rerender(use('b'));
    server.publish('room', { data: 1, event: 'a' });
    server.publish('room', { data: 1, event: 'b' });
    expect(seen).toEqual(['as b']);
    expect(server.last.of('subscribe')).toHaveLength(1);
  });

  it('may change between all messages and one event', async () => {
    const seen: unknown[] = [];
    const hear = ({ data }: { data: unknown }) => seen.push(data);
    const p = probe(() => useChannelEvent('room', hear));
    await settle();
    p.rerender(() => useChannelEvent('room', 'chat', hear));
    server.publish('room', { data: 1 });
    server.publish('room', { data: 2, event: 'chat' });
    p.rerender(() => useChannelEvent('room', hear));
    server.publish('room', { data: 3 });
    expect(seen).toEqual([2, 3]);
  });

  it('may set state, which renders as usual', async () => {
    const Counter = () => {
      const [count, setCount] = useState(0);
      useChannelEvent('room', () => setCount((now) => now + 1));
      return <p>{count}</p>;
    };
    const { container } = render(
      <StrictMode>
        <AnywireProvider client={makeClient()}>
          <Counter />
        </AnywireProvider>
      </StrictMode>,
    );
    await settle();
    await publish('room', 1, 2, 3);
    expect(container.textContent).toBe('3');
  });

  it('survives a listener that throws, and shows the mistake', async () => {
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.stubGlobal('reportError', undefined);
    const seen: number[] = [];
    probe(() =>
      useChannelEvent('room', ({ offset }) => {
        seen.push(offset);
        throw new Error('mistake of the application');
      }),
    );
    await settle();
    server.publish('room');
    server.publish('room');
    expect(seen).toEqual([1, 2]);
    expect(shown).toHaveBeenCalledTimes(2);
  });

  it('shares the subscription of other hooks, whatever they begin with', async () => {
    for (let i = 0; i < 5; i++) server.publish('room');
    const seen: number[] = [];
    const p = probe(() => {
      useChannelEvent('room', ({ offset }) => seen.push(offset));
      return useChannel('room', { rewind: 2 });
    });
    await pass(500);
    await publish('room', 6);
    expect(seen).toEqual([6]);
    expect(p.result.messages.map(({ offset }) => offset)).toEqual([4, 5, 6]);
    expect(p.result.error).toBeUndefined();
  });

  it('is silent without a channel, and leaves the one it had', async () => {
    const seen: string[] = [];
    const use = (name: string | null) => () =>
      useChannelEvent(name, ({ channel }) => seen.push(channel));
    const p = probe(use('a'));
    await settle();
    p.rerender(use('b'));
    await settle();
    server.publish('a');
    server.publish('b');
    p.rerender(use(null));
    server.publish('b');
    await pass(300);
    expect(seen).toEqual(['b']);
    expect(server.last.subscriptions.size).toBe(0);
  });

  it('subscribes once in StrictMode, and ends after the linger', async () => {
    const seen: number[] = [];
    const p = probe(() => useChannelEvent('room', ({ offset }) => seen.push(offset)), {
      strict: true,
    });
    await settle();
    server.publish('room');
    expect(seen).toEqual([1]);
    p.unmount();
    server.publish('room');
    await pass(300);
    expect(seen).toEqual([1]);
    expect(server.last.got.map(({ type }) => type)).toEqual([
      'connect',
      'subscribe',
      'unsubscribe',
    ]);
  });

  it('hears after a break what was missed, once', async () => {
    const seen: number[] = [];
    probe(() => useChannelEvent('room', ({ offset }) => seen.push(offset)));
    await settle();
    server.publish('room');
    await cut();
    server.publish('room');
    server.publish('room');
    await pass(1000);
    server.publish('room');
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('may leave within its own listener', async () => {
    const seen: number[] = [];
    const client = makeClient();
    const Once = () => {
      const [done, setDone] = useState(false);
      useChannelEvent(done ? null : 'room', ({ offset }) => {
        seen.push(offset);
        setDone(true);
      });
      return null;
    };
    render(
      <AnywireProvider client={client}>
        <Once />
      </AnywireProvider>,
    );
    await settle();
    await publish('room', 1);
    await publish('room', 2);
    expect(seen).toEqual([1]);
  });
});
