import type { Clock, Position } from '@anywire/client';
import { type Refusal, refusal } from './refusal';
import type { ResolvedRule } from './rules';

/** A payload as it crosses the wire: exactly one of these. */
export interface Payload {
  readonly data?: unknown;
  readonly text?: string;
  /** Base64. */
  readonly binary?: string;
}

/** What is published, but for what the stream adds. */
export interface Draft extends Payload {
  readonly event?: string;
  readonly id?: string;
  readonly client?: string;
  readonly user?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface Stored extends Draft {
  readonly offset: number;
  /** Unix milliseconds. */
  readonly time: number;
}

export interface HistoryQuery {
  readonly after?: number;
  readonly before?: number;
  readonly from?: number;
  readonly to?: number;
  readonly backward: boolean;
  readonly limit: number;
}

export interface HistoryAnswer {
  readonly epoch: string;
  readonly top: number;
  readonly oldest: number;
  readonly more: boolean;
  readonly messages: readonly Stored[];
}

export interface LostRange {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** Where a subscription begins. */
export interface Beginning {
  readonly offset: number;
  readonly gap?: LostRange;
}

interface Used {
  readonly print: string;
  readonly position: Position;
  readonly until: number;
}

/** How long an idempotency key is remembered, ms. */
const keyMs = 300_000;

/** The messages of one channel: their order, what is kept of them, and the keys that were used. */
export class Stream {
  epoch: string;
  top = 0;
  /** Everything that was ever published here, in order; also of former epochs. */
  readonly log: { readonly epoch: string; readonly message: Stored }[] = [];
  readonly #rule: ResolvedRule;
  readonly #clock: Clock;
  readonly #keys = new Map<string, Used>();
  #history: Stored[] = [];
  #time = 0;

  constructor(rule: ResolvedRule, clock: Clock, epoch: string) {
    this.#rule = rule;
    this.#clock = clock;
    this.epoch = epoch;
  }

  get position(): Position {
    return { epoch: this.epoch, offset: this.top };
  }

  /** The first offset that history still has; one more than `top` if there is none. */
  get oldest(): number {
    return this.#history[0]?.offset ?? this.top + 1;
  }

  /** What the same key was used for, or why it may not be used; undefined: it is new. */
  used(key: string, draft: Draft): Position | Refusal | undefined {
    const used = this.#keys.get(key);
    if (!used || used.until <= this.#clock.now()) return undefined;
    if (used.print === printOf(draft)) return used.position;
    return refusal('idempotency_conflict', 'the key was used for another message');
  }

  publish(draft: Draft, key?: string): Stored {
    const now = Math.floor(this.#clock.now());
    // A clock that is set back must not bring disorder into history.
    this.#time = Math.max(this.#time, now);
    const message: Stored = { offset: ++this.top, time: this.#time, ...draft };
    this.log.push({ epoch: this.epoch, message });
    if (key) {
      this.#keys.delete(key);
      const { position } = this;
      this.#keys.set(key, { print: printOf(draft), position, until: now + keyMs });
      this.#dropKeys(now);
    }
    if (this.#rule.historyMessages > 0) this.#history.push(message);
    this.#trim();
    return message;
  }

  /** Messages behind an offset, as far as history has them. */
  behind(offset: number): readonly Stored[] {
    this.#trim();
    return this.#history.filter((message) => message.offset > offset);
  }

  /** Where somebody begins who has had everything up to `since`. */
  recover(since: Position): Beginning {
    this.#trim();
    const { epoch, top } = this;
    const from = since.offset + 1;
    if (since.epoch !== epoch) {
      return { offset: this.oldest - 1, gap: { from, to: 0, reason: 'epoch' } };
    }
    // A position of the future is not one of this stream.
    if (since.offset > top) return { offset: top, gap: { from, to: 0, reason: 'epoch' } };
    const offset = Math.max(this.oldest - 1, since.offset);
    return offset === since.offset
      ? { offset }
      : { offset, gap: { from, to: offset, reason: 'evicted' } };
  }

  rewind(messages: number): Beginning {
    this.#trim();
    return { offset: Math.max(this.top - messages, this.oldest - 1) };
  }

  read(query: HistoryQuery): HistoryAnswer {
    this.#trim();
    const { after = -1, before = Number.POSITIVE_INFINITY } = query;
    const { from = 0, to = Number.POSITIVE_INFINITY } = query;
    const found = this.#history.filter(
      ({ offset, time }) => offset > after && offset < before && time >= from && time <= to,
    );
    if (query.backward) found.reverse();
    const { epoch, top, oldest } = this;
    const more = found.length > query.limit;
    return { epoch, top, oldest, more, messages: found.slice(0, query.limit) };
  }

  /** History is gone; the stream goes on. */
  forget(): void {
    this.#history = [];
  }

  /** So many messages were ordered that nobody will ever get. */
  skip(messages: number): LostRange {
    const from = this.top + 1;
    this.top += messages;
    this.forget();
    return { from, to: this.top, reason: 'slow' };
  }

  /** The stream begins anew. Without `keys` they are forgotten, too, as after a restart. */
  begin(epoch: string, keys: boolean): LostRange {
    const from = this.top + 1;
    this.epoch = epoch;
    this.top = 0;
    this.forget();
    if (!keys) this.#keys.clear();
    return { from, to: 0, reason: 'epoch' };
  }

  #trim(): void {
    const { historyMessages, historyTtl } = this.#rule;
    const history = this.#history;
    let gone = Math.max(0, history.length - historyMessages);
    if (historyTtl > 0) {
      const end = this.#clock.now() - historyTtl;
      while (gone < history.length && (history[gone] as Stored).time <= end) gone++;
    }
    if (gone > 0) history.splice(0, gone);
  }

  #dropKeys(now: number): void {
    for (const [key, { until }] of this.#keys) {
      if (until > now) return;
      this.#keys.delete(key);
    }
  }
}

/** Of what a repetition must have in common with the first: form, payload and event. */
function printOf({ data, text, binary, event }: Draft): string {
  return JSON.stringify([data, text, binary, event]);
}
