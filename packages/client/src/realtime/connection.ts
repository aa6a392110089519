import { Backoff } from '../backoff';
import { systemClock } from '../clock';
import { Emitter } from '../emitter';
import { deadClose } from '../ending';
import { Heartbeat, underWayMs } from '../heartbeat';
import { browserNetwork } from '../network';
import type { Clock, CloseInfo, NetworkAdapter, NetworkEvent, State, Unsubscribe } from '../types';
import { resolveUrl } from '../url';
import { type Call, Calls } from './calls';
import { json } from './codec';
import { AnywireError, fromWire, toError } from './error';
import type { Ladder, Opening } from './ladder';
import { type Line, openLine } from './line';
import { TokenKeeper } from './token';
import type { ClientEvents, ClientOptions, ClientSnapshot } from './types';
import { verdict } from './verdict';
import { websocket } from './websocket';
import type { Codec, Piece, Transport, WireMessage } from './wire';

/** docs/protocol.md section 1: how long a connection may stay silent after a `ping`. */
const silenceMs = 10_000;
const onlineProbeMs = 500;
const wakeGapMs = 250;
/** A server that wants to be asked more often than this is mistaken. */
const pingMinMs = 1000;
/** Longer than the longest pause between two tries, so that a row of them is seen as one. */
const steadyMs = 30_000;

/** What is not there yet is undefined, whether it is named or not. */
const idle = /* @__PURE__ */ Object.freeze({
  state: 'idle',
  attempt: 0,
  opens: 0,
} as ClientSnapshot);

/**
 * One session with a server over a row of connections: it gets tokens, picks the transport,
 * reconnects, resumes and notices death. It is the state machine behind `ClientSnapshot`, with the
 * states and transitions of `Socket`; "open" means that the server answered `connected`.
 *
 * Every late event is harmless: a line that was replaced is silenced, and what waits for a token
 * compares attempts.
 */
export abstract class Connection extends Emitter<ClientEvents> {
  readonly options: ClientOptions;
  readonly clock: Clock;
  readonly codec: Codec;
  readonly transports: readonly Transport[];
  readonly calls: Calls;
  network: NetworkAdapter;
  /** Where the present try goes. */
  url = '';
  snapshot: ClientSnapshot = idle;
  /** Commands can be sent, though the device may say that it is offline. */
  live = false;
  /** Sees every frame. */
  tap:
    | ((direction: 'in' | 'out', frame: readonly (WireMessage | Piece)[], by: string) => void)
    | undefined;
  /** Hears of what a contract refuses, if somebody looks. */
  heard: ((error: AnywireError) => void) | undefined;
  readonly #backoff: Backoff;
  readonly #trouble: Backoff;
  readonly #ladder: Ladder | undefined;
  readonly #tokens: TokenKeeper;
  #session: string | undefined;
  /** `connect`s with a session that had no answer. The server may yet read one of them. */
  #astray = 0;
  /** Stands for the present try and the lines that it leads to. */
  #attempt: AbortController | undefined;
  #line: Line | undefined;
  #heartbeat: Heartbeat | undefined;
  /** Connecting: to give up. Waiting: to try again. Open: to believe that it lasts. */
  #timer: unknown;
  #triedAt = 0;
  #offlineAt = 0;
  #renewing: AbortController | undefined;
  #renewTimer: unknown;
  /** When the server said last that the token is about to end. */
  #renewedAt = Number.NEGATIVE_INFINITY;
  #suspended = false;
  #leaveNetwork: Unsubscribe | undefined;

