import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { frameScheduler, MessageStore, type Scheduler } from '../src/index';

function setup(limit?: number) {
  const due: { run: () => void; delayMs: number }[] = [];
  const schedule: Scheduler = (run, delayMs) => {
    const entry = { run, delayMs };
    due.push(entry);
    return () => {
      const at = due.indexOf(entry);
      if (at >= 0) due.splice(at, 1);
    };
  };
  const store = new MessageStore<number>(limit === undefined ? { schedule } : { limit, schedule });
  const told = vi.fn();
  store.subscribe(told);
  const frame = () => due.shift()?.run();
  const push = (from: number, to: number) => {
    for (let i = from; i <= to; i++) store.push(i);
  };
  return { store, told, due, frame, push };
}

describe('MessageStore', () => {
  it('starts with one empty list for all', () => {
    expect(new MessageStore().snapshot).toBe(new MessageStore().snapshot);
    expect(new MessageStore().snapshot).toEqual([]);
  });

  it('tells once for a whole frame', () => {
    const { store, told, frame, push, due } = setup();
    push(1, 50);
    expect(store.snapshot).toEqual([]);
    expect(told).not.toHaveBeenCalled();
    expect(due).toHaveLength(1);
    frame();
    expect(store.snapshot).toHaveLength(50);
    expect(told).toHaveBeenCalledTimes(1);
  });

  it('keeps the same array between flushes and never changes one', () => {
    const { store, frame, push } = setup();
    push(1, 2);
    frame();
    const before = store.snapshot;
    push(3, 3);
    expect(store.snapshot).toBe(before);
    frame();
    expect(before).toEqual([1, 2]);
    expect(store.snapshot).toEqual([1, 2, 3]);
  });

  it('keeps the newest, in order', () => {
    const { store, frame, push } = setup(3);
    push(1, 2);
    frame();
    push(3, 4);
    frame();
    expect(store.snapshot).toEqual([2, 3, 4]);
    push(5, 50);
    frame();
    expect(store.snapshot).toEqual([48, 49, 50]);
  });

  it('is bounded also when no frame ever comes', () => {
    const { store, frame, push } = setup(10);
    push(1, 100_000);
    frame();
    expect(store.snapshot).toEqual([
      99991, 99992, 99993, 99994, 99995, 99996, 99997, 99998, 99999, 100000,
    ]);
  });

  it('may keep nothing at all', () => {
    const { store, frame, push } = setup(0);
    push(1, 100);
    frame();
    expect(store.snapshot).toEqual([]);
    expect(new MessageStore({ limit: -5 }).limit).toBe(0);
  });

  it('keeps 1000 by default, and another number when told so later', () => {
    const { store, frame, push } = setup();
    push(1, 5000);
    frame();
    expect(store.snapshot).toHaveLength(1000);
    store.limit = 5;
    push(5001, 5001);
    frame();
    expect(store.snapshot).toEqual([4997, 4998, 4999, 5000, 5001]);
  });

  it('slows down in a flood and no longer than it lasts', () => {
    const { frame, push, due } = setup();
    push(1, 65);
    expect(due[0]?.delayMs).toBe(0);
    frame();
    push(66, 200);
    expect(due[0]?.delayMs).toBe(50);
    frame();
    push(201, 202);
    expect(due[0]?.delayMs).toBe(50);
    frame();
    push(203, 203);
    expect(due[0]?.delayMs).toBe(0);
  });

  it('is cleared at once, with what was pending', () => {
    const { store, told, frame, push, due } = setup();
    push(1, 2);
    frame();
    push(3, 4);
    store.clear();
    expect(store.snapshot).toEqual([]);
    expect(due).toHaveLength(0);
    expect(told).toHaveBeenCalledTimes(2);
    store.clear();
    expect(told).toHaveBeenCalledTimes(2);
    push(5, 5);
    frame();
    expect(store.snapshot).toEqual([5]);
  });

  it('can be flushed at once, and then owes nothing', () => {
    const { store, told, push, due } = setup();
    push(1, 2);
    store.flush();
    expect(store.snapshot).toEqual([1, 2]);
    expect(due).toHaveLength(0);
    store.flush();
    expect(told).toHaveBeenCalledTimes(1);
  });

  it('tells nobody who has left', () => {
    const { store, frame, push } = setup();
    const listener = vi.fn();
    const leave = store.subscribe(listener);
    store.subscribe(listener);
    leave();
    push(1, 1);
    frame();
    expect(listener).toHaveBeenCalledTimes(1);
  });
});

describe('frameScheduler', () => {
  let frames: (() => void)[] = [];
  const draw = () => {
    const now = frames;
    frames = [];
    for (const run of now) run();
  };

  beforeEach(() => {
    vi.useFakeTimers();
    frames = [];
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  function browser() {
    vi.stubGlobal('requestAnimationFrame', (run: () => void) => frames.push(run));
    vi.stubGlobal('cancelAnimationFrame', () => {
      frames = [];
    });
  }

  it('runs with the next frame, once', () => {
    browser();
    const run = vi.fn();
    frameScheduler(run, 0);
    draw();
    expect(run).toHaveBeenCalledTimes(1);
    vi.runAllTimers();
    expect(run).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('runs by a timer in a page that draws no frames', () => {
    browser();
    const run = vi.fn();
    frameScheduler(run, 0);
    vi.advanceTimersByTime(99);
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
    draw();
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('waits before it asks for a frame', () => {
    browser();
    const run = vi.fn();
    frameScheduler(run, 50);
    expect(frames).toHaveLength(0);
    vi.advanceTimersByTime(50);
    expect(frames).toHaveLength(1);
    draw();
    expect(run).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('can be called off', () => {
    browser();
    const run = vi.fn();
    frameScheduler(run, 0)();
    frameScheduler(run, 50)();
    draw();
    vi.runAllTimers();
    expect(run).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does with timers alone where there are no frames', () => {
    vi.stubGlobal('requestAnimationFrame', undefined);
    const run = vi.fn();
    frameScheduler(run, 0);
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
  });
});
