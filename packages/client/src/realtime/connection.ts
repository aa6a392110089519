import { Backoff } from '../backoff';
import { systemClock } from '../clock';
import { Emitter } from '../emitter';
import { deadClose, localClose } from '../ending';
import { Heartbeat } from '../heartbeat';
import { browserNetwork } from '../network';
import type { Clock, CloseInfo, NetworkAdapter, NetworkEvent, State, Unsubscribe } from '../types';
import { resolveUrl } from '../url';
import { type Call, Calls } from './calls';
import { json } from './codec';
import { AnywireError, fromWire } from './error';
import { tabMemory } from './memory';
import { TokenKeeper } from './token';
import type { ClientEvents, ClientOptions, ClientSnapshot, TransportMemory } from './types';
import { websocket } from './websocket';
import type { Codec, Transport, Wire, WireEvents, WireMessage } from './wire';

/** docs/protocol.md section 1: how long a connection may stay silent after a `ping`. */
const silenceMs = 10_000;
const upgradeMaxMs = 300_000;
const onlineProbeMs = 500;
const wakeGapMs = 250;
/** Codes by which a reachable server sends everybody away; another transport would not help. */
const away: ReadonlySet<number> = new Set([1001, 1012, 1013]);

/** Who uses a connection. Called in the turn of the event; may call any method back. */
export interface Owner {
  /** What goes along with `connect`, in the same frame. */
  hello(): readonly Call[];
  /** Commands flow. `greeted`: `hello` went along; otherwise a better transport took over. */
  up(connected: WireMessage, greeted: boolean): void;
  /** The link is gone; all calls have been answered with `connection_lost`. */
  down(): void;
  push(message: WireMessage): void;
  /** The server closed because a frame was too large. */
  tooLarge(): void;
  /** Closed, or failed for good. */
  ended(error: AnywireError): void;
}

const idle: ClientSnapshot = Object.freeze({
  state: 'idle',
  attempt: 0,
  retryAt: undefined,
  error: undefined,
  lastClose: undefined,
  transport: undefined,
  clientId: undefined,
  user: undefined,
  opens: 0,
});

interface Address {
  readonly url: string;
  readonly token: string | undefined;
}

/**
 * One session with a server over a row of connections: it gets tokens, picks the transport,
 * reconnects, resumes and notices death. It is the state machine behind `ClientSnapshot`, with the
 * states and transitions of `Socket`; "open" means that the server answered `connected`.
 *
 * Every late event is harmless: a wire that was replaced is silenced, and what waits for a token
 * compares generations.
 */
export class Connection {
  readonly clock: Clock;
  readonly codec: Codec;
  readonly events: Emitter<ClientEvents> = new Emitter();
  readonly #options: ClientOptions;
  readonly #owner: Owner;
  readonly #network: NetworkAdapter;
  readonly #backoff: Backoff;
  readonly #transports: readonly Transport[];
  readonly #tokens: TokenKeeper;
  readonly #calls: Calls;
  #snapshot = idle;
  #generation = 0;
  #session: string | undefined;
  #wire: Wire | undefined;
  /** The wire has answered `connected`. */
  #ready = false;
  #current = 0;
  /** Some connection over `#current` was opened by this client. */
  #proven = false;
  #address: Address | undefined;
  #better: Wire | undefined;
  #upgradeMs = 0;
  #asking: AbortController | undefined;
  #heartbeat: Heartbeat | undefined;
  #attemptTimer: unknown;
  #failoverTimer: unknown;
  #retryTimer: unknown;
  #stableTimer: unknown;
  #upgradeTimer: unknown;
  #triedAt = Number.NEGATIVE_INFINITY;
  #suspended = false;
  #leaveNetwork: Unsubscribe | undefined;