  constructor(options: ClientOptions) {
    super();
    const { clock = systemClock, codec = json, backoff = {} } = options;
    this.options = options;
    this.clock = clock;
    this.codec = codec;
    this.network = options.network ?? browserNetwork();
    this.#backoff = new Backoff(backoff, clock);
    this.#trouble = new Backoff(backoff, clock);
    this.transports = options.transports ?? [websocket()];
    this.#tokens = new TokenKeeper(options.token);
    this.calls = new Calls(codec, clock, () => this.#dead());
    this.#ladder = this.transports.find(({ ladder }) => ladder)?.ladder?.(this);
  }

  // ---- for whoever builds on it; called in the turn of the event, and may call any method back

  /** What goes along with `connect`, in the same frame. */
  abstract hello(): readonly Call[];
  /** Commands flow; the `hello` was the first of them. */
  abstract joined(connected: WireMessage): void;
  /** The link is gone; all calls have been answered with `connection_lost`. */
  abstract parted(): void;
  abstract push(message: WireMessage): void;
  /** There is another token. */
  abstract renewed(): void;
  /** The server closed because a frame was too large. */
  abstract tooLarge(): void;
  /** The last moment at which something may be sent. */
  abstract bye(): void;
  /** Closed, or failed for good. */
  abstract ended(error: AnywireError): void;

  get state(): State {
    return this.snapshot.state;
  }

  connect(): Promise<void> {
    const opened = new Promise<void>((resolve, reject) => {
      const look = () => {
        const { state, error } = this.snapshot;
        if (state === 'open') resolve();
        else if (state === 'failed') reject(error);
        else if (state === 'closed') reject(closed());
        else return;
        leave();
      };
      const leave = this.on('state', look);
      this.start();
      look();
    });
    // Whoever starts a client without waiting for it hears of failures by its state.
    opened.catch(() => {});
    return opened;
  }

  /** Starts, or hurries a try that is due later. */
  start(): void {
    if (this.#attempt) return;
    if (!this.#leaveNetwork) {
      this.#backoff.failures = 0;
      this.#leaveNetwork = this.network.subscribe((event) => this.device(event));
    }
    this.#try();
  }

  close(reason = ''): Promise<void> {
    this.bye();
    const gone = this.#release(1000, reason);
    this.#finish(closed(), 'closed');
    return gone;
  }

  /** Sends calls in order. Only while `live`. */
  send(calls: readonly Call[]): void {
    if (this.live) this.#line?.send(calls);
  }

  /** `retryAt` and `transport` are gone unless something speaks for them. */
  #set(change: Partial<ClientSnapshot>): void {
    const before = this.snapshot;
    const transport = this.#line && before.transport;
    const now = Object.freeze({ ...before, retryAt: undefined, transport, ...change });
    if (Object.entries(now).every(([name, value]) => before[name as 'state'] === value)) return;
    this.snapshot = now;
    this.emit('state', now, before);
  }

  // ---- tokens

  async refreshToken(): Promise<void> {
    this.#stopRenewing();
    const renewing = new AbortController();
    this.#renewing = renewing;
    const token = await this.#tokens.renew(renewing.signal, 'refresh');
    if (token !== undefined && this.live) {
      const reply = await new Promise<WireMessage>((resolve) =>
        this.send([this.calls.make({ type: 'auth', token }, resolve)]),
      );
      const { type, code } = reply;
      if (type !== 'error') {
        this.#tokens.accepted();
      } else if (code === 'user_mismatch') {
        // Somebody else is signed in now. The session is not theirs.
        this.#session = undefined;
        void this.#release(1000);
        this.#try();
      } else if (code !== 'connection_lost') {
        // (The next connection begins with the new token anyway.)
        this.#tokens.deny();
        throw fromWire({ ...reply, retry: true });
      }
    }
    this.renewed();
  }

  #renewLater(wait: number): void {
    this.clock.clearTimeout(this.#renewTimer);
    this.#renewTimer = this.clock.setTimeout(() => {
      this.refreshToken().catch((error: AnywireError) => {
        if (!this.live) return;
        if (error.retry) this.#renewLater(this.#trouble.next());
        else this.emit('error', error);
      });
    }, wait);
  }

  /**
   * Tokens that end as soon as they are there, because of clocks that differ or a route that keeps
   * them, are not asked for without a pause.
   */
  #renewPause(): number {
    const before = this.#renewedAt;
    this.#renewedAt = this.clock.now();
    if (this.#renewedAt - before < steadyMs) return this.#trouble.next();
    this.#trouble.failures = 0;
    return 0;
  }

  #stopRenewing(): void {
    this.clock.clearTimeout(this.#renewTimer);
    this.#renewing?.abort();
  }

  // ---- trying

  #try(): void {
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#suspended = false;
    this.#triedAt = this.clock.now();
    this.#later(this.options.connectTimeout ?? 10_000, () => this.#dead('timeout'));
    this.#set({ state: 'connecting' });
    if (attempt !== this.#attempt) return;
    const stop = (retry: boolean) => (error: unknown) =>
      attempt === this.#attempt && this.hopeless(error, retry);
    this.#findAddress(attempt.signal)
      .then(() => attempt === this.#attempt && this.#dial(), stop(true))
      .catch(stop(false));
  }

  /** Asks for URL and token. Rejects with whatever a function of the user's threw. */
  async #findAddress(signal: AbortSignal): Promise<void> {
    const { url } = this.options;
    const place = await (typeof url === 'function' ? url() : url);
    try {
      this.url = resolveUrl(place);
    } catch (cause) {
      throw new AnywireError('bad_url', `${place} is no WebSocket URL`, { cause });
    }
    await this.#tokens.ready(signal);
  }

  /** Nothing was opened: this platform cannot do it, or, `retry`, a function of the user's failed. */
  hopeless(cause: unknown, retry = false): void {
    void this.#release();
    const error = toError(cause, retry ? 'network' : 'unsupported', { retry });
    if (error.retry) this.#retry(error);
    else this.#finish(error, 'failed');
  }

  #dial(): void {
    const [transport] = this.transports;
    if (!transport) throw new AnywireError('no_transport');
    if (this.#ladder) {
      this.#ladder.climb(this.url.split(/[/?]/)[2] as string, this.#backoff.failures);
      return;
    }
    const line = this.open(transport, {
      hello: () => this.hello(),
      up: (connected, left) => this.up(line, transport, connected, left),
      lost: (close) => this.lost(close, this.live),
    });
    this.#line = line;
  }

  /** Opens a line and greets over it. Throws when there is no such thing here. */
  open(transport: Transport, host: Opening): Line {
    const { clock, options } = this;
    const { agent, WebSocket, fetch } = options;
    const setup = { url: this.url, codec: this.codec, json, clock, WebSocket, fetch };
    return openLine(transport, setup, this.calls, {
      ...host,
      greet: () => {
        const { token } = this.#tokens;
        if (this.#session) this.#astray++;
        return { type: 'connect', token, session: this.#session, agent };
      },
      message: (message) => {
        // The `id` of a push, if it has one, is a message's own and a string.
        if (typeof message.id === 'number') this.calls.answer(message);
        else if (message.type === 'error') this.emit('error', fromWire(message));
        else if (message.type !== 'expiring') this.push(message);
        else if (this.#tokens.renewable) this.#renewLater(this.#renewPause());
      },
      heard: () => this.#heard(),
      tap: (direction, frame) => this.tap?.(direction, frame, transport.name),
    });
  }

  #heard(): void {
    this.#heartbeat?.seen();
    // The device says that it has no network, yet something arrived: believe what arrived, unless
    // it may have been under way already.
    const late = this.clock.now() - this.#offlineAt >= underWayMs;
    if (this.live && this.state === 'offline' && (late || this.network.online)) {
      this.#set({ state: 'open' });
    }
  }

  // ---- open

  /** This line is the present one from now on. `left`: what of the `hello` has yet to be sent. */
  up(line: Line, transport: Transport, connected: WireMessage, left?: readonly Call[]): void {
    const { clock } = this;
    const old = this.#line;
    this.#line = line;
    if (old && old !== line) {
      this.down();
      void old.end(1000);
    }
    this.live = true;
    this.#tokens.accepted();
    const { session, client, user, ping, messageBytesMax } = connected;
    this.#session = typeof session === 'string' ? session : undefined;
    if (this.#astray > 0) this.#astray--;
    this.calls.frameBytesMax = Number(messageBytesMax) || this.calls.frameBytesMax;
    this.#heartbeat?.stop();
    this.#heartbeat = new Heartbeat(
      { interval: Math.max(pingMinMs, Number(ping) || 25_000), timeout: silenceMs },
      clock,
      () => this.send([this.calls.make({ type: 'ping' })]),
      () => this.#dead(),
    );
    this.#later(this.#backoff.stableAfter, () => {
      this.#backoff.failures = 0;
      this.#astray = 0;
    });
    this.send(left ?? this.hello());
    this.#set({
      state: 'open',
      attempt: 0,
      error: undefined,
      transport: transport.name,
      clientId: client as string,
      user: user as string,
      opens: this.snapshot.opens + 1,
    });
    if (line === this.#line) this.joined(connected);
  }

  #dead(by: CloseInfo['by'] = 'heartbeat'): void {
    const close = deadClose(by);
    void this.#release();
    this.#retry(verdict(close, true, this.url), close);
  }

  /** A link ended, or none could be had. `was`: it had been open. */
  lost(close: CloseInfo, was: boolean): void {
    if (was && this.#ladder?.replaced(close)) {
      // The better line is about to speak.
      this.#line = undefined;
      this.#heartbeat?.stop();
      this.down();
      return;
    }
    void this.#release();
    const { code } = close;
    if (code === 1009) this.tooLarge();
    // The session may have been taken over by an attempt of our own that was given up.
    const byUs = code === 4409 && this.#astray > 0;
    if (byUs) this.#astray = 0;
    const error = verdict(byUs ? deadClose('peer') : close, was, this.url);
    const { retry } = error;
    if (!retry && (error.code !== 'unauthorized' || !this.#tokens.renewable)) {
      this.#finish(error, 'failed', close);
      return;
    }
    if (!retry) this.#tokens.deny();
    // A token that merely ended is replaced at once, unless that has not helped just before. One that
    // was not accepted (4451), or was revoked (4453), is not: the next may be no better.
    const atOnce = !retry && ![4451, 4453].includes(code) && this.#backoff.failures === 0;
    this.#retry(error, close, atOnce ? 0 : undefined);
  }

  // ---- failing

  #retry(error: AnywireError, close?: CloseInfo, wait?: number): void {
    const { online } = this.network;
    const delay = online ? this.#backoff.next(close?.code) : this.#backoff.slow();
    this.#set({
      retryAt: this.#retryIn(wait ?? delay),
      state: online ? 'waiting' : 'offline',
      attempt: this.#backoff.failures,
      error,
      lastClose: close ?? this.snapshot.lastClose,
    });
  }

  #retryIn(delay: number): number {
    this.#later(delay, () => this.#try());
    return this.clock.now() + delay;
  }

  #later(ms: number, run: () => void): void {
    this.clock.clearTimeout(this.#timer);
    this.#timer = this.clock.setTimeout(run, ms);
  }

  #finish(error: AnywireError, state: State, lastClose = this.snapshot.lastClose): void {
    this.#leaveNetwork?.();
    this.#leaveNetwork = undefined;
    this.#suspended = false;
    this.#session = undefined;
    this.#set({
      state,
      attempt: 0,
      lastClose,
      ...(state === 'failed' && { error }),
    });
    this.ended(error);
  }

  // ---- the device

  /** What the device says of its network and its screen. */
  device(event: NetworkEvent): void {
    const { state, retryAt } = this.snapshot;
    if (event === 'suspend') {
      // An open connection keeps a page out of the back/forward cache, so it is closed in time.
      void this.#release(1000);
      this.#suspended = true;
      this.#set({ state: 'waiting' });
    } else if (event === 'offline') {
      if (this.#suspended) return;
      this.#offlineAt = this.clock.now();
      this.#heartbeat?.probeLater();
      this.#set({ state: event, retryAt: retryAt && this.#retryIn(this.#backoff.slow()) });
    } else if (event === 'online' && state === 'offline') {
      if (this.#heartbeat) this.#heartbeat.probe(onlineProbeMs);
      else {
        void this.#release();
        this.#try();
      }
    } else {
      this.#heartbeat?.probe();
      const due = retryAt !== undefined && (state !== 'offline' || this.network.online);
      if (this.#suspended || (due && this.clock.now() - this.#triedAt >= wakeGapMs)) this.#try();
    }
  }

  // ---- letting go

  /** Forgets lines, questions and timers, and ends what the peer has not. */
  #release(code?: number, reason?: string): Promise<void> {
    const line = this.#line;
    this.#line = undefined;
    this.#attempt?.abort();
    this.#attempt = undefined;
    this.#heartbeat?.stop();
    this.#heartbeat = undefined;
    this.clock.clearTimeout(this.#timer);
    const gone = [line?.end(code, reason), this.#ladder?.stop()];
    if (this.live || this.calls.size > 0) this.down();
    return Promise.all(gone).then(() => {});
  }

  /** A line was given up, perhaps before it was up. */
  down(): void {
    this.live = false;
    this.#stopRenewing();
    this.calls.lost();
    this.parted();
  }
}

/** What a command is refused with when there is nobody to send it. */
export function closed(): AnywireError {
  return new AnywireError('closed');
}
