import type { ChannelRef, EventName, NoEvents, Publishable, Received } from '@anywire/client';
import { environment } from './environment';
import { ApiError, type Problem, problemToError } from './error';
import { fromWire, nameOf, toMessage, type WireMessage } from './message';
import type { Capability } from './token/claims';
import { type Algorithm, mintToken } from './token/mint';
import { type Call, carryOut, type TransportOptions } from './transport';
import type {
  CallOptions,
  ChannelCounts,
  ChannelsPage,
  Connection,
  HistoryOptions,
  HistoryPage,
  PresencePage,
  Published,
  PublishOptions,
  PublishResult,
  Revocation,
  StoredMessage,
  Ticket,
  TicketOptions,
  Whom,
} from './types';

/** What `createApi` takes. */
export interface ApiOptions {
  /** The server's address. Default: the variable `ANYWIRE_URL`, else `http://127.0.0.1:3001`. */
  readonly url?: string | undefined;
  /** The name of the key in `[[keys]]`. Default: `ANYWIRE_KEY`, else none (`auth.hs256_secret`). */
  readonly key?: string | undefined;
  /** The key's secret. Default: the variable `ANYWIRE_SECRET`. */
  readonly secret?: string | undefined;
  /** How tokens of the key are signed. Default `HS256`; the secret of others is a private key. */
  readonly algorithm?: Algorithm | undefined;
  /**
   * What the calls may do. Default all, `manage` included; for a key that has a `capability` of its
   * own in `[[keys]]`, say no more than that here.
   */
  readonly capability?: Capability | undefined;
  /** A token, or what gets one, instead of key and secret: for those who may do less. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** What the server expects as `auth.issuer` and `auth.audience`, if anything. */
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  /** For a call with all its tries, ms. Default 10 000. */
  readonly timeout?: number | undefined;
  /** How often a call is sent again where that is safe and can help. Default 3. */
  readonly retries?: number | undefined;
  /** Where the API is, behind the address. Default `/api/v1`. */
  readonly path?: string | undefined;
  readonly fetch?: typeof fetch | undefined;
}

/** A channel by name, or of a contract. */
export type Channel<T = unknown, I = unknown, In = T, E = NoEvents> =
  | string
  | ChannelRef<T, I, In, E>;

/** One of several publications. */
export interface Publication extends Omit<PublishOptions, 'signal'> {
  readonly channel?: Channel | undefined;
  readonly user?: string | undefined;
  readonly data: unknown;
}

/** A token of one's own lives so long, seconds; another is made before it ends. */
const tokenLifeS = 300;
const renewBeforeMs = 60_000;
const everything: Capability = { '*': ['*', 'manage'] };

/**
 * The HTTP API of an Anywire server, for whoever has a key: route handlers, server actions, jobs.
 *
 *   const api = createApi();                       // ANYWIRE_URL, ANYWIRE_KEY, ANYWIRE_SECRET
 *   await api.publish('room:42', { text: 'hello' });
 *
 * It holds no connection and no timer, so it may be made once for the process or for each request.
 * The secret itself never travels: calls carry a token of five minutes that is signed with it.
 * Variables are read at the first call, so importing and making it is safe in builds.
 *
 * Every method rejects with an ApiError. What a contract's channel takes is checked before it is
 * sent (`schema`), and what comes back is what its schema gives.
 */
export function createApi(options: ApiOptions = {}): Api {
  return new Api(options);
}

/** What `createApi` returns. */
export class Api {
  readonly #options: ApiOptions;
  #transport: TransportOptions | undefined;
  #minted: { readonly token: string; readonly expires: number } | undefined;

  /** @internal */
  constructor(options: ApiOptions) {
    this.#options = options;
  }