  constructor(options: ClientOptions, owner: Owner) {
    this.#options = options;
    this.#owner = owner;
    this.clock = options.clock ?? systemClock;
    this.codec = options.codec ?? json;
    this.#network = options.network ?? browserNetwork();
    this.#backoff = new Backoff(options.backoff ?? {}, this.clock);
    this.#transports = options.transports ?? [websocket()];
    this.#tokens = new TokenKeeper(options.token);
    this.#calls = new Calls(this.codec, this.clock, () =>
      this.#dead('The server left a command without an answer'),
    );
  }

  get snapshot(): ClientSnapshot {
    return this.#snapshot;
  }

  /** Commands can be sent, though the device may say that it is offline. */
  get live(): boolean {
    return this.#ready;
  }

  /** There may be another token than the present one. */
  get renewable(): boolean {
    return this.#tokens.renewable;
  }

  /** Largest message that the server takes. */
  get frameBytesMax(): number {
    return this.#calls.frameBytesMax;
  }

  /** Starts, or hurries a try that is due later. */
  connect(): void {
    if (this.#wire || this.#asking || this.#better) return;
    if (!this.#leaveNetwork) {
      this.#backoff.failures = 0;
      this.#leaveNetwork = this.#network.subscribe((event) => this.#onNetwork(event));
    }
    this.#try();
  }

  close(code = 1000, reason = ''): Promise<void> {
    const gone = this.#release(localClose(code, reason));
    this.#finish(new AnywireError('closed', 'The client was closed'), 'closed');
    return gone;
  }

  /** Makes a command ready to be sent, also several times, one connection after another. */
  call(
    message: { readonly type: string; [member: string]: unknown },
    done: Call['done'],
    patient = false,
  ): Call {
    return this.#calls.make(message, done, patient);
  }

  /** Sends calls in order. Only while `live`. */
  send(calls: readonly Call[]): void {
    if (this.#ready && this.#wire) this.#calls.transmit(this.#wire, calls);
  }

  /** Gets another token and tells the server, so that the connection outlives the present one. */
  async refresh(signal: AbortSignal): Promise<void> {
    const token = await this.#tokens.renew(signal, true);
    if (token === undefined || !this.#ready || !this.#address) return;
    const reply = await new Promise<WireMessage>((resolve) =>
      this.send([this.call({ type: 'auth', token }, resolve)]),
    );
    const { code } = reply;
    if (reply.type !== 'error') {
      this.#tokens.accepted();
      this.#address = { url: this.#address.url, token };
      return;
    }
    // The next connection begins with the new token anyway.
    if (code === 'connection_lost') return;
    if (code === 'user_mismatch') {
      // Somebody else is signed in now. The session is not theirs.
      this.#session = undefined;
      void this.#release(localClose(1000, 'another user'));
      this.#try();
      return;
    }
    this.#tokens.deny();
    throw new AnywireError(String(code), String(reply.message), { retry: true });
  }

  // ---- trying

  #try(): void {
    this.#stopTimers();
    this.#suspended = false;
    this.#triedAt = this.clock.now();
    const generation = ++this.#generation;
    const asking = new AbortController();
    this.#asking = asking;
    this.#attemptTimer = this.clock.setTimeout(() => {
      const close = deadClose('timeout');
      void this.#release(close);
      this.#retry(new AnywireError('network', 'The server did not answer in time'), close);
    }, this.#options.connectTimeout ?? 10_000);
    this.#set({ state: 'connecting', retryAt: undefined });
    if (generation !== this.#generation) return;
    this.#find(asking.signal).then(
      (address) => {
        if (generation !== this.#generation) return;
        this.#asking = undefined;
        this.#address = address;
        this.#next(this.#order());
      },
      (error: unknown) => {
        if (generation === this.#generation) this.#hopeless(error);
      },
    );
  }

  async #find(signal: AbortSignal): Promise<Address> {
    const { url } = this.#options;
    const [place, token] = await Promise.all([
      typeof url === 'function' ? url() : url,
      this.#tokens.get(signal),
    ]);
    try {
      return { url: resolveUrl(place), token };
    } catch (cause) {
      throw new AnywireError('bad_url', `${JSON.stringify(place)} is no usable URL`, { cause });
    }
  }

  /** Nothing was opened: a function of the user's failed, or this platform cannot do it. */
  #hopeless(cause: unknown): void {
    void this.#release();
    const error =
      cause instanceof AnywireError
        ? cause
        : new AnywireError('network', `No address: ${cause}`, { retry: true, cause });
    if (error.retry) this.#retry(error);
    else this.#fail(error);
  }

  /** Which transports this try may use: what worked last, then the others in their order. */
  #order(): Transport[] {
    const all = this.#transports;
    if (!this.#proven) {
      const name = this.#memory?.get();
      this.#current = Math.max(
        0,
        all.findIndex((transport) => transport.name === name),
      );
    }
    const first = all[this.#current];
    if (!first) return [];
    // One that has worked gets a second chance alone: more often the server is away than a
    // network has changed its rules, and a server that comes back needs no triple knocking.
    const alone = (this.#proven && this.#backoff.failures < 2) || !this.#network.online;
    return alone ? [first] : [first, ...all.filter((transport) => transport !== first)];
  }

  #next([transport, ...rest]: readonly Transport[], lost?: CloseInfo): void {
    const { clock } = this;
    if (!transport) {
      void this.#release();
      if (lost) this.#lost(lost, false);
      else this.#fail(new AnywireError('no_transport', 'No transport was given'));
      return;
    }
    let wire: Wire;
    const giveUp = (close: CloseInfo) => {
      clock.clearTimeout(this.#failoverTimer);
      // A code of its own comes from Anywire itself, so this transport works.
      if (close.code >= 4000 || away.has(close.code) || rest.length === 0) {
        this.#lost(close, false);
      } else {
        this.#wire = undefined;
        this.#down();
        this.#next(rest, close);
      }
    };
    try {
      wire = this.#open(
        transport,
        () => this.#owner.hello(),
        (connected) => this.#up(transport, connected, true),
        (close) => (this.#ready ? this.#lost(close, true) : giveUp(close)),
      );
    } catch (cause) {
      const unsupported = new AnywireError('unsupported', `${transport.name}: ${cause}`, { cause });
      if (rest.length > 0) this.#next(rest, lost);
      else this.#hopeless(cause instanceof AnywireError ? cause : unsupported);
      return;
    }
    this.#wire = wire;
    if (rest.length === 0) return;
    this.#failoverTimer = clock.setTimeout(() => {
      void wire.end(1000);
      giveUp(deadClose('timeout'));
    }, this.#options.failover ?? 2000);
  }

  /** Opens a wire and greets over it. `lost` is not called for a wire that we end. */
  #open(
    transport: Transport,
    greet: () => readonly Call[],
    up: (connected: WireMessage) => void,
    lost: (close: CloseInfo) => void,
  ): Wire {
    const { agent, WebSocket, fetch } = this.#options;
    const { url, token } = this.#address as Address;
    const ours = () => wire === this.#wire || wire === this.#better;
    const over = (close: CloseInfo) => {
      // It has ended, so nobody needs to end it.
      if (wire === this.#wire) this.#wire = undefined;
      lost(close);
    };
    let greeting = 0;
    const greeted = (reply: WireMessage) => {
      greeting = 0;
      if (reply.type === 'connected') return up(reply);
      void wire.end(1000);
      const { code, message, retry } = reply;
      const reason = `${code}: ${message}`;
      over({ code: retry ? 4500 : 4400, reason, wasClean: true, by: 'peer' });
    };
    const events: WireEvents = {
      opened: () => {
        if (!ours()) return;
        const message = { type: 'connect', token, session: this.#session, agent };
        const { id, piece } = this.call(message, () => {});
        greeting = id;
        this.#calls.transmit(wire, greet(), piece);
      },
      messages: (batch) => {
        if (wire === this.#wire) this.#heard();
        for (const message of batch) {
          if (!ours()) return;
          if (greeting === 0) this.#take(message);
          else if (message.id === greeting) greeted(message);
        }
      },
      lost: (close) => {
        if (ours()) over(close);
      },
    };
    const wire: Wire = transport.open(
      { url, codec: this.codec, json, clock: this.clock, WebSocket, fetch },
      events,
    );
    return wire;
  }

  #take(message: WireMessage): void {
    if (message.id !== undefined) this.#calls.answer(message);
    else if (message.type !== 'error') this.#owner.push(message);
    else this.events.emit('error', fromWire(message));
  }

  #heard(): void {
    this.#heartbeat?.seen();
    // The device says that it has no network, yet something arrived: believe what arrived.
    if (this.#ready && this.#snapshot.state === 'offline') this.#set({ state: 'open' });
  }

  // ---- open

  #up(transport: Transport, connected: WireMessage, greeted: boolean): void {
    const { clock } = this;
    clock.clearTimeout(this.#attemptTimer);
    clock.clearTimeout(this.#failoverTimer);
    this.#ready = true;
    this.#proven = true;
    this.#current = this.#transports.indexOf(transport);
    this.#memory?.set(transport.name);
    this.#tokens.accepted();
    const { session, client, user, ping, messageBytesMax } = connected;
    this.#session = text(session);
    if (Number(messageBytesMax) > 0) this.#calls.frameBytesMax = Number(messageBytesMax);
    this.#heartbeat?.stop();
    this.#heartbeat = new Heartbeat(
      { interval: Number(ping) || 25_000, timeout: silenceMs },
      clock,
      () => this.send([this.call({ type: 'ping' }, () => {})]),
      () => this.#dead('The server went silent'),
    );
    clock.clearTimeout(this.#stableTimer);
    this.#stableTimer = clock.setTimeout(() => {
      this.#backoff.failures = 0;
    }, this.#backoff.stableAfter);
    this.#upgradeMs = this.#options.upgradeAfter ?? 10_000;
    this.#upgradeLater();
    const wire = this.#wire;
    this.#set({
      state: 'open',
      attempt: 0,
      retryAt: undefined,
      error: undefined,
      transport: transport.name,
      clientId: text(client),
      user: text(user),
      opens: this.#snapshot.opens + 1,
    });
    if (wire === this.#wire) this.#owner.up(connected, greeted);
  }

  #dead(words: string): void {
    const close = deadClose('heartbeat');
    void this.#release(close);
    this.#retry(new AnywireError('network', words), close);
  }

  /** A link ended. `was`: it had been open. */
  #lost(close: CloseInfo, was: boolean): void {
    if (close.code === 4409 && this.#better) {
      // It was we who took the session over. The better wire is about to speak.
      this.#wire = undefined;
      this.#ready = false;
      this.#heartbeat?.stop();
      this.#down();
      return;
    }
    void this.#release(close);
    const { code, reason } = close;
    const words = reason ? `${code}: ${reason}` : `${code}`;
    if (code === 1009) this.#owner.tooLarge();
    if (code >= 4400 && code < 4450) {
      this.#fail(new AnywireError('refused', `The server closed with ${words}`), close);
    } else if (code >= 4450 && code < 4500) {
      this.#denied(close, words);
    } else {
      const how = was ? `The link was closed (${words})` : 'The server could not be reached';
      this.#retry(new AnywireError('network', reason && !was ? `${how}: ${reason}` : how), close);
    }
  }

  #denied(close: CloseInfo, words: string): void {
    const { code } = close;
    const error = new AnywireError('unauthorized', `The server wants another token (${words})`);
    if (!this.#tokens.renewable) {
      this.#fail(error, close);
      return;
    }
    this.#tokens.deny();
    // A token that merely ended is replaced at once, unless that has not helped just before.
    const atOnce = code !== 4451 && this.#backoff.failures === 0;
    this.#retry(error, close, atOnce ? 0 : undefined);
  }

  // ---- a better transport

  #upgradeLater(): void {
    this.clock.clearTimeout(this.#upgradeTimer);
    if (this.#current === 0) return;
    this.#upgradeTimer = this.clock.setTimeout(() => this.#upgrade(), this.#upgradeMs);
    this.#upgradeMs = Math.min(this.#upgradeMs * 2, upgradeMaxMs);
  }

  /**
   * Opens the first transport beside the present one, which goes on working until the other has
   * taken the session over.
   */
  #upgrade(): void {
    const transport = this.#transports[0] as Transport;
    const failed = () => {
      this.clock.clearTimeout(this.#upgradeTimer);
      this.#better = undefined;
      if (this.#wire) this.#upgradeLater();
      else this.#lost(deadClose('network'), true);
    };
    try {
      const wire: Wire = this.#open(
        transport,
        () => [],
        (connected) => {
          const old = this.#wire;
          this.#better = undefined;
          this.#wire = wire;
          if (old) this.#down();
          void old?.end(1000);
          this.#up(transport, connected, false);
        },
        (close) => (this.#wire === wire ? this.#lost(close, true) : failed()),
      );
      this.#better = wire;
      this.#upgradeTimer = this.clock.setTimeout(() => {
        void wire.end(1000);
        failed();
      }, this.#options.connectTimeout ?? 10_000);
    } catch {
      this.#upgradeLater();
    }
  }

  // ---- failing

  #retry(error: AnywireError, close?: CloseInfo, wait?: number): void {
    const offline = !this.#network.online;
    const delay = offline ? this.#backoff.slow() : this.#backoff.next(close?.code ?? 0);
    const due = wait ?? delay;
    this.#retryIn(due);
    this.#set({
      state: offline ? 'offline' : 'waiting',
      attempt: this.#backoff.failures,
      retryAt: this.clock.now() + due,
      error,
      lastClose: close ?? this.#snapshot.lastClose,
      transport: undefined,
    });
  }

  #retryIn(delay: number): void {
    this.clock.clearTimeout(this.#retryTimer);
    this.#retryTimer = this.clock.setTimeout(() => this.#try(), delay);
  }

  #fail(error: AnywireError, close = this.#snapshot.lastClose): void {
    this.#finish(error, 'failed', close);
  }

  #finish(error: AnywireError, state: State, lastClose = this.#snapshot.lastClose): void {
    this.#leaveNetwork?.();
    this.#leaveNetwork = undefined;
    this.#suspended = false;
    this.#session = undefined;
    this.#set({
      state,
      attempt: 0,
      retryAt: undefined,
      transport: undefined,
      lastClose,
      ...(state === 'failed' && { error }),
    });
    this.#owner.ended(error);
  }

  // ---- the device

  #onNetwork(event: NetworkEvent): void {
    if (event === 'suspend') this.#onSuspend();
    else if (event === 'offline') this.#onOffline();
    else if (event === 'online' && this.#snapshot.state === 'offline') this.#onOnline();
    else this.#onWake();
  }

  #onOffline(): void {
    if (this.#suspended) return;
    let { retryAt } = this.#snapshot;
    if (retryAt !== undefined) {
      const delay = this.#backoff.slow();
      this.#retryIn(delay);
      retryAt = this.clock.now() + delay;
    }
    this.#set({ state: 'offline', retryAt });
    this.#heartbeat?.probe();
  }

  #onOnline(): void {
    if (this.#suspended) return;
    if (this.#heartbeat) {
      this.#heartbeat.probe(onlineProbeMs);
    } else {
      void this.#release(deadClose('network'));
      this.#try();
    }
  }

  #onWake(): void {
    const { state, retryAt } = this.#snapshot;
    this.#heartbeat?.probe();
    if (this.#suspended) this.#try();
    else if (retryAt === undefined || (state === 'offline' && !this.#network.online)) return;
    else if (this.clock.now() - this.#triedAt >= wakeGapMs) this.#try();
  }

  /** An open connection keeps a page out of the back/forward cache, so it is closed in time. */
  #onSuspend(): void {
    void this.#release(localClose(1000, 'page hidden'));
    this.#suspended = true;
    this.#set({ state: 'waiting', retryAt: undefined, transport: undefined });
  }

  // ---- letting go

  /** Forgets wires, questions and timers, and ends what the peer has not. */
  #release(close?: CloseInfo): Promise<void> {
    const wires = [this.#wire, this.#better];
    const was = this.#ready;
    this.#generation++;
    this.#wire = undefined;
    this.#better = undefined;
    this.#ready = false;
    this.#asking?.abort();
    this.#asking = undefined;
    this.#heartbeat?.stop();
    this.#heartbeat = undefined;
    this.#stopTimers();
    const local = close?.by === 'local' ? close : undefined;
    const gone = wires.map((wire) => wire?.end(local?.code, local?.reason));
    if (was || this.#calls.size > 0) this.#down();
    return Promise.all(gone).then(() => {});
  }

  #down(): void {
    this.#calls.lost();
    this.#owner.down();
  }

  #stopTimers(): void {
    for (const timer of [
      this.#attemptTimer,
      this.#failoverTimer,
      this.#retryTimer,
      this.#stableTimer,
      this.#upgradeTimer,
    ]) {
      this.clock.clearTimeout(timer);
    }
  }

  get #memory(): TransportMemory | undefined {
    const { memory = tabMemory } = this.#options;
    return memory === false || this.#transports.length < 2 ? undefined : memory;
  }

  #set(change: Partial<ClientSnapshot>): void {
    const before = this.#snapshot;
    const now = Object.freeze({ ...before, ...change });
    const same = Object.keys(change).every((key) =>
      Object.is(before[key as keyof ClientSnapshot], now[key as keyof ClientSnapshot]),
    );
    if (same) return;
    this.#snapshot = now;
    this.events.emit('state', now, before);
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
