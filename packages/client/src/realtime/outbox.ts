import type { Backoff } from '../backoff';
import { byteLength } from '../queue';
import type { Clock } from '../types';
import type { Call } from './calls';
import type { Connection } from './connection';
import { AnywireError, fromWire } from './error';
import type { OutboxOptions } from './types';
import type { WireMessage } from './wire';

/** Below the server's 256, so that subscriptions and pings always find room. */
const windowMax = 128;
/** A repeat must reach the server within the 5 minutes for which it knows the key. */
const repeatMs = 270_000;

export interface CommandOptions {
  /** Send it again after a reconnect; it must do no harm twice. */
  readonly again: boolean;
  /** Longest wait, ms. Default 120 000. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly channel?: string;
}

interface Item {
  readonly call: Call;
  readonly bytes: number;
  readonly again: boolean;
  readonly channel: string | undefined;
  deadline: number;
  flying: boolean;
  sent: boolean;
  end(result: WireMessage | AnywireError): void;
}

/**
 * Commands whose caller waits for an answer: publishing, history, members, rpc. In order, bounded in
 * number, bytes and time; kept while there is no connection and sent again on the next. Whatever is
 * given up rejects its promise, so no loss is silent.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #connection: Connection;
  readonly #items = new Set<Item>();
  #bytes = 0;
  #flying = 0;
  #timer: unknown;
  #due = Number.POSITIVE_INFINITY;
  #pausedUntil = 0;

  constructor(options: OutboxOptions, connection: Connection, backoff: Backoff) {
    this.#options = options;
    this.#connection = connection;
    this.#clock = connection.clock;
    this.#backoff = backoff;
  }

  get size(): number {
    return this.#items.size;
  }

  /** Resolves with the reply; rejects with an AnywireError. */
  add(message: { readonly type: string }, options: CommandOptions): Promise<WireMessage> {
    const { again, channel, signal, timeout = 120_000 } = options;
    return new Promise((resolve, reject) => {
      const refuse = (code: string, words: string, cause?: unknown) =>
        reject(
          new AnywireError(code, words, {
            retry: code === 'queue_full',
            ...(channel && { channel }),
            cause,
          }),
        );
      if (signal?.aborted) return refuse('aborted', 'Aborted before it was sent');
      let call: Call;
      try {
        call = this.#connection.call(message, (reply) => this.#answer(item, reply), true);
      } catch (cause) {
        return refuse('bad_data', `This cannot be encoded: ${cause}`, cause);
      }
      const bytes = byteLength(call.piece);
      const { bytes: bytesMax = 1 << 20, max = 256, overflow } = this.#options;
      if (bytes > Math.min(bytesMax, this.#connection.frameBytesMax - 64)) {
        return refuse('too_large', `${bytes} bytes are more than may be sent`);
      }
      while (this.#items.size >= max || this.#bytes + bytes > bytesMax) {
        const [oldest] = this.#items;
        if (overflow !== 'drop-oldest' || !oldest) {
          return refuse('queue_full', 'Too much waits for a connection or an answer');
        }
        this.#reject(oldest, 'pushed_out', 'Newer commands took its place');
      }
      const abort = () => this.#reject(item, 'aborted', 'Aborted');
      const item: Item = {
        call,
        bytes,
        again,
        channel,
        deadline: this.#clock.now() + timeout,
        flying: false,
        sent: false,
        end: (result) => {
          this.#items.delete(item);
          this.#bytes -= bytes;
          if (item.flying) this.#flying--;
          item.flying = false;
          signal?.removeEventListener('abort', abort);
          if (this.#items.size === 0) this.#sleep();
          if (result instanceof AnywireError) reject(result);
          else resolve(result);
        },
      };
      this.#items.add(item);
      this.#bytes += bytes;
      signal?.addEventListener('abort', abort);
      this.#wakeAt(item.deadline);
      this.flush();
    });
  }

  /** Sends what may be sent now. */
  flush(): void {
    const now = this.#clock.now();
    if (!this.#connection.live || now < this.#pausedUntil || this.#flying >= windowMax) return;
    const calls: Call[] = [];
    for (const item of this.#items) {
      if (this.#flying >= windowMax) break;
      if (item.flying) continue;
      if (item.bytes > this.#connection.frameBytesMax - 64) {
        this.#reject(item, 'too_large', 'It is larger than the server takes');
        continue;
      }
      if (!item.sent) {
        item.deadline = Math.min(item.deadline, now + repeatMs);
        this.#wakeAt(item.deadline);
      }
      item.flying = true;
      item.sent = true;
      this.#flying++;
      calls.push(item.call);
    }
    if (calls.length > 0) this.#connection.send(calls);
  }

  /** A frame was too large: give up the largest command that was under way. */
  tooLarge(): void {
    let largest: Item | undefined;
    for (const item of this.#items) {
      if (item.sent && !(largest && largest.bytes >= item.bytes)) largest = item;
    }
    if (largest) this.#reject(largest, 'too_large', 'The server takes no frame as large as this');
  }

  /** Gives up everything. */
  clear(code: string, words: string): void {
    for (const item of this.#items) this.#reject(item, code, words);
  }

  #sleep(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#due = Number.POSITIVE_INFINITY;
  }

  #answer(item: Item, reply: WireMessage): void {
    if (!this.#items.has(item)) return;
    if (reply.type !== 'error') {
      item.end(reply);
    } else if (reply.code === 'connection_lost') {
      this.#land(item);
      if (!item.again) item.end(this.#error(item, 'connection_lost', String(reply.message)));
    } else if (reply.retry === true && item.again) {
      this.#land(item);
      this.#pausedUntil = this.#clock.now() + this.#backoff.next(0);
      this.#wakeAt(this.#pausedUntil);
    } else {
      item.end(fromWire(reply, item.channel));
    }
    if (reply.type !== 'error') this.#backoff.failures = 0;
    this.flush();
  }

  #land(item: Item): void {
    if (item.flying) this.#flying--;
    item.flying = false;
  }

  #reject(item: Item, code: string, words: string): void {
    item.end(this.#error(item, code, words));
  }

  #error({ channel, sent }: Item, code: string, words: string): AnywireError {
    return new AnywireError(code, words, {
      retry: code === 'timeout' || code === 'connection_lost',
      uncertain: sent,
      ...(channel && { channel }),
    });
  }

  /** One timer for all, set for whatever is due first. */
  #wakeAt(at: number): void {
    if (at >= this.#due) return;
    this.#due = at;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.#tick(), Math.max(0, at - this.#clock.now()));
  }

  #tick(): void {
    const now = this.#clock.now();
    this.#due = Number.POSITIVE_INFINITY;
    let next = this.#pausedUntil > now ? this.#pausedUntil : Number.POSITIVE_INFINITY;
    for (const item of this.#items) {
      if (item.deadline <= now) this.#reject(item, 'timeout', 'No answer in time');
      else next = Math.min(next, item.deadline);
    }
    if (next < Number.POSITIVE_INFINITY) this.#wakeAt(next);
    this.flush();
  }
}
