import type { Clock, CloseInfo, Data, Sendable, WebSocketConstructor } from '../types';
import type { makeLadder } from './ladder';

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

/** A message that has no `id` yet. */
export interface Command {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** One encoded message. */
export type Piece = string | Uint8Array<ArrayBuffer>;

/** How messages are spelled on the wire. */
export interface Codec {
  /** The WebSocket subprotocol that stands for it. */
  readonly protocol: string;
  /** Throws for what cannot be encoded. */
  encode(message: WireMessage): Piece;
  /** Puts messages, at least one, into one frame. */
  join(pieces: readonly Piece[]): Sendable;
  /** Throws for what is no frame. */
  decode(frame: Data): readonly WireMessage[];
  /**
   * The same pieces for a wire that speaks `other`. What that cannot say is left out and answered in
   * the server's place. Needed where some transport does not speak this codec.
   */
  translate?(
    pieces: readonly Piece[],
    other: Codec,
    answer: (reply: WireMessage) => void,
  ): readonly Piece[];
}

/** What a transport is given to open a wire. */
export interface TransportSetup {
  /** Absolute, ws: or wss:. */
  readonly url: string;
  /** The client's. */
  readonly codec: Codec;
  /** For transports that speak nothing else. */
  readonly json: Codec;
  /** For timers. */
  readonly clock: Clock;
  /** As in `ClientOptions`. */
  readonly WebSocket: WebSocketConstructor | undefined;
  /** As in `ClientOptions`. */
  readonly fetch: typeof fetch | undefined;
}

/** What a wire tells. Nothing after `lost`. */
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
  /** What it speaks; not always the client's own. */
  readonly codec: Codec;
  /** Takes messages, at least one, all of which fit into one frame. */
  send(pieces: readonly Piece[]): void;
  /** Silences it at once; resolves when the goodbye is over. */
  end(code?: number, reason?: string): Promise<void>;
}

/** A way to reach the server. */
export interface Transport {
  /** `websocket`, `sse`, `poll`; shown in `snapshot.transport`. */
  readonly name: string;
  /** Chooses between transports. Whatever may stand behind a first choice brings it along. */
  readonly ladder?: typeof makeLadder;
  /** Throws when there is no such thing here. */
  open(setup: TransportSetup, events: WireEvents): Wire;
}
