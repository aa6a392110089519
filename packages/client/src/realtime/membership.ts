import { Backoff } from '../backoff';
import { AnywireError, fromWire } from './error';
import type { Host } from './room';
import type { WireMessage } from './wire';

/**
 * A resumed session has kept its presence when the break was shorter than the server's grace, which
 * is 10 s unless configured otherwise; after this long we say it again to be sure.
 */
const graceMs = 8000;

interface Promised {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: AnywireError): void;
}

/**
 * Our own presence in one channel: a wish (present with this info, or not) and the work of making
 * the server agree, across reconnects. Wishes made while one is under way are conflated; the last
 * one wins, and each caller hears when the server has caught up with what he wished.
 */
export class Membership {
  readonly #host: Host;
  readonly #channel: string;
  readonly #settled: () => void;
  readonly #backoff: Backoff;
  #wish: { readonly info: unknown } | undefined;
  /** The server has yet to be told of the wish. */
  #stale = false;
  #flying = false;
  #waiting: Promised | undefined;
  #timer: unknown;

  constructor(host: Host, channel: string, settled: () => void) {
    this.#host = host;
    this.#settled = settled;
    this.#channel = channel;
    this.#backoff = new Backoff({}, host.clock);
  }

  get wanted(): boolean {
    return this.#wish !== undefined || this.#stale || this.#flying;
  }

  get present(): boolean {
    return this.#wish !== undefined;
  }

  enter(info: unknown): Promise<void> {
    return this.#set({ info });
  }

  leave(): Promise<void> {
    // Nothing to take back: never told, or not present at all.
    if (!this.wanted) return Promise.resolve();
    return this.#set(undefined);
  }

  /** A connection stands. `away`: for how long there was none, ms. */
  up(resumed: boolean, away: number): void {
    if (this.#wish && (!resumed || away >= graceMs)) this.#stale = true;
    this.#push();
  }

  missing(): void {
    if (!this.#wish || this.#flying || this.#stale) return;
    this.#stale = true;
    this.#push();
  }

  /** The client is closed (`forget`) or has failed. */
  ended(error: AnywireError, forget: boolean): void {
    this.#host.clock.clearTimeout(this.#timer);
    if (forget) this.#wish = undefined;
    this.#stale = false;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }

  #set(wish: { readonly info: unknown } | undefined): Promise<void> {
    this.#wish = wish;
    this.#stale = true;
    this.#waiting ??= promised();
    const { promise } = this.#waiting;
    this.#push();
    return promise;
  }

  #push(): void {
    const { connection } = this.#host;
    if (this.#flying || !this.#stale || !connection.live) return;
    this.#host.clock.clearTimeout(this.#timer);
    this.#stale = false;
    this.#flying = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    const wish = this.#wish;
    const channel = this.#channel;
    const message = wish ? { type: 'enter', channel, info: wish.info } : { type: 'leave', channel };
    let call: ReturnType<typeof connection.call>;
    try {
      call = connection.call(message, (reply) => {
        this.#flying = false;
        this.#answered(reply, wish !== undefined, waiting);
      });
    } catch (cause) {
      this.#flying = false;
      this.#wish = undefined;
      waiting?.reject(new AnywireError('bad_data', `This cannot be encoded: ${cause}`, { cause }));
      return;
    }
    connection.send([call]);
  }

  #answered(reply: WireMessage, entering: boolean, waiting: Promised | undefined): void {
    const { code } = reply;
    if (reply.type !== 'error' || (!entering && code === 'not_present')) {
      this.#backoff.failures = 0;
      waiting?.resolve();
    } else if (code === 'connection_lost') {
      this.#stale = true;
      if (!this.#waiting) this.#waiting = waiting;
      else if (waiting) this.#waiting.promise.then(waiting.resolve, waiting.reject);
    } else {
      this.#failed(fromWire(reply, this.#channel), waiting);
    }
    this.#push();
    if (!this.wanted) this.#settled();
  }

  #failed(error: AnywireError, waiting: Promised | undefined): void {
    if (waiting) {
      // The caller decides; unless there is a newer wish the old one is given up.
      if (!this.#stale) this.#wish = undefined;
      waiting.reject(error);
    } else if (error.retry) {
      this.#timer = this.#host.clock.setTimeout(() => this.missing(), this.#backoff.next(0));
    } else {
      if (!this.#stale) this.#wish = undefined;
      this.#host.report(error);
    }
  }
}

function promised(): Promised {
  let resolve = () => {};
  let reject: Promised['reject'] = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
