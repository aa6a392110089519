import { act, render } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { AnywireProvider, useChannel, useChannelEvent, useHistory, useLatest } from '../src/index';
import { makeClient, server, settle } from './realtime';

const total = 20_000;
const limit = 100;

/** Messages come in bursts of 100, one to a frame, for a little more than three seconds. */
function flood(): void {
  for (let sent = 0; sent < total; sent += 100) {
    act(() => {
      for (let i = 0; i < 100; i++) server.publish('room', { data: sent + i });
      vi.advanceTimersByTime(16);
    });
  }
  act(() => void vi.advanceTimersByTime(200));
}

describe('a flood of 20,000 messages', () => {
  it.each([
    ['useChannel', (see: () => void) => useChannel('room', { limit, onMessage: see }).messages],
    ['useHistory', (see: () => void) => useHistory('room', { limit, onMessage: see }).messages],
  ])('in %s is seen whole, and drawn at most 20 times a second', async (_, use) => {
    let seen = 0;
    let renders = 0;
    const See = () => {
      const messages = use(() => seen++);
      renders++;
      return <p>{`${messages.length} ${messages.at(-1)?.offset}`}</p>;
    };
    const { container } = render(
      <AnywireProvider client={makeClient()}>
        <See />
      </AnywireProvider>,
    );
    await settle();
    const before = renders;
    flood();
    await settle();
    expect(seen).toBe(total);
    expect(container.textContent).toBe(`${limit} ${total}`);
    // 3.2 seconds of it.
    expect(renders - before).toBeLessThan(70);
    expect(renders - before).toBeGreaterThan(10);
  });

  it('in useChannelEvent is seen whole, and never drawn', async () => {
    let seen = 0;
    let renders = 0;
    const See = () => {
      useChannelEvent('room', () => seen++);
      renders++;
      return null;
    };
    render(
      <AnywireProvider client={makeClient()}>
        <See />
      </AnywireProvider>,
    );
    await settle();
    flood();
    expect(seen).toBe(total);
    expect(renders).toBe(1);
  });

  it('in useLatest is drawn at most 20 times a second', async () => {
    let renders = 0;
    const See = () => {
      renders++;
      return <p>{useLatest('room', ({ offset }) => offset)}</p>;
    };
    const { container } = render(
      <AnywireProvider client={makeClient()}>
        <See />
      </AnywireProvider>,
    );
    await settle();
    flood();
    await settle();
    expect(container.textContent).toBe(String(total));
    expect(renders).toBeLessThan(70);
  });

  it('leaves nothing behind once the list is cleared', async () => {
    const results: ReturnType<typeof useChannel>[] = [];
    const See = () => {
      results.push(useChannel('room', { limit }) as ReturnType<typeof useChannel>);
      return null;
    };
    render(
      <AnywireProvider client={makeClient()}>
        <See />
      </AnywireProvider>,
    );
    await settle();
    flood();
    act(() => results.at(-1)?.clear());
    await settle();
    expect(results.at(-1)?.messages).toEqual([]);
  });
});
