import type { Clock, CloseInfo, Transport, Wire, WireEvents, WireMessage } from '@anywire/client';

/** What the server does with one connection. */
export interface Peer {
  /** A frame of the client's, as text. */
  frame(text: string): void;
  /** The client has gone, or the link was cut. */
  gone(): void;
}

/** How a try to connect is refused. 1006: as if nobody answered; others come after `connect`. */
export interface Refused {
  readonly code: number;
  readonly reason: string;
}

/** What the weather of a network is; all its links share one. */
export interface Weather {
  /** What clients say waits. */
  commandsHeld: boolean;
  /** What the server says waits. */
  answersHeld: boolean;
  /** How much later everything that the server says arrives, ms. */
  delay: number;
}

/** A server may say much in one turn; a frame holds at most so many messages of it. */
const frameMessagesMax = 128;

interface Item {
  readonly due: number;
  readonly messages: WireMessage[] | undefined;
  readonly run: () => void;
}

/**
 * One direction of one connection: what goes in comes out in order, in a later microtask or when
 * the clock says so, and one thing in a turn, as events of a socket come.
 */
class Lane {
  readonly #network: Network;
  readonly #held: () => boolean;
  readonly #delay: () => number;
  #items: Item[] = [];
  #scheduled = false;
  #timer: unknown;

  constructor(network: Network, held: () => boolean, delay: () => number) {
    this.#network = network;
    this.#held = held;
    this.#delay = delay;
  }

  /** Something is about to come out without anybody's doing. */
  get busy(): boolean {
    return this.#scheduled;
  }

  push(run: () => void, messages?: WireMessage[]): void {
    const delay = this.#delay();
    const due = delay > 0 ? this.#network.clock.now() + delay : 0;
    this.#items.push({ due, messages, run });
    this.pump();
  }

  /** The last frame that has not gone yet, if more may be put into it. */
  get open(): WireMessage[] | undefined {
    const messages = this.#items.at(-1)?.messages;
    const closed = this.#delay() > 0 || (messages?.length ?? 0) >= frameMessagesMax;
    return closed ? undefined : messages;
  }

  clear(): void {
    this.#items = [];
    this.#network.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  pump(): void {
    const [first] = this.#items;
    if (!first || this.#scheduled || this.#timer !== undefined) return;
    const { clock } = this.#network;
    const wait = first.due - clock.now();
    if (wait > 0) {
      this.#timer = clock.setTimeout(() => {
        this.#timer = undefined;
        this.pump();
      }, wait);
      return;
    }
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#network.activity++;
      if (this.#held()) return;
      this.#items.shift()?.run();
      this.pump();
    });
  }
}

/** One connection, between a client's wire and the server. */
export class Link {
  readonly #network: Network;
  readonly #events: WireEvents;
  readonly #up: Lane;
  readonly #down: Lane;
  #peer: Peer | undefined;
  #over = false;

  constructor(network: Network, events: WireEvents) {
    const { weather } = network;
    this.#network = network;
    this.#events = events;
    this.#up = new Lane(
      network,
      () => weather.commandsHeld,
      () => 0,
    );
    this.#down = new Lane(
      network,
      () => weather.answersHeld,
      () => weather.delay,
    );
  }

  get busy(): boolean {
    return this.#up.busy || this.#down.busy;
  }

  /** The handshake succeeds: `accept` makes the server's side when the client hears of it. */
  accept(accept: (link: Link) => Peer): void {
    this.#down.push(() => {
      this.#peer = accept(this);
      this.#events.opened();
    });
  }

  /** From the client. */
  send(text: string): void {
    if (!this.#over) this.#up.push(() => this.#peer?.frame(text));
  }

  /** From the server; what is said in one turn goes into one frame. */
  say(message: WireMessage): void {
    if (this.#over) return;
    const { open } = this.#down;
    if (open) {
      open.push(message);
      return;
    }
    const messages = [message];
    this.#down.push(() => {
      // As text and back: nobody can share an object with the server, or see what JSON cannot say.
      this.#events.messages(JSON.parse(JSON.stringify(messages)) as WireMessage[]);
    }, messages);
  }

  /** The server ends it: what it said before still arrives. */
  close(code: number, reason: string): void {
    if (this.#over) return;
    this.#up.clear();
    this.#peer = undefined;
    this.#down.push(() => this.#end({ code, reason, wasClean: true, by: 'peer' }));
  }

  /** The link breaks now: whatever is under way is lost, in both directions. */
  cut(code: number, reason: string): void {
    if (this.#over) return;
    const peer = this.#peer;
    this.#peer = undefined;
    this.#up.clear();
    this.#down.clear();
    this.#over = true;
    peer?.gone();
    this.#network.later(() => {
      if (!this.#network.links.delete(this)) return;
      this.#events.lost({ code, reason, wasClean: code !== 1006, by: 'peer' });
    });
  }

  /** The client ends it: the server hears of it behind what was sent before. */
  leave(): void {
    if (this.#over) {
      this.#network.links.delete(this);
      return;
    }
    this.#over = true;
    this.#down.clear();
    this.#up.push(() => {
      this.#network.links.delete(this);
      this.#peer?.gone();
    });
  }

  pump(): void {
    this.#up.pump();
    this.#down.pump();
  }

  #end(close: CloseInfo): void {
    this.#over = true;
    this.#up.clear();
    if (this.#network.links.delete(this)) this.#events.lost(close);
  }
}

/** All connections of a server, and how well they work. Everything arrives in a later microtask. */
export class Network {
  readonly clock: Clock;
  readonly weather: Weather = { commandsHeld: false, answersHeld: false, delay: 0 };
  readonly links: Set<Link> = new Set();
  /** Grows with everything that happens. */
  activity = 0;
  #pending = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get busy(): boolean {
    return this.#pending > 0 || [...this.links].some((link) => link.busy);
  }

  later(run: () => void): void {
    this.#pending++;
    queueMicrotask(() => {
      this.#pending--;
      this.activity++;
      run();
    });
  }

  pump(): void {
    for (const link of this.links) link.pump();
  }

  /** What a client opens. `accept` is asked at each try; it may refuse. */
  transport(name: string, accept: () => ((link: Link) => Peer) | Refused): Transport {
    return {
      name,
      open: ({ json }, events) => {
        const link = new Link(this, events);
        this.links.add(link);
        const answer = accept();
        if (typeof answer === 'function') link.accept(answer);
        else link.cut(answer.code, answer.reason);
        return {
          // Whatever the client's codec is: JSON is what a test can read.
          codec: json,
          send: (pieces) => link.send(json.join(pieces) as string),
          end: () => {
            link.leave();
            return Promise.resolve();
          },
        } satisfies Wire;
      },
    };
  }
}
