import { attach } from '../link';
import type { WebSocketConstructor } from '../types';
import { AnywireError } from './error';
import type { Transport } from './wire';

/** In the WebSocket interface: the value of `readyState` while messages flow (RFC 6455 4.1). */
const OPEN = 1;

/** The first choice: one WebSocket, frames of whichever codec the client has. */
export function websocket(): Transport {
  return {
    name: 'websocket',
    open({ url, codec, clock, WebSocket: given }, { opened, messages, lost }) {
      const WebSocket = given ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
      if (!WebSocket) throw new AnywireError('unsupported', 'no WebSocket here');
      const ws = new WebSocket(url, [codec.protocol]);
      const wrong = (reason: string) => {
        void end(1000);
        lost({ code: 1002, reason, wasClean: false, by: 'local' });
      };
      const end = attach(ws, clock, {
        opened() {
          if (ws.protocol === codec.protocol) opened();
          else wrong(`no ${codec.protocol}`);
        },
        message(frame) {
          let batch: ReturnType<typeof codec.decode>;
          try {
            batch = codec.decode(frame);
          } catch (error) {
            wrong(String(error));
            return;
          }
          messages(batch);
        },
        lost,
      });
      return {
        codec,
        end,
        send(pieces) {
          const frame = codec.join(pieces);
          // A socket that the peer is closing takes nothing; its end is about to be reported.
          if (ws.readyState === OPEN) ws.send(frame as never);
        },
      };
    },
  };
}
