import { Emitter } from '../emitter';
import type { Unsubscribe } from '../types';
import { makeHistory } from './history';
import type { Outbox } from './outbox';
import type { Room } from './room';
import { nobody } from './roster';
import type {
  ChannelEvents,
  ChannelOptions,
  History,
  HistoryOptions,
  Member,
  Message,
  Position,
  PresenceEvents,
  PresenceSnapshot,
  Published,
  PublishOptions,
  SubscribeOptions,
} from './types';

/** The client, as its channels see it. */
export interface Lobby {
  /** The room of this name, made when there is none and `make` says so. */
  room(name: string, pattern: boolean, make: true): Room;
  room(name: string, pattern: boolean, make: false): Room | undefined;
  /** Starts the client if it has never been started. */
  start(): void;
  ask: Outbox['add'];
  newKey(): string;
}

/** All channels that match a pattern. There is no cursor, so breaks are not filled. */
export class Pattern<T = unknown> {
  readonly name: string;
  readonly #lobby: Lobby;
  readonly #options: ChannelOptions;
  readonly #pattern: boolean;
  readonly #events: Emitter<ChannelEvents> = new Emitter();

  constructor(lobby: Lobby, name: string, options: ChannelOptions, pattern = true) {
    this.#lobby = lobby;
    this.name = name;
    this.#options = options;
    this.#pattern = pattern;
  }

  /**
   * Calls `listener` for every message from now on, in order, in the turn in which it arrives.
   * Listeners of one channel share one subscription, whichever object they came through. Throws
   * when they ask for other options than those in use.
   */
  subscribe(listener: (message: Message<T>) => void, options: SubscribeOptions = {}): Unsubscribe {
    const seat = {
      deliver: listener as (message: Message) => void,
      events: this.#events,
      after: -1,
    };
    const room = this.#lobby.room(this.name, this.#pattern, true);
    const leave = room.join(seat, this.#options, options.since);
    this.#lobby.start();
    return leave;
  }

  /** Events of the subscription; they come only while this object has a listener subscribed. */
  on<Name extends keyof ChannelEvents>(name: Name, listener: ChannelEvents[Name]): Unsubscribe {
    return this.#events.on(name, listener);
  }
}

/** Everything one can do with a channel. Light: it holds nothing on the server by itself. */
export class Channel<T = unknown, I = unknown> extends Pattern<T> {
  readonly presence: PresenceOf<I>;
  readonly #lobby: Lobby;

  constructor(lobby: Lobby, name: string, options: ChannelOptions) {
    super(lobby, name, options, false);
    this.#lobby = lobby;
    this.presence = new PresenceOf(lobby, name);
  }

  /** Where the shared subscription stands; undefined without one. */
  get cursor(): Position | undefined {
    return this.#lobby.room(this.name, false, false)?.cursor;
  }

  /**
   * Publishes once, however often it has to be sent. A string goes as text, bytes as binary, all
   * else as JSON. Rejects with an AnywireError; `uncertain` says that it may have arrived all the
   * same.
   */
  async publish(data: T, options: PublishOptions = {}): Promise<Published> {
    const { timeout, signal, idempotencyKey = this.#lobby.newKey(), ...members } = options;
    const payload =
      typeof data === 'string'
        ? { text: data }
        : data instanceof ArrayBuffer || ArrayBuffer.isView(data)
          ? { binary: bytesOf(data) }
          : { data: data ?? null };
    const message = {
      type: 'publish',
      channel: this.name,
      ...members,
      idempotencyKey,
      ...payload,
    };
    const reply = await this.#lobby.ask(message, {
      again: true,
      timeout,
      signal,
      channel: this.name,
    });
    return {
      epoch: String(reply.epoch),
      offset: Number(reply.offset),
      duplicate: reply.duplicate === true,
    };
  }

  /** `await` it for the first page, `for await` over it for all messages. */
  history(options: HistoryOptions = {}): History<T> {
    return makeHistory(this.#lobby.ask, this.name, options);
  }
}

/** Who is present in a channel, and our own presence. */
export class PresenceOf<I = unknown> {
  readonly #lobby: Lobby;
  readonly #name: string;

  constructor(lobby: Lobby, name: string) {
    this.#lobby = lobby;
    this.#name = name;
  }

  /**
   * Becomes present, or changes `info`; holds across reconnects until `leave`. Resolves when the
   * server has agreed.
   */
  enter(info?: I): Promise<void> {
    this.#lobby.start();
    return this.#lobby.room(this.#name, false, true).presence.membership.enter(info);
  }

  /** The same as `enter`, for those who are present already. */
  update(info: I): Promise<void> {
    return this.enter(info);
  }

  leave(): Promise<void> {
    const room = this.#lobby.room(this.#name, false, false);
    return room ? room.presence.membership.leave() : Promise.resolve();
  }

  /** Watches the list; it is fetched and kept up to date as long as there is a listener. */
  on<Name extends keyof PresenceEvents<I>>(
    name: Name,
    listener: PresenceEvents<I>[Name],
  ): Unsubscribe {
    const { presence } = this.#lobby.room(this.#name, false, true);
    const leave = presence.on(name, listener as PresenceEvents[Name]);
    this.#lobby.start();
    return leave;
  }

  /** The same object until something changes. Empty while nobody watches. */
  get snapshot(): PresenceSnapshot<I> {
    const room = this.#lobby.room(this.#name, false, false);
    return (room?.presence.snapshot ?? nobody) as PresenceSnapshot<I>;
  }

  get members(): readonly Member<I>[] {
    return this.snapshot.members;
  }

  get(client: string): Member<I> | undefined {
    const room = this.#lobby.room(this.#name, false, false);
    return room?.presence.get(client) as Member<I> | undefined;
  }
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (data instanceof Uint8Array) return data;
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
