import { byteLength } from '../queue';
import type { Clock } from '../types';
import type { Codec, Command, Piece, WireMessage } from './wire';

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
  readonly patient: boolean | undefined;
  timer?: unknown;
}

/** The commands that are under way on a connection, and how they are packed into frames. */
export class Calls {
  /** Largest frame that the server takes. */
  frameBytesMax: number = 1 << 20;
  readonly #codec: Codec;
  readonly #clock: Clock;
  readonly #stuck: () => void;
  readonly #waiting = new Map<unknown, Call>();
  #nextId = 1;

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
  make(message: Command, done: Call['done'] = () => {}, patient?: boolean): Call {
    const id = this.#nextId++;
    return { id, piece: this.#codec.encode({ ...message, id }), done, patient };
  }

  /**
   * Packs calls into as few frames as may be. With a message to come `first` it is one frame only;
   * what did not fit into it is returned.
   */
  transmit(
    send: (pieces: readonly Piece[]) => void,
    calls: readonly Call[],
    first?: Piece,
  ): readonly Call[] {
    let pieces = first === undefined ? [] : [first];
    let bytes = frameBytesOwn;
    let at = 0;
    for (const call of calls) {
      const size = byteLength(call.piece) + 1;
      bytes += size;
      if (pieces.length === frameMessagesMax || (pieces.length > 0 && bytes > this.frameBytesMax)) {
        if (first !== undefined) break;
        send(pieces);
        pieces = [];
        bytes = frameBytesOwn + size;
      }
      pieces.push(call.piece);
      this.#waiting.set(call.id, call);
      if (!call.patient) call.timer = this.#clock.setTimeout(this.#stuck, answerMs);
      at++;
    }
    if (pieces.length > 0) send(pieces);
    return calls.slice(at);
  }

  answer(reply: WireMessage): void {
    const call = this.#waiting.get(reply.id);
    if (!call) return;
    this.#waiting.delete(call.id);
    this.#clock.clearTimeout(call.timer);
    call.done(reply);
  }

  /** The link broke: nothing is answered any more. */
  lost(): void {
    for (const id of [...this.#waiting.keys()] as number[]) {
      this.answer({ type: 'error', id, code: 'connection_lost', retry: true });
    }
  }
}
