import type {
  ChannelDef,
  ChannelDefs,
  ChannelNamed,
  ChannelNames,
  CheckedChannels,
  CheckedRpc,
  PartsOf,
  RpcDef,
  RpcDefs,
  RpcOf,
  StandardSchema,
} from './contract-types';
import { AnywireError } from './realtime/error';
import type { ChannelCheck, ChannelRef, RpcCheck, RpcRef } from './realtime/types';

export type {
  ChannelDef,
  ChannelDefs,
  ChannelNamed,
  ChannelNames,
  ChannelOf,
  RpcDef,
  RpcDefs,
  RpcOf,
  SchemaInput,
  SchemaOutput,
  SchemaResult,
  StandardSchema,
} from './contract-types';
export { AnywireError, type SchemaIssue } from './realtime/error';
export type {
  ChannelCheck,
  ChannelRef,
  EventsOf,
  InfoOf,
  InputOf,
  MessageOf,
  RpcCheck,
  RpcInput,
  RpcOutput,
  RpcRef,
} from './realtime/types';

/** A contract of whatever kind, for those who look names up that are known at run time only. */
export interface AnyContract {
  readonly channels: ChannelDefs;
  readonly rpcs: RpcDefs;
  /** The channel of this name; undefined where the contract has none. */
  find(name: string): ChannelRef | undefined;
  /** The method of this name; undefined where the contract has none. */
  findRpc(name: string): RpcRef | undefined;
}

/** What `define` returns: the channels and methods that an application agrees on with itself. */
export interface Contract<C extends ChannelDefs = ChannelDefs, R extends RpcDefs = RpcDefs>
  extends AnyContract {
  readonly channels: C;
  readonly rpcs: R;
  /**
   * The channel of this name, or of this pattern with its parts put in, percent-encoded, so that no
   * part can make it another channel's name. Where several patterns match, the one with the longest
   * literal beginning is meant; so a name without parts comes first.
   *
   * Never throws, so that it may be called in a render. With a name that the contract does not
   * have, or a part that is missing or empty, whatever is done with the channel fails with
   * `unknown_channel` or `bad_channel`, before anything is sent: a hook says so in its `error`.
   */
  channel<Name extends { [Key in keyof C & string]: ChannelNames<Pick<C, Key>> }[keyof C & string]>(
    name: Name,
    ...parts: PartsOf<C, Name>
  ): ChannelNamed<C, Name>;
  /**
   * The method of this name. Never throws; where the contract has no such method, calls reject with
   * `unknown_rpc`.
   */
  rpc<Name extends keyof R & string>(name: Name): RpcOf<R[Name]>;
}

declare const process: { readonly env: { readonly NODE_ENV?: string } } | undefined;
/** A brace of its own, or a part. */
const tokens = /\{\{|\}\}|\{(\w+)\}/g;

interface Pattern {
  readonly key: string;
  readonly def: ChannelDef;
  /** The text before, between and behind the parts. */
  readonly texts: readonly string[];
  readonly parts: readonly string[];
}

/**
 * Defines the channels and methods of an application, once, for all who use them:
 *
 *   export const rt = define({
 *     channels: { 'room:{id}': { message: v.object({ text: v.string() }) } },
 *     rpc: { 'math.add': { input: v.tuple([v.number(), v.number()]), output: v.number() } },
 *   });
 *   client.channel(rt.channel('room:42'));
 *
 * Any Standard Schema will do. What travels is what a schema *takes*: what is published is checked
 * and sent as it is, and each receiver makes of it what the schema gives. (A schema that transforms
 * does not take what it gives.) Throws `bad_contract`.
 */
export function define<
  const C extends ChannelDefs = Record<never, never>,
  const R extends RpcDefs = Record<never, never>,
