import type { Subscribe } from './commands';
import type { Connection } from './connection';
import { matches } from './glob';
import type { Hub } from './hub';
import { type Refusal, refusal } from './refusal';
import type { Beginning, Stored } from './stream';

/** What a subscription wants of a channel's messages. */
interface Selection {
  readonly own: boolean;
  readonly filter: Readonly<Record<string, readonly string[]>>;
}

interface Seat extends Selection {
  /** Made by the token: a command may make it anew. */
  readonly byToken: boolean;
  readonly presence: boolean;
  readonly occupancy: boolean;
  /** The numbers it was told last. */
  told: string;
}

const plain: Seat = {
  own: true,
  filter: {},
  byToken: true,
  presence: false,
  occupancy: false,
  told: '',
};

/** The subscriptions of one connection; docs/protocol.md section 3. */
export class Seats {
  readonly #hub: Hub;
  readonly #connection: Connection;
  readonly #seats = new Map<string, Seat>();
  readonly #patterns = new Map<string, Selection>();

  constructor(hub: Hub, connection: Connection) {
    this.#hub = hub;
    this.#connection = connection;
  }

  /** Channels and patterns subscribed to. */
  get names(): readonly string[] {
    return [...this.#seats.keys(), ...this.#patterns.keys()];
  }

  has(channel: string): boolean {
    return this.#seats.has(channel);
  }

  watchesPresence(channel: string): boolean {
    return this.#seats.get(channel)?.presence === true;
  }

  /** Undefined: there is room for one more channel or pattern. */
  full(channel?: string): Refusal | undefined {
    const { presences } = this.#connection.session;
    if (channel !== undefined && (this.#seats.has(channel) || presences.has(channel))) return;
    const places = new Set([...this.#seats.keys(), ...presences.keys()]).size;
    if (places + this.#patterns.size < this.#hub.settings.channelsMax) return undefined;
    return refusal('too_many_channels', 'this connection has as many channels as it may');
  }

  subscribe(id: number, command: Subscribe): Refusal | undefined {
    if (command.pattern) return this.#listen(id, command);
    const { channel: name, since, rewind, presence, occupancy, own, filter } = command;
    const refused = this.#refused(command);
    if (refused) return refused;
    const { stream } = this.#hub.channel(name);
    const beginning = since ? stream.recover(since) : stream.rewind(rewind);
    const seat: Seat = { own, filter, byToken: false, presence, occupancy, told: '' };
    this.#seats.set(name, seat);
    const { gap } = beginning;
    this.#begin(name, beginning, {
      id,
      ...(since && { recovered: gap === undefined }),
      ...(gap && { gap }),
    });
    const { presence: set } = this.#hub.channel(name);
    if (presence) {
      this.#connection.say({ type: 'presence', channel: name, ...set.everything() });
    }
    this.#hub.occupancyChanged(name);
    return undefined;
  }

  #refused(command: Subscribe): Refusal | undefined {
    const { channel, presence, occupancy } = command;
    const { rules } = this.#hub;
    const seat = this.#seats.get(channel);
    if (seat && !seat.byToken) {
      return refusal('already_subscribed', 'the channel is subscribed to already');
    }
    const refused = rules.maySubscribe(channel, this.#connection.identity) ?? this.full(channel);
    if (refused) return refused;
    if (presence) {
      const absent = this.#connection.attendance.may(channel);
      if (absent) return absent;
    }
    if (occupancy && !rules.of(channel).occupancy) {
      return refusal('no_occupancy', 'the channel does not tell how many listen');
    }
    return undefined;
  }

  /** Says where the subscription begins, and what follows at once. */
  #begin(name: string, { offset }: Beginning, more: Readonly<Record<string, unknown>>): void {
    const { stream } = this.#hub.channel(name);
    this.#connection.say({
      type: 'subscribed',
      channel: name,
      epoch: stream.epoch,
      offset,
      top: stream.top,
      recoverable: this.#hub.rules.of(name).historyMessages > 0,
      ...more,
    });
    this.#deliver(name, this.#seats.get(name) as Seat, stream.behind(offset));
  }

  unsubscribe(channel: string, pattern: boolean): Refusal | undefined {
    const gone = pattern ? this.#patterns.delete(channel) : this.#seats.delete(channel);
    if (!gone) {
      const what = pattern ? 'pattern' : 'channel';
      return refusal('not_subscribed', `the ${what} is not subscribed to`);
    }
    if (!pattern) this.#hub.occupancyChanged(channel);
    return undefined;
  }

  #listen(id: number, { channel: pattern, own, filter }: Subscribe): Refusal | undefined {
    if (this.#patterns.has(pattern)) {
      return refusal('already_subscribed', 'the pattern is subscribed to already');
    }
    const refused = this.#hub.rules.mayListen(pattern, this.#connection.identity);
    if (refused) return refused;
    if (this.#patterns.size >= this.#hub.settings.patternsMax) {
      return refusal('too_many_channels', 'this connection has as many patterns as it may');
    }
    const full = this.full();
    if (full) return full;
    this.#patterns.set(pattern, { own, filter });
    this.#connection.say({ type: 'subscribed', id, pattern });
    return undefined;
  }

