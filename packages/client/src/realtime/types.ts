import type {
  Awaitable,
  BackoffOptions,
  Clock,
  CloseInfo,
  NetworkAdapter,
  State,
  WebSocketConstructor,
} from '../types';
import type { AnywireError } from './error';
import type { Codec, Transport } from './wire';

/**
 * The vocabulary of the realtime client. Nothing here runs. The words are those of
 * docs/protocol.md: a *position* is epoch and offset, a *cursor* the position of the last message
 * that was handled.
 */

/** Where in a channel's stream: `epoch` is one life of the stream, `offset` counts its messages. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** What every message has, whatever it carries. */
export interface MessageBase<T = unknown> {
  readonly channel: string;
  /** Absent only in pattern subscriptions, where the server does not tell it. */
  readonly epoch: string | undefined;
  readonly offset: number;
  /** When the server took it, Unix milliseconds. */
  readonly time: number;
  /** A JSON value, a string or a Uint8Array, as `kind` says. */
  readonly data: T;
  readonly kind: 'json' | 'text' | 'binary';
  readonly id?: string;
  /** The session that published it. */
  readonly client?: string;
  readonly user?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** A message as it is given to listeners. */
export interface Message<T = unknown> extends MessageBase<T> {
  readonly event?: string;
}

/** A message that was published with an event name; `event` tells it from the others. */
export interface EventMessage<Name extends string, T> extends MessageBase<T> {
  readonly event: Name;
}

/** A message without an event name, in a channel whose contract names events. */
export interface PlainMessage<T> extends MessageBase<T> {
  readonly event?: never;
}

/** A channel of which nothing is said about events: all messages are of one type. */
export type NoEvents = Record<never, never>;

/** An event whose schema transforms: published as `In`, delivered as `Out`. Only for the types. */
export interface Transformed<Out, In> {
  readonly '~out': Out;
  readonly '~in': In;
}
/** What listeners get of an event of this type. */
export type EventOutput<X> = X extends Transformed<infer Out, unknown> ? Out : X;
/** What is published of an event of this type. */
export type EventInput<X> = X extends Transformed<unknown, infer In> ? In : X;

/**
 * What a listener of a channel gets: messages of `T`, or, where `E` names events, a union that
 * `message.event` tells apart.
 */
export type Received<T, E = NoEvents> = [keyof E] extends [never]
  ? Message<T>
  :
      | PlainMessage<T>
      | { [N in keyof E & string]: EventMessage<N, EventOutput<E[N]>> }[keyof E & string];

/** The names under which one may publish, where the contract names events; else any. */
export type EventName<E> = [keyof E] extends [never] ? string : keyof E & string;

/** What may be published under an event name `N`; `never` stands for none. */
export type Publishable<In, E, N extends string> = [keyof E] extends [never]
  ? In
  : [N] extends [never]
    ? In
    : { [K in N]: K extends keyof E ? EventInput<E[K]> : never }[N];

/**
 * Messages are lost to this client: offsets `from` to `to`. `position` is where it goes on. Of a
 * pattern only the number `missed` is known.
 */
export interface Gap {
  readonly channel: string;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly missed: number | undefined;
  /** `evicted`, `epoch`, `slow`, or what a newer server may say. */
  readonly reason: string;
  readonly position: Position | undefined;
}

/** A subscription begins, or goes on after a break. */
export interface Subscribed {
  readonly channel: string;
  readonly position: Position | undefined;
  /** The last offset there was; what is behind `position` up to it follows. -1 for a pattern. */
  readonly top: number;
  readonly recoverable: boolean;
  /** Absent when it began anew; false: a `gap` follows. */
  readonly recovered: boolean | undefined;
}

/** What a channel tells besides its messages. */
export interface ChannelEvents {
  /** Messages flow from here on; again after each break. */
  subscribed: (info: Subscribed) => void;
  /** Messages are lost to this client. Never silent. */
  gap: (gap: Gap) => void;
  /** The server refused or ended the subscription; it is asked for again on the next connection. */
  error: (error: AnywireError) => void;
}

/** How a channel is subscribed to. */
export interface ChannelOptions {
  /** Begin with so many of the last messages. */
  readonly rewind?: number;
  /** `false`: what this client publishes itself is not delivered to it. */
  readonly own?: boolean;
  /** For each tag named, the values wanted; others are left out by the server. */
  readonly filter?: Readonly<Record<string, readonly string[]>>;
}

/**
 * What a contract checks of a channel. Each throws an AnywireError `schema` for what its schema
 * refuses, with the schema's `issues`.
 */
export interface ChannelCheck {
  /**
   * Throws the AnywireError that says why there is no such channel, `unknown_channel` or
   * `bad_channel`. Absent where there is one.
   */
  known?(): never;
  /** Takes what arrived; gives what the schema makes of it. */
  message(data: unknown, event?: string): unknown;
  /** Takes what is to be published; gives what is to be sent. */
  publish(data: unknown, event?: string): unknown;
  /** Takes presence info that arrived, or is to be sent; gives what the schema makes of it. */
  presence(info: unknown): unknown;
}

/**
 * A channel with types: its messages `T` and presence info `I`, what may be published (`In`), and
 * its events by name (`E`). Contracts make them. It is a name and checks: the name alone says which
 * channel it is, so one may be made in every render.
 */
export interface ChannelRef<T = unknown, I = unknown, In = T, E = NoEvents> {
  readonly name: string;
  readonly check?: ChannelCheck | undefined;
  /** Only for the types. */
  readonly '~types'?: {
    readonly message: T;
    readonly info: I;
    readonly input: In;
    readonly events: E;
  };
}

/** What a contract checks of a method; throws as `ChannelCheck` does. */
export interface RpcCheck {
  /** Takes the argument; gives what is to be sent. */
  input(data: unknown): unknown;
  /** Takes the answer; gives what the schema makes of it. */
  output(data: unknown): unknown;
}

/** A method with types: it takes `In` and answers `Out`. Contracts make them. */
export interface RpcRef<In = unknown, Out = unknown> {
  readonly name: string;
  readonly check?: RpcCheck | undefined;
  /** Only for the types. */
  readonly '~types'?: { readonly input: In; readonly output: Out };
}

/** The messages that listeners of this channel get. */
export type MessageOf<R> =
  R extends ChannelRef<infer T, infer _, infer __, infer E> ? Received<T, E> : never;
/** The presence info of this channel. */
export type InfoOf<R> = R extends ChannelRef<infer _, infer I, infer __, infer ___> ? I : never;
/** What may be published in this channel without an event name. */
export type InputOf<R> = R extends ChannelRef<infer _, infer __, infer In, infer ___> ? In : never;
/** The events of this channel, by name. */
export type EventsOf<R> = R extends ChannelRef<infer _, infer __, infer ___, infer E> ? E : never;
/** What this method takes. */
export type RpcInput<R> = R extends RpcRef<infer In, infer _> ? In : never;
/** What this method answers. */
export type RpcOutput<R> = R extends RpcRef<infer _, infer Out> ? Out : never;

/** Where a listener begins. */
export interface SubscribeOptions {
  /** Begin behind this position, e.g. the newest message of a page of history. */
  readonly since?: Position;
}

/** What goes with a publication, and how long to try. */
export interface PublishOptions<Name extends string = string> {
  /** What kind of message it is; receivers may listen for it. */
  readonly event?: Name;
  /** The message's own id, for receivers. Default: none. */
  readonly messageId?: string;
  /** What `filter` of a subscription looks at. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Where the channel's rule says so, of waiting messages with one key only the newest is sent. */
  readonly conflationKey?: string;
  /** Made by the client unless given; the same key is never published twice. */
  readonly idempotencyKey?: string;
  /** Give up after so many ms, waiting for a connection included. Default 120 000. */
  readonly timeout?: number;
  /** Gives up; the message may have been published nevertheless. */
  readonly signal?: AbortSignal;
}

/**
 * Where a message went. The offset 0 says that the application took it and published nothing: then
 * there is no such position, and nothing will arrive.
 */
export interface Published extends Position {
  /** This key had been used before; the position is that of the first time. */
  readonly duplicate: boolean;
}

/** Which messages of a channel's history, and in which order. */
export interface HistoryOptions {
  /** Only above this offset. */
  readonly after?: number;
  /** Only below this offset. */
  readonly before?: number;
  /** Inclusive, Unix milliseconds. */
  readonly from?: number;
  /** Inclusive, Unix milliseconds. */
  readonly to?: number;
  /** Default `forward`. */
  readonly order?: 'forward' | 'backward';
  /** Messages in a page, 1 to 1000. Default 100. */
  readonly limit?: number;
}

/** Some messages of a channel's history. */
export interface HistoryPage<T = unknown, E = NoEvents> {
  /** In the order that was asked for. */
  readonly messages: readonly Received<T, E>[];
  /** Of all of them: the life of the stream that offsets count in. */
  readonly epoch: string;
  /** The last offset there is. */
  readonly top: number;
  /** The first offset that history still has. */
  readonly oldest: number;
  /** There are further ones in this direction. */
  readonly more: boolean;
  /** The page behind this one; undefined when there is none. */
  next(): Promise<HistoryPage<T, E> | undefined>;
}

/** Awaited it is the first page; iterated, all messages page by page. Asks only when used. */
export interface History<T = unknown, E = NoEvents>
  extends PromiseLike<HistoryPage<T, E>>,
    AsyncIterable<Received<T, E>> {}

/** Somebody who is present in a channel. */
export interface Member<I = unknown> {
  /** The session; one person may have several. */
  readonly client: string;
  /** Whom its token speaks for; absent for anonymous ones. */
  readonly user?: string;
  /** What it said of itself when it entered or updated. */
  readonly info?: I;
}

/** What presence tells. */
export interface PresenceEvents<I = unknown> {
  /** Somebody came. */
  join: (member: Member<I>) => void;
  /** Somebody changed `info`. */
  update: (member: Member<I>, before: Member<I>) => void;
  /** `reason`: `left`, `lost`, `replaced`, or `gone` when found missing after a break. */
  leave: (member: Member<I>, reason: string) => void;
  /** Once for each change of list or counts, after the events above. */
  change: (now: PresenceSnapshot<I>) => void;
}

/** Frozen; the same object until something changes. */
export interface PresenceSnapshot<I = unknown> {
  readonly members: readonly Member<I>[];
  readonly count: number;
  readonly users: number;
  /** `members` is the whole and current list; false while it is fetched, or the list too large. */
  readonly complete: boolean;
}

/** How a client is. Frozen; the same object until something changes. */
export interface ClientSnapshot {
  /** See `State`; `open` means that the server has let us in. */
  readonly state: State;
  /** Tries in a row that failed; 0 while open. */
  readonly attempt: number;
  /** When the next try is due, in the clock's milliseconds. */
  readonly retryAt: number | undefined;
  /** The last thing that went wrong; cleared by the next open connection. */
  readonly error: AnywireError | undefined;
  /** How the last connection ended. */
  readonly lastClose: CloseInfo | undefined;
  /** Which transport carries the messages, while open. */
  readonly transport: string | undefined;
  /** The public id of this session. */
  readonly clientId: string | undefined;
  /** Whom the token speaks for. */
  readonly user: string | undefined;
  /** Connections opened so far. */
  readonly opens: number;
}

/** What a client tells. */
export interface ClientEvents {
  /** After every change of the snapshot. */
  state: (now: ClientSnapshot, before: ClientSnapshot) => void;
  /** Errors that no promise carries: a subscription refused, a token that could not be renewed. */
  error: (error: AnywireError) => void;
}

/** Why a token is wanted. */
export interface TokenRequest {
  /** `denied`: the server did not accept the last one, so the same would not do. */
  readonly reason: 'connect' | 'refresh' | 'denied';
  /** Aborted when the answer is no longer wanted. */
  readonly signal: AbortSignal;
}

/** A token, or null: nobody is signed in, so there is no use in trying. */
export type TokenAnswer = string | { readonly token: string } | null;

/** Bounds of the commands that wait. What is above them is refused or given up, and said. */
export interface OutboxOptions {
  /** Most commands that wait for a connection or an answer. Default 256. */
  readonly max?: number;
  /** Most bytes of them. Default 1 MiB. */
  readonly bytes?: number;
  /** When full: refuse the new one, or give up the oldest. Either way a promise rejects. */
  readonly overflow?: 'reject' | 'drop-oldest';
}

/** Remembers which transport works. `server`: host and port, as networks have rules for each. */
export interface TransportMemory {
  /** The name of the transport that has worked there; null or undefined where none is known. */
  get(server: string): string | null | undefined;
  /** This transport works there. */
  set(server: string, transport: string): void;
}

/** What `createClient` takes. Only `url` is needed. */
export interface ClientOptions {
  /** The server's address with path, such as `/anywire`; a function is asked before every try. */
  readonly url: string | URL | (() => Awaitable<string | URL>);
  /**
   * A token, or a function that gets one: before connecting, before the present one ends, and when
   * it was refused.
   */
  readonly token?: string | ((request: TokenRequest) => Awaitable<TokenAnswer>);
  /** Name and version of the application, for the server's operator. */
  readonly agent?: string;
  /**
   * In order of preference. Default: `websocket()` only. What chooses between several comes with
   * those of `/fallbacks`.
   */
  readonly transports?: readonly Transport[];
  /** Default JSON; `msgpack()` is in `@anywire/client/msgpack`. Fallbacks always use JSON. */
  readonly codec?: Codec;
  /** How long to wait between tries. */
  readonly backoff?: BackoffOptions;
  /** Bounds of what waits for a connection or an answer. */
  readonly queue?: OutboxOptions;
  /** Longest try, token and handshake included, ms. Default 10 000. */
  readonly connectTimeout?: number;
  /**
   * After so many ms without a sign of life the next transport has its turn. Default 1100; four
   * times as much where a transport has worked before.
   */
  readonly failover?: number;
  /** First wait before a better transport is tried again, ms; doubles. Default 10 000. */
  readonly upgradeAfter?: number;
  /** Where the working transport is remembered. Default: the tab, when there are fallbacks. */
  readonly memory?: TransportMemory | false;
  /** How long a subscription outlives its last listener, ms. Default 250. */
  readonly linger?: number;
  /** Most members of a channel's presence that are kept. Default 10 000. */
  readonly membersMax?: number;
  /** What the device says of its network. Default: the browser's events; nothing elsewhere. */
  readonly network?: NetworkAdapter;
  /** Time, for tests. Default: the platform's. */
  readonly clock?: Clock;
  /** For platforms without one of their own, such as Node.js before 22. */
  readonly WebSocket?: WebSocketConstructor;
  /** For the fallbacks. Default: the platform's. */
  readonly fetch?: typeof fetch;
}
