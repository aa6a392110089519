import { Backoff } from './backoff';
import { systemClock } from './clock';
import { type Address, DialError, dial, findAddress, RAW_PROTOCOL, socketError } from './dial';
import { Emitter, safely } from './emitter';
import { deadClose, type Ending, localClose, start } from './ending';
import { Heartbeat, underWayMs } from './heartbeat';
import { MeteredLink } from './metered-link';
import { browserNetwork } from './network';
import { byteLength, SendQueue } from './queue';
import type {
  Clock,
  CloseInfo,
  Data,
  Drop,
  DropReason,
  HeartbeatOptions,
  NetworkAdapter,
  NetworkEvent,
  Sendable,
  SendResult,
  Snapshot,
  SocketError,
  SocketEvents,
  SocketOptions,
  Unsubscribe,
} from './types';

const drainMs = 50;
/** A link in doubt may hold up the return of the network this long. */
const onlineProbeMs = 500;
/** Focus and visibility come in twos and threes; one try serves them all. */
const wakeGapMs = 250;

/**
 * A WebSocket that comes back. It is a state machine with the states of `State`:
 *
 *   idle --connect--> connecting --handshake done--> open
 *   connecting, open --link lost--> waiting --delay over, wake, online--> connecting
 *   connecting, open, waiting --device offline--> offline --online, or slow retry--> connecting
 *   offline --anything arrives on the kept link, a second later--> open
 *   any --fatal close code, unusable URL, retries used up--> failed
 *   any --close()--> closed;   any --reconnect()--> connecting
 *
 * Nothing here throws for a reason outside the program, and listeners may call any method of the
 * socket. Making one touches no global; time, chance, network and WebSocket can be passed in.
 */
