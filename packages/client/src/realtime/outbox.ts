import { Backoff } from '../backoff';
import { byteLength } from '../queue';
import type { Call } from './calls';
import type { Connection } from './connection';
import { type AnywireError, fromWire, toError } from './error';
import type { Command, WireMessage } from './wire';

/** Below the server's 256, so that subscriptions and pings always find room. */
const windowMax = 128;
/** A repeat must reach the server within the 5 minutes for which it knows the key. */
const repeatMs = 270_000;
/** What the server asks for, in milliseconds, is believed up to here. */
const pauseMax = 30_000;
/** What a frame has besides the command in it. */
const frameBytesOwn = 64;

export interface CommandOptions {
  /** Send it again after a reconnect; it must do no harm twice. */
  readonly again?: boolean;
  /** Longest wait, ms. Default 120 000. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly channel?: string;
}

interface Item {
  readonly call: Call;
  readonly bytes: number;
  readonly again: boolean | undefined;
  readonly until: number;
  flying: boolean;
  sent: boolean;
  timer: unknown;
  settle(reply: WireMessage, uncertain?: boolean): void;
}

/**
 * Commands whose caller waits for an answer: publishing, history, rpc. In order, bounded in number,
 * bytes and time; kept while there is no connection and sent again on the next. Whatever is given up
 * rejects its promise, so no loss is silent.
 */
export class Outbox {
  readonly #connection: Connection;
  readonly #backoff: Backoff;
  readonly #items = new Set<Item>();
  #bytes = 0;
  /** Set while the server wants to be left alone. */
  #pause: unknown;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#backoff = new Backoff(connection.options.backoff ?? {}, connection.clock);
  }

  get size(): number {
    return this.#items.size;
  }

  /** Resolves with the reply; rejects with an AnywireError. */
  add(message: Command, options: CommandOptions): Promise<WireMessage> {
    const { again, channel, signal, timeout = 120_000 } = options;
    const { calls, clock } = this.#connection;
    return new Promise((resolve, reject) => {
      let call: Call;
      try {
        call = calls.make(message, (reply) => this.#answer(item, reply), true);
      } catch (cause) {
        reject(toError(cause, 'bad_data', { channel }));
        return;
      }
      const item: Item = {
        call,
        bytes: byteLength(call.piece),
        again,
        until: clock.now() + timeout,
        flying: false,
        sent: false,
        timer: undefined,
        settle: (reply, uncertain) => {
          if (this.#items.delete(item)) this.#bytes -= item.bytes;
          clock.clearTimeout(item.timer);
          signal?.removeEventListener('abort', abort);
          if (reply.type === 'error') reject(fromWire(reply, channel, uncertain));
          else resolve(reply);
        },
      };
      const abort = () => this.#end(item, 'aborted');
      if (signal?.aborted) abort();
      else if (this.#admit(item)) {
        signal?.addEventListener('abort', abort);
        this.#expire(item, timeout);
        this.flush();
      }
    });
  }

  /** Sends what may be sent now. */
  flush(): void {
    const { live, clock, calls } = this.#connection;
    if (!live || this.#pause !== undefined) return;
    const batch: Call[] = [];
    let flying = 0;
    for (const item of this.#items) {
      // Those under way are always among the first.
      if (flying++ === windowMax) break;
      if (item.flying) continue;
      if (item.bytes > calls.frameBytesMax - frameBytesOwn) {
        flying--;
        this.#end(item, 'too_large');
        continue;
      }
      if (!item.sent && item.until - clock.now() > repeatMs) this.#expire(item, repeatMs);
      item.flying = true;
      item.sent = true;
      batch.push(item.call);
    }
    this.#connection.send(batch);
  }

  /** A frame was too large: give up the largest command that was under way. */
  tooLarge(): void {
    const [largest] = [...this.#items].filter(({ sent }) => sent).sort((a, b) => b.bytes - a.bytes);
    if (largest) this.#end(largest, 'too_large');
  }

  /** Gives up everything. */
  clear({ code }: AnywireError): void {
    this.#resume();
    for (const item of this.#items) this.#end(item, code);
  }

  #admit(item: Item): boolean {
    const { calls, options } = this.#connection;
    const { bytes = 1 << 20, max = 256, overflow } = options.queue ?? {};
    if (item.bytes > Math.min(bytes, calls.frameBytesMax - frameBytesOwn)) {
      this.#end(item, 'too_large');
      return false;
    }
    while (this.#items.size >= max || this.#bytes + item.bytes > bytes) {
      const [oldest] = this.#items;
      if (overflow !== 'drop-oldest' || !oldest) {
        this.#end(item, 'queue_full');
        return false;
      }
      this.#end(oldest, 'pushed_out');
    }
    this.#items.add(item);
    this.#bytes += item.bytes;
    return true;
  }

  #answer(item: Item, reply: WireMessage): void {
    item.flying = false;
    if (!this.#items.has(item)) return;
    const { clock } = this.#connection;
    if (reply.type !== 'error') {
      this.#backoff.failures = 0;
      item.settle(reply);
    } else if (!item.again || reply.retry !== true) {
      item.settle(reply, reply.code === 'connection_lost');
    } else if (reply.code !== 'connection_lost') {
      // What waits needs that time each, or most of it would be refused again.
      const asked = ((reply.retryAfter as number) || 0) * this.#items.size;
      this.#pause ??= clock.setTimeout(
        () => {
          this.#resume();
          this.flush();
        },
        Math.min(asked + this.#backoff.next(), pauseMax),
      );
    }
    this.flush();
  }

  #resume(): void {
    this.#connection.clock.clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  #expire(item: Item, ms: number): void {
    const { clock } = this.#connection;
    clock.clearTimeout(item.timer);
    item.timer = clock.setTimeout(() => {
      this.#end(item, 'timeout');
      this.flush();
    }, ms);
  }

  #end(item: Item, code: string): void {
    const retry = /timeout|queue_full/.test(code);
    item.settle({ type: 'error', code, retry }, item.sent);
  }
}
