import type { CloseInfo } from '../types';
import type { Call, Calls } from './calls';
import type { Command, Piece, Transport, TransportSetup, WireMessage } from './wire';

/** Whose line it is. Called in the turn of the event. */
export interface LineHost {
  /**
   * Finds out first if frames come through at all, since the greeting may end another line that
   * works.
   */
  readonly wary?: boolean;
  /** The handshake is over. */
  opened?(): void;
  /** The `connect` to begin with. */
  greet(): Command;
  /** What goes along in the same frame. */
  hello(): readonly Call[];
  /** The server answered; `left` did not fit beside the greeting. */
  up(connected: WireMessage, left: readonly Call[]): void;
  message(message: WireMessage): void;
  /** Something came in over a line that is up. */
  heard(): void;
  /** It ended, at whatever stage, and not by `end`. */
  lost(close: CloseInfo): void;
  /** Sees what goes in and out. */
  tap?(direction: 'in' | 'out', frame: readonly (WireMessage | Piece)[]): void;
}

/** One connection that a client has. */
export interface Line {
  send(calls: readonly Call[]): void;
  /** Silences it at once; resolves when the goodbye is over. */
  end(code?: number, reason?: string): Promise<void>;
}

/**
 * Opens one connection, which lives from its handshake over the greeting to its end. A client
 * replaces its line rather than mending it, and one that was told to `end` says nothing any more.
 * Throws when there is no such transport here.
 *
 * Until the answer to the greeting has come only one frame is sent: to the server a second one is
 * the sign that the new session secret has arrived, and voids the old one.
 */
export function openLine(
  transport: Transport,
  setup: TransportSetup,
  calls: Calls,
  host: LineHost,
): Line {
  /** The command whose answer is waited for: before the line is up, nothing else counts. */
  let asked: Call | undefined;
  let up = false;
  let over = false;
  const send = (pieces: readonly Piece[]) => {
    host.tap?.('out', pieces);
    const { codec } = setup;
    if (wire.codec === codec || !codec.translate) wire.send(pieces);
    else wire.send(codec.translate(pieces, wire.codec, (reply) => host.message(reply)));
  };
  const lost = (close: CloseInfo) => {
    if (!over) {
      over = true;
      host.lost(close);
    }
  };
  const ask = (message: Command, along: readonly Call[], done: Call['done']) => {
    asked = calls.make(message, done);
    return calls.transmit(send, along, asked.piece);
  };
  const greet = () => {
    let left: readonly Call[] = [];
    left = ask(host.greet(), host.hello(), (reply) => {
      const { type, code, message, retry } = reply;
      if (type === 'connected') {
        up = true;
        host.up(reply, left);
        return;
      }
      void wire.end(1000);
      const reason = `${code}: ${message}`;
      lost({ code: retry ? 4500 : 4400, reason, wasClean: true, by: 'peer' });
    });
  };
  const wire = transport.open(setup, {
    opened() {
      if (over) return;
      host.opened?.();
      // Any answer will do; that of a server which waits for `connect` is `not_connected`.
      if (host.wary) ask({ type: 'ping' }, [], greet);
      else greet();
    },
    messages(batch) {
      if (over) return;
      host.tap?.('in', batch);
      if (up) host.heard();
      for (const message of batch) {
        if (over) return;
        try {
          if (up) host.message(message);
          else if (message.id === asked?.id) asked?.done(message);
        } catch (cause) {
          // A member of a type that nobody expects. It is told, and harms no other message.
          host.message({ type: 'error', message: `${cause}` });
        }
      }
    },
    lost,
  });
  return {
    send: (along) => void calls.transmit(send, along),
    end(code, reason) {
      if (over) return Promise.resolve();
      over = true;
      return wire.end(code, reason);
    },
  };
}
