import { attach, type EndLink, type LinkEvents } from './link';
import type { Clock, Sendable, WebSocketLike } from './types';

/** In the WebSocket interface: the value of `readyState` while messages flow (RFC 6455 4.1). */
const OPEN = 1;

/** One WebSocket from birth to death, and how many messages the browser still holds for it. */
export class MeteredLink {
  /**
   * True from the handshake until the end, also when the connection is dead without our knowing.
   */
  opened = false;
  readonly end: EndLink;
  readonly #ws: WebSocketLike;
  /** Sizes of the messages that the browser may still hold, oldest first, and their sum. */
  #held: number[] = [];
  #heldBytes = 0;

  constructor(ws: WebSocketLike, clock: Clock, events: LinkEvents) {
    this.#ws = ws;
    this.end = attach(ws, clock, {
      ...events,
      opened: () => {
        this.opened = true;
        events.opened();
      },
    });
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

  /** `bytes`: its size on the wire. */
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
