import type { Clock, Drop, DropReason, QueueOptions, Sendable } from './types';

interface Item {
  readonly data: Sendable;
  readonly bytes: number;
  readonly since: number;
}

/** Payload bytes on the wire: UTF-8 for text, computed without encoding it. */
export function byteLength(data: Sendable): number {
  if (typeof data !== 'string') return data.byteLength;
  let bytes = data.length;
  for (let i = 0; i < data.length; i++) {
    const unit = data.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else {
      bytes += 2;
      // A surrogate pair is two units and four bytes; a lone one is sent as U+FFFD, three bytes.
      if (unit >= 0xd800 && unit < 0xdc00 && (data.charCodeAt(i + 1) & 0xfc00) === 0xdc00) i++;
    }
  }
  return bytes;
}

/**
 * Messages waiting for a link, in order. Bounded three ways (count, bytes, age); whatever is
 * given up is handed to `onDrop`, so no loss is silent. Expiry is checked when the queue is
 * touched.
 */
export class SendQueue {
  readonly #max: number;
  readonly #bytesMax: number;
  readonly #ttl: number;
  readonly #dropOldest: boolean;
  readonly #clock: Clock;
  readonly #onDrop: (drop: Drop) => void;
  #items: Item[] = [];
  #head = 0;
  #bytes = 0;

  constructor(options: QueueOptions, clock: Clock, onDrop: (drop: Drop) => void) {
    this.#max = options.max ?? 256;
    this.#bytesMax = options.bytes ?? 1 << 20;
    this.#ttl = options.ttl ?? 300_000;
    this.#dropOldest = options.overflow === 'drop-oldest';
    this.#clock = clock;
    this.#onDrop = onDrop;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a message; returns why not, when it does not. The caller reports a refusal. */
  push(data: Sendable, bytes: number): 'overflow' | 'too-large' | undefined {
    if (bytes > this.#bytesMax || this.#max < 1) return 'too-large';
    this.expire();
    while (this.size >= this.#max || this.#bytes + bytes > this.#bytesMax) {
      if (!this.#dropOldest) return 'overflow';
      this.#giveUp('oldest');
    }
    this.#items.push({ data, bytes, since: this.#clock.now() });
    this.#bytes += bytes;
    return undefined;
  }

  peek(): { readonly data: Sendable; readonly bytes: number } | undefined {
    this.expire();
    return this.#items[this.#head];
  }

  shift(): void {
    const item = this.#items[this.#head];
    if (!item) return;
    this.#bytes -= item.bytes;
    this.#head++;
    // Freed in bulk: shifting an array once for each message would make a flush quadratic.
    if (this.#head === this.#items.length || this.#head > 1024) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  expire(): void {
    const deadline = this.#clock.now() - this.#ttl;
    for (
      let item = this.#items[this.#head];
      item && item.since < deadline;
      item = this.#items[this.#head]
    ) {
      this.#giveUp('expired');
    }
  }

  /** Empties the queue without a word and returns the losses, for the caller to report. */
  take(reason: DropReason): readonly Drop[] {
    const lost = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    this.#bytes = 0;
    return lost.map(({ data, bytes }) => ({ reason, count: 1, bytes, data }));
  }

  #giveUp(reason: DropReason): void {
    const item = this.#items[this.#head] as Item;
    this.shift();
    this.#onDrop({ reason, count: 1, bytes: item.bytes, data: item.data });
  }
}
