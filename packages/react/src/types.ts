import type {
  BackoffOptions,
  CloseInfo,
  Data,
  Drop,
  HeartbeatOptions,
  QueueOptions,
  SocketError,
  SocketOptions,
  State,
} from '@anywire/client';
import type { StandardSchema as Schema, SchemaIssue } from '@anywire/client/contract';

/** A message that came but could not be used, or one that could not be turned into a frame. */
export interface MessageDrop {
  readonly reason: 'parse' | 'schema' | 'unserializable' | 'held';
  readonly count: number;
  /** The message as it came or as it was handed to `send`. */
  readonly data?: unknown;
  readonly issues?: readonly SchemaIssue[];
  readonly cause?: unknown;
}

/** A message was refused by the schema, or by `parse`. The connection is unaffected. */
export interface MessageError {
  readonly code: 'schema' | 'parse';
  readonly message: string;
  readonly issues?: readonly SchemaIssue[];
  readonly cause?: unknown;
}

/** Messages sent by others between these times (ms since 1970) may have been missed. */
export interface Gap {
  readonly since: number;
  readonly until: number;
}

/** What `useWebSocket` takes. */
export interface WsOptions<T = unknown, U = T> {
  /**
   * Any Standard Schema. A message it refuses is reported by `error` and `onDrop`, not
   * delivered.
   */
  readonly schema?: Schema<unknown, T>;
  /**
   * Turns a frame into a message. Default: JSON where the text is JSON, else the text; binary as
   * it is.
   */
  readonly parse?: (data: Data) => unknown;
  /**
   * What of a message goes into `messages`; undefined leaves it out. `onMessage` sees all the
   * same.
   */
  readonly select?: (message: T) => U | undefined;
  /** Most items in `messages`; older ones make room. Default 1000. */
  readonly limit?: number;
  /**
   * Sees every message, in order, even those the list had no room for. The newest function is
   * called.
   */
  readonly onMessage?: (message: T, data: Data) => void;
  /** A message was lost, and why. On a shared connection every hook is told. */
  readonly onDrop?: (drop: Drop | MessageDrop) => void;
  /** Open again after a break in which messages may have been missed; the place to fetch them. */
  readonly onGap?: (gap: Gap) => void;
  /** One connection for all hooks with the same URL, protocols and token. Default true. */
  readonly share?: boolean;
  /** How long the connection outlives its last user, ms; bridges remounts. Default 250. */
  readonly linger?: number;
  /** Bounds of what waits for a link; false: nothing waits. */
  readonly queue?: false | QueueOptions;
  /** Finds dead links. `true` with an Anywire server, `{ probe }` with another. */
  readonly heartbeat?: boolean | HeartbeatOptions;
  /** How long to wait between tries. */
  readonly backoff?: BackoffOptions;
  /** Sent as a subprotocol, never in the URL. */
  readonly token?: SocketOptions['token'];
  /** Subprotocols to offer. */
  readonly protocols?: string | readonly string[];
  /** Close codes after which there are no more tries. Default 1008 and 4000 to 4999. */
  readonly fatal?: SocketOptions['fatal'];
}

/** How a connection is, and the newest messages. */
export interface WsSnapshot<U> {
  /** Messages flow. */
  readonly connected: boolean;
  /** The newest messages, oldest first; a new array at most once a frame. */
  readonly messages: readonly U[];
  /** See `State`. */
  readonly state: State;
  /** What went wrong last; cleared by the next open link, and by `clear`. */
  readonly error: SocketError | MessageError | undefined;
  /** Tries in a row that failed; 0 while connected. */
  readonly attempt: number;
  /** When the next try is due, as `Date.now()` counts; undefined when none is planned. */
  readonly retryAt: number | undefined;
  /** How the last link ended. */
  readonly lastClose: CloseInfo | undefined;
  /** Messages lost on this connection, either way; `onDrop` says which. */
  readonly dropped: number;
}

/** What one can do with a `useWebSocket`. */
export interface WsActions {
  /**
   * Sends text and binary as they are and anything else as JSON. True: on its way, or queued until
   * the link is open. False: refused; keep what the user typed.
   */
  readonly send: (data: unknown) => boolean;
  /** Opens a new link now. On a shared connection this concerns all its hooks; so does `close`. */
  readonly reconnect: () => void;
  /** Ends the connection for all its hooks, until `reconnect`. */
  readonly close: () => void;
  /** Empties `messages` and forgets a message error. */
  readonly clear: () => void;
}

/** What `useWebSocket` returns. */
export type WsResult<U> = WsSnapshot<U> & WsActions;