export class Socket {
  readonly #options: SocketOptions;
  readonly #clock: Clock;
  readonly #network: NetworkAdapter;
  readonly #backoff: Backoff;
  readonly #queue: SendQueue | undefined;
  readonly #events = new Emitter<SocketEvents>();
  #snapshot = start;
  #generation = 0;
  #link: MeteredLink | undefined;
  #asking: AbortController | undefined;
  #heartbeat: Heartbeat | undefined;
  #attemptTimer: unknown;
  #retryTimer: unknown;
  #stableTimer: unknown;
  #drainTimer: unknown;
  #triedAt = Number.NEGATIVE_INFINITY;
  #offlineAt = 0;
  #suspended = false;
  #leaveNetwork: Unsubscribe | undefined;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#network = options.network ?? browserNetwork();
    this.#backoff = new Backoff(options.backoff ?? {}, this.#clock);
    if (options.queue !== false) {
      this.#queue = new SendQueue(options.queue ?? {}, this.#clock, (drop) => this.#drop(drop));
    }
  }

  /** The same object until something changes, so it may be compared and rendered. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get state(): Snapshot['state'] {
    return this.#snapshot.state;
  }

  /** The subprotocol the server selected, '' without an open link. */
  get protocol(): string {
    return this.#link?.opened ? this.#link.protocol : '';
  }

  /** Messages waiting for a link. */
  get queued(): number {
    return this.#queue?.size ?? 0;
  }

  /**
   * Listens until what it returns is called. A listener is called in the turn of the event, and may
   * call any method.
   */
  on<Name extends keyof SocketEvents>(name: Name, listener: SocketEvents[Name]): Unsubscribe {
    return this.#events.on(name, listener);
  }

  /** Starts, or hurries a try that is due later. Does nothing when connecting or open. */
  connect(): void {
    if (this.#link || this.#asking) return;
    if (!this.#leaveNetwork) {
      this.#backoff.failures = 0;
      this.#leaveNetwork = this.#network.subscribe((event) => this.#onNetwork(event));
    }
    this.#try();
  }

  /**
   * Gives up the present link, if any, and opens a new one now; also after `closed` and
   * `failed`.
   */
  reconnect(): void {
    const ending = this.#release(localClose(1000, 'reconnect'));
    this.#backoff.failures = 0;
    this.connect();
    this.#announce(ending);
  }

  /** Ends it. Waiting messages are dropped and reported. Resolves when the link is gone. */
  close(code = 1000, reason = ''): Promise<void> {
    const ending = this.#release(localClose(code, reason));
    const waiting = this.#finish();
    this.#set({ state: 'closed', attempt: 0, retryAt: undefined, ...ending.change });
    this.#announce(ending, waiting);
    return ending.gone;
  }

  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Sends, queues or refuses, and says which. Order is kept; nothing is sent twice. */
  send(data: Sendable): SendResult {
    const { state } = this.#snapshot;
    const bytes = byteLength(data);
    if (state === 'closed' || state === 'failed') return this.#refuse('closed', data, bytes);
    if (this.#emptyIsHeartbeat(data)) return this.#refuse('empty', data, bytes);
    if (this.queued === 0 && this.#roomFor(bytes)) {
      this.#link?.send(data, bytes);
      return { ok: true, status: 'sent' };
    }
    const reason = this.#queue ? this.#queue.push(data, bytes) : 'not-open';
    if (reason) return this.#refuse(reason, data, bytes);
    if (state === 'open') this.#drainLater();
    return { ok: true, status: 'queued' };
  }

  /** Asks the server for a sign of life now, if a heartbeat is in use. */
  probe(): void {
    this.#heartbeat?.probe();
  }

  // ---- trying

  #try(): void {
    this.#stopTimers();
    this.#suspended = false;
    this.#queue?.expire();
    this.#triedAt = this.#clock.now();
    const generation = ++this.#generation;
    const asking = new AbortController();
    this.#asking = asking;
    this.#attemptTimer = this.#clock.setTimeout(
      () => this.#attemptTimedOut(),
      this.#options.connectTimeout ?? 10_000,
    );
    this.#set({ state: 'connecting', retryAt: undefined });
    if (generation !== this.#generation) return;
    const reason = this.#backoff.failures > 0 ? 'retry' : 'connect';
    const address = findAddress(this.#options, { reason, signal: asking.signal });
    if (!('then' in address)) {
      this.#dial(address, generation);
      return;
    }
    address.then(
      (found) => {
        if (generation === this.#generation) this.#dial(found, generation);
      },
      (error: unknown) => {
        if (generation === this.#generation) this.#undialled(error);
      },
    );
  }

  #dial(address: Address, generation: number): void {
    this.#asking = undefined;
    try {
      const current = () => generation === this.#generation;
      const link: MeteredLink = new MeteredLink(dial(this.#options, address), this.#clock, {
        opened: () => current() && this.#onOpened(link),
        message: (data) => current() && this.#onMessage(data, current),
        lost: (close) => current() && this.#onLost(close),
      });
      this.#link = link;
    } catch (error) {
      this.#undialled(error);
    }
  }

  #undialled(error: unknown): void {
    this.#release();
    const known = error instanceof DialError ? error : undefined;
    const value = known?.error ?? socketError('bad-url', String(error), error);
    if (known?.fatal === false) this.#retry(value, 0);
    else this.#fail(value);
  }

  #attemptTimedOut(): void {
    const close = deadClose('timeout');
    this.#release(close);
    this.#retry(socketError('timeout', 'The server did not answer in time'), 0, close);
  }

  #retry(error: SocketError, code: number, lastClose?: CloseInfo): void {
    const failures = this.#backoff.failures + 1;
    if (failures > (this.#options.retries ?? Number.POSITIVE_INFINITY)) {
      this.#fail(
        socketError('retries', `Gave up after ${failures} tries: ${error.message}`, error),
        lastClose,
      );
      return;
    }
    const offline = !this.#network.online;
    const delay = offline ? this.#backoff.slow() : this.#backoff.next(code);
    this.#retryIn(delay);
    this.#set({
      state: offline ? 'offline' : 'waiting',
      attempt: failures,
      retryAt: this.#clock.now() + delay,
      error,
      lastClose: lastClose ?? this.#snapshot.lastClose,
    });
  }

  #retryIn(delay: number): void {
    this.#clock.clearTimeout(this.#retryTimer);
    this.#retryTimer = this.#clock.setTimeout(() => this.#try(), delay);
  }

  #fail(error: SocketError, lastClose = this.#snapshot.lastClose): void {
    const waiting = this.#finish();
    this.#set({ state: 'failed', error, lastClose, retryAt: undefined });
    this.#announce(undefined, waiting);
  }

  // ---- an open link

  #onOpened(link: MeteredLink): void {
    this.#clock.clearTimeout(this.#attemptTimer);
    this.#stableTimer = this.#clock.setTimeout(() => {
      this.#backoff.failures = 0;
    }, this.#backoff.stableAfter);
    this.#startHeartbeat(link);
    const opens = this.#snapshot.opens + 1;
    this.#set({ state: 'open', attempt: 0, retryAt: undefined, error: undefined, opens });
    if (link === this.#link) this.#events.emit('open', { protocol: link.protocol, opens });
    this.#drain();
  }

  #startHeartbeat(link: MeteredLink): void {
    const { heartbeat = true } = this.#options;
    if (heartbeat === false) return;
    const options: HeartbeatOptions = heartbeat === true ? {} : heartbeat;
    const { probe } = options;
    if (probe === undefined && link.protocol !== RAW_PROTOCOL) return;
    this.#heartbeat = new Heartbeat(
      options,
      this.#clock,
      () => {
        if (!link.writable) return;
        const question = typeof probe === 'function' ? safely(probe) : (probe ?? '');
        if (question !== undefined) link.send(question, byteLength(question));
      },
      () => this.#onSilence(),
    );
  }

  #onMessage(data: Data, current: () => boolean): void {
    this.#heartbeat?.seen();
    if (this.#snapshot.state === 'offline' && this.#believes()) {
      this.#set({ state: 'open' });
      this.#drain();
    }
    if (!current() || this.#emptyIsHeartbeat(data)) return;
    const { heartbeat } = this.#options;
    const { isAnswer } = typeof heartbeat === 'object' ? heartbeat : {};
    if (isAnswer && safely(() => isAnswer(data))) return;
    this.#events.emit('message', data);
  }

  /**
   * The device says that it has no network, yet something arrived: believe what arrived, unless it
   * may have been under way already.
   */
  #believes(): boolean {
    return this.#network.online || this.#clock.now() - this.#offlineAt >= underWayMs;
  }

  #emptyIsHeartbeat(data: Data | Sendable): boolean {
    return data === '' && this.protocol === RAW_PROTOCOL;
  }

  #onSilence(): void {
    const close = deadClose('heartbeat');
    const ending = this.#release(close);
    this.#retry(socketError('heartbeat', 'The server went silent'), 0, close);
    this.#announce(ending);
  }

  #onLost(close: CloseInfo): void {
    const ending = this.#release(close);
    const { code, reason } = close;
    const words = reason ? `${code}: ${reason}` : `${code}`;
    if (this.#isFatal(close)) {
      this.#fail(socketError('fatal-close', `The server closed with ${words}`), close);
    } else {
      const message = ending.close
        ? `The link was closed (${words})`
        : 'The server could not be reached';
      this.#retry(socketError('network', message), code, close);
    }
    this.#announce(ending);
  }

  #isFatal(close: CloseInfo): boolean {
    const { fatal } = this.#options;
    if (typeof fatal === 'function') return safely(() => fatal(close)) === true;
    const { code } = close;
    return fatal ? fatal.includes(code) : code === 1008 || (code >= 4000 && code <= 4999);
  }

  // ---- sending

  /** Whether the open link takes a message now without the browser holding too much. */
  #roomFor(bytes: number): boolean {
    const link = this.#link;
    if (!link || this.#snapshot.state !== 'open' || !link.writable) return false;
    const { buffered } = link;
    return buffered === 0 || buffered + bytes <= (this.#options.bufferedMax ?? 4 << 20);
  }

  #drain(): void {
    this.#clock.clearTimeout(this.#drainTimer);
    const queue = this.#queue;
    for (let item = queue?.peek(); item; item = queue?.peek()) {
      if (!this.#roomFor(item.bytes)) {
        if (this.#snapshot.state === 'open') this.#drainLater();
        return;
      }
      // Taken out first: whatever happens next, it is not sent a second time.
      queue?.shift();
      if (this.#emptyIsHeartbeat(item.data)) this.#refuse('empty', item.data, item.bytes);
      else this.#link?.send(item.data, item.bytes);
    }
  }

  /** The platform does not say when its buffer has drained, so ask a little later. */
  #drainLater(): void {
    this.#clock.clearTimeout(this.#drainTimer);
    this.#drainTimer = this.#clock.setTimeout(() => this.#drain(), drainMs);
  }

  #refuse(reason: DropReason, data: Sendable, bytes: number): SendResult {
    this.#drop({ reason, count: 1, bytes, data });
    return { ok: false, status: 'refused', reason };
  }

  #drop(drop: Drop): void {
    this.#set({ dropped: this.#snapshot.dropped + drop.count });
    this.#events.emit('drop', drop);
  }

  // ---- the device

  #onNetwork(event: NetworkEvent): void {
    if (event === 'offline') this.#onOffline();
    else if (event === 'online') this.#onOnline();
    else if (event === 'suspend') this.#onSuspend();
    else this.#onWake();
  }

  #onOffline(): void {
    if (this.#suspended) return;
    let { retryAt } = this.#snapshot;
    if (retryAt !== undefined) {
      const delay = this.#backoff.slow();
      this.#retryIn(delay);
      retryAt = this.#clock.now() + delay;
    }
    this.#offlineAt = this.#clock.now();
    this.#set({ state: 'offline', retryAt });
    this.#heartbeat?.probeLater();
  }

  #onOnline(): void {
    if (this.#suspended) return;
    if (this.#snapshot.state !== 'offline') {
      this.#onWake();
    } else if (this.#heartbeat) {
      this.#heartbeat.probe(onlineProbeMs);
    } else {
      // A link without heartbeat cannot be tested, and a try begun without network may hang.
      const ending = this.#release(deadClose('network'));
      this.#try();
      this.#announce(ending);
    }
  }

  #onWake(): void {
    const { state, retryAt } = this.#snapshot;
    this.#heartbeat?.probe();
    if (this.#suspended) this.#try();
    else if (retryAt === undefined || (state === 'offline' && !this.#network.online)) return;
    else if (this.#clock.now() - this.#triedAt >= wakeGapMs) this.#try();
  }

  /** An open WebSocket keeps a page out of the back/forward cache, so it is closed in time. */
  #onSuspend(): void {
    const ending = this.#release(localClose(1000, 'page hidden'));
    this.#suspended = true;
    this.#set({ state: 'waiting', retryAt: undefined, ...ending.change });
    this.#announce(ending);
  }

  // ---- letting go

  /**
   * Forgets link, question and timers, and closes the link unless the peer has. It tells nobody:
   * the caller first settles the next state and announces the ending then, so a listener that
   * calls back never finds the socket half-way.
   */
  #release(close?: CloseInfo): Ending {
    const link = this.#link;
    this.#generation++;
    this.#link = undefined;
    this.#asking?.abort();
    this.#asking = undefined;
    this.#heartbeat?.stop();
    this.#heartbeat = undefined;
    this.#stopTimers();
    const unsent = link?.opened ? link.unsent() : { count: 0, bytes: 0 };
    const opened = link?.opened && close ? close : undefined;
    const local = close?.by === 'local' ? close : undefined;
    return {
      close: opened,
      change: opened ? { lastClose: opened } : {},
      drops: unsent.count > 0 ? [{ reason: 'unsent', ...unsent }] : [],
      gone:
        close?.by === 'peer' || !link ? Promise.resolve() : link.end(local?.code, local?.reason),
    };
  }

  #announce(ending?: Ending, waiting: readonly Drop[] = []): void {
    if (ending?.close) this.#events.emit('close', ending.close);
    for (const drop of [...(ending?.drops ?? []), ...waiting]) this.#drop(drop);
  }

  /** Lets go of the device and the queue for good; returns what was waiting, to be announced. */
  #finish(): readonly Drop[] {
    this.#leaveNetwork?.();
    this.#leaveNetwork = undefined;
    this.#suspended = false;
    return this.#queue?.take('closed') ?? [];
  }

  #stopTimers(): void {
    for (const timer of [
      this.#attemptTimer,
      this.#retryTimer,
      this.#stableTimer,
      this.#drainTimer,
    ]) {
      this.#clock.clearTimeout(timer);
    }
  }

  #set(change: Partial<Snapshot>): void {
    const before = this.#snapshot;
    const now = Object.freeze({ ...before, ...change });
    if (
      Object.keys(change).every((key) =>
        Object.is(before[key as keyof Snapshot], now[key as keyof Snapshot]),
      )
    ) {
      return;
    }
    this.#snapshot = now;
    this.#events.emit('state', now, before);
  }
}

/** Makes a socket and starts it. */
export function createSocket(options: SocketOptions): Socket {
  const socket = new Socket(options);
  socket.connect();
  return socket;
}
