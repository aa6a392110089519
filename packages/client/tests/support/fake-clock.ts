import type { Clock } from '../../src/index';

interface Timer {
  readonly id: number;
  readonly at: number;
  readonly run: () => void;
}

/** Time that moves only when told to, and chance that is whatever the test says. */
export class FakeClock implements Clock {
  time = 1_000_000;
  /** What `random` gives; 1 minus a little by default, so that delays are at their largest. */
  chance = 0.999_999_999;
  #next = 1;
  readonly #timers = new Map<number, Timer>();

  now(): number {
    return this.time;
  }

  random(): number {
    return this.chance;
  }

  setTimeout(run: () => void, ms: number): unknown {
    const id = this.#next++;
    this.#timers.set(id, { id, at: this.time + ms, run });
    return id;
  }

  clearTimeout(id: unknown): void {
    this.#timers.delete(id as number);
  }

  /** Timers that are still due. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time forward, running timers in the order in which they are due. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (let timer = this.#earliest(end); timer; timer = this.#earliest(end)) {
      this.time = Math.max(this.time, timer.at);
      this.#timers.delete(timer.id);
      timer.run();
    }
    this.time = end;
  }

  /** The device sleeps: time passes and no timer runs; then all that are overdue run, late. */
  sleep(ms: number): void {
    this.time += ms;
    this.advance(0);
  }

  #earliest(end: number): Timer | undefined {
    let found: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (timer.at <= end && (!found || timer.at < found.at)) found = timer;
    }
    return found;
  }
}
