import type { Clock, HeartbeatOptions } from './types';

/**
 * What arrives so soon after the device said that it lost its network may have been under way, and
 * is no evidence that the link lives. Milliseconds.
 */
export const underWayMs = 1000;

/**
 * Finds out that a link is dead though nobody said so: after `interval` without traffic it asks,
 * and when nothing at all arrives within `timeout` it calls `onDead` once. A message costs one
 * clock reading and no timer. One object serves one link.
 */
export class Heartbeat {
  readonly #interval: number;
  readonly #timeout: number;
  readonly #probeTimeout: number;
  readonly #clock: Clock;
  readonly #ask: () => void;
  readonly #onDead: () => void;
  #timer: unknown;
  #seenAt: number;
  #deadline: number | undefined;
  /** Ask at the next tick, whatever arrives until then. */
  #due = false;
  #doubted = false;
  #stopped = false;

  constructor(options: HeartbeatOptions, clock: Clock, ask: () => void, onDead: () => void) {
    this.#interval = options.interval ?? 20_000;
    this.#timeout = options.timeout ?? 8000;
    this.#probeTimeout = Math.min(options.probeTimeout ?? 2500, this.#timeout);
    this.#clock = clock;
    this.#ask = ask;
    this.#onDead = onDead;
    this.#seenAt = clock.now();
    this.#arm(this.#interval);
  }

  /** Anything arrived: the link lives. */
  seen(): void {
    this.#seenAt = this.#clock.now();
    this.#doubted = false;
    if (this.#deadline !== undefined) {
      this.#deadline = undefined;
      this.#arm(this.#interval);
    }
  }

  /** Asks now, with a short wait at most `limit`; a question under way is only hurried. */
  probe(limit: number = Number.POSITIVE_INFINITY): void {
    if (this.#stopped) return;
    this.#question(Math.min(this.#probeTimeout, limit));
  }

  /** Asks when nothing that was under way can arrive any more, with a short wait then. */
  probeLater(): void {
    if (this.#stopped) return;
    this.#deadline = undefined;
    this.#due = true;
    this.#arm(underWayMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
  }

  #question(wait: number): void {
    const due = this.#clock.now() + wait;
    this.#deadline = Math.min(this.#deadline ?? due, due);
    this.#due = false;
    this.#arm(this.#deadline - this.#clock.now());
    this.#ask();
  }

  #arm(ms: number): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.#tick(), Math.max(0, ms));
  }

  #tick(): void {
    if (this.#stopped) return;
    const now = this.#clock.now();
    if (this.#deadline === undefined) {
      const idle = now - this.#seenAt;
      if (this.#due) this.probe();
      else if (idle >= this.#interval) this.#question(this.#timeout);
      else this.#arm(this.#interval - idle);
    } else if (now - this.#deadline > this.#timeout && !this.#doubted) {
      // The timer is late by far: the device slept and the answer may be waiting behind us. Ask
      // once more; only once, for in a hidden page every timer is late.
      this.#doubted = true;
      this.#deadline = undefined;
      this.#question(this.#probeTimeout);
    } else {
      this.stop();
      this.#onDead();
    }
  }
}
