import { Backoff } from '../backoff';
import type { Call } from './calls';
import type { Core } from './client';
import { AnywireError, fromWire } from './error';
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
  readonly #core: Core;
  readonly #channel: string;
  readonly #settled: () => void;
  readonly #backoff: Backoff;
  #wish: { readonly info: unknown } | undefined;
  /** The server has yet to be told of the wish. */
  #stale = false;
  #flying = false;
  #waiting: Promised | undefined;
  #timer: unknown;
  /** Whose presence the server has been told of. */
  #client: unknown;
  /** When the connection was lost. */
  #lostAt: number | undefined;

  constructor(core: Core, channel: string, settled: () => void) {
    this.#core = core;
    this.#settled = settled;
    this.#channel = channel;
    this.#backoff = new Backoff({}, core.clock);
    this.#client = core.snapshot.clientId;
  }

  get wanted(): boolean {
    return this.#wish !== undefined || this.#stale || this.#flying;
  }

  enter(info: unknown): Promise<void> {
    return this.#set({ info });
  }

  leave(): Promise<void> {
    // Nothing to take back: never told, or not present at all.
    if (!this.wanted) return Promise.resolve();
    return this.#set(undefined);
  }

  /** A connection stands. */
  up({ client, resumed }: WireMessage): void {
    const now = this.#core.clock.now();
    const away = now - (this.#lostAt ?? now);
    const kept = resumed === true && client === this.#client && away < graceMs;
    this.#lostAt = undefined;
    this.#client = client;
    if (this.#wish && !kept) this.#stale = true;
    this.#push();
  }

  /** There is none any more. */
  down(): void {
    this.#lostAt ??= this.#core.clock.now();
  }

  /** Said aloud, so that others need not wait for the end of the grace to see it. */
  bye(): void {
    const { live } = this.#core;
    if (live && this.#wish) {
      this.#core.send([this.#core.calls.make({ type: 'leave', channel: this.#channel })]);
    }
  }

  missing(): void {
    if (!this.#wish || this.#flying || this.#stale) return;
    this.#stale = true;
    this.#push();
  }

  /** The server has ended it: we may not be present any more, or there is no room. */
  left(push: WireMessage): void {
    if (!this.#wish || this.#flying || this.#stale) return;
    this.#wish = undefined;
    this.#core.emit('error', fromWire(push));
    this.#settled();
  }

  /** The client is closed or has failed. */
  ended(error: AnywireError): void {
    this.#core.clock.clearTimeout(this.#timer);
    if (error.code === 'closed') this.#wish = undefined;
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
    const core = this.#core;
    if (this.#flying || !this.#stale || !core.live) return;
    core.clock.clearTimeout(this.#timer);
    this.#stale = false;
    this.#flying = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    const wish = this.#wish;
    const channel = this.#channel;
    const message = wish ? { type: 'enter', channel, info: wish.info } : { type: 'leave', channel };
    let call: Call;
    try {
      call = core.calls.make(message, (reply) => {
        this.#flying = false;
        this.#answered(reply, wish !== undefined, waiting);
      });
    } catch (cause) {
      this.#flying = false;
      this.#wish = undefined;
      waiting?.reject(new AnywireError('bad_data', `This cannot be encoded: ${cause}`, { cause }));
      return;
    }
    core.send([call]);
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
      this.#timer = this.#core.clock.setTimeout(() => this.missing(), this.#backoff.next(0));
    } else {
      if (!this.#stale) this.#wish = undefined;
      this.#core.emit('error', error);
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
