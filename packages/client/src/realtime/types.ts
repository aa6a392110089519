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

/** A message as it is given to listeners. */
export interface Message<T = unknown> {
  readonly channel: string;
  /** Absent only in pattern subscriptions, where the server does not tell it. */
  readonly epoch: string | undefined;
  readonly offset: number;
  /** When the server took it, Unix milliseconds. */
  readonly time: number;
  /** A JSON value, a string or a Uint8Array, as `kind` says. */
  readonly data: T;
  readonly kind: 'json' | 'text' | 'binary';
  readonly event?: string;
  readonly id?: string;
  /** The session that published it. */
  readonly client?: string;
  readonly user?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

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
  readonly recoverable: boolean;
  /** Absent when it began anew; false: a `gap` follows. */
  readonly recovered: boolean | undefined;
}

export interface ChannelEvents {
  subscribed: (info: Subscribed) => void;
  gap: (gap: Gap) => void;
  /** The server refused or ended the subscription; it is asked for again on the next connection. */
  error: (error: AnywireError) => void;
}

export interface ChannelOptions {
  /** Begin with so many of the last messages. */
  readonly rewind?: number;
  /** `false`: what this client publishes itself is not delivered to it. */
  readonly own?: boolean;
  /** For each tag named, the values wanted; others are left out by the server. */
  readonly filter?: Readonly<Record<string, readonly string[]>>;
}

export interface SubscribeOptions {
  /** Begin behind this position, e.g. the newest message of a page of history. */
  readonly since?: Position;
}

export interface PublishOptions {
  readonly event?: string;
  readonly messageId?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly conflationKey?: string;
  /** Made by the client unless given; the same key is never published twice. */
  readonly idempotencyKey?: string;
  /** Give up after so many ms, waiting for a connection included. Default 120 000. */
  readonly timeout?: number;
  /** Gives up; the message may have been published nevertheless. */
  readonly signal?: AbortSignal;
}

export interface Published extends Position {
  /** This key had been used before; the position is that of the first time. */
  readonly duplicate: boolean;
}

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

export interface HistoryPage<T = unknown> {
  readonly messages: readonly Message<T>[];
  readonly epoch: string;
  /** The last offset there is. */
  readonly top: number;
  /** The first offset that history still has. */
  readonly oldest: number;
  readonly more: boolean;
  /** The page behind this one; undefined when there is none. */
  next(): Promise<HistoryPage<T> | undefined>;
}

/** Awaited it is the first page; iterated, all messages page by page. Asks only when used. */
export interface History<T = unknown>
  extends PromiseLike<HistoryPage<T>>,
    AsyncIterable<Message<T>> {}

export interface Member<I = unknown> {
  readonly client: string;
  readonly user?: string;
  readonly info?: I;
}

export interface PresenceEvents<I = unknown> {
  join: (member: Member<I>) => void;
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

export interface ClientSnapshot {
  readonly state: State;
  /** Tries in a row that failed; 0 while open. */
  readonly attempt: number;
  /** When the next try is due, in the clock's milliseconds. */
  readonly retryAt: number | undefined;
  /** The last thing that went wrong; cleared by the next open connection. */
  readonly error: AnywireError | undefined;
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

export interface ClientEvents {
  /** After every change of the snapshot. */
  state: (now: ClientSnapshot, before: ClientSnapshot) => void;
  /** Errors that no promise carries: a subscription refused, a token that could not be renewed. */
  error: (error: AnywireError) => void;
}

export interface TokenRequest {
  /** `denied`: the server did not accept the last one, so the same would not do. */
  readonly reason: 'connect' | 'refresh' | 'denied';
  /** Aborted when the answer is no longer wanted. */
  readonly signal: AbortSignal;
}

/** A token, or null: nobody is signed in, so there is no use in trying. */
export type TokenAnswer = string | { readonly token: string } | null;

export interface OutboxOptions {
  /** Most commands that wait for a connection or an answer. Default 256. */
  readonly max?: number;
  /** Most bytes of them. Default 1 MiB. */
  readonly bytes?: number;
  /** When full: refuse the new one, or give up the oldest. Either way a promise rejects. */
  readonly overflow?: 'reject' | 'drop-oldest';
}

export interface TransportMemory {
  get(): string | null | undefined;
  set(name: string): void;
}

export interface ClientOptions {
  /** The server's address with path, such as `/anywire`; a function is asked before every try. */
  readonly url: string | URL | (() => Awaitable<string | URL>);
  readonly token?: string | ((request: TokenRequest) => Awaitable<TokenAnswer>);
  /** Name and version of the application, for the server's operator. */
  readonly agent?: string;
  /** In order of preference. Default: `websocket()` only. */
  readonly transports?: readonly Transport[];
  /** Default JSON; `msgpack()` is in `@anywire/client/msgpack`. Fallbacks always use JSON. */
  readonly codec?: Codec;
  readonly backoff?: BackoffOptions;
  readonly queue?: OutboxOptions;
  /** Longest try, token and handshake included, ms. Default 10 000. */
  readonly connectTimeout?: number;
  /** After so many ms without an answer the next transport has its turn. Default 2000. */
  readonly failover?: number;
  /** First wait before a better transport is tried again, ms; doubles. Default 10 000. */
  readonly upgradeAfter?: number;
  /** Where the working transport is remembered. Default: the tab's session storage. */
  readonly memory?: TransportMemory | false;
  /** How long a subscription outlives its last listener, ms. Default 250. */
  readonly linger?: number;
  /** Most members of a channel's presence that are kept. Default 10 000. */
  readonly membersMax?: number;
  readonly network?: NetworkAdapter;
  readonly clock?: Clock;
  readonly WebSocket?: WebSocketConstructor;
  readonly fetch?: typeof fetch;
}
