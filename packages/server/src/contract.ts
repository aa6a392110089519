import type { AnyContract, ChannelDef, RpcDef, StandardSchema } from '@anywire/client/contract';
import { AnywireError } from '@anywire/client/contract';
import {
  type ContractChannel,
  type ContractDocument,
  type ContractMethod,
  type JsonSchema,
  patternText,
  tidy,
} from './contract-document';

export type {
  ContractChannel,
  ContractDocument,
  ContractMethod,
  JsonSchema,
} from './contract-document';

/** Makes JSON Schema of a schema; such as `toJsonSchema` of `@valibot/to-json-schema`. */
export type ToJsonSchema = (
  schema: never,
  options: {
    readonly target: 'draft-2020-12';
    readonly typeMode: 'input';
    readonly overrideAction: (context: OverrideContext) => Record<string, unknown> | undefined;
  },
) => unknown;

interface OverrideContext {
  readonly valibotAction: object;
  readonly jsonSchema: object;
}

/** What `toContract` cannot find out by itself. */
export interface ToContractOptions {
  /** For libraries whose schemas cannot do it themselves, such as Valibot's. */
  readonly toJsonSchema?: ToJsonSchema;
}

/** What a schema may offer: Standard JSON Schema, or ArkType's and others' own method. */
interface Offers {
  readonly toJsonSchema?: (options: object) => unknown;
  readonly json?: unknown;
  readonly '~standard': {
    readonly vendor: string;
    readonly jsonSchema?: { readonly input?: (options: object) => unknown };
  };
}

/**
 * The document with which a server enforces a contract: all of its channels and methods with their
 * schemas as JSON Schema, of what they *take*, since that is what travels. Throws `bad_contract` for
 * what cannot be said in JSON Schema, with the place and what to do. What a library checks beyond
 * JSON Schema (`refine`, `check`, `narrow`) is left to the clients.
 *
 * `npx anywire-contract src/contract.ts > anywire.contract.json` does this on the command line.
 */
export function toContract(
  contract: AnyContract,
  options: ToContractOptions = {},
): ContractDocument {
  const channels = Object.entries(contract.channels)
    .map(([key, def]) => ({ ...patternOf(key), key, def }))
    // As `define` chooses; where two begin alike, the one without parts is meant.
    .sort((a, b) => b.weight - a.weight || a.parts - b.parts)
    .map(({ key, def, pattern }) => channelOf(key, def, pattern, options));
  const rpc = Object.entries(contract.rpcs).map(([name, def]): [string, ContractMethod] => [
    name,
    methodOf(name, def, options),
  ]);
  return { version: 1, channels, rpc: Object.fromEntries(rpc) };
}

// ---- names

/** A brace of its own, or a part: as `define` reads them. */
const tokens = /\{\{|\}\}|\{\w+\}/g;

function patternOf(key: string): { pattern: string; weight: number; parts: number } {
  if (/[*?]/.test(key)) {
    throw flaw(key, 'to the server "*" and "?" in a channel\'s name are wildcards; leave them out');
  }
  const texts = key
    .replace(tokens, (token) => (token.length > 2 ? '\0' : token.charAt(0)))
    .split('\0');
  return {
    pattern: texts.join('*'),
    weight: (texts[0] ?? '').length * 1e6 + texts.join('').length,
    parts: texts.length - 1,
  };
}

// ---- schemas

function channelOf(
  key: string,
  { message, events, presence }: ChannelDef,
  pattern: string,
  options: ToContractOptions,
): ContractChannel {
  return {
    pattern,
    ...(message && { message: convert(message, `${key}, message`, options) }),
    ...(events && {
      events: Object.fromEntries(
        Object.entries(events).map(([name, schema]) => [
          name,
          convert(schema, `${key}, event "${name}"`, options),
        ]),
      ),
    }),
    ...(presence && { presence: convert(presence, `${key}, presence`, options) }),
  };
}

function methodOf(
  name: string,
  { input, output }: RpcDef,
  options: ToContractOptions,
): ContractMethod {
  return {
    ...(input && { input: convert(input, `${name}, input`, options) }),
    ...(output && { output: convert(output, `${name}, output`, options) }),
  };
}