>(definition: {
  readonly channels?: C & CheckedChannels<C>;
  readonly rpc?: R & CheckedRpc<R>;
}): Contract<C, R> {
  const { channels = {}, rpc = {} } = definition as {
    readonly channels?: ChannelDefs;
    readonly rpc?: RpcDefs;
  };
  const patterns = Object.entries(channels).map(([key, def]) => parse(key, def));
  const methods = new Map(Object.entries(rpc));
  // Bundlers leave this out of production.
  if (typeof process !== 'undefined' && process.env.NODE_ENV !== 'production') {
    examine(patterns, methods);
  }
  // The most specific come first.
  patterns.sort((a, b) => weight(b) - weight(a));
  const match = (name: string) => patterns.find(({ texts }) => fits(texts, name));

  const contract: AnyContract & { [verb in 'channel' | 'rpc']: unknown } = {
    channels,
    rpcs: rpc,
    find(name) {
      const found = match(name);
      return found && refTo(found, name);
    },
    findRpc(name) {
      const def = methods.get(name);
      return (
        def && {
          name,
          check: {
            input(data) {
              validate(def.input, data, name);
              return data;
            },
            output: (data) => validate(def.output, data, name),
          },
        }
      );
    },
    channel(key: string, parts?: Readonly<Record<string, unknown>>): ChannelRef {
      try {
        const pattern = patterns.find((one) => one.key === key && one.parts[0]);
        const name = pattern ? fill(pattern, parts) : key;
        const found = match(name);
        if (!found) throw unknown('channel', key, Object.keys(channels));
        // Some other name of the contract is more specific, and of another type.
        if (pattern && pattern !== found) throw badName(name, `is ${found.key}`);
        return refTo(found, name);
      } catch (error) {
        return { name: String(key), check: refusing(error) };
      }
    },
    rpc: (name: string): RpcRef => {
      const known = contract.findRpc(name);
      return known ?? { name, check: refusing(unknown('rpc', name, [...methods.keys()])) };
    },
  };
  return contract as unknown as Contract<C, R>;
}

// ---- names

function parse(key: string, def: ChannelDef): Pattern {
  const parts: string[] = [];
  // No name holds a control character, so one may stand for a part.
  const text = key.replace(tokens, (token: string, part?: string) => {
    if (part) parts.push(part);
    return part ? '\0' : token.charAt(0);
  });
  return { key, def, texts: text.split('\0'), parts };
}

/** By the length of the literal beginning, and then of all literal text; names are far shorter. */
function weight({ texts }: Pattern): number {
  return (texts[0] as string).length * 1e6 + texts.join('').length;
}

/** Each part is one character at least. Linear, whatever the name. */
function fits([first, ...rest]: readonly string[], name: string): boolean {
  const last = rest.pop();
  if (last === undefined) return name === first;
  let at = (first as string).length;
  for (const text of rest) {
    const found = name.indexOf(text, at + 1);
    if (found < 0) return false;
    at = found + text.length;
  }
  return name.startsWith(first as string) && name.endsWith(last) && at < name.length - last.length;
}

function fill(
  { key, texts, parts }: Pattern,
  values: Readonly<Record<string, unknown>> = {},
): string {
  return texts.reduce((name, text, i) => {
    const value = values[parts[i - 1] as string];
    try {
      if (!/string|number/.test(typeof value) || value === '') throw value;
      // It leaves some signs alone, but that which ends this part must not be in it.
      const encoded = encodeURIComponent(value as string);
      const end = text.charAt(0);
      const code = `%${text.charCodeAt(0).toString(16).toUpperCase()}`;
      return name + (end ? encoded.replaceAll(end, code) : encoded) + text;
    } catch {
      // Half a surrogate pair has no bytes, so it cannot be encoded.
      throw badName(key, `no ${parts[i - 1]}`);
    }
  });
}

// ---- checks

