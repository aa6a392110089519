/**
 * The document that a server reads as its contract: what `toContract` makes and `[contract] file`
 * names. docs/validation.md describes it.
 */
export interface ContractDocument {
  readonly version: 1;
  /** The most specific first: the server takes the first that matches. */
  readonly channels: readonly ContractChannel[];
  /** Methods by their names. */
  readonly rpc: Readonly<Record<string, ContractMethod>>;
}
/** What the server lets into one kind of channel; what no schema speaks of is let through. */
export interface ContractChannel {
  /** `*` stands for a part such as `{id}`. */
  readonly pattern: string;
  /** Of messages without an event; of all, where there are no `events`. */
  readonly message?: JsonSchema;
  /** Of messages by their event; those that are not named are refused. */
  readonly events?: Readonly<Record<string, JsonSchema>>;
  /** Of the info that a member enters with. */
  readonly presence?: JsonSchema;
}
/** What the server lets through of one method's calls. */
export interface ContractMethod {
  /** Of what a client calls it with. */
  readonly input?: JsonSchema;
  /** Of what the application answers. */
  readonly output?: JsonSchema;
}
/** JSON Schema, 2020-12. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** Keywords whose value is a schema by name, a list of schemas, or a schema. */
const maps = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
]);
const lists = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const schemas = new Set([
  'additionalProperties',
  'contains',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
]);

/**
 * The schema without what would make the server judge otherwise than the library: `format` beside a
 * `pattern`, since the pattern is what the library checks and formats are defined more or less
 * strictly everywhere. `refuse` is told of what the server could not run.
 */
export function tidy(schema: unknown, refuse: (words: string) => never): JsonSchema {
  if (typeof schema === 'boolean') return schema;
  if (typeof schema !== 'object' || schema === null) return refuse('this is no JSON Schema');
  const out: Record<string, unknown> = {};
  const source = schema as Readonly<Record<string, unknown>>;
  for (const [keyword, value] of Object.entries(source)) {
    if (keyword === '$schema' || keyword === '~standard') continue;
    if (keyword === 'format' && patterned(source)) continue;
    if (keyword === 'pattern' && typeof value === 'string') {
      const flaw = unsupported(value);
      if (flaw) refuse(`the pattern ${shortened(value)} has ${flaw}`);
    }
    out[keyword] = within(keyword, value, refuse);
  }
  return out;
}

function within(keyword: string, value: unknown, refuse: (words: string) => never): unknown {
  if (Array.isArray(value)) {
    return lists.has(keyword) ? value.map((one) => tidy(one, refuse)) : value;
  }
  if (maps.has(keyword) && typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, tidy(one, refuse)]),
    );
  }
  return schemas.has(keyword) ? tidy(value, refuse) : value;
}

function patterned({ pattern, allOf }: Readonly<Record<string, unknown>>): boolean {
  return (
    pattern !== undefined ||
    (Array.isArray(allOf) && allOf.some((one) => typeof one?.pattern === 'string'))
  );
}

/** What servers that match in linear time cannot have, if it is there. */
function unsupported(pattern: string): string | undefined {
  // Escapes stand for themselves, and nothing in a class is a group.
  const bare = pattern.replace(/\\([\s\S])/g, (_, sign: string) =>
    /[1-9k]/.test(sign) ? '\0' : '',
  );
  const open = bare.replace(/\[[^\]]*\]/g, '');
  if (open.includes('\0')) return 'a back-reference, which the server cannot match in linear time';
  if (/\(\?<[=!]/.test(open)) return 'look-behind, which the server cannot match in linear time';
  // Conditions at the beginning it can: each is a pattern of its own.
  const at = /\(\?[=!]/.exec(open.replace(/^\^(\(\?[=!](?:[^()]|\([^()]*\))*\))+/, '^'));
  return at
    ? 'look-ahead, which the server can match in linear time at the very beginning only'
    : undefined;
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

/** A regular expression as JSON Schema can say it, which knows no flags. */
export function patternText({ source, flags }: RegExp): string {
  return flags.includes('i') ? `(?i:${source})` : source;
}
