import { Backoff } from '../backoff';
import { type Emitter, safely } from '../emitter';
import type { Clock } from '../types';
import type { Call } from './calls';
import { toBytes } from './codec';
import type { Connection } from './connection';
import { AnywireError, fromWire } from './error';
import type { Outbox } from './outbox';
import { Presence } from './presence';
import type { ChannelEvents, ChannelOptions, Gap, Message, Position } from './types';
import type { WireMessage } from './wire';

/** The client, as its rooms see it. */
export interface Host {
  readonly clock: Clock;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly linger: number;
  readonly membersMax: number;
  /** Nobody needs this room any more. */
  retire(room: Room): void;
  report(error: AnywireError): void;
}

/** One listener's place in a room. */
export interface Seat {
  readonly deliver: (message: Message) => void;
  readonly events: Emitter<ChannelEvents>;
  /** It has had everything up to this offset. */
  after: number;
}

/** Reasons for which the server may end a subscription and yet grant it again soon. */
const passing: ReadonlySet<unknown> = new Set(['overloaded', 'rate_limited', 'unavailable']);

/**
 * What a client holds of one channel, or of one pattern: the one subscription there may be on a
 * connection, shared by all listeners, with its cursor. It lives as long as somebody listens,
 * watches the presence or is present.
 *
 *   off --connected--> asking --subscribed--> on --unsubscribed--> refused
 *   any --link lost--> off;   on --offset jump--> asking;   asking --error--> refused
 */
export class Room {
  readonly name: string;
  readonly pattern: RegExp | undefined;
  readonly presence: Presence;
  readonly #host: Host;
  readonly #trouble: Backoff;
  readonly #seats = new Set<Seat>();
  #troubledAt = Number.NEGATIVE_INFINITY;
  #options: ChannelOptions = {};
  #phase: 'off' | 'asking' | 'on' | 'refused' = 'off';
  /** Stands for the newest question; answers to older ones are ignored. */
  #asked: object | undefined;
  #cursor: Position | undefined;
  #repeated = -1;
  #byToken = false;
  #withPresence = false;
  /** Set while the subscription is to be asked for again. */
  #againTimer: unknown;
  /** Set while nobody is left. */
  #restTimer: unknown;

  constructor(host: Host, name: string, pattern: boolean) {
    this.#host = host;
    this.name = name;
    this.pattern = pattern ? glob(name) : undefined;
    this.#trouble = new Backoff({}, host.clock);
    this.presence = new Presence(
      host,
      name,
      () => this.#watchersChanged(),
      () => this.#rest(),
    );
  }

  get cursor(): Position | undefined {
    return this.#cursor;
  }

  /** The subscription stands, so messages are flowing. */
  get on(): boolean {
    return this.#phase === 'on';
  }

  /** Of messages up to this offset the server had told before it subscribed us. */
  get repeated(): number {
    return this.#phase === 'on' ? this.#repeated : -1;
  }

