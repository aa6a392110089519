import { Backoff } from '../backoff';
import { type Emitter, safely } from '../emitter';
import type { Call } from './calls';
import type { Core } from './client';
import { toBytes } from './codec';
import { AnywireError, fromWire, reading } from './error';
import type { ChannelEvents, ChannelOptions, Gap, Message, Position } from './types';
import type { WireMessage } from './wire';

/** One listener's place in a room. */
export interface Seat {
  readonly deliver: (message: Message) => void;
  readonly events: Emitter<ChannelEvents>;
  /** It has had everything up to this offset. */
  after: number;
  /** With how many of the last messages it wants to begin. */
  readonly rewind: number;
}

/**
 * What a room does besides messages, such as presence. It hangs itself into the room when it is
 * first used, so who does not use it does not have its code.
 */
export interface Part {
  /** It needs the room, though perhaps no subscription. */
  readonly wanted: boolean;
  /** What it needs in `subscribe`, if it needs a subscription; compared by identity. */
  readonly extra: object | undefined;
  /** A subscription that has the `extra` was made just now. */
  begin(): void;
  /** A push that is not about messages; `on`: the subscription stands and has the `extra`. */
  push(message: WireMessage, on: boolean): void;
  up(connected: WireMessage): void;
  /** The link is gone, or the subscription refused. */
  down(): void;
  /** The client is about to close. */
  bye(): void;
  /** The client is closed, or has failed. */
  ended(error: AnywireError): void;
}

/** Reasons for which the server may end a subscription and yet grant it again soon. */
const passing = /^(overloaded|rate_limited|unavailable)$/;

/**
 * What a client holds of one channel, or of one pattern: the one subscription there may be on a
 * connection, shared by all listeners, with its cursor. It lives as long as somebody listens or a
 * part of it is in use.
 *
 *   off --connected--> asking --subscribed--> on --unsubscribed--> refused
 *   any --link lost--> off;   on --offset jump--> asking;   asking --error--> refused
 */
export class Room {
  readonly name: string;
  part: Part | undefined;
  /** Where the subscription stands. Patterns have none. */
  cursor: Position | undefined;
  /** Of messages up to this offset the server had told before it subscribed us. */
  repeated = -1;
  readonly core: Core;
  readonly kind: string;
  readonly #trouble: Backoff;
  #troubledAt = 0;
  readonly #seats = new Set<Seat>();
  #options: ChannelOptions = {};
  #phase: 'off' | 'asking' | 'on' | 'refused' = 'off';
  /** The newest question; answers to older ones are ignored. */
  #asked: Call | undefined;
  #byToken = false;
  /** The question that is under way with the `hello` is not the right one any more. */
  #late = false;
  /** What a part needed when the subscription was made. */
  #extra: object | undefined;
  /** Set while the subscription is to be asked for again. */
  #againTimer: unknown;
  /** Set while nobody is left. */
  #restTimer: unknown;

  /** `kind`: `channel` or `pattern`, as in `subscribe`. */
  constructor(core: Core, kind: string, name: string) {
    this.core = core;
    this.name = name;
    this.kind = kind;
    this.#trouble = new Backoff({}, core.clock);
  }

  /** The subscription stands, so messages are flowing. */
  get on(): boolean {
    return this.#phase === 'on';
  }

  /** It stands, and has what the part needs. */
  get complete(): boolean {
    return this.on && this.#extra !== undefined;
  }

