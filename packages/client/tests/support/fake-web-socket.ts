import type { Data, Sendable, WebSocketLike } from '../../src/index';

type Handler<E> = ((event: E) => void) | null;
export interface FakeClose {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/**
 * A WebSocket with the test in the place of the server. It keeps the interface's rules: events only
 * in their states, `close` begins a handshake that the test finishes or lets hang.
 */
export class FakeWebSocket implements WebSocketLike {
  /** Every one made since `reset`, oldest first. */
  static all: FakeWebSocket[] = [];
  /** Thrown by the next constructor calls, as a browser does for a URL that it refuses. */
  static refuse: unknown;

  static reset(): void {
    FakeWebSocket.all = [];
    FakeWebSocket.refuse = undefined;
  }

  static get last(): FakeWebSocket {
    const found = FakeWebSocket.all.at(-1);
    if (!found) throw new Error('no WebSocket was made');
    return found;
  }

  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;

  readonly url: string;
  readonly protocols: readonly string[];
  binaryType = 'blob';
  bufferedAmount = 0;
  protocol = '';
  readyState = 0;
  onopen: Handler<object> = null;
  onmessage: Handler<{ data: Data }> = null;
  onerror: Handler<object> = null;
  onclose: Handler<FakeClose> = null;
  readonly sent: Sendable[] = [];
  /** Whether anybody was listening when it was accepted. */
  announced = false;
  /** The arguments of the first `close()`, once it was called. */
  closedWith: readonly [code?: number, reason?: string] | undefined;

  constructor(url: string, protocols: string[] = []) {
    if (FakeWebSocket.refuse) throw FakeWebSocket.refuse;
    this.url = url;
    this.protocols = protocols;
    FakeWebSocket.all.push(this);
  }

  send(data: Sendable): void {
    if (this.readyState === 0) throw new Error('InvalidStateError');
    this.sent.push(data);
  }

  close(...args: [code?: number, reason?: string]): void {
    const [code] = args;
    if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999)) {
      throw new Error('InvalidAccessError');
    }
    this.closedWith ??= args;
    if (this.readyState < 2) this.readyState = 2;
  }

  // ---- what the server does

  accept(protocol = ''): this {
    this.readyState = 1;
    this.protocol = protocol;
    this.announced = this.onopen !== null;
    this.onopen?.({});
    return this;
  }

  say(data: Data): void {
    this.onmessage?.({ data });
  }

  /** The page's policy does not allow it; Chromium then sends an error event and nothing else. */
  block(): void {
    this.readyState = 3;
    this.onerror?.({});
  }

  /** The connection ends; without arguments as if the cable had been pulled. */
  end(code = 1006, reason = ''): void {
    this.readyState = 3;
    if (code === 1006) this.onerror?.({});
    this.onclose?.({ code, reason, wasClean: code !== 1006 });
  }
}
