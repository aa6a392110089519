import { Emitter } from '../emitter';
import { deadClose } from '../ending';
import { byteLength } from '../queue';
import type { Unsubscribe } from '../types';
import type { Client } from './api';
import type { Core } from './client';
import { AnywireError } from './error';
import type { Piece, WireMessage } from './wire';

/** One message that went over the line, one way or the other. */
export interface Frame {
  /** When, in the clock's milliseconds. */
  readonly at: number;
  readonly direction: 'in' | 'out';
  /** Tokens and session secrets are blotted out. */
  readonly message: WireMessage;
  /** Its size; known of what goes out only. */
  readonly bytes: number | undefined;
  readonly transport: string;
}

/** What an inspector tells. A listener is called in the turn of the event. */
export interface InspectorEvents {
  /** Whatever went over the line. */
  frame: (frame: Frame) => void;
  /**
   * Whatever went wrong: what the client tells in its own `error` event, every command that was
   * rejected, and what a contract refused, in either direction.
   */
  error: (error: AnywireError) => void;
}

/** What developers' tools see of a client, and may do to it. */
export interface Inspector {
  /** Where the client is connected, or tries to be; undefined before the first try. */
  readonly url: string | undefined;
  /** Listens until what it returns is called. Nothing is recorded while nobody listens. */
  on<Name extends keyof InspectorEvents>(name: Name, listener: InspectorEvents[Name]): Unsubscribe;
  /** As if the network had cut the link. Nothing where there is none. */
  kill(): void;
  /** As if the device had no network: lines are dropped, and none is opened while `on`. */
  offline(on: boolean): void;
}

const inspectors = /* @__PURE__ */ new WeakMap<Client, Inspector>();

/** Looks into a client. Costs nothing until it listens, and little then. One for each client. */
export function inspect(client: Client): Inspector {
  const inspector = inspectors.get(client) ?? new CoreInspector(client as Core);
  inspectors.set(client, inspector);
  return inspector;
}

class CoreInspector implements Inspector {
  readonly #core: Core;
  readonly #events: Emitter<InspectorEvents> = new Emitter();
  #watchers = 0;
  /** Undoes `#watch`. */
  #blind: (() => void) | undefined;
  /** Undoes `offline`. */
  #online: (() => void) | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  get url(): string | undefined {
    return this.#core.url || undefined;
  }

  on<Name extends keyof InspectorEvents>(name: Name, listener: InspectorEvents[Name]): Unsubscribe {
    const leave = this.#events.on(name, listener);
    if (this.#watchers++ === 0) this.#blind = this.#watch();
    let on = true;
    return () => {
      leave();
      if (on && --this.#watchers === 0) this.#blind?.();
      on = false;
    };
  }

  #watch(): () => void {
    const core = this.#core;
    const { ask } = core;
    const hear = (error: AnywireError) => this.#events.emit('error', error);
    const leave = core.on('error', hear);
    core.tap = (...frame) => this.#tap(...frame);
    core.heard = hear;
    core.ask = (...command) => {
      const answer = ask.apply(core, command);
      answer.catch(hear);
      return answer;
    };
    return () => {
      leave();
      core.tap = undefined;
      core.heard = undefined;
      core.ask = ask;
    };
  }

  kill(): void {
    const core = this.#core;
    if (core.live || core.state === 'connecting') core.lost(deadClose('peer'), core.live);
  }

  offline(on: boolean): void {
    const core = this.#core;
    if (on === (this.#online !== undefined)) return;
    if (!on) {
      this.#online?.();
      this.#online = undefined;
      if (this.#runs) core.device('online');
      return;
    }
    const { network, open } = core;
    core.network = { online: false, subscribe: (listener) => network.subscribe(listener) };
    core.open = () => {
      throw new AnywireError('network', 'The inspector keeps it offline', { retry: true });
    };
    this.#online = () => {
      core.network = network;
      core.open = open;
    };
    if (this.#runs) core.device('offline');
    this.kill();
  }

  get #runs(): boolean {
    return !/idle|closed|failed/.test(this.#core.state);
  }

  #tap(direction: 'in' | 'out', frame: readonly (WireMessage | Piece)[], transport: string): void {
    const { clock, codec } = this.#core;
    const at = clock.now();
    for (const item of frame) {
      const isPiece = typeof item === 'string' || item instanceof Uint8Array;
      const data = typeof item === 'string' ? item : isPiece ? item.slice().buffer : '';
      const [message] = isPiece ? codec.decode(data) : [item];
      const bytes = isPiece ? byteLength(item) : undefined;
      if (message)
        this.#events.emit('frame', { at, direction, message: blot(message), bytes, transport });
    }
  }
}

/** What is secret has no place in a window that may be on a projector. */
function blot(message: WireMessage): WireMessage {
  const secrets = ['token', 'session'].filter((name) => typeof message[name] === 'string');
  if (secrets.length === 0) return message;
  return { ...message, ...Object.fromEntries(secrets.map((name) => [name, '\u2026'])) };
}
