import { act } from '@testing-library/react';
import { StrictMode } from 'react';
import { hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { describe, expect, it, vi } from 'vitest';
import type { Client } from '../../client/src/index';
import {
  AnywireProvider,
  HistoryBoundary,
  type PreloadedHistory,
  useChannel,
  useConnectionState,
  useHistory,
  useLatest,
  useOptimisticPublish,
  usePresence,
} from '../src/index';
import { makeClient, pass, publish, server, settle } from './realtime';

const log: string[] = [];
function Page() {
  const { state } = useConnectionState();
  const { messages } = useHistory('room');
  const optimistic = useOptimisticPublish('room');
  const { others } = usePresence('room');
  const channel = useChannel('room');
  const latest = useLatest('room', ({ offset }) => offset, { initial: -1 });
  const text = [
    state,
    messages.map(({ offset }) => offset).join(),
    optimistic.messages.length,
    channel.messages.length,
    latest,
    others.length,
  ].join(' ');
  log.push(text);
  return <p>{text}</p>;
}

const page = (client: Client, state?: PreloadedHistory) => (
  <StrictMode>
    <AnywireProvider client={client}>
      {state ? (
        <HistoryBoundary state={state}>
          <Page />
        </HistoryBoundary>
      ) : (
        <Page />
      )}
    </AnywireProvider>
  </StrictMode>
);
/** What `preloadHistory` returns of the last messages there are. */
const preload = (count: number): PreloadedHistory => {
  const { epoch, top, messages } = server.channel('room');
  return {
    channel: 'room',
    epoch,
    messages: messages.slice(-count).map(({ offset, data }) => ({
      channel: 'room',
      epoch,
      offset,
      time: 1,
      data,
      kind: 'json',
    })),
    top,
    oldest: 1,
    more: messages.length > count,
  };
};

/** Draws on the server, hydrates in the browser, and watches for complaints. */
async function hydrate(client: Client, state?: PreloadedHistory) {
  const warned = vi.spyOn(console, 'error');
  const mismatches: unknown[] = [];
  const container = document.createElement('div');
  const sent = state && JSON.parse(JSON.stringify(state));
  container.innerHTML = renderToString(page(makeClient(), state));
  const drawn = container.textContent;
  log.length = 0;
  let root: Root | undefined;
  await act(async () => {
    root = hydrateRoot(container, page(client, sent), {
      onRecoverableError: (error) => mismatches.push(error),
    });
  });
  return {
    drawn,
    container,
    done: async () => {
      expect(warned).not.toHaveBeenCalled();
      expect(mismatches).toEqual([]);
      act(() => root?.unmount());
      await pass(1000);
    },
  };
}

describe('hydration', () => {
  it('begins with what the server drew, and goes on from there', async () => {
    for (let i = 0; i < 3; i++) server.publish('room', { data: i });
    const { drawn, container, done } = await hydrate(makeClient());
    expect(drawn).toBe('idle  0 0 -1 0');
    expect(log[0]).toBe(drawn);
    await pass(500);
    expect(container.textContent).toBe('open 1,2,3 3 0 3 0');
    await done();
  });

  it('begins with preloaded messages, and continues behind them without a hole', async () => {
    for (let i = 0; i < 5; i++) server.publish('room', { data: i });
    const state = preload(3);
    server.publish('room', { data: 'while the page was on its way' });
    const { drawn, container, done } = await hydrate(makeClient(), state);
    expect(drawn).toBe('idle 3,4,5 3 3 5 0');
    expect(log[0]).toBe(drawn);
    await pass(500);
    expect(container.textContent).toBe('open 3,4,5,6 4 4 6 0');
    expect(server.last.of('subscribe')[0]).toMatchObject({ since: { epoch: 'e1', offset: 5 } });
    await publish('room', 'live');
    expect(container.textContent).toBe('open 3,4,5,6,7 5 5 7 0');
    await done();
  });

  it('begins with what the server drew also where the client is connected already', async () => {
    const client = makeClient();
    void client.connect();
    await settle();
    const { drawn, container, done } = await hydrate(client, preload(0));
    expect(log[0]).toBe(drawn);
    expect(drawn).toMatch(/^idle/);
    await pass(500);
    expect(container.textContent).toMatch(/^open/);
    await done();
  });

  it('never shows less than what was preloaded', async () => {
    for (let i = 0; i < 5; i++) server.publish('room', { data: i });
    const { done } = await hydrate(makeClient(), preload(5));
    await pass(1000);
    for (const line of log) expect(line).toContain('1,2,3,4,5 5 5 5');
    await done();
  });
});
