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
  readonly #min: number;
  readonly #max: number;
  readonly #factor: number;
  readonly #full: boolean;
  readonly #clock: Clock;
  /** Failures in a row since the last link that proved stable. */
  failures = 0;

  constructor(options: BackoffOptions, clock: Clock) {
    this.#min = options.min ?? 250;
    this.#max = options.max ?? 20_000;
    this.#factor = options.factor ?? 2;
    this.#full = options.jitter !== 'none';
    this.stableAfter = options.stableAfter ?? 5000;
    this.#clock = clock;
  }

  /**
   * Counts a failure and says how many ms to wait. Closed by the server for all, wait up to 1 s.
   */
  next(closeCode: number): number {
    const grown = this.#min * this.#factor ** Math.min(this.failures, 64);
    const ceiling = Math.min(
      this.#max,
      Math.max(grown, crowdCodes.has(closeCode) ? crowdSpreadMs : 0),
    );
    this.failures++;
    return this.#full ? this.#clock.random() * ceiling : ceiling;
  }

  /** The slow pace kept while the device says it is offline, for it may be mistaken. */
  slow(): number {
    this.failures++;
    return this.#full ? this.#max * (0.5 + this.#clock.random() / 2) : this.#max;
  }
}