  /** Seats a listener; returns how it leaves. Throws when the options contradict those in use. */
  join(seat: Seat, options: ChannelOptions, since: Position | undefined): () => void {
    const first = this.#seats.size === 0;
    const { rewind: before = 0 } = this.#options;
    const changed = keyOf(options) !== keyOf(this.#options);
    if (changed && !first) {
      throw new AnywireError('options_conflict', undefined, { channel: this.name });
    }
    // It begins anew, also where there is a subscription to which nobody listens.
    if (first && seat.rewind && (changed || seat.rewind !== before)) this.cursor = undefined;
    // Until it is known where it begins, it may begin earlier for one more listener.
    const earlier = first ? seat.rewind !== before : seat.rewind > before && !this.cursor;
    if (first || earlier) this.#options = options;
    const again = this.#rewindTo(seat, since) || changed || earlier;
    this.#seats.add(seat);
    this.wants(again);
    return () => {
      if (this.#seats.delete(seat)) this.rest();
    };
  }

  /**
   * Lets a listener begin at `since`. Where the others are further on, the server is asked to
   * repeat, and their seats drop what they have had. True if that needs a new subscription.
   */
  #rewindTo(seat: Seat, since: Position | undefined): boolean {
    const now = this.cursor;
    const last = now?.offset ?? -1;
    seat.after = since?.offset ?? last;
    if (!since) return false;
    if (now && this.#seats.size > 0) {
      if (now.epoch !== since.epoch) {
        seat.after = last;
        const gap = { from: since.offset + 1, to: 0, missed: undefined, reason: 'epoch' };
        seat.events.emit('gap', { ...gap, channel: this.name, position: now });
        return false;
      }
      if (since.offset >= last) return false;
      for (const other of this.#seats) other.after = Math.max(other.after, last);
    }
    this.cursor = since;
    return true;
  }

  /** Somebody came, or a part needs more or less than before. `anew`: another subscription. */
  wants(anew = false): void {
    const extra = this.part?.extra;
    this.rest();
    if (!this.#wanted) return;
    if (this.#phase === 'off' || this.#phase === 'refused') this.#ask();
    else if (anew || (this.on && extra && extra !== this.#extra)) this.#askAgain();
  }

  // ---- the connection

  /** What to say on a new connection. */
  hello(): readonly Call[] {
    if (!this.#wanted) return [];
    // The token may be about to make the same subscription, at another place than our cursor.
    return this.#byToken && this.cursor ? this.#anew() : this.#begin();
  }

  /** The server has answered. Who came or went since the `hello` is seen to now. */
  joined(): void {
    if (this.#phase === 'off') this.#ask();
    else if (this.#late) this.#askAgain();
    else this.rest();
  }

  down(): void {
    this.#stay();
    this.#forget('off');
    this.part?.down();
    this.#leave();
  }

  /** The client is closed, or has failed. */
  ended(error: AnywireError): void {
    this.part?.ended(error);
    this.#leave();
  }

  /** A refused subscription may be granted now, to another token. */
  retry(): void {
    if (this.#phase === 'refused') this.#ask();
  }

  // ---- pushes

  push(push: WireMessage): void {
    const { type } = push;
    if (type === 'subscribed') this.#granted(push);
    else if (!this.on) this.part?.push(push, false);
    else if (type === 'message') this.#message(push);
    else if (type === 'gap') this.#lose(push, toPosition(push));
    else if (type === 'advance') {
      const { cursor } = this;
      const offset = Number(push.offset);
      if (cursor && offset > cursor.offset && Number.isSafeInteger(offset))
        this.cursor = { ...cursor, offset };
    } else if (type === 'unsubscribed') {
      this.#byToken = false;
      this.#refused({ ...push, retry: passing.test(String(push.code)) });
    } else this.part?.push(push, this.complete);
  }

  /** The server subscribed us by itself, because the token says so. */
  #granted(push: WireMessage): void {
    this.#byToken = true;
    if (this.#phase === 'asking') return;
    this.#phase = 'on';
    if (this.cursor && this.#wanted) this.#askAgain();
    else this.#accept(push, undefined);
  }

  #message(push: WireMessage): void {
    const { cursor } = this;
    const offset = Number(push.offset);
    if (cursor) {
      if (offset <= cursor.offset) return;
      if (offset !== cursor.offset + 1) {
        this.#mend();
        return;
      }
      this.cursor = { ...cursor, offset };
    }
    this.#trouble.failures = 0;
    if (this.#seats.size === 0) return;
    let message: Message;
    try {
      message = reading(this.name, () => toMessage(push, this.cursor?.epoch));
    } catch (error) {
      this.#tell('error', [error as AnywireError]);
      return;
    }
    for (const seat of [...this.#seats]) {
      if (offset > seat.after && this.#seats.has(seat)) safely(() => seat.deliver(message));
    }
  }

  // ---- asking

  get #wanted(): boolean {
    return this.#seats.size > 0 || this.part?.extra !== undefined;
  }

  #begin(): readonly Call[] {
    try {
      return [this.#question()];
    } catch (cause) {
      // A name that cannot be said is this channel's trouble, and nobody else's.
      this.#refused({ type: '', code: 'bad_channel', message: String(cause) });
      return [];
    }
  }

  #question(): Call {
    const { rewind, own, filter } = this.#options;
    const { cursor: since, part } = this;
    this.#forget('asking');
    this.#extra = part?.extra;
    const call = this.core.calls.make(
      {
        type: 'subscribe',
        [this.kind]: this.name,
        since,
        rewind: since ? undefined : rewind,
        own,
        filter,
        ...this.#extra,
      },
      (reply) => {
        if (call !== this.#asked) return;
        // A beginning that cannot be counted on from is of no use.
        if (reply.type === 'subscribed' && (reply.epoch === undefined || toPosition(reply))) {
          this.#phase = 'on';
          this.#accept(reply, since);
        } else if (reply.code === 'already_subscribed') {
          this.#mend();
        } else if (reply.code !== 'connection_lost') {
          this.#refused(reply);
        }
      },
    );
    this.#asked = call;
    return call;
  }

  #unsubscribe(): Call {
    return this.core.calls.make({ type: 'unsubscribe', [this.kind]: this.name });
  }

  #anew(): readonly Call[] {
    return [this.#unsubscribe(), ...this.#begin()];
  }

  #ask(): void {
    if (this.core.live && this.#wanted) this.core.send(this.#begin());
  }

  /** Something is missing: asks again at once the first time, then ever more slowly. */
  #mend(): void {
    const trouble = this.#trouble;
    const now = this.core.clock.now();
    if (now - this.#troubledAt > trouble.stableAfter) trouble.failures = 0;
    this.#troubledAt = now;
    const wait = trouble.next();
    this.#askAgain(trouble.failures > 1 ? wait : 0);
  }

  /** Subscribes anew at the cursor. */
  #askAgain(wait = 0): void {
    const core = this.core;
    this.#late = !core.live;
    if (this.#late) return;
    this.#forget('asking');
    const both = () => core.send(this.#anew());
    if (wait > 0) this.#againTimer = core.clock.setTimeout(both, wait);
    else both();
  }

  /** Leaves the present question or subscription behind. */
  #forget(phase: 'off' | 'asking' | 'refused'): void {
    this.core.clock.clearTimeout(this.#againTimer);
    this.#asked = undefined;
    this.#late = false;
    this.#phase = phase;
  }

  #accept(reply: WireMessage, since: Position | undefined): void {
    const position = toPosition(reply);
    const recovered = since && reply.recovered === true && position?.epoch === since.epoch;
    const lost = since && recovered === false ? position : undefined;
    if (!lost) this.cursor = position;
    this.repeated = Number(reply.top ?? -1);
    // It may begin earlier than some listeners want.
    for (const seat of since ? [] : this.#seats) {
      seat.after = Math.max(seat.after, this.repeated - seat.rewind);
    }
    const { name: channel, part } = this;
    const recoverable = reply.recoverable === true;
    this.#tell('subscribed', [{ channel, position, top: this.repeated, recoverable, recovered }]);
    if (since && lost) {
      const whole = { from: since.offset + 1, to: lost.offset, reason: 'unknown' };
      this.#lose({ ...whole, ...(reply.gap as object), type: 'gap' }, lost);
    }
    if (!this.on || !part?.extra) return;
    if (part.extra !== this.#extra) this.#askAgain();
    else part.begin();
  }

  #lose(push: WireMessage, position: Position | undefined): void {
    const { from, to, missed, reason } = push as WireMessage & Partial<Gap>;
    const anew = position?.epoch !== this.cursor?.epoch;
    if (position) this.cursor = position;
    const told = [...this.#seats].filter(({ after }) => anew || !(after >= Number(to)));
    if (anew) for (const seat of this.#seats) seat.after = -1;
    const gap = { channel: this.name, from, to, missed, reason: String(reason), position };
    this.#tell('gap', [gap], told);
  }

  #refused(reply: WireMessage): void {
    const { clock } = this.core;
    const error = fromWire(reply, this.name);
    this.#forget('refused');
    this.part?.down();
    if (error.retry) this.#againTimer = clock.setTimeout(() => this.retry(), this.#trouble.next());
    this.#tell('error', [error]);
    this.core.emit('error', error);
  }

  /** Once for each channel object, however many of its listeners sit here. */
  #tell<Name extends keyof ChannelEvents>(
    name: Name,
    what: Parameters<ChannelEvents[Name]>,
    seats: Iterable<Seat> = this.#seats,
  ): void {
    for (const events of new Set([...seats].map((seat) => seat.events))) events.emit(name, ...what);
  }

  // ---- leaving

  /** Nobody may be left. A component that is mounted anew in a moment finds all as it was. */
  rest(): void {
    this.#stay();
    if (this.#wanted) return;
    const { live, clock, options } = this.core;
    const { linger = 250 } = options;
    // The server may be about to read our `hello`, so there will be something to take back.
    if (this.#phase === 'asking' && !live) return;
    if (this.#phase === 'off' || !live || linger <= 0) this.#leave();
    else this.#restTimer = clock.setTimeout(() => this.#leave(), linger);
  }

  #leave(): void {
    const core = this.core;
    const plain = keyOf(this.#options) === keyOf({}) && !this.#options.rewind;
    // What the token made stays as it was made; with options it is ours.
    if (this.#wanted || (this.#byToken && core.live && plain)) return;
    if (this.#phase === 'on' || this.#phase === 'asking') core.send([this.#unsubscribe()]);
    this.#forget('off');
    this.#byToken = false;
    this.cursor = undefined;
    if (!this.part?.wanted) core.retire(this);
  }

  #stay(): void {
    this.core.clock.clearTimeout(this.#restTimer);
  }
}

/** What listeners have to agree on. `rewind` says only where the subscription begins. */
function keyOf({ own, filter }: ChannelOptions): string {
  return JSON.stringify([own !== false, filter]);
}

/** Undefined where there is none, or none that can be counted on from. */
export function toPosition({ epoch, offset }: WireMessage): Position | undefined {
  return typeof epoch === 'string' && Number.isSafeInteger(offset)
    ? { epoch, offset: offset as number }
    : undefined;
}

/** A pushed message, or one of a page of history, as listeners get it. */
export function toMessage(
  push: Readonly<Record<string, unknown>>,
  epoch: string | undefined,
  channel: unknown = push.channel,
): Message {
  const { type: _, binary, text, data, json, pattern: __, ...rest } = push;
  const payload =
    binary !== undefined
      ? { kind: 'binary', data: toBytes(binary) }
      : text !== undefined && !json
        ? { kind: 'text', data: text }
        : // MessagePack cannot say every number that JSON can; such a value comes as its JSON text.
          { kind: 'json', data: json ? JSON.parse(String(text)) : data };
  return { ...rest, channel, epoch, ...payload } as Message;
}
