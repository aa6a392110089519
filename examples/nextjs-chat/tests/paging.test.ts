// @vitest-environment jsdom
import { act, cleanup, render } from '@testing-library/react';
import { createElement, StrictMode } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MessageList, type RoomState } from '../components/MessageList';

/** Edges within reach. A browser tells of an edge when it begins to watch, and of each change. */
let near: Set<string>;
let watching: Set<FakeObserver>;

class FakeObserver {
  readonly #tell: (seen: { isIntersecting: boolean }[]) => void;
  #edge = '';
  #told: boolean | undefined;

  constructor(tell: (seen: { isIntersecting: boolean }[]) => void) {
    this.#tell = tell;
  }

  observe(element: Element): void {
    this.#edge = element.className === 'top' ? 'top' : 'bottom';
    watching.add(this);
  }

  disconnect(): void {
    watching.delete(this);
  }

  look(): void {
    const isIntersecting = near.has(this.#edge);
    if (this.#told === isIntersecting) return;
    this.#told = isIntersecting;
    this.#tell([{ isIntersecting }]);
  }
}

/** The browser draws. */
const frame = () => act(() => [...watching].forEach((one) => one.look()));

const line = (offset: number) => ({
  key: `e:${offset}`,
  epoch: 'e',
  offset,
  time: 0,
  data: { from: { id: 'ada', name: 'Ada', hue: 0 }, text: `line ${offset}` },
});

/** A room far above its newest message, of which `first` to `last` are shown. */
function stage(first: number, last: number) {
  const fetchOlder = vi.fn(async () => {});
  const fetchNewer = vi.fn(async () => {});
  let room = {
    gaps: [],
    hasOlder: true,
    isFetching: false,
    atLive: false,
    status: 'live',
    fetchOlder,
    fetchNewer,
    toLive: async () => {},
    retry: async () => undefined,
    discard: () => {},
    messages: Array.from({ length: last - first + 1 }, (_, n) => line(first + n)),
  } as unknown as RoomState;
  const list = () =>
    createElement(
      StrictMode,
      null,
      createElement(MessageList, {
        room,
        name: 'tea',
        top: undefined,
        me: undefined,
        connected: true,
      }),
    );
  const { rerender } = render(list());
  const show = (change: Partial<RoomState>) => {
    room = { ...room, ...change };
    rerender(list());
    frame();
  };
  const from = (begin: number, count: number) => ({
    messages: Array.from({ length: count }, (_, n) => line(begin + n)) as never,
  });
  frame();
  return { fetchOlder, fetchNewer, show, from };
}

beforeEach(() => {
  near = new Set();
  watching = new Set();
  vi.stubGlobal('IntersectionObserver', FakeObserver);
});
afterEach(() => {
  cleanup();
  expect(watching.size, 'nothing is watched that is not there any more').toBe(0);
  vi.unstubAllGlobals();
});

describe('a list far above the newest', () => {
  it('goes on below when it is at its end again before anything was seen of a page', () => {
    near.add('bottom');
    const { fetchNewer, show, from } = stage(0, 9);
    expect(fetchNewer).toHaveBeenCalledTimes(1);
    for (let page = 2; page < 5; page++) {
      show({ isFetching: true });
      show({ ...from(10 * page - 10, 10), isFetching: false });
      expect(fetchNewer).toHaveBeenCalledTimes(page);
    }
  });

  it('goes on above in the same way', () => {
    near.add('top');
    const { fetchOlder, show, from } = stage(90, 99);
    for (let page = 2; page < 5; page++) {
      show({ isFetching: true });
      show({ ...from(100 - 10 * page, 10 * page), isFetching: false });
      expect(fetchOlder).toHaveBeenCalledTimes(page);
    }
  });

  it('asks below as soon as the page above, which was under way, is there', () => {
    near.add('top');
    const { fetchOlder, fetchNewer, show } = stage(50, 99);
    expect(fetchOlder).toHaveBeenCalledTimes(1);
    show({ isFetching: true });
    near = new Set(['bottom']);
    frame();
    expect(fetchNewer).not.toHaveBeenCalled();
    show({ isFetching: false });
    expect(fetchNewer).toHaveBeenCalledTimes(1);
  });

  it('asks for nothing while no edge is near, nor where there is nothing', () => {
    const { fetchOlder, fetchNewer, show } = stage(0, 9);
    frame();
    near = new Set(['top', 'bottom']);
    show({ hasOlder: false, atLive: true });
    expect(fetchOlder).not.toHaveBeenCalled();
    expect(fetchNewer).not.toHaveBeenCalled();
  });

  it.each(['top', 'bottom'] as const)('asks once at the %s for a page that fails', (edge) => {
    near.add(edge);
    const { fetchOlder, fetchNewer, show } = stage(50, 99);
    const fetch = edge === 'top' ? fetchOlder : fetchNewer;
    for (let time = 0; time < 5; time++) {
      show({ isFetching: true });
      show({ isFetching: false });
    }
    expect(fetch).toHaveBeenCalledTimes(1);
    near.clear();
    frame();
    near.add(edge);
    frame();
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it.each(['top', 'bottom'] as const)('asks again at the %s over a new connection', (edge) => {
    near.add(edge);
    const { fetchOlder, fetchNewer, show } = stage(50, 99);
    show({ isFetching: true });
    show({ isFetching: false, status: 'waiting' });
    const fetch = edge === 'top' ? fetchOlder : fetchNewer;
    expect(fetch).toHaveBeenCalledTimes(1);
    show({ status: 'live' });
    expect(fetch).toHaveBeenCalledTimes(2);
  });
});
