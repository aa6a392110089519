/**
 * The vocabulary of the socket: its states, what it reports and what may be configured.
 * Nothing here runs; every other file depends on these names and on nothing of each other's
 * insides.
 */

export type Awaitable<T> = T | PromiseLike<T>;
/** Ends what it was returned from. Harmless when called again. */
export type Unsubscribe = () => void;

/** What arrives. Text stays a string; binary is always an ArrayBuffer, never a Blob. */
export type Data = string | ArrayBuffer;
/** What may be sent. */
export type Sendable = string | ArrayBuffer | ArrayBufferView<ArrayBuffer>;

/**
 * Where a socket stands.
 *
 * - `idle`        made, `connect()` not called yet
 * - `connecting`  a URL or token is being fetched, or a handshake is under way
 * - `open`        messages flow
 * - `waiting`     the link is down and the next try is scheduled
 * - `offline`     the link is down or in doubt and the device says that it has no network
 * - `closed`      `close()` was called; nothing happens until `connect()` or `reconnect()`
 * - `failed`      trying again cannot help (bad URL, fatal close code); `error` says why
 */
export type State = 'idle' | 'connecting' | 'open' | 'waiting' | 'offline' | 'closed' | 'failed';

/** How a link ended. `code` is 1006 when the peer vanished, `reason` is the peer's own text. */
export interface CloseInfo {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  /** Who ended it: the server, we on request, or we because the link had gone silent. */
  readonly by: 'peer' | 'local' | 'heartbeat' | 'timeout' | 'network';
}

/** Everything a person may want to see, frozen; the same object until something changes. */
export interface Snapshot {
  readonly state: State;
  /** Tries in a row that did not lead to an open link; 0 while open. */
  readonly attempt: number;
  /** When the next try is due, in the clock's milliseconds; absent when none is scheduled. */
  readonly retryAt: number | undefined;
  /** The last thing that went wrong; cleared by the next open link. */
  readonly error: SocketError | undefined;
  readonly lastClose: CloseInfo | undefined;
  /** Outgoing messages that were given up so far. */
  readonly dropped: number;
  /**
   * How many links were opened so far; above 1 means that messages may have been missed between.
   */
  readonly opens: number;
}

/** What went wrong with a socket. */
export type ErrorCode =
  /** The URL (or what the URL function returned) cannot be used. */
  | 'bad-url'
  /** The platform refused to open it: a blocked port, or ws: on an https: page. */
  | 'blocked'
  /** There is no WebSocket here and none was passed in. */
  | 'unsupported'
  /** The URL function threw or rejected. */
  | 'url'
  /** The token function threw or rejected, or the token has characters that no header may hold. */
  | 'token'
  /** No handshake within `connectTimeout`. */
  | 'timeout'
  /** The link could not be opened, or broke; the platform does not say why. */
  | 'network'
  /** Nothing arrived within the heartbeat's timeout. */
  | 'heartbeat'
  /** The server closed with a code that forbids another try. */
  | 'fatal-close'
  /** `retries` tries in a row failed. */
  | 'retries';

/** What went wrong with a socket, as a value. */
export interface SocketError {
  /** Stable; compare this. */
  readonly code: ErrorCode;
  /** For people. */
  readonly message: string;
  /** What was thrown, where something was. */
  readonly cause?: unknown;
}

/** Why a message was not sent. */
export type DropReason =
  /** The queue is full and `overflow` is `reject`. */
  | 'overflow'
  /** The queue was full and newer messages pushed this one out. */
  | 'oldest'
  /** It waited longer than the queue's `ttl`. */
  | 'expired'
  /** It alone is larger than the queue may be. */
  | 'too-large'
  /** There is no queue and no open link. */
  | 'not-open'
  /** Empty text on `anywire.raw.v1`, where it is the heartbeat and would not be published. */
  | 'empty'
  /** The socket was closed or failed for good. */
  | 'closed'
  /** The link broke while the browser still held it; part of it may have been sent. */
  | 'unsent';

/** One or more outgoing messages were given up. Reported once for each loss, never silently. */
export interface Drop {
  readonly reason: DropReason;
  readonly count: number;
  /** Payload bytes lost; text counted as UTF-8. */
  readonly bytes: number;
  /** The message, where one still has it. */
  readonly data?: Sendable;
}

/**
 * What became of a `send()`. `sent` means handed to the browser; only an answer proves delivery.
 */
export type SendResult =
  | { readonly ok: true; readonly status: 'sent' | 'queued' }
  | { readonly ok: false; readonly status: 'refused'; readonly reason: DropReason };

/** What a socket tells. */
export interface SocketEvents {
  /** After every change of the snapshot, the first argument being the new one. */
  state: (now: Snapshot, before: Snapshot) => void;
  /** Every message, in order, in the turn it arrived; heartbeat answers are not shown. */
  message: (data: Data) => void;
  /** A link opened. `opens` is 1 for the first one. */
  open: (info: { readonly protocol: string; readonly opens: number }) => void;
  /** A link that had been open ended, whoever ended it. */
  close: (info: CloseInfo) => void;
  /** A message was lost, and why. */
  drop: (drop: Drop) => void;
}

