import type { Clock, CloseInfo, Data, Sendable, WebSocketLike } from './types';

/**
 * RFC 6455 4.1 by way of the WebSocket interface: the value of `readyState` while messages flow.
 */
const OPEN = 1;
const farewellMs = 2000;

export interface LinkEvents {
  opened(): unknown;
  message(data: Data): unknown;
  /** Comes once, whether or not `opened` came before, and is the last event. */
  lost(close: CloseInfo): unknown;
}

/**
 * One WebSocket from birth to death. A socket replaces its link rather than mending it, and a link
 * that was told to `end` never speaks again; so a late event of an old connection cannot disturb a
 * new one. Lifetime: `events` is called until `lost` or `end`, whichever is first.
 */
export class Link {
  readonly #ws: WebSocketLike;
  readonly #clock: Clock;
  /** Sizes of the messages that the browser may still hold, oldest first, and their sum. */
  #held: number[] = [];
  #heldBytes = 0;
  #opened = false;

  constructor(ws: WebSocketLike, clock: Clock, events: LinkEvents) {
    this.#ws = ws;
    this.#clock = clock;
    ws.binaryType = 'arraybuffer';
    ws.onopen = () => {
      this.#opened = true;
      events.opened();
    };
    ws.onmessage = (event: { data: Data }) => events.message(event.data);
    // A close event always follows and says as much as the error event: nothing.
    ws.onerror = () => {};
    ws.onclose = (event: { code: number; reason: string; wasClean: boolean }) => {
      this.#mute();
      const { code, reason, wasClean } = event;
      events.lost({ code, reason, wasClean, by: 'peer' });
    };
  }

  /**
   * True from the handshake until the end, also when the connection is dead without our knowing.
   */
  get opened(): boolean {
    return this.#opened;
  }

  /** True while a send would go out; false once the peer has begun to close. */
  get writable(): boolean {
    return this.#ws.readyState === OPEN;
  }

  get protocol(): string {
    return this.#ws.protocol;
  }

  get buffered(): number {
    return this.#ws.bufferedAmount;
  }

  send(data: Sendable, bytes: number): void {
    this.#ws.send(data as never);
    this.#held.push(bytes);
    this.#heldBytes += bytes;
    this.#settle();
  }

  /** How many messages, and bytes of them, the browser had not passed on yet. */
  unsent(): { count: number; bytes: number } {
    this.#settle();
    return { count: this.#held.length, bytes: Math.min(this.#heldBytes, this.buffered) };
  }

  /** Silences the link at once and closes it; resolves when the goodbye is over, or after 2 s. */
  end(code?: number, reason?: string): Promise<void> {
    this.#mute();
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(resolve, farewellMs);
      this.#ws.onclose = () => {
        this.#clock.clearTimeout(timer);
        resolve();
      };
      try {
        this.#ws.close(code, reason);
      } catch {
        // A code or reason that the platform refuses; saying goodbye without one is still right.
        this.#ws.close();
      }
    });
  }

  #mute(): void {
    this.#ws.onopen = null;
    this.#ws.onmessage = null;
    this.#ws.onclose = null;
    // onerror stays: npm ws throws an error event that nobody listens to.
  }

  #settle(): void {
    const { buffered } = this;
    let gone = 0;
    for (; gone < this.#held.length; gone++) {
      const rest = this.#heldBytes - (this.#held[gone] as number);
      if (rest < buffered) break;
      this.#heldBytes = rest;
    }
    if (gone > 0) this.#held = gone === this.#held.length ? [] : this.#held.slice(gone);
  }
}
