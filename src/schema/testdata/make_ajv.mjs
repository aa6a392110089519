// Generates schemas and values, asks ajv (2020-12) about them, and prints what ajv_test.cc reads:
//
//   node src/schema/testdata/make_ajv.mjs [--seed 1] [--count 400] > src/schema/testdata/ajv.json
//
// Where ajv 8 and the specification differ, nothing is generated: `contains` beside `unevaluatedItems`
// (ajv does not count what it has looked at) and beside `prefixItems` (ajv lets an empty array pass);
// `unevaluatedItems` above alternatives (ajv counts what a branch that does not hold has looked at);
// whole numbers beyond 2^53, which JavaScript cannot tell apart; formats, of which ajv has none of
// its own. multipleOf is asked with the precision that ajv offers for decimals.
import { Ajv2020 } from 'ajv/dist/2020.js';

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};

// Mulberry32: the same numbers everywhere.
let state = option('seed', 1);
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const upTo = (n) => Math.floor(random() * n);
const pick = (list) => list[upTo(list.length)];
const chance = (p) => random() < p;
const some = (n, make) => Array.from({ length: n }, make);

const names = ['a', 'b', 'c', 'ab', 'id', 'text', 'x/y', 'ü'];
const strings = ['', 'a', 'b', 'ab', 'abc', 'hello world', '2026-01-31', 'ü', '😀😀', 'A1', '  ', '9'];
const numbers = [0, 1, -1, 2, 3, 10, 0.5, 1.5, 0.1, 0.3, 19.99, -0.25, 100, 1e15, 1e21, 2 ** 50];
const patterns = ['^a', 'b$', '^[a-z]+$', '\\d', '^.{2}$', 'a|b', '^\\S+$', '^(?!a)', '[^\\w]', '\\p{L}'];
const types = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'];

function value(depth = 0) {
  const kind = upTo(depth > 3 ? 4 : 7);
  if (kind === 0) return null;
  if (kind === 1) return chance(0.5);
  if (kind === 2) return pick(numbers);
  if (kind === 3) return pick(strings);
  if (kind < 6) return some(upTo(4), () => value(depth + 1));
  return Object.fromEntries(some(upTo(4), () => [pick(names), value(depth + 1)]));
}

const keywords = {
  type: () => (chance(0.3) ? [...new Set(some(2, () => pick(types)))] : pick(types)),
  enum: () => unique(some(1 + upTo(3), () => value(2))),
  const: () => value(2),
  minimum: () => pick(numbers),
  maximum: () => pick(numbers),
  exclusiveMinimum: () => pick(numbers),
  exclusiveMaximum: () => pick(numbers),
  multipleOf: () => pick([1, 2, 0.5, 0.1, 0.01, 5, 2.5]),
  minLength: () => upTo(4),
  maxLength: () => upTo(4),
  pattern: () => pick(patterns),
  minItems: () => upTo(3),
  maxItems: () => upTo(4),
  uniqueItems: () => chance(0.8),
  items: (d) => schema(d),
  prefixItems: (d) => some(1 + upTo(2), () => schema(d)),
  contains: (d) => schema(d),
  minProperties: () => upTo(3),
  maxProperties: () => upTo(4),
  required: () => [...new Set(some(1 + upTo(2), () => pick(names)))],
  properties: (d) => Object.fromEntries(some(1 + upTo(3), () => [pick(names), schema(d)])),
  patternProperties: (d) => ({ [pick(patterns)]: schema(d) }),
  additionalProperties: (d) => schema(d),
  propertyNames: () => ({ [pick(['minLength', 'maxLength'])]: 1 + upTo(2) }),
  dependentRequired: () => ({ [pick(names)]: [pick(names)] }),
  dependentSchemas: (d) => ({ [pick(names)]: schema(d) }),
  unevaluatedProperties: (d) => (chance(0.7) ? false : schema(d)),
  unevaluatedItems: (d) => (chance(0.7) ? false : schema(d)),
  allOf: (d) => some(1 + upTo(2), () => schema(d)),
  anyOf: (d) => some(1 + upTo(3), () => schema(d)),
  oneOf: (d) => some(1 + upTo(3), () => schema(d)),
  not: (d) => schema(d),
  if: (d) => schema(d),
  $ref: () => pick(['#/$defs/one', '#/$defs/two', '#tree']),
};

function unique(list) {
  const seen = new Map(list.map((one) => [JSON.stringify(one), one]));
  return [...seen.values()];
}

function schema(depth) {
  if (chance(0.05)) return chance(0.7);
  const made = {};
  for (let i = 1 + upTo(3); i > 0; i--) {
    const name = pick(Object.keys(keywords));
    const leads = /of$|^not$|^if$|items$|properties$|contains|schemas$|\$ref/i.test(name);
    if (leads && depth >= 4 && name !== 'uniqueItems') continue;
    made[name] = keywords[name](depth + 1);
  }
  if ('if' in made) {
    if (chance(0.8)) made.then = schema(depth + 1);
    if (chance(0.5)) made.else = schema(depth + 1);
  }
  if ('prefixItems' in made) delete made.contains;
  if ('contains' in made) {
    if (chance(0.4)) made.minContains = upTo(3);
    if (chance(0.4)) made.maxContains = (made.minContains ?? 1) + upTo(2);
  }
  return made;
}

function documentOf() {
  const root = schema(0);
  if (typeof root === 'boolean') return root;
  // The definitions refer to each other only through a step into the value.
  const leaf = () => JSON.parse(JSON.stringify(schema(3), (key, v) => (key === '$ref' ? undefined : v)));
  const tree = { $anchor: 'tree', type: ['object', 'array', 'string', 'number', 'null'] };
  tree.properties = { a: { $ref: '#tree' }, b: leaf() };
  tree.items = { $ref: '#tree' };
  return { ...root, $defs: { one: leaf(), two: leaf(), tree } };
}

function isDisputed(node) {
  const text = JSON.stringify(node);
  return text.includes('"unevaluatedItems"') && /"(contains|anyOf|oneOf|if|not)"/.test(text);
}

const cases = [];
const count = option('count', 400);
while (cases.length < count) {
  const made = documentOf();
  if (isDisputed(made)) continue;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, multipleOfPrecision: 9, logger: false });
  let validate;
  try {
    validate = ajv.compile(made);
  } catch {
    continue; // such as maxContains below minContains
  }
  const verdicts = [];
  try {
    for (let i = 0; i < 12; i++) {
      const one = value();
      verdicts.push(one, validate(one));
    }
  } catch {
    continue; // what ajv has made of `unevaluatedProperties` does not run
  }
  cases.push([made, verdicts]);
}
process.stdout.write(`[\n${cases.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
