import type { Clock } from '@anywire/client';

/** So many turns of the microtask queue are a long time for what promises have to do. */
const turns = 50;

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/**
 * Time that moves only when told to, for server and clients alike, where a test framework has no
 * fake timers or a test wants none. Chance is always the same.
 */
export class ManualClock implements Clock {
  #now: number;
  #timers = new Map<number, Timer>();
  #ids = 0;

  /** Begins at this time, Unix milliseconds. */
  constructor(now = 1_767_225_600_000) {
    this.#now = now;
  }

  /** Timers that are still due. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Its time, Unix milliseconds. */
  now(): number {
    return this.#now;
  }

  random(): number {
    return 0.5;
  }

  /** Calls once that many ms have been let pass by `advance`. Returns what calls it off. */
  setTimeout(run: () => void, ms: number): unknown {
    const id = ++this.#ids;
    this.#timers.set(id, { at: this.#now + Math.max(0, ms), run });
    return id;
  }

  /** Calls a timer off; harmless for one that is due no more. */
  clearTimeout(id: unknown): void {
    this.#timers.delete(id as number);
  }

  /** Lets so many ms pass, with promises and messages in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await quiet();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      const [id, timer] = next;
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, timer.at);
      timer.run();
      await quiet();
    }
    this.#now = end;
  }

  #next(end: number): [number, Timer] | undefined {
    let found: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      if (entry[1].at <= end && (!found || entry[1].at < found[1].at)) found = entry;
    }
    return found;
  }
}

/** Resolves when nothing that `signs` counts has happened for long. */
export async function quiet(signs: () => unknown = () => 0): Promise<void> {
  for (let still = 0; still < turns; still++) {
    const before = signs();
    await Promise.resolve();
    if (signs() !== before) still = 0;
  }
}
