import type {
  ChannelRef,
  ClientOptions,
  Clock,
  EventName,
  EventsOf,
  InfoOf,
  InputOf,
  Member,
  MessageOf,
  NoEvents,
  Position,
  Publishable,
  RpcInput,
  RpcOutput,
  RpcRef,
  WireMessage,
} from '@anywire/client';
import type {
  ChannelDefs,
  ChannelNamed,
  ChannelNames,
  RpcDefs,
  RpcOf,
} from '@anywire/client/contract';
import type { MockFrame } from './connection';
import type { ChannelRule } from './rules';
import type { Caller } from './script';
import type { TokenCheck } from './tokens';

/** Any channel with types, whatever they are. */
// biome-ignore lint/suspicious/noExplicitAny: types are inferred from what is given
type AnyRef = ChannelRef<any, any, any, any>;
// biome-ignore lint/suspicious/noExplicitAny: as above
type AnyRpcRef = RpcRef<any, any>;

/** Names of a contract's channels; any text where there is no contract. */
export type ChannelTarget<C> = ([keyof C] extends [never] ? string : ChannelNames<C>) | AnyRef;
/** The channel, with its types, that a target stands for. */
export type RefOf<C, X> = X extends AnyRef
  ? X
  : X extends string
    ? [keyof C] extends [never]
      ? ChannelRef<unknown, unknown, unknown, NoEvents>
      : ChannelNamed<C, X>
    : never;
/** Names of a contract's methods; any text where there is no contract. */
export type RpcTarget<R> = ([keyof R] extends [never] ? string : keyof R & string) | AnyRpcRef;
/** The method, with its types, that a target stands for. */
export type RpcRefOf<R, X> = X extends AnyRpcRef
  ? X
  : X extends keyof R
    ? RpcOf<R[X]>
    : RpcRef<unknown, unknown>;

/** How a server in memory is made. Throws where a rule or limit makes no sense. */
export interface MockServerOptions {
  /** Time, for everything the server does by itself. Default: the platform's, fake timers too. */
  readonly clock?: Clock;
  /** Default: every channel allows everything, and keeps 1000 messages. */
  readonly channels?: readonly ChannelRule[];
  /**
   * What is thought of tokens. Default: none is an anonymous client, a JWT is believed as it is,
   * and any other text is the name of a user.
   */
  readonly token?: TokenCheck;
  /** How long a session whose connection was lost may be resumed, ms. Default 120 000. */
  readonly sessionWindow?: number;
  /** After so much silence a client asks whether anybody is there, ms. Default 25 000. */
  readonly ping?: number;
  /** Largest frame taken. Default 1 MiB. */
  readonly messageBytesMax?: number;
  /** Channels of one connection, patterns included. Default 128. */
  readonly channelsMax?: number;
  /** Patterns of one connection. Default 32. */
  readonly patternsMax?: number;
}

/** One open connection, as the server sees it. */
export interface MockConnection {
  /** Its public id; undefined until it has said `connect`. */
  readonly client: string | undefined;
  readonly user: string | undefined;
  /** What the client calls itself. */
  readonly agent: string;
  readonly open: boolean;
  /** Channels and patterns it is subscribed to. */
  readonly channels: readonly string[];
  /** Everything that was said, both ways, oldest first; the newest 10 000 messages. */
  readonly frames: readonly MockFrame[];
  /** Cuts it: what is under way is lost. Default code 1006, as if the cable had been pulled. */
  drop(how?: Drop): void;
  /** Says whatever the test wants, as if the server had. */
  send(message: WireMessage): void;
  /**
   * Calls a method that the client answers with `handle`, as the application's server does. Rejects
   * with the client's error, and with `client_gone` when the connection ends first.
   */
  call(method: string, data?: unknown): Promise<unknown>;
}

/** How a connection is ended. */
export interface Drop {
  /** A close code of docs/protocol.md section 6. Default 1006. */
  readonly code?: number;
  /** What the client finds in `lastClose.reason`. Default: none. */
  readonly reason?: string;
}

/** Which tries to connect are refused, and how. */
export interface RefuseOptions extends Drop {
  /** So many of the next tries to connect. Default 1; `Infinity` until `refuse(0)`. */
  readonly times?: number;
}

/** Of which direction of all connections nothing arrives. */
export type Held = 'answers' | 'commands' | 'all';

/** Who seems to have published. */
export interface MockPublishOptions<Name extends string = string> {
  readonly event?: Name;
  readonly id?: string;
  readonly user?: string;
  /** The session that published it. */
  readonly client?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Who another member is. */
export interface MockEnterOptions {
  /** Whom its token would speak for. Default: nobody. */
  readonly user?: string;
  /** The id others see. Default: one that nobody has had. */
  readonly client?: string;
}

/** Another member of a channel, there only because the test says so. */
export interface MockMember<I = unknown> {
  readonly client: string;
  readonly user: string | undefined;
  /** Changes its info, which all who watch are told. Throws where the contract refuses it. */
  update(info: I): void;
  /** Says goodbye. */
  leave(): void;
  /** Its connection is lost: it is there for the channel's grace, then gone. */
  lose(): void;
}

/** How a command is to fail. */
export interface MockFailure {
  /** A code of docs/protocol.md section 2, or any other. */
  readonly code: string;
  readonly message?: string;
  /** Whether the client may try the same again. Default: as the protocol has it for the code. */
  readonly retry?: boolean;
}

/** The options a client needs to speak to a server in memory. */
export type MockClientOptions = Partial<ClientOptions>;

export type MockRpcHandler<Ref> = (
  data: RpcInput<Ref>,
  caller: Caller,
) => RpcOutput<Ref> | PromiseLike<RpcOutput<Ref>>;

export type MessagesIn<C, X> = readonly MessageOf<RefOf<C, X>>[];
export type MembersIn<C, X> = readonly Member<InfoOf<RefOf<C, X>>>[];
export type EventIn<C, X> = EventName<EventsOf<RefOf<C, X>>>;
export type DataIn<C, X, Name extends string> = Publishable<
  InputOf<RefOf<C, X>>,
  EventsOf<RefOf<C, X>>,
  Name
>;
export type InfoIn<C, X> = InfoOf<RefOf<C, X>>;
export type { ChannelDefs, Position, RpcDefs };