/** How long to wait between tries: doubled each time, and spread by chance. */
export interface BackoffOptions {
  /** Largest first delay, ms. Default 250. */
  readonly min?: number;
  /** Largest delay ever, ms. Default 20 000. */
  readonly max?: number;
  /** Growth of the largest delay. Default 2. */
  readonly factor?: number;
  /**
   * `full` spreads each delay evenly over 0..largest, so a crowd does not come back as one.
   * Default `full`.
   */
  readonly jitter?: 'full' | 'none';
  /** A link that lived this long resets the count, ms. Default 5000. */
  readonly stableAfter?: number;
}

/** How a link that died in silence is found out. */
export interface HeartbeatOptions {
  /** Ask when nothing arrived for this long, ms. Default 20 000. */
  readonly interval?: number;
  /** Give up when nothing arrives for this long after asking, ms. Default 8000. */
  readonly timeout?: number;
  /** The shorter wait used after waking up or on a change of network, ms. Default 2500. */
  readonly probeTimeout?: number;
  /**
   * What to send as the question, for a server that answers something to it. Without it the
   * Anywire heartbeat is used: the subprotocol `anywire.raw.v1` is asked for and empty text
   * frames go to and fro, seen by nobody else.
   */
  readonly probe?: Sendable | (() => Sendable);
  /** Which messages are answers to `probe`; those are not delivered. Default: none are hidden. */
  readonly isAnswer?: (data: Data) => boolean;
}

/** Bounds of what waits for a link. */
export interface QueueOptions {
  /** Most messages held. Default 256. */
  readonly max?: number;
  /** Most payload bytes held. Default 1 MiB. */
  readonly bytes?: number;
  /** Longest wait of a message, ms. Default 300 000. */
  readonly ttl?: number;
  /**
   * What to do when it is full: refuse the new message, or give up the oldest. Default `reject`.
   */
  readonly overflow?: 'reject' | 'drop-oldest';
}

/** Why a token is wanted. */
export interface TokenContext {
  /** `retry`: after a connection that failed or ended. */
  readonly reason: 'connect' | 'retry';
  /** Aborted when the answer is no longer wanted. */
  readonly signal: AbortSignal;
}

/** What `createSocket` takes. Only `url` is needed. */
export interface SocketOptions {
  /**
   * Where to connect. A relative URL means this page's host; http(s) becomes ws(s). A function is
   * asked again before every try, so it may hand out one-time tickets.
   */
  readonly url: string | URL | (() => Awaitable<string | URL>);
  /** Subprotocols to offer. */
  readonly protocols?: string | readonly string[];
  /**
   * A short-lived token, sent as the subprotocol `anywire.bearer.TOKEN` so that it stays out of
   * URLs and logs. A function is asked before every try.
   */
  readonly token?: string | ((context: TokenContext) => Awaitable<string>);
  /** How long to wait between tries. */
  readonly backoff?: BackoffOptions;
  /**
   * `true` or options without `probe` ask the server for `anywire.raw.v1`, which Anywire grants and
   * whose heartbeat nobody else sees. A server that does not know it fails the handshake in
   * browsers, so unless told otherwise nothing is asked for. Whenever that protocol was selected
   * the heartbeat is on, unless this is `false`.
   */
  readonly heartbeat?: boolean | HeartbeatOptions;
  /** What happens to messages sent while no link is open. `false`: they are refused. */
  readonly queue?: false | QueueOptions;
  /** Close codes that end it all: a list, or a predicate. Default: 1008 and 4000-4999. */
  readonly fatal?: readonly number[] | ((close: CloseInfo) => boolean);
  /** Tries in a row before giving up. Default: no limit. */
  readonly retries?: number;
  /** Longest handshake, ms. Default 10 000. */
  readonly connectTimeout?: number;
  /** Once the browser holds this many unsent bytes, messages wait in the queue. Default 4 MiB. */
  readonly bufferedMax?: number;
  /** What the device says of its network. Default: the browser's events. */
  readonly network?: NetworkAdapter;
  /** Time, for tests. */
  readonly clock?: Clock;
  /** For platforms without one of their own. */
  readonly WebSocket?: WebSocketConstructor;
}

/** Time and chance, injectable so that tests need neither. */
export interface Clock {
  /** Milliseconds since any beginning; never goes back. */
  now(): number;
  /** Calls `run` once, after `ms` milliseconds. Returns what `clearTimeout` takes. */
  setTimeout(run: () => void, ms: number): unknown;
  /** Calls a timer off; harmless for one that has run, and for undefined. */
  clearTimeout(id: unknown): void;
  /** At least 0, below 1. */
  random(): number;
}

/**
 * - `online`, `offline`  the device gained or lost its network
 * - `wake`     the page was shown, focused or thawed: timers may have slept, the link may be dead
 * - `suspend`  the page is going away, perhaps into the back/forward cache
 * - `resume`   it came back from there
 */
export type NetworkEvent = 'online' | 'offline' | 'wake' | 'suspend' | 'resume';

/** What the device knows about its network and the page. React Native and tests bring their own. */
export interface NetworkAdapter {
  readonly online: boolean;
  /** Tells of events until what it returns is called. */
  subscribe(listener: (event: NetworkEvent) => void): Unsubscribe;
}

/** The part of the WebSocket interface that is used; the browser's and npm `ws`'s both fit. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly protocol: string;
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  /** Takes a frame: a string or bytes. */
  send(data: never): void;
  /** Begins the closing handshake; throws for a code that a page may not send. */
  close(code?: number, reason?: string): void;
}
/** A `WebSocket` class. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike;
