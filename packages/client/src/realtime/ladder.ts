import { deadClose } from '../ending';
import type { Clock, CloseInfo } from '../types';
import type { Call } from './calls';
import type { Line, LineHost } from './line';
import { tabMemory } from './memory';
import type { ClientOptions, TransportMemory } from './types';
import type { Transport, WireMessage } from './wire';

/**
 * Codes by which a reachable server sends everybody away; another transport would not help.
 */
const away: readonly number[] = [1001, 1012, 1013];
const upgradeMaxMs = 300_000;
/** So many times longer one is waited for that has worked before: the server may be busy. */
const trust = 4;

/** What a ladder stands on: the connection that it finds lines for. */
export interface Ground {
  readonly clock: Clock;
  readonly options: ClientOptions;
  readonly transports: readonly Transport[];
  /** There is a present line. */
  readonly live: boolean;
  /** Opens a line and greets over it. Throws an AnywireError when there is no such thing here. */
  open(transport: Transport, host: Opening): Line;
  hello(): readonly Call[];
  /** This line is the present one from now on. `left`: what of the `hello` has yet to be sent. */
  up(line: Line, transport: Transport, connected: WireMessage, left?: readonly Call[]): void;
  /** A line was given up before it was up. */
  down(): void;
  /** No line could be had, or the present one has ended. */
  lost(close: CloseInfo, was: boolean): void;
  hopeless(error: unknown): void;
}

/** Gets lines for a connection, over whichever transport works. */
export interface Ladder {
  /** Gets a line to this server. `failures`: tries in a row that have failed before. */
  climb(server: string, failures: number): void;
  /**
   * The present line has ended. True: a better one is about to speak, so it may well be that we
   * took the session over ourselves, and a request under way has met its end before the 4409 did.
   */
  replaced(close: CloseInfo): boolean;
  /** Lets go of everything but the present line. */
  stop(): Promise<unknown> | undefined;
}

export interface Opening extends Pick<LineHost, 'opened' | 'wary' | 'up' | 'lost'> {
  hello(): readonly Call[];
}

/**
 * Chooses between transports. Each try begins with the one that has worked before, and goes on to
 * the next when one is refused or hangs; over any but the first the first is tried again in the
 * background, and takes over without a loss.
 */
export function makeLadder(ground: Ground): Ladder {
  return new TransportLadder(ground);
}

class TransportLadder implements Ladder {
  readonly #ground: Ground;
  readonly #memory: TransportMemory | false | undefined;
  readonly #first: Transport;
  #place = '';
  #current: Transport;
  /** A connection over the present one was opened by this client. */
  #proven = false;
  /** The line that is not up yet: the only one, or a better one beside the present. */
  #trying: Line | undefined;
  /** It is about to have the session. */
  #greeted = false;
  #upgradeMs = 0;
  /** For the line that is tried, or until a better one is. */
  #timer: unknown;

  constructor(ground: Ground) {
    const { options, transports } = ground;
    this.#ground = ground;
    this.#memory = transports[1] && (options.memory ?? tabMemory);
    this.#first = transports[0] as Transport;
    this.#current = this.#first;
  }

  climb(server: string, failures: number): void {
    const { transports } = this.#ground;
    this.#place = server;
    if (!this.#proven && this.#memory) {
      const name = this.#memory.get(server);
      this.#current = transports.find((transport) => transport.name === name) ?? this.#first;
    }
    const others = transports.filter((transport) => transport !== this.#current);
    // Where one has worked for us and is refused, more often the server is away than the rules of
    // the network have changed; and a server that comes back needs no triple knocking.
    this.#next([this.#current, ...others], this.#proven && failures < 2);
  }

  replaced({ code }: CloseInfo): boolean {
    return this.#greeted && !!this.#trying && (code === 4409 || code < 4000);
  }

  stop(): Promise<unknown> | undefined {
    const gone = this.#trying?.end();
    this.#trying = undefined;
    this.#later(0);
    return gone;
  }

  /** Tries these in turn. `trusted`: the first of them has worked before. */
  #next([transport, ...rest]: readonly Transport[], trusted: boolean): void {
    const ground = this.#ground;
    const { failover = 1100 } = ground.options;
    const last = !rest[0];
    // The last one has the rest of the time.
    const ms = last ? 0 : trusted ? failover * trust : failover;
    this.#attempt(transport as Transport, ms, (close, error) => {
      const { code, by } = close;
      if (last && error) ground.hopeless(error);
      // A code of its own comes from Anywire itself, so this transport works.
      else if (last || code >= 4000 || away.includes(code) || (trusted && by !== 'timeout')) {
        ground.lost(close, false);
      } else {
        ground.down();
        this.#next(rest, false);
      }
    });
  }

  /** `ms`: how long the line may hang; 0 is for ever. */
  #attempt(
    transport: Transport,
    ms: number,
    failed: (close: CloseInfo, error?: unknown) => void,
  ): void {
    const ground = this.#ground;
    const wary = ground.live;
    let line: Line | undefined;
    const over = (close: CloseInfo, error?: unknown) => {
      this.#trying = undefined;
      this.#later(0);
      failed(close, error);
    };
    const hurry = () =>
      this.#later(ms, () => {
        void line?.end(1000);
        over(deadClose('timeout'));
      });
    this.#greeted = false;
    try {
      line = ground.open(transport, {
        wary,
        opened: hurry,
        hello: () => {
          this.#greeted = true;
          return wary ? [] : ground.hello();
        },
        up: (connected, left) => {
          this.#reached(transport);
          // The better line has said nothing yet beside its greeting.
          ground.up(line as Line, transport, connected, wary ? undefined : left);
        },
        lost: (close) => (this.#trying === line ? over(close) : ground.lost(close, true)),
      });
      this.#trying = line;
      hurry();
    } catch (error) {
      over(deadClose('timeout'), error);
    }
  }

  /** A line over this transport is up. */
  #reached(transport: Transport): void {
    this.#trying = undefined;
    this.#proven = true;
    this.#current = transport;
    if (this.#memory) this.#memory.set(this.#place, transport.name);
    this.#upgradeMs = this.#ground.options.upgradeAfter ?? 10_000;
    this.#upgradeLater();
  }

  /**
   * Opens the first transport beside the present line, which goes on working until the other has
   * taken the session over.
   */
  #upgradeLater(): void {
    const ground = this.#ground;
    const { connectTimeout = 10_000 } = ground.options;
    this.#later(this.#current === this.#first ? 0 : this.#upgradeMs, () =>
      this.#attempt(this.#first, connectTimeout, (close) => {
        // The present line may have ended meanwhile, when there was but the better one.
        if (ground.live) this.#upgradeLater();
        else ground.lost(close, true);
      }),
    );
    this.#upgradeMs = Math.min(this.#upgradeMs * 2, upgradeMaxMs);
  }

  /** One thing at a time; 0 is never. */
  #later(ms: number, run: () => void = () => {}): void {
    const { clock } = this.#ground;
    clock.clearTimeout(this.#timer);
    if (ms) this.#timer = clock.setTimeout(run, ms);
  }
}