function refTo({ def }: Pattern, name: string): ChannelRef {
  const { message, presence, events } = def;
  const check = (data: unknown, event?: string) =>
    !events || event === undefined
      ? validate(message, data, name, name)
      : validate(Object.hasOwn(events, event) ? events[event] : never, data, event, name);
  return {
    name,
    check: {
      message: check,
      publish(data, event) {
        check(data, event);
        return data;
      },
      presence: (info) => validate(presence, info, 'presence', name),
    },
  };
}

/** Of events that the contract does not name. */
const never: Validator = {
  '~standard': { validate: () => ({ issues: [{ message: 'unknown event' }] }) },
};

/** What of a Standard Schema is used. */
interface Validator {
  readonly '~standard': Pick<StandardSchema['~standard'], 'validate'>;
}

function validate(
  schema: Validator | undefined,
  value: unknown,
  what: string,
  channel?: string,
): unknown {
  if (!schema) return value;
  let issues: AnywireError['issues'];
  let cause: unknown;
  try {
    const result = schema['~standard'].validate(value);
    if ('then' in result) {
      // Order could not be kept. What becomes of it does not matter any more.
      result.then(undefined, () => {});
      issues = [{ message: 'asynchronous' }];
    } else if (result.issues) issues = result.issues;
    else return result.value;
  } catch (error) {
    cause = error;
  }
  const { message = 'the schema threw', path = [] } = issues?.[0] ?? {};
  const where = [what, ...path.map((step) => (step as { readonly key?: unknown }).key ?? step)];
  throw new AnywireError('schema', `${where.map(String).join('.')}: ${message}`, {
    cause,
    channel,
    issues,
  });
}

/** Of what the contract does not have: a name in a render is no reason to end the page. */
function refusing(error: unknown): Required<ChannelCheck> & RpcCheck {
  const known = (): never => {
    throw error;
  };
  return { known, message: known, publish: known, presence: known, input: known, output: known };
}

// ---- errors

/** What only a developer can do wrong; the types say so, too. */
function examine(patterns: readonly Pattern[], methods: ReadonlyMap<string, RpcDef>): void {
  const flaw = (key: string, words: string) =>
    new AnywireError('bad_contract', `"${key}": ${words}`);
  const schemas = (key: string, all: readonly (StandardSchema | undefined)[]) => {
    for (const schema of all) {
      if (schema && typeof schema['~standard']?.validate !== 'function') {
        throw flaw(key, 'this schema is no Standard Schema');
      }
    }
  };
  for (const { key, def, texts, parts } of patterns) {
    if (key === '' || /[{}\0]/.test(key.replace(tokens, ''))) {
      throw flaw(key, 'a part is written "{name}", a brace of its own "{{" or "}}"');
    }
    if (new Set(parts).size < parts.length) throw flaw(key, 'two parts have the same name');
    // What is no letter, digit or percent sign can be told from the part that it ends.
    if (texts.slice(1).some((text, i) => (text ? /^[\w%]/.test(text) : i < parts.length - 1))) {
      throw flaw(key, 'what follows a part begins with a sign such as ":"');
    }
    schemas(key, [def.message, def.presence, ...Object.values(def.events ?? {})]);
  }
  for (const [name, { input, output }] of methods) schemas(name, [input, output]);
}

function badName(name: string, words: string): AnywireError {
  return new AnywireError('bad_channel', `"${name}": ${words}`, { channel: name });
}

function unknown(kind: 'channel' | 'rpc', name: string, all: readonly string[]): AnywireError {
  let words = `"${name}" is not in the contract`;
  if (typeof process !== 'undefined' && process.env.NODE_ENV !== 'production') {
    words += `, which has ${near(name, all).join(', ') || 'none'}`;
  }
  return new AnywireError(`unknown_${kind}`, words);
}

/** Those that begin most like it come first. */
function near(name: string, all: readonly string[]): readonly string[] {
  const like = (other: string) => {
    let i = 0;
    while (i < other.length && other[i]?.toLowerCase() === name[i]?.toLowerCase()) i++;
    return i;
  };
  return [...all].sort((a, b) => like(b) - like(a)).slice(0, 5);
}