function convert(schema: StandardSchema, place: string, options: ToContractOptions): JsonSchema {
  const refuse = (words: string, cause?: unknown): never => {
    throw flaw(place, words, cause);
  };
  const offers = schema as unknown as Offers;
  if (losesFlags(offers)) {
    refuse(
      "ArkType leaves a regular expression's flags out of JSON Schema; write one without them",
    );
  }
  const { vendor } = offers['~standard'];
  // Of Zod's versions some count UTF-16's units and some code points: each check is asked.
  const lengths = { utf16: vendor !== 'zod' };
  let made: unknown;
  try {
    made = ask(offers, schema, options, lengths);
  } catch (cause) {
    refuse(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (made === undefined) return refuse(howTo(vendor));
  const document = tidy(made, refuse);
  const counts = lengths.utf16 && /"(min|max)Length"/.test(JSON.stringify(document));
  return counts && typeof document === 'object'
    ? { 'x-anywire-lengths': 'utf-16', ...document }
    : document;
}

function ask(
  offers: Offers,
  schema: StandardSchema,
  { toJsonSchema }: ToContractOptions,
  lengths: { utf16: boolean },
): unknown {
  const target = 'draft-2020-12';
  const { jsonSchema, vendor } = offers['~standard'];
  if (jsonSchema?.input) {
    const override = (context: ZodContext): void => {
      withFlags(context);
      if (countsUtf16(context)) lengths.utf16 = true;
    };
    const libraryOptions = vendor === 'zod' ? { override } : undefined;
    return jsonSchema.input({ target, ...(libraryOptions && { libraryOptions }) });
  }
  if (toJsonSchema) {
    return toJsonSchema(schema as never, { target, typeMode: 'input', overrideAction: exactly });
  }
  return offers.toJsonSchema?.({ target, io: 'input' });
}

function howTo(vendor: string): string {
  if (vendor === 'valibot') {
    return 'Valibot needs a hand: npm install @valibot/to-json-schema, and toContract(contract, { toJsonSchema })';
  }
  if (vendor === 'zod' || vendor === 'arktype') {
    return `this version of ${vendor} cannot write JSON Schema; zod 4.2 and arktype 2.1.28 can`;
  }
  return `"${vendor}" does not say how its schemas are JSON Schema: toContract(contract, { toJsonSchema })`;
}

/** Valibot's formats are regular expressions, which say what it checks to the letter. */
function exactly({
  valibotAction,
  jsonSchema,
}: OverrideContext): Record<string, unknown> | undefined {
  const { requirement } = valibotAction as { readonly requirement?: unknown };
  if (!(requirement instanceof RegExp)) return undefined;
  const { format: _, ...rest } = jsonSchema as Record<string, unknown>;
  const pattern = patternText(requirement);
  return 'pattern' in rest && rest.pattern !== requirement.source
    ? { ...rest, allOf: [...((rest.allOf as unknown[] | undefined) ?? []), { pattern }] }
    : { ...rest, pattern };
}

interface ZodDef {
  readonly type?: unknown;
  readonly pattern?: unknown;
  readonly minimum?: unknown;
  readonly maximum?: unknown;
  readonly checks?: readonly ZodCheck[];
}
interface ZodCheck {
  readonly _zod?: {
    readonly def?: ZodDef;
    readonly check?: (payload: { readonly value: string; readonly issues: unknown[] }) => unknown;
  };
}
interface ZodContext {
  readonly zodSchema: { readonly _zod?: { readonly def?: ZodDef } };
  readonly jsonSchema: Record<string, unknown>;
}

/** Zod writes a regular expression's source only, which without its flags means something else. */
function withFlags({ zodSchema, jsonSchema }: ZodContext): void {
  const def = zodSchema._zod?.def;
  const patterns = [
    def?.pattern,
    ...(def?.checks ?? []).map((one) => one._zod?.def?.pattern),
  ].filter((one) => one instanceof RegExp);
  if (!patterns.some(({ flags }) => flags.includes('i'))) return;
  delete jsonSchema.pattern;
  jsonSchema.allOf = patterns.map((one) => ({ pattern: patternText(one) }));
}

/** Whether a text's length is that of its UTF-16, as far as the checks of this schema tell. */
function countsUtf16({ zodSchema }: ZodContext): boolean {
  const def = zodSchema._zod?.def;
  if (def?.type !== 'string') return false;
  return (def.checks ?? []).some(({ _zod: check }) => {
    const passes = (faces: number): boolean => {
      const payload = { value: '\u{1F600}'.repeat(faces), issues: [] };
      check?.check?.(payload);
      return payload.issues.length === 0;
    };
    const { minimum, maximum } = check?.def ?? {};
    if (typeof maximum === 'number' && maximum > 0 && maximum < 1e6) return !passes(maximum);
    return typeof minimum === 'number' && minimum > 1 && minimum < 1e6 && passes(minimum - 1);
  });
}

function losesFlags({ '~standard': { vendor }, json }: Offers): boolean {
  return vendor === 'arktype' && /"flags":"[^"]*i/.test(JSON.stringify(json) ?? '');
}

function flaw(place: string, words: string, cause?: unknown): AnywireError {
  return new AnywireError('bad_contract', `${place}: ${words}`, { cause });
}
