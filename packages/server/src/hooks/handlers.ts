import type { AnyContract, SchemaInput, SchemaOutput } from '@anywire/client/contract';
import type {
  ConnectAnswer,
  ConnectHook,
  EventsHook,
  PublishAnswer,
  PublishHook,
  Refusal,
  RpcHook,
  SubscribeAnswer,
  SubscribeHook,
  Verdict,
} from './types';
import type { VerifyOptions } from './verify';

/** At once or later. */
export type Eventually<T> = T | Promise<T>;

type Member<D, Name extends string> = D extends Readonly<Record<Name, infer S>> ? S : undefined;
/** Whether a contract is one whose names are known. */
type Known<T> = string extends keyof T ? false : true;

/** What is published to a channel of a contract: with an event the data of that event. */
type PublishHookOf<D> = [Member<D, 'events'>] extends [undefined]
  ? PublishHook<SchemaOutput<Member<D, 'message'>>>
  :
      | (PublishHook<SchemaOutput<Member<D, 'message'>>> & { readonly event?: undefined })
      | {
          [Event in keyof Member<D, 'events'> & string]: PublishHook<
            SchemaOutput<Member<D, 'events'>[Event]>
          > & { readonly event: Event };
        }[keyof Member<D, 'events'> & string];
/** What may be put in its place: what the schemas take. */
type RewriteOf<D> = [Member<D, 'events'>] extends [undefined]
  ? SchemaInput<Member<D, 'message'>>
  :
      | SchemaInput<Member<D, 'message'>>
      | {
          [Event in keyof Member<D, 'events'>]: SchemaInput<Member<D, 'events'>[Event]>;
        }[keyof Member<D, 'events'>];

/** Answers for one kind of channel. */
type PublishHandlers<Channels> = {
  readonly [Pattern in keyof Channels]?: (
    hook: PublishHookOf<Channels[Pattern]>,
  ) => Eventually<Verdict<PublishAnswer<RewriteOf<Channels[Pattern]>>>>;
};
type SubscribeHandlers<Channels> = {
  readonly [Pattern in keyof Channels]?: (
    hook: SubscribeHook,
  ) => Eventually<Verdict<SubscribeAnswer>>;
};

/** A method's answer to a call. What it throws is told to the client only if it is a `refuse()`. */
export type RpcHandler<Def> = (
  data: SchemaOutput<Member<Def, 'input'>>,
  hook: RpcHook<SchemaOutput<Member<Def, 'input'>>>,
) => Eventually<SchemaInput<Member<Def, 'output'>> | Refusal>;
/** Without a contract: whoever writes it says of what type the data is, at their own risk. */
export type AnyRpcHandler = {
  /** A method, since of those TypeScript lets the parameters be narrower than `unknown`. */
  handle(data: unknown, hook: RpcHook): unknown;
}['handle'];

/** Methods by their names. */
export type RpcHandlers<Rpcs> =
  Known<Rpcs> extends true
    ? { readonly [Name in keyof Rpcs]?: RpcHandler<Rpcs[Name]> }
    : Readonly<Record<string, AnyRpcHandler>>;

/** What an application wants to be asked and told. What is not here is allowed. */
export interface HookHandlers<C extends AnyContract = AnyContract> extends VerifyOptions {
  /**
   * Data of channels and methods that the contract names is checked, and what its schemas give is
   * handed on; what they refuse is refused.
   */
  readonly contract?: C | undefined;
  /** Asked for everybody who connects, where `app.hooks` has `connect`. */
  readonly onConnect?: (hook: ConnectHook) => Eventually<Verdict<ConnectAnswer>>;
  /**
   * Asked where a channel's rule has `subscribe_hook`. One function for all, or, with a contract,
   * one for each of its patterns; channels of patterns that are not here are allowed.
   */
  readonly onSubscribe?:
    | ((hook: SubscribeHook) => Eventually<Verdict<SubscribeAnswer>>)
    | (Known<C['channels']> extends true ? SubscribeHandlers<C['channels']> : never);
  /** Asked where a channel's rule has `publish_hook`. As with `onSubscribe`. */
  readonly onPublish?:
    | ((hook: PublishHook) => Eventually<Verdict<PublishAnswer>>)
    | (Known<C['channels']> extends true ? PublishHandlers<C['channels']> : never);
  /**
   * Methods by name, or one function for all, where `app.hooks` has `rpc`. Of methods that are not
   * here the caller is told that nobody handles them.
   */
  readonly onRpc?: RpcHandlers<C['rpcs']> | ((hook: RpcHook) => unknown);
  /** Told what has happened, where `app.hooks` has `events`. */
  readonly onEvents?: (hook: EventsHook) => Eventually<void>;
  /** Told of what a handler threw that was no `refuse()`. Default: `console.error`. */
  readonly onError?: (error: unknown) => void;
}
