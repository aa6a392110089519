import { Emitter } from '../emitter';
import type { Unsubscribe } from '../types';
import type { Channel, PresenceOf } from './api';
import type { Feed } from './channel';
import type { AnywireError } from './error';
import { Membership } from './membership';
import type { Part, Room } from './room';
import { nobody, Roster } from './roster';
import type { Member, PresenceEvents, PresenceSnapshot } from './types';
import type { WireMessage } from './wire';

type AnyFeed = Feed<unknown, unknown>;

const presences = /* @__PURE__ */ new WeakMap<AnyFeed, ChannelPresence<unknown>>();

/**
 * Who is present in a channel, and our own presence; the same object for the same channel object.
 * Info that the contract of the channel refuses is left out: that member has none, and an `error`
 * event of the channel (`schema`) says why.
 */
export function presence<T, I, In, E>(channel: Channel<T, I, In, E>): PresenceOf<I> {
  const feed = channel as unknown as AnyFeed;
  const found = presences.get(feed) ?? new ChannelPresence(feed);
  presences.set(feed, found);
  return found as ChannelPresence<I>;
}

/** What there is to hold hangs in the room. */
class ChannelPresence<I> implements PresenceOf<I> {
  readonly #feed: AnyFeed;
  /** What the contract has made of members and lists. */
  readonly #seen = new WeakMap<object, unknown>();

  constructor(feed: AnyFeed) {
    this.#feed = feed;
  }

  async enter(info?: I): Promise<void> {
    const { core, check } = this.#feed;
    const checked = check && info !== undefined ? check.presence(info) : info;
    core.wake();
    return this.#make().membership.enter(checked);
  }

  update(info: I): Promise<void> {
    return this.enter(info);
  }

  async leave(): Promise<void> {
    return this.#part?.membership.leave();
  }

  on<Name extends keyof PresenceEvents<I>>(
    name: Name,
    listener: PresenceEvents<I>[Name],
  ): Unsubscribe {
    const tell = listener as (...args: unknown[]) => void;
    const checked = (...args: (Member | string)[]) =>
      tell(...(name === 'change' ? [this.snapshot] : args.map((one) => this.#member(one))));
    const leave = this.#make().on(name, checked as PresenceEvents[Name]);
    this.#feed.core.wake();
    return leave;
  }

  get snapshot(): PresenceSnapshot<I> {
    const all = this.#part?.roster.snapshot ?? nobody;
    return this.#once(all, () => {
      const members = Object.freeze(all.members.map((member) => this.#member(member)));
      return Object.freeze({ ...all, members });
    }) as PresenceSnapshot<I>;
  }

  /** What the contract makes of a member: one without info, where it refuses that. */
  #member<One extends Member | string>(member: One): One {
    const { info, ...rest } = member as Member;
    if (info === undefined) return member;
    return this.#once(member as Member, ({ check }) => {
      try {
        return { ...rest, info: this.#feed.judged(() => check?.presence(info)) };
      } catch (error) {
        this.#feed.emit('error', error as AnywireError);
        return rest;
      }
    }) as One;
  }

  /** Made once, so that what is the same remains the same object. */
  #once<Item extends object>(item: Item, make: (feed: AnyFeed) => Item): Item {
    if (!this.#feed.check) return item;
    if (!this.#seen.has(item)) this.#seen.set(item, make(this.#feed));
    return this.#seen.get(item) as Item;
  }

  get members(): readonly Member<I>[] {
    return this.snapshot.members;
  }

  get(client: string): Member<I> | undefined {
    const member = this.#part?.roster.get(client);
    return member && (this.#member(member) as Member<I>);
  }

  /** Presence is the only part that rooms have so far. */
  get #part(): PresencePart | undefined {
    return this.#feed.room?.part as PresencePart | undefined;
  }

  #make(): PresencePart {
    const room = this.#feed.enter();
    const part = this.#part ?? new PresencePart(room);
    room.part = part;
    return part;
  }
}

/** What a subscription needs for the list to be told. */
const watching = { presence: true } as const;

/** Presence of one room: whether we are in, and who else is, as far as somebody watches. */
class PresencePart implements Part {
  readonly membership: Membership;
  readonly roster: Roster;
  readonly #room: Room;
  readonly #events: Emitter<PresenceEvents & { list: () => void }> = new Emitter();
  #watchers = 0;

  constructor(room: Room) {
    const { core, name } = room;
    this.#room = room;
    this.membership = new Membership(core, name, () => room.rest());
    this.roster = new Roster(core, name, this.#events, () => {
      // The grace of the server may be over without its having told us: enter again.
      const { clientId } = core.snapshot;
      if (clientId !== undefined && !this.roster.get(clientId)) this.membership.missing();
    });
  }

  get extra(): object | undefined {
    return this.#watchers > 0 ? watching : undefined;
  }

  /** We are, or want to be, present. */
  get wanted(): boolean {
    return this.membership.wanted;
  }

  on<Name extends keyof PresenceEvents>(name: Name, listener: PresenceEvents[Name]): Unsubscribe {
    const leave =
      name === 'change'
        ? this.#events.on('list', listener as () => void)
        : this.#events.on(name, listener as never);
    if (this.#watchers++ === 0) {
      this.#room.wants();
      // The subscription may be older than the watching, and have had no listener to its pushes.
      if (this.#room.complete) this.roster.begin(false);
    }
    let on = true;
    return () => {
      if (!on) return;
      on = false;
      leave();
      if (--this.#watchers > 0) return;
      this.roster.end();
      this.#room.rest();
    };
  }

  begin(): void {
    this.roster.begin(true);
  }

  push(message: WireMessage, on: boolean): void {
    if (message.type === 'left') this.membership.left(message);
    else if (message.type === 'presence' && on && this.extra) this.roster.changed(message);
  }

  up(connected: WireMessage): void {
    this.membership.up(connected);
  }

  down(): void {
    this.roster.down();
    if (!this.#room.core.live) this.membership.down();
  }

  bye(): void {
    this.membership.bye();
  }

  ended(error: AnywireError): void {
    this.membership.ended(error);
  }
}
