import type { BackoffOptions, Clock } from './types';

/**
 * Codes by which a server says that everybody is being sent away at once (RFC 6455 7.4.1, IANA).
 */
const crowdCodes: ReadonlySet<number> = new Set([1001, 1012, 1013]);
const crowdSpreadMs = 1000;

/**
 * How long to wait before the next try. The largest delay grows by `factor` with each failure and,
 * with full jitter, the delay is anywhere below it: after a restart of the server its clients come
 * back spread over time instead of all at once.
 */
export class Backoff {
  readonly stableAfter: number;
  readonly #options: BackoffOptions;
  readonly #clock: Clock;
  /** Failures in a row since the last link that proved stable. */
  failures = 0;

  constructor(options: BackoffOptions, clock: Clock) {
    this.#options = options;
    this.stableAfter = options.stableAfter ?? 5000;
    this.#clock = clock;
  }

  /**
   * Counts a failure and says how many ms to wait. Closed by the server for all, wait up to 1 s.
   */
  next(closeCode?: number): number {
    const { min = 250, factor = 2 } = this.#options;
    const spread = crowdCodes.has(closeCode as number) ? crowdSpreadMs : 0;
    return this.#wait(Math.max(min * factor ** this.failures, spread), 0);
  }

  /** The slow pace kept while the device says it is offline, for it may be mistaken. */
  slow(): number {
    return this.#wait(Number.POSITIVE_INFINITY, 0.5);
  }

  /** Counts a failure. With jitter, at least `share` of the wait. */
  #wait(ms: number, share: number): number {
    const { max = 20_000, jitter } = this.#options;
    this.failures++;
    const part = jitter === 'none' ? 1 : share + this.#clock.random() * (1 - share);
    return Math.min(max, ms) * part;
  }
}
