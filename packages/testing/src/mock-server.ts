import {
  AnywireError,
  type Client,
  createClient,
  type Position,
  systemClock,
  type Transport,
} from '@anywire/client';
import type { AnyContract } from '@anywire/client/contract';
import { quiet } from './clock';
import type { CommandType } from './commands';
import { draftOf, Enforcer, payloadOf } from './contract';
import { type Channel, Hub, type Settings } from './hub';
import type { Refusal } from './refusal';
import { forget, made } from './registry';
import { checkRules, Rules } from './rules';
import type { PublishHook, RpcHandler } from './script';
import type { Draft, Stored } from './stream';
import { TokenDesk, trustingCheck } from './tokens';
import type {
  ChannelDefs,
  ChannelTarget,
  DataIn,
  Drop,
  EventIn,
  Held,
  InfoIn,
  MembersIn,
  MessagesIn,
  MockClientOptions,
  MockConnection,
  MockEnterOptions,
  MockFailure,
  MockMember,
  MockPublishOptions,
  MockRpcHandler,
  MockServerOptions,
  RefuseOptions,
  RpcDefs,
  RpcRefOf,
  RpcTarget,
} from './types';

const limits: Pick<Settings, 'server' | 'frameMessagesMax' | 'pendingMax' | 'patience'> = {
  server: 'anywire-testing/0.1.0',
  frameMessagesMax: 128,
  pendingMax: 256,
  patience: 10_000,
};

/** So that no two servers of one process have an epoch or a secret in common. */
let servers = 0;

/**
 * An Anywire server in memory: it speaks the protocol of docs/protocol.md with the clients of one
 * process, and does what the test says besides. Nothing it does arrives in the turn in which it was
 * asked for: messages come in microtasks, and what takes time takes that of `clock`.
 */
export class MockServer<
  C extends ChannelDefs = Record<never, never>,
  R extends RpcDefs = Record<never, never>,