  /** Seats a listener; returns how it leaves. Throws when the options contradict those in use. */
  join(seat: Seat, options: ChannelOptions, since: Position | undefined): () => void {
    const changed = keyOf(options) !== keyOf(this.#options);
    if (changed && this.#seats.size > 0) {
      throw new AnywireError('options_conflict', `${this.name} is in use with other options`, {
        channel: this.name,
      });
    }
    this.#options = options;
    const again = this.#rewindTo(seat, since) || changed;
    this.#seats.add(seat);
    this.#stay();
    if (this.#phase === 'off' || this.#phase === 'refused') this.#ask();
    else if (again) this.#askAgain();
    return () => {
      if (this.#seats.delete(seat)) this.#rest();
    };
  }

  /**
   * Lets a listener begin at `since`. Where the others are further on, the server is asked to
   * repeat, and their seats drop what they have had. True if that needs a new subscription.
   */
  #rewindTo(seat: Seat, since: Position | undefined): boolean {
    const now = this.#cursor;
    seat.after = since?.offset ?? now?.offset ?? -1;
    if (!since || this.pattern) return false;
    if (!now || this.#seats.size === 0) {
      this.#cursor = since;
      return true;
    }
    if (now.epoch !== since.epoch) {
      seat.after = now.offset;
      const from = since.offset + 1;
      const gap = { from, to: 0, missed: undefined, reason: 'epoch', position: now };
      seat.events.emit('gap', { channel: this.name, ...gap });
      return false;
    }
    if (since.offset >= now.offset) return false;
    for (const other of this.#seats) other.after = Math.max(other.after, now.offset);
    this.#cursor = since;
    return true;
  }

  // ---- the connection

  /** What to say on a new connection. */
  hello(): readonly Call[] {
    if (!this.#wanted) return [];
    // The token may be about to make the same subscription, at another place than our cursor.
    return this.#byToken && this.#cursor ? [this.#unsubscribe(), this.#begin()] : [this.#begin()];
  }

  down(): void {
    this.#stay();
    this.#host.clock.clearTimeout(this.#againTimer);
    this.#phase = 'off';
    this.#asked = undefined;
    this.presence.down();
    this.#leave();
  }

  /** The client is closed, or has failed. */
  ended(error: AnywireError, forget: boolean): void {
    this.presence.membership.ended(error, forget);
    this.#leave();
  }

  /** A refused subscription may be granted now, to another token. */
  retry(): void {
    if (this.#phase === 'refused') this.#ask();
  }

  // ---- pushes

  /** The server subscribed us by itself, because the token says so. */
  granted(push: WireMessage): void {
    this.#byToken = true;
    if (this.#phase === 'asking') return;
    this.#phase = 'on';
    if (this.#cursor && this.#wanted) this.#askAgain();
    else this.#accept(push, undefined);
  }

  message(push: WireMessage): void {
    if (this.#phase !== 'on') return;
    const offset = Number(push.offset);
    if (!this.pattern) {
      const { epoch, offset: last } = this.#cursor as Position;
      if (offset <= last) return;
      if (offset !== last + 1) {
        this.#askAgain();
        return;
      }
      this.#cursor = { epoch, offset };
    }
    this.#trouble.failures = 0;
    if (this.#seats.size === 0) return;
    const message = toMessage(push, this.#cursor?.epoch);
    for (const seat of [...this.#seats]) {
      if (offset > seat.after && this.#seats.has(seat)) safely(() => seat.deliver(message));
    }
  }

  advance(push: WireMessage): void {
    const now = this.#cursor;
    const offset = Number(push.offset);
    if (this.#phase === 'on' && now && offset > now.offset) {
      this.#cursor = { epoch: now.epoch, offset };
    }
  }

  gap(push: WireMessage): void {
    if (this.#phase !== 'on') return;
    if (!this.pattern) {
      this.#lose(push, toPosition(push));
      return;
    }
    const { name: channel } = this;
    const missed = Number(push.missed);
    const gap = { channel, from: undefined, to: undefined, missed, position: undefined };
    this.#each((events) => events.emit('gap', { ...gap, reason: String(push.reason) }));
  }

  unsubscribed(push: WireMessage): void {
    if (this.#phase !== 'on') return;
    this.#byToken = false;
    this.#refused(fromWire({ ...push, retry: passing.has(push.code) }, this.name));
  }

  presenceChanged(push: WireMessage): void {
    if (this.#phase === 'on' && this.#withPresence) this.presence.changed(push);
  }

  // ---- asking

  get #wanted(): boolean {
    return this.#seats.size > 0 || this.presence.watched;
  }

  #begin(): Call {
    const asked = {};
    this.#host.clock.clearTimeout(this.#againTimer);
    this.#asked = asked;
    this.#phase = 'asking';
    this.#withPresence = this.presence.watched;
    const { rewind, own, filter } = this.#options;
    const since = this.#cursor;
    return this.#host.connection.call(
      {
        type: 'subscribe',
        [this.#kind]: this.name,
        since,
        rewind: since || this.pattern ? undefined : rewind,
        presence: this.#withPresence || undefined,
        own,
        filter,
      },
      (reply) => {
        if (asked === this.#asked) this.#answered(reply, since);
      },
    );
  }

  get #kind(): 'channel' | 'pattern' {
    return this.pattern ? 'pattern' : 'channel';
  }

  #unsubscribe(): Call {
    return this.#host.connection.call({ type: 'unsubscribe', [this.#kind]: this.name }, () => {});
  }

  #ask(): void {
    const { connection } = this.#host;
    if (connection.live && this.#wanted) connection.send([this.#begin()]);
  }

  /** Subscribes anew at the cursor: at once the first time, then for a while ever more slowly. */
  #askAgain(): void {
    const { connection, clock } = this.#host;
    this.#host.clock.clearTimeout(this.#againTimer);
    this.#asked = undefined;
    if (!connection.live) return;
    const both = () => connection.send([this.#unsubscribe(), this.#begin()]);
    this.#phase = 'asking';
    const now = clock.now();
    if (now - this.#troubledAt > this.#trouble.stableAfter) this.#trouble.failures = 0;
    this.#troubledAt = now;
    if (this.#trouble.failures > 0) {
      this.#againTimer = clock.setTimeout(both, this.#trouble.next(0));
    } else {
      this.#trouble.failures = 1;
      both();
    }
  }

  #answered(reply: WireMessage, since: Position | undefined): void {
    if (reply.type === 'subscribed') {
      this.#phase = 'on';
      this.#accept(reply, since);
    } else if (reply.code === 'already_subscribed') {
      this.#askAgain();
    } else if (reply.code !== 'connection_lost') {
      this.#refused(fromWire(reply, this.name));
    }
  }

  #accept(reply: WireMessage, since: Position | undefined): void {
    const position = toPosition(reply);
    const recovered = since && reply.recovered === true && position?.epoch === since.epoch;
    const lost = since && recovered === false ? position : undefined;
    if (!lost) this.#cursor = position;
    this.#repeated = Number(reply.top ?? -1);
    this.#each((events) =>
      events.emit('subscribed', {
        channel: this.name,
        position,
        recoverable: reply.recoverable === true,
        recovered,
      }),
    );
    if (since && lost) {
      const told = reply.gap as Partial<WireMessage> | undefined;
      const whole = { from: since.offset + 1, to: lost.offset, reason: 'unknown', ...told };
      this.#lose({ ...whole, type: 'gap' }, lost);
    }
    if (this.#phase !== 'on') return;
    if (this.presence.watched && !this.#withPresence) this.#askAgain();
    else if (this.#withPresence) this.presence.begin(true);
  }

  #lose(push: WireMessage, position: Position | undefined): void {
    const anew = position?.epoch !== this.#cursor?.epoch;
    if (position) this.#cursor = position;
    const to = Number(push.to);
    const gap: Gap = {
      channel: this.name,
      from: Number(push.from),
      to,
      missed: undefined,
      reason: String(push.reason),
      position,
    };
    const told = new Set<Emitter<ChannelEvents>>();
    for (const seat of this.#seats) {
      if (anew || seat.after < to) told.add(seat.events);
      if (anew) seat.after = -1;
    }
    for (const events of told) events.emit('gap', gap);
  }

  #refused(error: AnywireError): void {
    this.#host.clock.clearTimeout(this.#againTimer);
    this.#asked = undefined;
    this.#phase = 'refused';
    this.presence.down();
    if (error.retry) {
      const { clock } = this.#host;
      this.#againTimer = clock.setTimeout(() => this.retry(), this.#trouble.next(0));
    }
    this.#each((events) => events.emit('error', error));
    this.#host.report(error);
  }

  /** Once for each channel object, however many of its listeners sit here. */
  #each(run: (events: Emitter<ChannelEvents>) => void): void {
    for (const events of new Set([...this.#seats].map((seat) => seat.events))) run(events);
  }

  // ---- leaving

  #watchersChanged(): void {
    this.#stay();
    if (!this.presence.watched) this.#rest();
    else if (this.#phase === 'off' || this.#phase === 'refused') this.#ask();
    else if (this.#phase === 'on' && !this.#withPresence) this.#askAgain();
    else if (this.#phase === 'on') this.presence.begin(false);
  }

  /** Nobody may be left. A component that is mounted anew in a moment finds all as it was. */
  #rest(): void {
    if (this.#wanted) return;
    this.#stay();
    const { linger, connection, clock } = this.#host;
    if (this.#phase === 'off' || !connection.live || linger <= 0) this.#leave();
    else this.#restTimer = clock.setTimeout(() => this.#leave(), linger);
  }

  #leave(): void {
    if (this.#wanted) return;
    const { connection, clock } = this.#host;
    clock.clearTimeout(this.#againTimer);
    if (!this.#byToken || !connection.live) {
      if (this.#phase === 'on' || this.#phase === 'asking') connection.send([this.#unsubscribe()]);
      this.#phase = 'off';
      this.#asked = undefined;
      this.#byToken = false;
      this.#cursor = undefined;
      if (!this.presence.wanted) this.#host.retire(this);
    }
  }

  #stay(): void {
    this.#host.clock.clearTimeout(this.#restTimer);
  }
}

function keyOf({ rewind, own, filter }: ChannelOptions): string {
  return JSON.stringify([rewind, own, filter]);
}

/** `*` is any run of characters, `?` one of them. */
function glob(pattern: string): RegExp {
  const source = pattern.replace(/[\\^$.*+?()[\]{}|]/g, (char) =>
    char === '*' ? '[^]*' : char === '?' ? '[^]' : `\\${char}`,
  );
  return new RegExp(`^${source}$`, 'u');
}

function toPosition({ epoch, offset }: WireMessage): Position | undefined {
  return typeof epoch === 'string' && typeof offset === 'number' ? { epoch, offset } : undefined;
}

/** A pushed message, or one of a page of history, as listeners get it. */
export function toMessage(
  push: Readonly<Record<string, unknown>>,
  epoch: string | undefined,
  channel: unknown = push.channel,
): Message {
  const { type: _, binary, text, data, pattern: __, ...rest } = push;
  const payload =
    binary !== undefined
      ? { kind: 'binary', data: toBytes(binary) }
      : text !== undefined
        ? { kind: 'text', data: text }
        : { kind: 'json', data };
  return { ...rest, channel, epoch, ...payload } as Message;
}
