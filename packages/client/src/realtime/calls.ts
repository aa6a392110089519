import { byteLength } from '../queue';
import type { Clock } from '../types';
import type { Codec, Piece, Wire, WireMessage } from './wire';

/** A server that leaves a command without an answer so long has lost it, though it still talks. */
const answerMs = 20_000;
/** Messages in one frame, well below the server's default of 128. */
const frameMessagesMax = 64;
/** What a frame of several messages has besides them. */
const frameBytesOwn = 64;

/**
 * A command and who waits for its answer. When the link breaks first the answer is an `error` with
 * the code `connection_lost`.
 */
export interface Call {
  readonly id: number;
  readonly piece: Piece;
  readonly done: (reply: WireMessage) => void;
  /** Its answer may take any time, and whoever waits has a limit of his own. */
  readonly patient: boolean;
}

/** The commands that are under way on a connection, and how they are packed into frames. */
export class Calls {
  /** Largest frame that the server takes. */
  frameBytesMax: number = 1 << 20;
  readonly #codec: Codec;
  readonly #clock: Clock;
  readonly #stuck: () => void;
  readonly #waiting = new Map<number, { readonly call: Call; readonly since: number }>();
  #nextId = 1;
  #timer: unknown;

  /** `stuck` is called when an answer is overdue. */
  constructor(codec: Codec, clock: Clock, stuck: () => void) {
    this.#codec = codec;
    this.#clock = clock;
    this.#stuck = stuck;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Encodes at once, so what the caller changes afterwards is not sent. Throws if it cannot. */
  make(message: { readonly type: string }, done: Call['done'], patient: boolean): Call {
    const id = this.#nextId++;
    return { id, piece: this.#codec.encode({ ...message, id }), done, patient };
  }

  /** Packs calls, and one message before them, into as few frames as may be. */
  transmit(wire: Wire, calls: readonly Call[], first?: Piece): void {
    const all: Piece[] = first ? [this.#spell(first, wire.codec)] : [];
    const refused: (() => void)[] = [];
    const since = this.#clock.now();
    for (const call of calls) {
      try {
        all.push(this.#spell(call.piece, wire.codec));
        this.#waiting.set(call.id, { call, since });
      } catch (error) {
        // MessagePack has values that JSON has not.
        const message = `Not in JSON: ${error}`;
        refused.push(() => call.done({ type: 'error', code: 'bad_data', message }));
      }
    }
    if (this.#timer === undefined) this.#watch();
    let pieces: Piece[] = [];
    let bytes = frameBytesOwn;
    for (const piece of all) {
      const size = byteLength(piece) + 1;
      if (pieces.length === frameMessagesMax || bytes + size > this.frameBytesMax) {
        if (pieces.length > 0) wire.send(pieces);
        pieces = [];
        bytes = frameBytesOwn;
      }
      pieces.push(piece);
      bytes += size;
    }
    if (pieces.length > 0) wire.send(pieces);
    for (const refuse of refused) refuse();
  }

  answer(reply: WireMessage): void {
    const id = reply.id as number;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#stop();
    waiting?.call.done(reply);
  }

  /** The link broke: nothing is answered any more. */
  lost(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#stop();
    const message = 'The link broke before the answer came';
    for (const { call } of waiting) {
      call.done({ type: 'error', code: 'connection_lost', message, retry: true });
    }
  }

  /** As the wire's codec spells it; a fallback may speak another than the client. */
  #spell(piece: Piece, codec: Codec): Piece {
    if (codec === this.#codec) return piece;
    const data = typeof piece === 'string' ? piece : piece.slice().buffer;
    return codec.encode(this.#codec.decode(data)[0] as WireMessage);
  }

  /** One timer for all, running while there are any. */
  #watch(): void {
    let oldest: number | undefined;
    for (const { call, since } of this.#waiting.values()) {
      if (!call.patient) oldest ??= since;
    }
    this.#timer = undefined;
    if (oldest === undefined) return;
    const wait = oldest + answerMs - this.#clock.now();
    if (wait <= 0) this.#stuck();
    else this.#timer = this.#clock.setTimeout(() => this.#watch(), wait);
  }

  #stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
