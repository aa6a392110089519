import { Backoff } from '../backoff';
import type { Clock, Unsubscribe } from '../types';
import { Channel, type Lobby, Pattern } from './channel';
import { Connection, type Owner } from './connection';
import { AnywireError } from './error';
import { Outbox } from './outbox';
import { type Host, Room } from './room';
import type { ChannelOptions, ClientEvents, ClientOptions, ClientSnapshot } from './types';
import type { WireMessage } from './wire';

/** How many messages are remembered where several subscriptions may bring the same one. */
const recentMax = 256;

/**
 * One session with an Anywire server, and everything an application does over it. Made in state
 * `idle`; it connects when `connect` is called or something is first asked of it. Making one
 * touches no global, so a module may do it that is also rendered on a server.
 */
export class Client {
  readonly #core: Core;

  constructor(options: ClientOptions) {
    this.#core = new Core(options);
  }

  /** The same object until something changes, so it may be compared and rendered. */
  get snapshot(): ClientSnapshot {
    return this.#core.connection.snapshot;
  }

  get state(): ClientSnapshot['state'] {
    return this.snapshot.state;
  }

  /** Commands that wait for a connection or an answer. */
  get queued(): number {
    return this.#core.outbox.size;
  }

  on<Name extends keyof ClientEvents>(name: Name, listener: ClientEvents[Name]): Unsubscribe {
    return this.#core.connection.events.on(name, listener);
  }

  /** Starts, or hurries a try that is due later. Resolves when open; rejects when that ends it. */
  connect(): Promise<void> {
    return this.#core.connect();
  }

