import { frameScheduler, type Unsubscribe } from '@anywire/client';

/** As in MessageStore: more changes than this in a frame are a flood. */
const floodSize = 64;
const floodDelayMs = 50;

/**
 * What one hook call looks at, without React: something that can be subscribed to and has a
 * snapshot which stays the same object until something changes. Made during a render, so making one
 * has no effect at all; what it does begins with `attach`, in an effect. Until then its snapshot
 * depends only on what it was made of, so it serves for the server and for hydration, too.
 */
export abstract class Source<S> {
  readonly #listeners = new Set<() => void>();
  #snapshot: S | undefined;
  #cancel: (() => void) | undefined;
  /** Changes since the last snapshot that was told of. */
  #changes = 0;
  #flooded = false;

  readonly subscribe = (listener: () => void): Unsubscribe => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = (): S => {
    this.#snapshot ??= this.take();
    return this.#snapshot;
  };

  /** Begins; returns the effect's cleanup. May be called again after that. */
  abstract attach(): () => void;

  /** Makes a snapshot of how things are now. */
  protected abstract take(): S;

  /** There is another snapshot: tells at once. */
  protected changed(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#flooded = this.#changes > floodSize;
    this.#changes = 0;
    this.#snapshot = undefined;
    for (const listener of this.#listeners) listener();
  }

  /**
   * The same with the next frame, for what may change thousands of times in a second; in a flood at
   * most 20 times a second.
   */
  protected changedSoon(): void {
    this.#changes++;
    this.#cancel ??= frameScheduler(() => this.changed(), this.#flooded ? floodDelayMs : 0);
  }
}
