import type { Clock, Position } from '@anywire/client';
import { Connection } from './connection';
import type { Enforcer } from './contract';
import { type Link, Network, type Peer, type Refused } from './network';
import { type PresencePush, PresenceSet } from './presence';
import type { Refusal } from './refusal';
import type { Rules } from './rules';
import { Script } from './script';
import { Sessions } from './sessions';
import { type Draft, type LostRange, Stream } from './stream';
import type { TokenDesk } from './tokens';

/** What `connected` tells, and the limits of docs/protocol.md section 10. */
export interface Settings {
  readonly ping: number;
  readonly sessionWindow: number;
  readonly messageBytesMax: number;
  readonly server: string;
  readonly frameMessagesMax: number;
  readonly channelsMax: number;
  readonly patternsMax: number;
  readonly pendingMax: number;
  /** How long a connection may go without `connect`, ms. */
  readonly patience: number;
}

export interface HubParts {
  readonly clock: Clock;
  readonly rules: Rules;
  readonly tokens: TokenDesk;
  readonly contract: Enforcer;
  readonly settings: Settings;
  /** Tells this server's epochs and secrets from those of every other one. */
  readonly number: number;
}

export interface Channel {
  readonly stream: Stream;
  readonly presence: PresenceSet;
}

/** Everything the connections of a server share: channels, sessions, rules and the script. */
export class Hub {
  readonly clock: Clock;
  readonly rules: Rules;
  readonly tokens: TokenDesk;
  readonly contract: Enforcer;
  readonly settings: Settings;
  readonly network: Network;
  readonly sessions: Sessions;
  readonly script: Script = new Script();
  readonly connections: Set<Connection> = new Set();
  readonly channels: Map<string, Channel> = new Map();
  /** How the next tries to connect are refused, in order. */
  readonly refusals: (Refused & { left: number })[] = [];
  readonly #number: number;
  #epochs = 0;

  constructor({ clock, rules, tokens, contract, settings, number }: HubParts) {
    this.clock = clock;
    this.rules = rules;
    this.tokens = tokens;
    this.contract = contract;
    this.settings = settings;
    this.network = new Network(clock);
    this.sessions = new Sessions(`server-${number}`, settings.sessionWindow, () => clock.now());
    this.#number = number;
  }

  channel(name: string): Channel {
    const known = this.channels.get(name);
    if (known) return known;
    const channel = {
      stream: new Stream(this.rules.of(name), this.clock, this.newEpoch()),
      presence: this.#newPresence(name),
    };
    this.channels.set(name, channel);
    return channel;
  }

  /** As after a restart without a disk. */
  restart(): void {
    this.sessions.clear();
    for (const [name, { stream, presence }] of this.channels) {
      presence.dispose();
      stream.begin(this.newEpoch(), false);
      this.channels.set(name, { stream, presence: this.#newPresence(name) });
    }
  }

  #newPresence(name: string): PresenceSet {
    const tell = (push: PresencePush) => this.#tellPresence(name, push);
    return new PresenceSet(this.rules.of(name), this.clock, this.newEpoch(), tell);
  }

  /** Sixteen hexadecimal digits, as the binary's. */
  newEpoch(): string {
    const hex = (value: number) => value.toString(16).padStart(8, '0');
    return hex(this.#number) + hex(++this.#epochs);
  }

  /** Publishes for a client; what it is refused for comes back as a value. */
  publish(
    name: string,
    draft: Draft,
    key?: string,
  ): (Position & { readonly duplicate?: true }) | Refusal {
    const { stream } = this.channel(name);
    const used = key ? stream.used(key, draft) : undefined;
    if (used && 'code' in used) return used;
    if (used) return { ...used, duplicate: true };
    const refused =
      this.contract.message(name, draft) ?? this.script.mayPublish({ channel: name, ...draft });
    return refused ?? this.order(name, draft, key);
  }

  /** Gives it its place in the channel, and tells everybody who listens. */
  order(name: string, draft: Draft, key?: string): Position {
    const { stream } = this.channel(name);
    const message = stream.publish(draft, key);
    for (const { seats } of [...this.connections]) seats.published(name, message);
    return { epoch: stream.epoch, offset: message.offset };
  }

  /** Whoever is subscribed has lost these, and goes on at the channel's position. */
  tellGap(name: string, lost: LostRange): void {
    const { position } = this.channel(name).stream;
    for (const { seats, say } of [...this.connections]) {
      if (seats.has(name)) say({ type: 'gap', channel: name, ...lost, ...position });
    }
  }

  occupancy(name: string): Readonly<Record<string, unknown>> {
    const subscribers = [...this.connections].filter(({ seats }) => seats.has(name)).length;
    const { presence } = this.rules.of(name);
    return { subscribers, ...(presence && this.channel(name).presence.counts) };
  }

  occupancyChanged(name: string): void {
    if (!this.rules.of(name).occupancy) return;
    const numbers = this.occupancy(name);
    for (const { seats } of [...this.connections]) seats.tellOccupancy(name, numbers);
  }

  #tellPresence(name: string, push: PresencePush): void {
    for (const { seats, say } of [...this.connections]) {
      if (seats.watchesPresence(name)) say({ type: 'presence', channel: name, ...push });
    }
    this.occupancyChanged(name);
  }

  /** What becomes of a try to connect. */
  admit(): ((link: Link) => Peer) | Refused {
    const [next] = this.refusals;
    if (next && --next.left <= 0) this.refusals.shift();
    if (next?.code === 1006) return next;
    return (link) => {
      const connection = new Connection(this, link, next);
      this.connections.add(connection);
      return connection;
    };
  }
}
