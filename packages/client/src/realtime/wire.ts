import type { Clock, CloseInfo, Data, Sendable, WebSocketConstructor } from '../types';

/**
 * The two seams of the client: how messages become bytes, and how bytes travel. Both know nothing
 * of channels or sessions.
 */

/** One message of the protocol. Members are checked where they are used. */
export interface WireMessage {
  readonly type: string;
  readonly id?: number;
  readonly [member: string]: unknown;
}

/** One encoded message. */
export type Piece = string | Uint8Array<ArrayBuffer>;

export interface Codec {
  /** The WebSocket subprotocol that stands for it. */
  readonly protocol: string;
  /** Throws for what cannot be encoded. */
  encode(message: WireMessage): Piece;
  /** Puts messages, at least one, into one frame. */
  join(pieces: readonly Piece[]): Sendable;
  /** Throws for what is no frame. */
  decode(frame: Data): readonly WireMessage[];
}

export interface TransportSetup {
  /** Absolute, ws: or wss:. */
  readonly url: string;
  readonly codec: Codec;
  readonly json: Codec;
  readonly clock: Clock;
  readonly WebSocket: WebSocketConstructor | undefined;
  readonly fetch: typeof fetch | undefined;
}

export interface WireEvents {
  /** Messages may be sent from now on. */
  opened(): void;
  /** Something arrived; an empty list is a sign of life. */
  messages(batch: readonly WireMessage[]): void;
  /** Comes once, whether or not `opened` came before, and is the last event. */
  lost(close: CloseInfo): void;
}

/** One connection. None of its events come before `open` has returned or after `end`. */
export interface Wire {
  readonly codec: Codec;
  /** Takes messages, at least one, all of which fit into one frame. */
  send(pieces: readonly Piece[]): void;
  /** Silences it at once; resolves when the goodbye is over. */
  end(code?: number, reason?: string): Promise<void>;
}

export interface Transport {
  readonly name: string;
  /** Throws when there is no such thing here. */
  open(setup: TransportSetup, events: WireEvents): Wire;
}
