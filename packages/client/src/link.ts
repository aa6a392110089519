import type { Clock, CloseInfo, Data, WebSocketLike } from './types';

/** In the WebSocket interface: the value of `readyState` after the end. */
const CLOSED = 3;
const farewellMs = 2000;

export interface LinkEvents {
  opened(): unknown;
  message(data: Data): unknown;
  /** Comes once, whether or not `opened` came before, and is the last event. */
  lost(close: CloseInfo): unknown;
}

/** Silences a link at once and closes it; resolves when the goodbye is over, or after 2 s. */
export type EndLink = (code?: number, reason?: string) => Promise<void>;

/**
 * Listens to one WebSocket from birth to death; returns how to end it. A client replaces its link
 * rather than mending it, and a link that was told to end never speaks again; so a late event of an
 * old connection cannot disturb a new one. Lifetime: `events` is called until `lost` or the end,
 * whichever is first.
 */
export function attach(ws: WebSocketLike, clock: Clock, events: LinkEvents): EndLink {
  let opened = false;
  const mute = () => {
    ws.onopen = null;
    ws.onmessage = null;
    ws.onclose = null;
    // Somebody has to listen: npm ws throws an error event otherwise.
    ws.onerror = () => {};
  };
  const lost = ({ code = 1006, reason = '', wasClean = false }: Partial<CloseInfo>) => {
    mute();
    events.lost({ code, reason, wasClean, by: 'peer' });
  };
  ws.binaryType = 'arraybuffer';
  ws.onopen = () => {
    opened = true;
    events.opened();
  };
  ws.onmessage = (event: { data: Data }) => events.message(event.data);
  // It says nothing that the close event behind it would not say. Behind the one of a socket that
  // the page's Content Security Policy blocked, though, Chromium sends none.
  ws.onerror = () => {
    if (!opened && ws.readyState === CLOSED) lost({});
  };
  ws.onclose = lost;
  return (code, reason) => {
    mute();
    return new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, farewellMs);
      ws.onclose = () => {
        clock.clearTimeout(timer);
        resolve();
      };
      try {
        ws.close(code, reason);
      } catch {
        // A code or reason that the platform refuses; saying goodbye without one is still right.
        ws.close();
      }
    });
  };
}
