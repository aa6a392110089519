import { act } from '@testing-library/react';
import { StrictMode, Suspense } from 'react';
import { hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AnywireProvider, HistoryBoundary } from '../src/index';
import { useChannel, useHistory, useLatest, usePresence } from '../src/suspense';
import { FakeWebSocket, publish, server, settle, url } from './realtime';
import { join } from './suspense-page';

function All() {
  const channel = useChannel('room');
  const log = useHistory('room');
  const latest = useLatest('tick');
  const { count } = usePresence('room', { name: 'ann' });
  return <p>{`${channel.status} ${join(log.messages)} ${latest?.data} ${count}`}</p>;
}

const page = (
  <StrictMode>
    <AnywireProvider url={url}>
      <Suspense fallback="…">
        <All />
      </Suspense>
    </AnywireProvider>
  </StrictMode>
);

let root: Root | undefined;
afterEach(() => act(() => root?.unmount()));

/** Hydrates what the server has rendered; gives its element and what React complained about. */
function hydrated(tree: typeof page) {
  const complaints: unknown[] = [];
  const container = document.createElement('div');
  container.innerHTML = renderToString(tree);
  const html = container.textContent;
  vi.spyOn(console, 'error').mockImplementation((...args) => complaints.push(args));
  act(() => {
    root = hydrateRoot(container, tree, { onRecoverableError: (e) => complaints.push(e) });
  });
  return { container, html, complaints };
}

describe('on the server', () => {
  it('every hook is empty, opens nothing and waits for nothing', () => {
    expect(renderToString(page)).toContain('<p>off  undefined 0</p>');
    expect(FakeWebSocket.all).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a page from the server', () => {
  it('is not taken away for a fallback, and is live soon', async () => {
    server.publish('room', { data: 'old' });
    server.publish('tick', { data: 'tack' });
    const { container, complaints } = hydrated(page);
    expect(container.textContent).toBe('connecting  undefined 0');
    await settle();
    await settle();
    expect(container.textContent).toBe('live old tack 1');
    await publish('room', 'new');
    expect(container.textContent).toBe('live old new tack 1');
    expect(complaints).toEqual([]);
  });

  it('begins with what a boundary brings, and goes on behind it', async () => {
    const offset = server.publish('room', { data: 'old' });
    const message = { channel: 'room', epoch: 'e1', offset, time: 1, data: 'old' };
    const state = {
      channel: 'room',
      epoch: 'e1',
      messages: [{ ...message, kind: 'json' as const }],
      top: offset,
      oldest: 1,
      more: false,
    };
    server.publish('room', { data: 'meanwhile' });
    const { container, html, complaints } = hydrated(
      <HistoryBoundary state={state}>{page}</HistoryBoundary>,
    );
    expect(html).toBe('off old undefined 0');
    await settle();
    await settle();
    expect(container.textContent).toBe('live old meanwhile undefined 1');
    expect(complaints).toEqual([]);
  });
});