  /**
   * Leaves everything and ends the session. What waits is rejected. Subscriptions stay in place for
   * a later `connect`.
   */
  close(reason = ''): Promise<void> {
    return this.#core.close(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A channel of `T`, with `I` as presence info. The types are promises of the caller's. */
  channel<T = unknown, I = unknown>(name: string, options: ChannelOptions = {}): Channel<T, I> {
    return new Channel(this.#core, name, options);
  }

  /** All channels that match: `*` is any run of characters, `?` one of them. */
  pattern<T = unknown>(pattern: string, options: ChannelOptions = {}): Pattern<T> {
    return new Pattern(this.#core, pattern, options);
  }

  /** Calls a method of the application behind the server. Not repeated after a lost connection. */
  async rpc<R = unknown>(
    method: string,
    data?: unknown,
    options: { readonly timeout?: number; readonly signal?: AbortSignal } = {},
  ): Promise<R> {
    const message = { type: 'rpc', method, data };
    const reply = await this.#core.ask(message, { again: false, ...options });
    return reply.data as R;
  }

  /** Asks the token function for another token now, after a change of rights for example. */
  refreshToken(): Promise<void> {
    return this.#core.renew();
  }
}

/** What is behind the public face: it ties connection, outbox and rooms together. */
class Core implements Owner, Host, Lobby {
  readonly clock: Clock;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly linger: number;
  readonly membersMax: number;
  readonly #rooms = new Map<string, Room>();
  readonly #patterns = new Map<string, Room>();
  readonly #tokenTrouble: Backoff;
  #recent = new Set<string>();
  #renewing: AbortController | undefined;
  #renewTimer: unknown;
  #lostAt: number | undefined;
  #clientId: unknown;
  #keys = 0;
  #keyPrefix: string | undefined;

  constructor(options: ClientOptions) {
    this.connection = new Connection(options, this);
    this.clock = this.connection.clock;
    this.linger = options.linger ?? 250;
    this.membersMax = options.membersMax ?? 10_000;
    this.outbox = new Outbox(
      options.queue ?? {},
      this.connection,
      new Backoff(options.backoff ?? {}, this.clock),
    );
    this.#tokenTrouble = new Backoff(options.backoff ?? {}, this.clock);
  }

  // ---- for the client

  connect(): Promise<void> {
    const { connection } = this;
    const opened = new Promise<void>((resolve, reject) => {
      const look = () => {
        const { state, error } = connection.snapshot;
        if (state === 'open') resolve();
        else if (state === 'failed') reject(error);
        else if (state === 'closed') reject(closed());
        else return;
        leave();
      };
      const leave = connection.events.on('state', look);
      connection.connect();
      if (connection.snapshot.state === 'open') look();
    });
    // Whoever starts a client without waiting for it hears of failures by its state.
    opened.catch(() => {});
    return opened;
  }

  close(reason: string): Promise<void> {
    const { connection } = this;
    if (connection.live) {
      // Said aloud, so that others need not wait for the end of the grace to see it.
      const present = [...this.#rooms.values()].filter((room) => room.presence.membership.present);
      connection.send(
        present.map(({ name: channel }) => connection.call({ type: 'leave', channel }, () => {})),
      );
    }
    return connection.close(1000, reason);
  }

  ask: Outbox['add'] = (message, options) => {
    const { state } = this.connection.snapshot;
    if (state === 'closed' || state === 'failed') return Promise.reject(closed());
    const answer = this.outbox.add(message, options);
    this.start();
    return answer;
  };

  async renew(): Promise<void> {
    this.#stopRenewing();
    const renewing = new AbortController();
    this.#renewing = renewing;
    await this.connection.refresh(renewing.signal);
    this.#tokenTrouble.failures = 0;
    for (const room of [...this.#rooms.values(), ...this.#patterns.values()]) room.retry();
  }

  // ---- for channels and rooms

  start(): void {
    if (this.connection.snapshot.state === 'idle') this.connection.connect();
  }

  room(name: string, pattern: boolean, make: true): Room;
  room(name: string, pattern: boolean, make: boolean): Room | undefined;
  room(name: string, pattern: boolean, make: boolean): Room | undefined {
    const rooms = pattern ? this.#patterns : this.#rooms;
    let room = rooms.get(name);
    if (!room && make) {
      room = new Room(this, name, pattern);
      rooms.set(name, room);
    }
    return room;
  }

  retire(room: Room): void {
    const rooms = room.pattern ? this.#patterns : this.#rooms;
    if (rooms.get(room.name) === room) rooms.delete(room.name);
  }

  report(error: AnywireError): void {
    this.connection.events.emit('error', error);
  }

  /** Keys of one client never repeat, and hardly those of two: 96 bits of chance. */
  newKey(): string {
    this.#keyPrefix ??= randomText(this.clock);
    return `${this.#keyPrefix}-${++this.#keys}`;
  }

  // ---- for the connection

  hello(): readonly ReturnType<Connection['call']>[] {
    return [...this.#rooms.values(), ...this.#patterns.values()].flatMap((room) => room.hello());
  }

  up({ client, resumed }: WireMessage, greeted: boolean): void {
    const away = this.#lostAt === undefined ? 0 : this.clock.now() - this.#lostAt;
    const same = resumed === true && client === this.#clientId;
    this.#clientId = client;
    if (!greeted) this.connection.send(this.hello());
    for (const room of [...this.#rooms.values()]) room.presence.membership.up(same, away);
    this.outbox.flush();
  }

  down(): void {
    this.#lostAt = this.clock.now();
    this.#stopRenewing();
    for (const room of [...this.#rooms.values(), ...this.#patterns.values()]) room.down();
  }

  push(message: WireMessage): void {
    const { type } = message;
    if (type === 'expiring') {
      if (this.connection.renewable) this.#renewLater(0);
      return;
    }
    const name = message.channel as string;
    const room = this.#rooms.get(name) ?? this.#patterns.get(message.pattern as string);
    if (type === 'message') this.#deliver(name, message);
    else if (type === 'subscribed') {
      if (typeof name === 'string') this.room(name, false, true).granted(message);
    } else if (type === 'advance') room?.advance(message);
    else if (type === 'gap') room?.gap(message);
    else if (type === 'unsubscribed') room?.unsubscribed(message);
    else if (type === 'presence') room?.presenceChanged(message);
  }

  tooLarge(): void {
    this.outbox.tooLarge();
  }

  ended(error: AnywireError): void {
    this.#stopRenewing();
    this.#lostAt = undefined;
    this.outbox.clear(error.code, error.message);
    for (const room of [...this.#rooms.values(), ...this.#patterns.values()]) {
      room.ended(error, error.code === 'closed');
    }
  }

  // ---- inside

  /**
   * A push does not say which subscription it is for. A channel subscribed to by its name is left to
   * that subscription, and patterns see what is new in it, not what it brings back; where patterns
   * overlap none may see a message twice.
   */
  #deliver(name: string, message: WireMessage): void {
    const room = this.#rooms.get(name);
    if (this.#patterns.size === 0) {
      room?.message(message);
      return;
    }
    const matching = [...this.#patterns.values()].filter(
      (one) => one.on && one.pattern?.test(name),
    );
    let seen = Number(message.offset) <= (room?.repeated ?? -1);
    if (!seen && matching.length + (room?.on ? 1 : 0) > 1) {
      const key = `${message.offset} ${message.time} ${name}`;
      seen = this.#recent.has(key);
      this.#recent.add(key);
      if (this.#recent.size > recentMax) {
        const [oldest] = this.#recent;
        this.#recent.delete(oldest as string);
      }
    }
    room?.message(message);
    if (!seen) for (const one of matching) one.message(message);
  }

  #renewLater(wait: number): void {
    this.clock.clearTimeout(this.#renewTimer);
    this.#renewTimer = this.clock.setTimeout(() => {
      this.renew().catch((cause: unknown) => {
        if (!this.connection.live) return;
        const error = cause as AnywireError;
        if (error.retry) this.#renewLater(this.#tokenTrouble.next(0));
        else this.report(error);
      });
    }, wait);
  }

  #stopRenewing(): void {
    this.clock.clearTimeout(this.#renewTimer);
    this.#renewing?.abort();
    this.#renewing = undefined;
  }
}

/** Makes a client. Nothing happens until it is used. */
export function createClient(options: ClientOptions): Client {
  return new Client(options);
}

function closed(): AnywireError {
  return new AnywireError('closed', 'The client is closed');
}

function randomText(clock: Clock): string {
  const bytes = new Uint8Array(12);
  if (globalThis.crypto?.getRandomValues) globalThis.crypto.getRandomValues(bytes);
  else for (let i = 0; i < bytes.length; i++) bytes[i] = clock.random() * 256;
  return Array.from(bytes, (byte) => byte.toString(36).padStart(2, '0')).join('');
}