> {
  /** An address for clients; there is nothing behind it but `transport()`. */
  readonly url = 'ws://memory/anywire';
  readonly #hub: Hub;
  readonly #clients = new Set<Client>();
  #closed = false;

  constructor(contract: AnyContract | undefined, options: MockServerOptions) {
    const { clock = systemClock, channels = [], token = trustingCheck } = options;
    checkRules(channels);
    this.#hub = new Hub({
      clock,
      rules: new Rules(channels),
      tokens: new TokenDesk(token, clock),
      contract: new Enforcer(contract),
      settings: {
        ...limits,
        ping: options.ping ?? 25_000,
        sessionWindow: options.sessionWindow ?? 120_000,
        messageBytesMax: options.messageBytesMax ?? 1 << 20,
        channelsMax: options.channelsMax ?? 128,
        patternsMax: options.patternsMax ?? 32,
      },
      number: ++servers,
    });
    made(this);
  }

  // ---- clients

  /** How a client reaches this server: `createClient({ url, transports: [server.transport()] })`. */
  transport(name = 'memory'): Transport {
    return this.#hub.network.transport(name, () => this.#hub.admit());
  }

  /**
   * A client of this server that ends with it, on the same clock. It comes back quickly and without
   * chance, unless `backoff` says otherwise.
   */
  createClient(options: MockClientOptions = {}): Client {
    const client = createClient({
      url: this.url,
      transports: [this.transport()],
      clock: this.#hub.clock,
      backoff: { min: 10, max: 100, jitter: 'none' },
      memory: false,
      ...options,
    });
    this.#clients.add(client);
    return client;
  }

  /** The open connections, oldest first. */
  get connections(): readonly MockConnection[] {
    return [...this.#hub.connections];
  }

  /** Resolves when everything that was said has arrived, but for what is held or takes time. */
  async settled(): Promise<void> {
    const { network } = this.#hub;
    do await quiet(() => network.activity);
    while (network.busy);
  }

  /** Ends everything: clients stop for good. What was published can still be looked at. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    forget(this);
    for (const client of this.#clients) void client.close();
    this.#hub.refusals.splice(0);
    this.refuse({ code: 4403, reason: 'the server in memory was closed', times: Infinity });
    this.drop({ code: 4403, reason: 'the server in memory was closed' });
    // What clients have left already the server would hear of only later.
    for (const connection of [...this.#hub.connections]) connection.gone();
    for (const { presence } of this.#hub.channels.values()) presence.dispose();
  }

  /** The same as `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  // ---- channels

  /**
   * Publishes as somebody else. A string is text, a `Uint8Array` binary, all else a JSON value.
   * Throws what the contract refuses.
   */
  publish<const X extends ChannelTarget<C>, Name extends EventIn<C, X> = never>(
    channel: X,
    data: DataIn<C, X, Name>,
    options: MockPublishOptions<Name> = {},
  ): Position {
    const name = nameOf(channel);
    const { event, id, user, client, tags } = options;
    const draft: Draft = {
      ...draftOf(data),
      ...(event !== undefined && { event }),
      ...(id !== undefined && { id }),
      ...(client !== undefined && { client }),
      ...(user !== undefined && { user }),
      ...(tags && { tags }),
    };
    demand(this.#hub.contract.message(name, draft), name);
    return this.#hub.order(name, draft);
  }

  /** Everything that was published, by clients and by the test, oldest first. */
  messages<const X extends ChannelTarget<C>>(channel: X): MessagesIn<C, X> {
    const name = nameOf(channel);
    const log = this.#known(name)?.stream.log ?? [];
    return log.map(({ epoch, message }) => toMessage(name, epoch, message)) as MessagesIn<C, X>;
  }

  /** Who is present, in the order of their ids. */
  members<const X extends ChannelTarget<C>>(channel: X): MembersIn<C, X> {
    return (this.#known(nameOf(channel))?.presence.members ?? []) as MembersIn<C, X>;
  }

  /** Lets somebody enter who is there only in this test. Throws what the contract refuses. */
  enter<const X extends ChannelTarget<C>>(
    channel: X,
    info: InfoIn<C, X>,
    { user, client = this.#hub.sessions.newClient() }: MockEnterOptions = {},
  ): MockMember<InfoIn<C, X>> {
    const name = nameOf(channel);
    const { presence } = this.#hub.channel(name);
    const put = (wanted: unknown) => {
      const who = { client, ...(user !== undefined && { user }) };
      const member = { ...who, ...(wanted !== undefined && { info: copy(wanted) }) };
      demand(this.#hub.contract.info(name, wanted) ?? presence.enter(member), name);
    };
    put(info);
    return {
      client,
      user,
      update: put,
      leave: () => void presence.leave(client),
      lose: () => presence.lose(client),
    };
  }

  /** How many listen, as `occupancy` says it. */
  subscribers(channel: ChannelTarget<C>): number {
    const name = nameOf(channel);
    return [...this.#hub.connections].filter(({ seats }) => seats.has(name)).length;
  }

  // ---- what goes wrong

  /** Cuts all connections. Default code 1006, as if all cables had been pulled. */
  drop(how: Drop = {}): void {
    for (const connection of this.connections) connection.drop(how);
    for (const link of [...this.#hub.network.links]) link.cut(how.code ?? 1006, how.reason ?? '');
  }

  /**
   * Refuses the next tries to connect: so many, or as the options say. Code 1006, the default, is a
   * server that cannot be reached; others are told in answer to `connect`. 0: refuses no more.
   */
  refuse(how: number | RefuseOptions = 1): void {
    const { times = 1, code = 1006, reason = '' } = typeof how === 'number' ? { times: how } : how;
    if (times <= 0) this.#hub.refusals.splice(0);
    else this.#hub.refusals.push({ code, reason, left: times });
  }

  /** The next token, of a `connect` or of an `auth`, is not accepted. */
  denyNextToken(times = 1): void {
    this.#hub.tokens.denials += times;
  }

  /** The tokens of all connections end now: they are closed with 4452. */
  expireToken(): void {
    for (const connection of [...this.#hub.connections]) {
      if (connection.state === 'connected') connection.close(4452, 'the token has expired');
    }
  }

  /** The tokens of all connections are revoked: they are closed with 4453, and get others. */
  revokeToken(): void {
    for (const connection of [...this.#hub.connections]) {
      if (connection.state === 'connected') {
        connection.close(4453, 'revoked: the token has been revoked');
      }
    }
  }

  /** Says that all tokens are about to end, so that clients get others. */
  warnOfExpiry(): void {
    for (const connection of [...this.#hub.connections]) {
      if (connection.state === 'connected') connection.warn();
    }
  }

  /**
   * Messages are lost: so many of which nobody ever gets any, and with them what history held. Who is
   * subscribed is told so at once, who is away when it comes back.
   */
  gap(channel: ChannelTarget<C>, messages = 1): void {
    const name = nameOf(channel);
    this.#hub.tellGap(name, this.#hub.channel(name).stream.skip(messages));
  }

  /** History is gone: who has missed something when it comes back is told of a gap. */
  forget(channel: ChannelTarget<C>): void {
    this.#hub.channel(nameOf(channel)).stream.forget();
  }

  /** The channel's stream begins anew, with an epoch of its own. */
  newEpoch(channel: ChannelTarget<C>): void {
    const name = nameOf(channel);
    this.#hub.tellGap(name, this.#hub.channel(name).stream.begin(this.#hub.newEpoch(), true));
  }

  /**
   * As if the server had been started again without a disk: connections, sessions, presence,
   * messages and keys are gone.
   */
  restart(how: Drop = { code: 1012, reason: 'the server is restarted' }): void {
    this.drop(how);
    this.#hub.restart();
  }

  /** Everything that the server says arrives so much later, ms. 0: at once again. */
  slow(ms: number): void {
    this.#hub.network.weather.delay = ms;
  }

  /**
   * Nothing arrives until `release`: neither what clients say (`commands`) nor what the server says
   * (`answers`). A link that is dropped meanwhile takes what was held with it.
   */
  hold(what: Held = 'all'): void {
    const { weather } = this.#hub.network;
    weather.commandsHeld ||= what !== 'answers';
    weather.answersHeld ||= what !== 'commands';
  }

  /** Everything that was held arrives, in order. */
  release(): void {
    const { network } = this.#hub;
    network.weather.commandsHeld = false;
    network.weather.answersHeld = false;
    network.pump();
  }

  /** The next commands of this type are answered by an error. */
  fail(command: CommandType, failure: MockFailure, times = 1): void {
    const { code, message = `the test says ${code}`, retry } = failure;
    this.#hub.script.fail(command, { code, message, ...(retry !== undefined && { retry }) }, times);
  }

  /**
   * Is asked before a client's message is published; an error that it returns or throws refuses it.
   * Returns how to stop.
   */
  onPublish(hook: PublishHook): () => void {
    return this.#hub.script.onPublish(hook);
  }

  /**
   * Answers calls of a method. An error with a `code` is told as it is, any other as `unavailable`.
   * Returns how to stop.
   */
  rpc<const X extends RpcTarget<R>>(
    method: X,
    handler: MockRpcHandler<RpcRefOf<R, X>>,
  ): () => void {
    const name = typeof method === 'string' ? method : (method as { readonly name: string }).name;
    const check = this.#hub.contract.rpc(name)?.check;
    const checked: RpcHandler = async (data, caller) => {
      check?.input(data);
      const result: unknown = await (handler as RpcHandler)(data, caller);
      check?.output(result);
      return result;
    };
    return this.#hub.script.answer(name, checked);
  }

  /** What the test has prepared and nothing has met so far, as sentences. */
  get unused(): readonly string[] {
    const { refusals, tokens, script } = this.#hub;
    const refused = refusals.filter(({ left }) => Number.isFinite(left));
    return [
      ...refused.map(({ code, left }) => `refuse: ${left} more tries to connect with ${code}`),
      ...(tokens.denials > 0 ? [`denyNextToken: ${tokens.denials} more tokens`] : []),
      ...script.unused,
    ];
  }

  #known(name: string): Channel | undefined {
    return this.#hub.channels.get(name);
  }
}

function nameOf(channel: unknown): string {
  return typeof channel === 'string' ? channel : (channel as { readonly name: string }).name;
}

function copy(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function toMessage(channel: string, epoch: string, message: Stored): unknown {
  const { data: _, text, binary, ...rest } = message;
  const kind = text !== undefined ? 'text' : binary !== undefined ? 'binary' : 'json';
  return { channel, epoch, ...rest, kind, data: payloadOf(message) };
}

/** What the test itself does wrong is thrown, where a client would get an error. */
function demand(refused: Refusal | undefined, channel: string): void {
  if (refused) throw new AnywireError(refused.code, refused.message, { channel });
}
