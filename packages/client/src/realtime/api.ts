import type { State, Unsubscribe } from '../types';
import type {
  ChannelEvents,
  ChannelOptions,
  ChannelRef,
  ClientEvents,
  ClientSnapshot,
  EventName,
  Member,
  NoEvents,
  Position,
  PresenceEvents,
  PresenceSnapshot,
  Publishable,
  Published,
  PublishOptions,
  Received,
  SubscribeOptions,
} from './types';

/** What an application holds in its hands. */

/**
 * One session with an Anywire server, and everything an application does over it. Made in state
 * `idle`; it connects when `connect` is called or something is first asked of it. Making one
 * touches no global, so a module may do it that is also rendered on a server.
 */
export interface Client {
  /** The same object until something changes, so it may be compared and rendered. */
  readonly snapshot: ClientSnapshot;
  readonly state: State;
  /** Commands that wait for a connection or an answer. */
  readonly queued: number;
  /**
   * Listens until what it returns is called. A listener is called in the turn of the event, and may
   * call any method.
   */
  on<Name extends keyof ClientEvents>(name: Name, listener: ClientEvents[Name]): Unsubscribe;
  /** Starts, or hurries a try that is due later. Resolves when open; rejects when that ends it. */
  connect(): Promise<void>;
  /**
   * Leaves everything and ends the session. What waits is rejected. Subscriptions stay in place for
   * a later `connect`.
   */
  close(reason?: string): Promise<void>;
  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  /**
   * A channel of `T`, with `I` as presence info. With a name, the types are promises of the
   * caller's; with the reference that a contract gives, they are checked.
   */
  channel<T = unknown, I = unknown, In = T, E = NoEvents>(
    target: string | ChannelRef<T, I, In, E>,
    options?: ChannelOptions,
  ): Channel<T, I, In, E>;
  /** Asks the token function for another token now, after a change of rights for example. */
  refreshToken(): Promise<void>;
}

/** All channels that match a pattern. There is no cursor, so breaks are not filled. */
export interface Pattern<T = unknown, E = NoEvents> {
  readonly name: string;
  /**
   * Calls `listener` for every message from now on, in order, in the turn in which it arrives.
   * Listeners of one pattern share one subscription, whichever object they came through. Throws
   * when they ask for other options than those in use.
   */
  subscribe(listener: (message: Received<T, E>) => void): Unsubscribe;
  /** Events of the subscription; they come only while this object has a listener subscribed. */
  on<Name extends keyof ChannelEvents>(name: Name, listener: ChannelEvents[Name]): Unsubscribe;
}

/** Everything one can do with a channel. Light: it holds nothing on the server by itself. */
export interface Channel<T = unknown, I = unknown, In = T, E = NoEvents>
  extends Pattern<T, E>,
    ChannelRef<T, I, In, E> {
  readonly name: string;
  /** Messages that the contract refused, so that they were not delivered. */
  readonly dropped: number;
  /** Where the shared subscription stands; undefined without one. */
  readonly cursor: Position | undefined;
  /** As in a pattern. Beginning `since` a position repeats what came after it, for this listener. */
  subscribe(listener: (message: Received<T, E>) => void, options?: SubscribeOptions): Unsubscribe;
  /**
   * Publishes once, however often it has to be sent. A string goes as text, bytes as binary, all
   * else as JSON. Rejects with an AnywireError; `uncertain` says that it may have arrived all the
   * same.
   */
  publish<Name extends EventName<E> = never>(
    data: Publishable<In, E, Name>,
    options?: PublishOptions<Name>,
  ): Promise<Published>;
}

/** Who is present in a channel, and our own presence. */
export interface PresenceOf<I = unknown> {
  /** The same object until something changes. Empty while nobody watches. */
  readonly snapshot: PresenceSnapshot<I>;
  readonly members: readonly Member<I>[];
  /** The member of this client id. */
  get(client: string): Member<I> | undefined;
  /**
   * Becomes present, or changes `info`; holds across reconnects until `leave`. Resolves when the
   * server has agreed.
   */
  enter(info?: I): Promise<void>;
  /** The same as `enter`, for those who are present already. */
  update(info: I): Promise<void>;
  /**
   * Is present no longer. Resolves when the server has agreed, at once where one was not present;
   * rejects with an AnywireError.
   */
  leave(): Promise<void>;
  /** Watches the list; it is fetched and kept up to date as long as there is a listener. */
  on<Name extends keyof PresenceEvents<I>>(
    name: Name,
    listener: PresenceEvents<I>[Name],
  ): Unsubscribe;
}
