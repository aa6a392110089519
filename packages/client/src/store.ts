import type { Unsubscribe } from './types';

/** Calls back once, soon. Returns how to call it off. */
export type Scheduler = (run: () => void, delayMs: number) => () => void;

const fallbackMs = 100;

/**
 * The next animation frame, not sooner than `delayMs` from now. A hidden or covered page draws no
 * frames, so a timer stands in.
 */
export const frameScheduler: Scheduler = (run, delayMs) => {
  const page = globalThis as {
    requestAnimationFrame?: (run: () => void) => number;
    cancelAnimationFrame?: (id: number) => void;
  };
  let frame: number | undefined;
  const cancel = () => {
    clearTimeout(timer);
    clearTimeout(wait);
    if (frame !== undefined) page.cancelAnimationFrame?.(frame);
  };
  const once = () => {
    cancel();
    run();
  };
  const ask = () => {
    frame = page.requestAnimationFrame?.(once);
  };
  const timer = setTimeout(once, delayMs + (page.requestAnimationFrame ? fallbackMs : 0));
  const wait = delayMs > 0 ? setTimeout(ask, delayMs) : undefined;
  if (delayMs <= 0) ask();
  return cancel;
};

/** How a `MessageStore` is made. */
export interface StoreOptions {
  /** Most items kept; older ones make room. Default 1000. */
  readonly limit?: number;
  /** When listeners are told. Default: `frameScheduler`. */
  readonly schedule?: Scheduler;
}

const none: readonly never[] = Object.freeze([]);
/** A batch larger than this is a flood; then listeners are told less often. */
const floodSize = 64;
const floodDelayMs = 50;

/**
 * The newest items of a stream, for a user interface. `push` is cheap and tells nobody; once a
 * frame the list is rebuilt and listeners are told, in a flood at most 20 times a second. Between
 * two such moments `snapshot` is the same array. At most three times `limit` items are held.
 */
export class MessageStore<T> {
  #limit = 0;
  readonly #schedule: Scheduler;
  readonly #listeners = new Set<() => void>();
  #snapshot: readonly T[] = none;
  #pending: T[] = [];
  #arrived = 0;
  #flooded = false;
  #cancel: (() => void) | undefined;

  constructor(options: StoreOptions = {}) {
    this.limit = options.limit ?? 1000;
    this.#schedule = options.schedule ?? frameScheduler;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Holds from the next flush on. */
  set limit(limit: number) {
    this.#limit = Math.max(0, limit);
  }

  get snapshot(): readonly T[] {
    return this.#snapshot;
  }

  /** Adds one, for the next frame. Costs no more than a list does. */
  push(item: T): void {
    this.#pending.push(item);
    this.#arrived++;
    if (this.#pending.length > 2 * this.#limit) this.#pending = this.#newest(this.#pending);
    this.#cancel ??= this.#schedule(() => this.flush(), this.#flooded ? floodDelayMs : 0);
  }

  /** Publishes what is pending now. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#arrived === 0) return;
    this.#flooded = this.#arrived > floodSize;
    this.#arrived = 0;
    const pending = this.#pending;
    this.#pending = [];
    this.#publish(
      this.#newest(pending.length < this.#limit ? [...this.#snapshot, ...pending] : pending),
    );
  }

  /** Forgets everything, pending items included. */
  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#pending = [];
    this.#arrived = 0;
    if (this.#snapshot.length > 0) this.#publish(none);
  }

  /** Tells of each new `snapshot`, until what it returns is called. */
  subscribe(listener: () => void): Unsubscribe {
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  #newest(items: readonly T[]): T[] {
    return items.slice(Math.max(0, items.length - this.#limit));
  }

  #publish(next: readonly T[]): void {
    this.#snapshot = next;
    for (const listener of [...this.#listeners]) listener();
  }
}
