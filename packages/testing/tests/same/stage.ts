import { createHmac } from 'node:crypto';
import {
  type Channel,
  type ChannelOptions,
  type Client,
  type ClientOptions,
  type CloseInfo,
  createClient,
  type Gap,
  type Message,
  type Subscribed,
  type SubscribeOptions,
  systemClock,
  type Transport,
  type Wire,
  type WireMessage,
} from '@anywire/client';
import { expect } from 'vitest';

/**
 * A server to be tried: the one in memory, or the binary. What the cases know of it is all here, so
 * that they say the same about both.
 */
export interface World {
  readonly url: string;
  /** What clients need besides: a clock, a WebSocket. */
  readonly options: Partial<ClientOptions>;
  /** The transport that all connections of the cases go over. */
  transport(): Transport;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  /** Polls until it is true, for 5 s of the world's time. */
  until(what: string, probe: () => boolean): Promise<void>;
  /** The world's time, Unix milliseconds. */
  now(): number;
  /** Starts the server again, without anything it had in memory. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export const secret = '0123456789abcdef0123456789abcdef';

/** Channels that both kinds of world have, in the words of docs/configuration.md. */
export const channels = [
  {
    pattern: 'open:*',
    history_messages: 1000,
    presence: true,
    presence_grace: '1s',
    occupancy: true,
    subscribe: 'anyone',
    publish: 'anyone',
    history_access: 'anyone',
    presence_access: 'anyone',
  },
  {
    pattern: 'short:*',
    history_messages: 2,
    subscribe: 'anyone',
    publish: 'anyone',
    history_access: 'anyone',
    presence_access: 'anyone',
  },
  { pattern: 'bare:*', subscribe: 'anyone', publish: 'anyone', history_access: 'anyone' },
  { pattern: 'own:*', history_messages: 100, presence: true },
  {
    pattern: 'users:*',
    history_messages: 100,
    subscribe: 'users',
    publish: 'users',
    history_access: 'users',
  },
  {
    pattern: 'crowd:*',
    presence: true,
    presence_grace: '0s',
    members_max: 2,
    subscribe: 'anyone',
    presence_access: 'anyone',
  },
  { pattern: '$user:*', history_messages: 10 },
] as const;

const base64url = (text: string) => Buffer.from(text).toString('base64url');

/** A token over these claims, signed with the worlds' secret unless another is given. */
export function jwt(claims: object, key: string = secret): string {
  const input = `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(JSON.stringify(claims))}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}

interface Breakable extends Transport {
  cut(): void;
  /** While true nobody gets through. */
  blocked: boolean;
}

/** A transport whose links the case cuts and whose ways it blocks. */
function breakable(inner: Transport): Breakable {
  let cut = () => {};
  const lost: CloseInfo = { code: 1006, reason: '', wasClean: false, by: 'peer' };
  const self: Breakable = {
    name: inner.name,
    blocked: false,
    cut: () => cut(),
    open(setup, events) {
      if (self.blocked) {
        queueMicrotask(() => events.lost(lost));
        return { codec: setup.json, send() {}, end: () => Promise.resolve() };
      }
      let over = false;
      const wire = inner.open(setup, {
        opened: () => over || events.opened(),
        messages: (batch) => over || events.messages(batch),
        lost: (close) => over || events.lost(close),
      });
      cut = () => {
        if (over) return;
        over = true;
        void wire.end();
        events.lost(lost);
      };
      return wire;
    },
  };
  return self;
}

/** Everything that a listener of a channel is told. */
export class Log {
  readonly messages: Message[] = [];
  readonly gaps: Gap[] = [];
  readonly subscribed: Subscribed[] = [];
  readonly errors: string[] = [];
  readonly channel: Channel;
  readonly leave: () => void;

  constructor(client: Client, name: string, options?: ChannelOptions, since?: SubscribeOptions) {
    this.channel = client.channel(name, options);
    this.channel.on('gap', (gap) => this.gaps.push(gap));
    this.channel.on('subscribed', (info) => this.subscribed.push(info));
    this.channel.on('error', ({ code }) => this.errors.push(code));
    this.leave = this.channel.subscribe((message) => this.messages.push(message), since);
  }

  get data(): readonly unknown[] {
    return this.messages.map(({ data }) => data);
  }
}

/** One connection on which a case says what it wants, without a client in between. */
export class Raw {
  readonly pushes: WireMessage[] = [];
  closed: CloseInfo | undefined;
  readonly #world: World;
  readonly #wire: Wire;
  readonly #replies = new Map<number, WireMessage>();
  #opened = false;
  #ids = 0;

  constructor(world: World, transport: Transport, setup: Parameters<Transport['open']>[0]) {
    this.#world = world;
    this.#wire = transport.open(setup, {
      opened: () => {
        this.#opened = true;
      },
      messages: (batch) => {
        for (const message of batch) this.#take(message);
      },
      lost: (close) => {
        this.closed = close;
      },
    });
  }

  /** How many commands were answered. */
  get replies(): number {
    return this.#replies.size;
  }

  async open(): Promise<this> {
    await this.#world.until('the connection is open', () => this.#opened);
    return this;
  }

  /** Sends this text as a frame, whatever it is. */
  text(frame: string): void {
    this.#wire.send([frame]);
  }

  /** Sends messages in one frame. */
  send(...messages: object[]): void {
    this.#wire.send(messages.map((message) => JSON.stringify(message)));
  }

  id(): number {
    return ++this.#ids;
  }

  async ask(type: string, members: object = {}): Promise<WireMessage> {
    const id = this.id();
    this.send({ type, id, ...members });
    return this.reply(id, type);
  }

  async reply(id: number, what = 'a command'): Promise<WireMessage> {
    await this.#world.until(`the reply to ${what}`, () => this.#replies.has(id));
    return this.#replies.get(id) as WireMessage;
  }

  /** The code of the error that answers, or the type of what else does. */
  async code(type: string, members: object = {}): Promise<unknown> {
    const reply = await this.ask(type, members);
    return reply.code ?? reply.type;
  }

  async next(): Promise<WireMessage> {
    await this.#world.until('a push', () => this.pushes.length > 0);
    return this.pushes.shift() as WireMessage;
  }

  /** The code it is closed with. */
  async end(): Promise<number> {
    await this.#world.until('the end', () => this.closed !== undefined);
    return (this.closed as CloseInfo).code;
  }

  leave(): void {
    void this.#wire.end(1000);
  }

  #take(message: WireMessage): void {
    if (typeof message.id === 'number') this.#replies.set(message.id, message);
    else this.pushes.push(message);
  }
}

/** What the cases do things with. `world` is there from the first of them on. */
export class Stage {
  world!: World;
  readonly #clients = new Map<Client, Breakable>();
  readonly #raws: Raw[] = [];
  #names = 0;

  /** A channel that no other case uses. */
  fresh(kind = 'open'): string {
    return `${kind}:${++this.#names}`;
  }

  /** A token for an hour, or until the claims say. */
  token(claims: object, key?: string): string {
    return jwt({ exp: Math.floor(this.world.now() / 1000) + 3600, ...claims }, key);
  }

  client(options: Partial<ClientOptions> = {}): Client {
    const transport = breakable(this.world.transport());
    const client = createClient({
      url: () => this.world.url,
      transports: [transport],
      backoff: { min: 10, max: 50, jitter: 'none' },
      memory: false,
      ...this.world.options,
      ...options,
    });
    this.#clients.set(client, transport);
    return client;
  }

  /** A client that is open. */
  async open(options: Partial<ClientOptions> = {}): Promise<Client> {
    const client = this.client(options);
    await this.done(client.connect());
    return client;
  }

  /** Cuts the link of a client; it stays away if told so. */
  cut(client: Client, away = false): void {
    const transport = this.#clients.get(client) as Breakable;
    transport.blocked = away;
    transport.cut();
  }

  /** Lets a client come back that stayed away. */
  async back(client: Client): Promise<void> {
    (this.#clients.get(client) as Breakable).blocked = false;
    await this.is(client, 'open');
  }

  is(client: Client, state: string): Promise<void> {
    return this.until(`the client is ${state}`, () => client.state === state);
  }

  /** A connection without a client; with `connect` it has said so. */
  async raw(connect?: object): Promise<Raw> {
    const { options, url } = this.world;
    const codec = jsonCodec();
    const { WebSocket, clock = systemClock } = options;
    const setup = { url, codec, json: codec, clock, WebSocket, fetch: undefined };
    const raw = new Raw(this.world, this.world.transport(), setup as never);
    this.#raws.push(raw);
    await raw.open();
    if (connect) expect((await raw.ask('connect', connect)).type).toBe('connected');
    return raw;
  }

  /** Listens, and waits until the subscription stands. */
  async listen(
    client: Client,
    name: string,
    options?: ChannelOptions,
    since?: SubscribeOptions,
  ): Promise<Log> {
    const log = new Log(client, name, options, since);
    await this.until(`${name} is subscribed to`, () => log.subscribed.length > 0);
    return log;
  }

  until(what: string, probe: () => boolean): Promise<void> {
    return this.world.until(what, probe);
  }

  /** Waits for so many messages. */
  async has(log: Log, count: number): Promise<void> {
    await this.until(`${count} messages`, () => log.messages.length >= count);
  }

  /** Settles like the promise, while the world's time goes on. */
  async done<T>(promise: PromiseLike<T>): Promise<T> {
    let over = false;
    const end = () => {
      over = true;
    };
    promise.then(end, end);
    await this.until('a promise is settled', () => over);
    return promise;
  }

  /** Resolves with the error that the promise rejects with. */
  async refused(promise: PromiseLike<unknown>): Promise<Record<string, unknown>> {
    const outcome = promise.then(
      () => undefined,
      (error: unknown) => error,
    );
    const error = await this.done(outcome);
    expect(error).toBeInstanceOf(Error);
    return error as Record<string, unknown>;
  }

  /** Publishes numbers, one after the other. */
  async publish(client: Client, name: string, from: number, to: number): Promise<void> {
    for (let n = from; n <= to; n++) await this.done(client.channel(name).publish(n));
  }

  /** After each case. */
  async clear(): Promise<void> {
    for (const raw of this.#raws.splice(0)) raw.leave();
    const all = [...this.#clients.keys()];
    this.#clients.clear();
    await Promise.all(all.map((client) => client.close()));
  }
}

/** The client's own codec, which it hands to transports. */
function jsonCodec() {
  return {
    protocol: 'anywire.v1.json',
    encode: (message: object) => JSON.stringify(message),
    join: (pieces: readonly unknown[]) => (pieces.length === 1 ? pieces[0] : `[${pieces.join()}]`),
    decode: (frame: unknown) => [JSON.parse(String(frame))].flat(),
  };
}