  /** Publishes to a channel. It is in the channel's order, and kept as its rule says, on return. */
  async publish<T, I, In, E, Name extends EventName<E> = never>(
    channel: Channel<T, I, In, E>,
    data: Publishable<In, E, Name>,
    options: PublishOptions<Name> = {},
  ): Promise<Published> {
    const { signal, ...rest } = options as PublishOptions;
    const message = toMessage({ ...rest, channel: channel as Channel, data });
    return (await this.#post('/publish', message, { signal, repeatable: true })) as Published;
  }

  /** Publishes to all connections of a user, on that user's own channel. */
  async sendToUser(user: string, data: unknown, options: PublishOptions = {}): Promise<Published> {
    const { signal, ...rest } = options;
    const message = toMessage({ ...rest, user, data });
    return (await this.#post('/publish', message, { signal, repeatable: true })) as Published;
  }

  /** Several publications, at most 100, in one call. Each has its own result; none stops others. */
  async batch(
    publications: readonly Publication[],
    { signal }: CallOptions = {},
  ): Promise<PublishResult[]> {
    const body = { publications: publications.map(toMessage) };
    return results(await this.#post('/batch', body, { signal, repeatable: true }));
  }

  /** One message to several channels, at most 100, in one call. */
  async broadcast(
    channels: readonly Channel[],
    data: unknown,
    options: PublishOptions = {},
  ): Promise<PublishResult[]> {
    const { signal, ...rest } = options;
    // Each contract's channel has its word on it, but what travels is the same for all.
    for (const channel of channels) toMessage({ ...rest, channel, data });
    const message = toMessage({ ...rest, data });
    const body = { ...message, channels: channels.map((channel) => nameOf(channel)[0]) };
    return results(await this.#post('/broadcast', body, { signal, repeatable: true }));
  }

  /** A page of what was said, the newest first unless `order` says otherwise. */
  async history<T, I, In, E>(
    channel: Channel<T, I, In, E>,
    options: HistoryOptions = {},
  ): Promise<HistoryPage<Received<T, E> extends { readonly data: infer D } ? D : T>> {
    const { signal, limit, order = 'backward', after, before, from, to, epoch } = options;
    const [name, check] = nameOf(channel as Channel);
    const query = { channel: name, limit, order, after, before, from, to, epoch };
    const page = (await this.#get('/history', query, signal)) as HistoryPage & {
      readonly messages: readonly WireMessage[];
    };
    const messages = page.messages.flatMap((one) => fromWire(one, check));
    return { ...page, messages } as never;
  }

  /** All of a channel's history, page by page, as far as it is read. */
  async *messages<T = unknown>(
    channel: Channel,
    options: HistoryOptions = {},
  ): AsyncGenerator<StoredMessage<T>, void, undefined> {
    let { after, before } = options;
    let { epoch } = options;
    for (;;) {
      const page = await this.history(channel, { ...options, after, before, epoch });
      yield* page.messages as readonly StoredMessage<T>[];
      const last = page.messages.at(-1);
      if (!page.more || !last) return;
      epoch = page.epoch;
      if (options.order === 'forward') after = last.offset;
      else before = last.offset;
    }
  }

  /** A page of who is present: those behind the client id `after`. */
  async presence<T, I, In, E>(
    channel: Channel<T, I, In, E>,
    options: CallOptions & { readonly after?: string; readonly limit?: number } = {},
  ): Promise<PresencePage<I>> {
    const { signal, after, limit } = options;
    const query = { channel: nameOf(channel as Channel)[0], after, limit };
    return (await this.#get('/presence', query, signal)) as PresencePage<I>;
  }

  /** How many listen to a channel, and how many are present. */
  async counts(channel: Channel, { signal }: CallOptions = {}): Promise<ChannelCounts> {
    const query = { channel: nameOf(channel)[0], counts: true };
    return (await this.#get('/presence', query, signal)) as ChannelCounts;
  }

  /** A page of the channels that somebody listens to, by name, those behind `after`. */
  async channels(
    options: CallOptions & {
      readonly pattern?: string;
      readonly after?: string;
      readonly limit?: number;
    } = {},
  ): Promise<ChannelsPage> {
    const { signal, pattern, after, limit } = options;
    return (await this.#get('/channels', { pattern, after, limit }, signal)) as ChannelsPage;
  }

  /** Where a user is connected. */
  async connections(user: string, { signal }: CallOptions = {}): Promise<readonly Connection[]> {
    const answer = (await this.#get('/connections', { user }, signal)) as {
      readonly connections: readonly Connection[];
    };
    return answer.connections;
  }

  /** Closes connections; `reconnect: false` tells clients to stay away. Gives how many it was. */
  async disconnect(
    whom: Whom,
    options: CallOptions & { readonly reason?: string; readonly reconnect?: boolean } = {},
  ): Promise<number> {
    const { signal, ...rest } = options;
    return this.#count('/disconnect', { ...whom, ...rest }, 'disconnected', signal);
  }

  /** Subscribes connections to a channel, whatever their tokens say. Gives how many it was. */
  async subscribe(whom: Whom, channel: Channel, { signal }: CallOptions = {}): Promise<number> {
    const body = { ...whom, channel: nameOf(channel)[0] };
    return this.#count('/subscribe', body, 'connections', signal);
  }

  /** Ends subscriptions of connections to a channel. Gives how many connections it was. */
  async unsubscribe(whom: Whom, channel: Channel, { signal }: CallOptions = {}): Promise<number> {
    const body = { ...whom, channel: nameOf(channel)[0] };
    return this.#count('/unsubscribe', body, 'connections', signal);
  }

  /** Lets connections do more than their tokens say, for so many seconds or as long as they last. */
  async grant(
    whom: Whom,
    capability: Capability,
    options: CallOptions & { readonly expiresIn?: number } = {},
  ): Promise<number> {
    const { signal, ...rest } = options;
    return this.#count('/grants', { ...whom, capability, ...rest }, 'connections', signal);
  }

  /** Takes grants back: these, or all. */
  async ungrant(
    whom: Whom,
    options: CallOptions & { readonly capability?: Capability } = {},
  ): Promise<number> {
    const { signal, ...rest } = options;
    return this.#count('/grants', { ...whom, ...rest }, 'connections', signal, 'DELETE');
  }

  /** Makes tokens worthless before their end and closes what came by them. Gives how many. */
  async revoke(revocation: Revocation, { signal }: CallOptions = {}): Promise<number> {
    return this.#count('/revocations', revocation, 'disconnected', signal);
  }

  /** A ticket for clients that can say nothing but an address: `wss://.../anywire?ticket=...`. */
  async createTicket({ signal, ...claims }: TicketOptions = {}): Promise<Ticket> {
    return (await this.#post('/tickets', claims, { signal, repeatable: true })) as Ticket;
  }

  /**
   * Calls a method that a client has a handler for (`handle` of @anywire/client). `timeout` is for
   * the client, ms, at most 60 000. Default 10 000. Rejects with `client_gone`, `no_handler`,
   * `timeout`, or `refused` with what the client said.
   */
  async rpc<Out = unknown>(
    client: string,
    method: string,
    data?: unknown,
    options: CallOptions & { readonly timeout?: number } = {},
  ): Promise<Out> {
    const { signal, timeout = 10_000 } = options;
    const body = { client, method, ...(data !== undefined && { data }), timeout };
    const more = { signal, repeatable: false, patience: timeout };
    return ((await this.#post('/rpc', body, more)) as { readonly data: Out }).data;
  }

  async #count(
    path: string,
    body: object,
    member: string,
    signal: AbortSignal | undefined,
    method: Call['method'] = 'POST',
  ): Promise<number> {
    const call = { method, path, body: encode(body), signal, repeatable: true };
    return ((await this.#carryOut(call)) as Record<string, number>)[member] ?? 0;
  }

  #post(
    path: string,
    body: object,
    more: Omit<Call, 'method' | 'path' | 'body'>,
  ): Promise<unknown> {
    return this.#carryOut({ method: 'POST', path, body: encode(body), ...more });
  }

  #get(
    path: string,
    query: Record<string, string | number | boolean | undefined>,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const said = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(said.map(([name, value]) => [name, String(value)]));
    const call = { method: 'GET', path: `${path}?${search}`, signal, repeatable: true } as const;
    return this.#carryOut(call);
  }

  #carryOut(call: Call): Promise<unknown> {
    this.#transport ??= this.#begin();
    return carryOut(call, this.#transport);
  }

  #begin(): TransportOptions {
    const { timeout = 10_000, retries = 3 } = this.#options;
    const send = this.#options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args));
    const base = baseOf(this.#options.url ?? environment('ANYWIRE_URL'), this.#options.path);
    return { base, timeout, retries, fetch: send, authorize: () => this.#authorize() };
  }

  async #authorize(): Promise<string> {
    const { token, capability = everything, ...signing } = this.#options;
    if (typeof token === 'function') return `Bearer ${await token()}`;
    if (token !== undefined) return `Bearer ${token}`;
    if (!this.#minted || this.#minted.expires - Date.now() < renewBeforeMs) {
      const { key, secret, algorithm, issuer, audience } = signing;
      const options = { key, secret, algorithm, issuer, audience, ttl: tokenLifeS };
      this.#minted = await mintToken({ user: null, capability }, options);
    }
    return `Bearer ${this.#minted.token}`;
  }
}

function baseOf(url = 'http://127.0.0.1:3001', path = '/api/v1'): string {
  try {
    const { protocol, origin, pathname, username } = new URL(url.replace(/^ws/, 'http'));
    if (!/^https?:$/.test(protocol) || username) throw new TypeError('not HTTP');
    return origin + pathname.replace(/\/$/, '') + path.replace(/\/$/, '');
  } catch {
    // Without the address: a key may have been put into it.
    throw new ApiError('bad_url', '"url" must be like "https://realtime.example.com"', 0);
  }
}

function encode(body: object): string {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    throw new ApiError('bad_data', `this cannot be written as JSON: ${cause}`, 0, { cause });
  }
}

function results(answer: unknown): PublishResult[] {
  const list = (answer as { readonly results: readonly { readonly error?: Problem }[] }).results;
  return list.map((one) =>
    one.error ? { error: problemToError(one.error, 0) } : (one as unknown as Published),
  );
}
