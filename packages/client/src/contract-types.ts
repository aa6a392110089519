import type { SchemaIssue } from './realtime/error';
import type { ChannelRef, NoEvents, RpcRef, Transformed } from './realtime/types';

/**
 * The types of a contract: what its names match and what its schemas say. Nothing here runs.
 *
 * A channel's name in a contract is a pattern: `{id}` stands for one or more characters, `{{` and
 * `}}` for braces. To the type checker `room:{id}` is the template literal `room:${string}`.
 */

/** Standard Schema, version 1: Zod, Valibot, ArkType and others implement it. */
export interface StandardSchema<In = unknown, Out = In> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Out> | Promise<SchemaResult<Out>>;
    readonly types?: { readonly input: In; readonly output: Out } | undefined;
  };
}
/** What a schema says of a value: what it makes of it, or what is wrong with it. */
export type SchemaResult<Out> =
  | { readonly value: Out; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** What a contract says of one channel, or of all that a pattern stands for. */
export interface ChannelDef {
  /** Of messages; where there are no `events`, of all of them. Unchecked when left out. */
  readonly message?: StandardSchema;
  /**
   * Of presence info. What it gives must be something that it takes, so that what one reads of a
   * member can be entered again.
   */
  readonly presence?: StandardSchema;
  /** Of messages with these event names. Where there are any, no other event is allowed. */
  readonly events?: Readonly<Record<string, StandardSchema>>;
}
/** What a contract says of one method. */
export interface RpcDef {
  /** Of the argument. Unchecked when left out. */
  readonly input?: StandardSchema;
  /** Of the answer. Unchecked when left out. */
  readonly output?: StandardSchema;
}
/** The channels of a contract, by name or pattern such as `room:{id}`. */
export type ChannelDefs = Readonly<Record<string, ChannelDef>>;
/** The methods of a contract, by name. */
export type RpcDefs = Readonly<Record<string, RpcDef>>;

// ---- what schemas say

type Types<S> = S extends { readonly '~standard': { readonly types?: infer T } }
  ? NonNullable<T>
  : unknown;
/** What a schema gives; `unknown` where there is none. */
export type SchemaOutput<S> = Types<S> extends { readonly output: infer Out } ? Out : unknown;
/** What a schema takes; `unknown` where there is none. */
export type SchemaInput<S> = Types<S> extends { readonly input: infer In } ? In : unknown;

type Of<D, Member extends string> = D extends Readonly<Record<Member, infer S>> ? S : undefined;
type EventType<In, Out> = [In, Out] extends [Out, In] ? Out : Transformed<Out, In>;
type EventTypes<E> = [E] extends [undefined]
  ? NoEvents
  : { -readonly [Name in keyof E]: EventType<SchemaInput<E[Name]>, SchemaOutput<E[Name]>> };

/** The channels that this entry of a contract stands for. */
export type ChannelOf<D> = ChannelRef<
  SchemaOutput<Of<D, 'message'>>,
  SchemaOutput<Of<D, 'presence'>>,
  SchemaInput<Of<D, 'message'>>,
  EventTypes<Of<D, 'events'>>
>;
/** The method that this entry of a contract stands for. */
export type RpcOf<D> = RpcRef<SchemaInput<Of<D, 'input'>>, SchemaOutput<Of<D, 'output'>>>;

// ---- what names match

/** The literal text that `{{` and `}}` are written for. */
type Unescape<Text extends string> = Text extends `${infer Head}}}${infer Tail}`
  ? `${Head}}${Unescape<Tail>}`
  : Text;

/** `room:{id}` as the template literal type of its names. */
export type NameOf<Pattern extends string> = Pattern extends `${infer Head}{${infer Tail}`
  ? Tail extends `{${infer Rest}`
    ? `${Unescape<Head>}{${NameOf<Rest>}`
    : Tail extends `${string}}${infer Rest}`
      ? `${Unescape<Head>}${string}${NameOf<Rest>}`
      : never
  : Unescape<Pattern>;

/** The names of a pattern's parts: `id` of `room:{id}`. */
export type PartOf<Pattern extends string> = Pattern extends `${string}{${infer Tail}`
  ? Tail extends `{${infer Rest}`
    ? PartOf<Rest>
    : Tail extends `${infer Part}}${infer Rest}`
      ? Part | PartOf<Rest>
      : never
  : never;

/** The literal text before a pattern's first part. */
type PrefixOf<Pattern extends string> = Pattern extends `${infer Head}{${infer Tail}`
  ? Tail extends `{${infer Rest}`
    ? `${Unescape<Head>}{${PrefixOf<Rest>}`
    : Unescape<Head>
  : Unescape<Pattern>;

type WithParts<Pattern extends string> = Pattern extends string
  ? [PartOf<Pattern>] extends [never]
    ? never
    : Pattern
  : never;

type Matching<Pattern extends string, Name extends string> = Pattern extends string
  ? Name extends NameOf<Pattern>
    ? Pattern
    : never
  : never;

type Longer<A extends string, B extends string> = A extends `${B}${infer _}${infer __}`
  ? A extends B
    ? false
    : true
  : false;
/** Of two patterns that match the same name: A is the more specific one. */
type Beats<A extends string, B extends string> =
  Longer<PrefixOf<A>, PrefixOf<B>> extends true
    ? true
    : PrefixOf<A> extends PrefixOf<B>
      ? NameOf<A> extends NameOf<B>
        ? NameOf<B> extends NameOf<A>
          ? false
          : true
        : false
      : false;
type Beaten<A extends string, All extends string> = All extends string
  ? Beats<All, A> extends true
    ? true
    : never
  : never;
type Best<Candidate extends string, All extends string = Candidate> = Candidate extends string
  ? [Beaten<Candidate, All>] extends [never]
    ? Candidate
    : never
  : never;

/** What `contract.channel` takes as its first argument. */
export type ChannelNames<C> = NameOf<keyof C & string> | WithParts<keyof C & string>;

/** The values for the parts of a pattern, if the name is one. */
export type PartsOf<C, Name extends string> = [Name] extends [WithParts<keyof C & string>]
  ? [parts: { readonly [Part in PartOf<Name>]: string | number }]
  : [];

/** The key of the contract that a name belongs to: the most specific that matches. */
export type KeyOf<C, Name extends string> =
  Name extends WithParts<keyof C & string> ? Name : Best<Matching<keyof C & string, Name>>;

/** The channel of a contract with this name. */
export type ChannelNamed<C, Name extends string> = {
  [Key in KeyOf<C, Name>]: Key extends keyof C ? ChannelOf<C[Key]> : never;
}[KeyOf<C, Name>];

// ---- mistakes, told where they are made

/** Shown by the type checker in place of the type that was expected. */
interface Mistake<Words extends string> {
  readonly '~mistake': Words;
}

type LoneBrace<Text extends string> = Text extends `${infer Head}}}${infer Tail}`
  ? LoneBrace<`${Head}${Tail}`>
  : Text extends `${string}}${string}`
    ? true
    : false;
type Scan<Pattern extends string, Seen = never> = Pattern extends `${infer Head}{${infer Tail}`
  ? LoneBrace<Head> extends true
    ? 'a "}" of its own is written "}}"'
    : Tail extends `{${infer Rest}`
      ? Scan<Rest, Seen>
      : Tail extends `${infer Part}}${infer Rest}`
        ? Part extends '' | `${string}{${string}`
          ? 'a "{" of its own is written "{{", and a part needs a name: "{id}"'
          : Part extends Seen
            ? `two parts are named "${Part}"`
            : Scan<Rest, Seen | Part>
        : 'a "{" is not closed; one of its own is written "{{"'
  : LoneBrace<Pattern> extends true
    ? 'a "}" of its own is written "}}"'
    : never;
type Fault<Pattern extends string> = Pattern extends '' ? 'a channel needs a name' : Scan<Pattern>;

type UnknownMembers<D, Known, Words extends string> = {
  readonly [Member in Exclude<keyof D, Known>]: Mistake<`only ${Words} may stand here`>;
};
type Reenterable<D> =
  SchemaOutput<Of<D, 'presence'>> extends SchemaInput<Of<D, 'presence'>>
    ? unknown
    : { readonly presence: Mistake<'what this schema gives must be something that it takes'> };

/** `unknown` for what is right, a `Mistake` for what is not. */
export type CheckedChannels<C> = {
  readonly [Key in keyof C]: Key extends string
    ? [Fault<Key>] extends [never]
      ? UnknownMembers<C[Key], keyof ChannelDef, 'message, presence and events'> &
          Reenterable<C[Key]>
      : Mistake<Fault<Key> & string>
    : unknown;
};
export type CheckedRpc<R> = {
  readonly [Key in keyof R]: UnknownMembers<R[Key], keyof RpcDef, 'input and output'>;
};