  /** Those that the token names, at the top, unless they are there already. */
  subscribeByToken(): void {
    for (const name of this.#connection.identity.channels) {
      if (this.#seats.has(name)) continue;
      const { rules } = this.#hub;
      const refused = rules.maySubscribe(name, this.#connection.identity) ?? this.full(name);
      if (refused) {
        this.#connection.say({ type: 'unsubscribed', channel: name, ...told(refused) });
        continue;
      }
      this.#seats.set(name, { ...plain });
      this.#begin(name, { offset: this.#hub.channel(name).stream.top }, {});
      this.#hub.occupancyChanged(name);
    }
  }

  /** After a new token: what it neither allows nor asks for. */
  dropForbidden(): void {
    const { identity } = this.#connection;
    const { rules } = this.#hub;
    for (const [name, seat] of [...this.#seats]) {
      const refused =
        rules.maySubscribe(name, identity) ??
        (seat.presence ? this.#connection.attendance.may(name) : undefined);
      if (refused) this.end(name, refused);
    }
    for (const pattern of [...this.#patterns.keys()]) {
      const refused = rules.mayListen(pattern, identity);
      if (!refused) continue;
      this.#patterns.delete(pattern);
      this.#connection.say({ type: 'unsubscribed', pattern, ...told(refused) });
    }
  }

  /** The server ends a subscription. */
  end(channel: string, refused: Refusal): void {
    if (!this.#seats.delete(channel)) return;
    this.#connection.say({ type: 'unsubscribed', channel, ...told(refused) });
    this.#hub.occupancyChanged(channel);
  }

  clear(): void {
    const names = [...this.#seats.keys()];
    this.#seats.clear();
    this.#patterns.clear();
    for (const name of names) this.#hub.occupancyChanged(name);
  }

  // ---- what comes of them

  published(name: string, message: Stored): void {
    const seat = this.#seats.get(name);
    // A channel subscribed to by its name is left to that subscription.
    if (seat) this.#deliver(name, seat, [message]);
    else if (this.#patternTakes(name, message)) {
      this.#connection.say({ type: 'message', channel: name, ...message });
    }
  }

  #patternTakes(name: string, message: Stored): boolean {
    if (this.#patterns.size === 0) return false;
    const { rules } = this.#hub;
    if (rules.maySubscribe(name, this.#connection.identity)) return false;
    return [...this.#patterns].some(
      ([pattern, selection]) => matches(pattern, name) && this.#wants(selection, message),
    );
  }

  #deliver(name: string, seat: Seat, messages: readonly Stored[]): void {
    const { say } = this.#connection;
    let skipped = 0;
    const advance = () => {
      if (skipped > 0) say({ type: 'advance', channel: name, offset: skipped });
      skipped = 0;
    };
    for (const message of messages) {
      if (this.#wants(seat, message)) {
        advance();
        say({ type: 'message', channel: name, ...message });
      } else {
        skipped = message.offset;
      }
    }
    advance();
  }

  #wants({ own, filter }: Selection, { client, tags = {} }: Stored): boolean {
    if (!own && client === this.#connection.session.client) return false;
    return Object.entries(filter).every(([tag, values]) => {
      const value = tags[tag];
      return value !== undefined && values.includes(value);
    });
  }

  /** Tells whoever asked for it how many listen, if that has changed. */
  tellOccupancy(name: string, numbers: Readonly<Record<string, unknown>>): void {
    const seat = this.#seats.get(name);
    if (!seat?.occupancy) return;
    const print = JSON.stringify(numbers);
    if (seat.told === print) return;
    seat.told = print;
    this.#connection.say({ type: 'occupancy', channel: name, ...numbers });
  }
}

/** As `unsubscribed` and `left` say it, which know no `retry`. */
export function told({ code, message }: Refusal): {
  readonly code: string;
  readonly message: string;
} {
  return { code, message };
}
