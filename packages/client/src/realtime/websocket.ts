import { Link } from '../link';
import { byteLength } from '../queue';
import type { CloseInfo, WebSocketConstructor } from '../types';
import { AnywireError } from './error';
import type { Transport, Wire, WireMessage } from './wire';

/** The first choice: one WebSocket, frames of whichever codec the client has. */
export function websocket(): Transport {
  return {
    name: 'websocket',
    open({ url, codec, clock, WebSocket: given }, events) {
      const WebSocket = given ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
      if (!WebSocket) {
        throw new AnywireError('unsupported', 'There is no WebSocket here; pass one as an option');
      }
      const wrong = (reason: string) => {
        void link.end(1000);
        events.lost({ code: 1002, reason, wasClean: false, by: 'local' } satisfies CloseInfo);
      };
      const link: Link = new Link(new WebSocket(url, [codec.protocol]), clock, {
        opened() {
          if (link.protocol === codec.protocol) events.opened();
          else wrong(`the server does not speak ${codec.protocol}`);
        },
        message(frame) {
          let batch: readonly WireMessage[];
          try {
            batch = codec.decode(frame);
          } catch (error) {
            return wrong(`a frame could not be read: ${error}`);
          }
          events.messages(batch);
        },
        lost: (close) => events.lost(close),
      });
      return {
        codec,
        send(pieces) {
          const frame = codec.join(pieces);
          // A socket that the peer is closing takes nothing; its end is about to be reported.
          if (link.writable) link.send(frame, byteLength(frame));
        },
        end: (code, reason) => link.end(code, reason),
      } satisfies Wire;
    },
  };
}
