// Writes msgpack.json: values and their MessagePack bytes as @msgpack/msgpack, the implementation
// browsers use, encodes them. The C++ tests hold our reader and writer against it.
//
//   npm install --no-save @msgpack/msgpack && node src/codec/testdata/make_msgpack.mjs
import { decode, encode, ExtData } from '@msgpack/msgpack';
import { writeFileSync } from 'node:fs';

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const encoded = (value, options) => {
  const bytes = encode(value, options);
  decode(bytes, { useBigInt64: true });
  return hex(bytes);
};

// Integers that fit 32 bits are encoded as numbers; the library writes each bigint in 64 bits.
const integer = (value) => {
  const small = value >= -(2n ** 31n) && value < 2n ** 32n;
  return {
    type: 'integer',
    value: value.toString(),
    bytes: small ? encoded(Number(value)) : encoded(value, { useBigInt64: true }),
  };
};

const edges = [0n, 1n, 5n, 7n, 8n, 15n, 16n, 31n, 32n, 53n, 63n].flatMap((bits) => {
  const power = 2n ** bits;
  return [power - 1n, power, power + 1n, -power + 1n, -power, -power - 1n];
});
const integers = [...new Set([...edges, 0n, 2n ** 64n - 1n])].filter(
  (value) => value >= -(2n ** 63n) && value < 2n ** 64n,
);

const singles = [0.5, -0.5, 1.5, 2 ** -149, 3.4028234663852886e38, Infinity, -Infinity];
const doubles = [0.1, -0.1, Math.PI, 5e-324, 1.7976931348623157e308, 1e-50, 1.00000000001];
const lengths = [0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536];

// Long bodies repeat one unit, so that the file can say it in a few characters; their bytes are
// given up to the body.
const headOf = (value, bodyBytes) => {
  const bytes = encode(value);
  return hex(bytes.subarray(0, bytes.length - bodyBytes));
};

const cases = [
  ...integers.map(integer),
  ...singles.map((value) => ({
    type: 'number',
    value: String(value),
    bytes: encoded(value, { forceFloat32: true }),
  })),
  ...doubles.map((value) => ({ type: 'number', value: String(value), bytes: encoded(value) })),
  { type: 'nil', bytes: encoded(null) },
  { type: 'true', bytes: encoded(true) },
  { type: 'false', bytes: encoded(false) },
  ...lengths.flatMap((length) => [
    { type: 'string', length, head: headOf('a'.repeat(length), length) },
    { type: 'binary', length, head: headOf(new Uint8Array(length), length) },
    { type: 'array', length, head: headOf(new Array(length).fill(null), length) },
    { type: 'extension', length, head: headOf(new ExtData(5, new Uint8Array(length)), length) },
  ]),
  ...[0, 1, 15, 16, 255, 256].map((length) => {
    const object = Object.fromEntries(Array.from({ length }, (_, i) => [`key${100 + i}`, null]));
    return { type: 'map', length, head: headOf(object, length * 8) };
  }),
  { type: 'timestamp', bytes: encoded(new Date(1_700_000_000_000)) },
  { type: 'timestamp', bytes: encoded(new Date(1_700_000_000_123)) },
  { type: 'timestamp', bytes: encoded(new Date(-1)) },
];

// JSON texts in the form msgpack_to_json() writes, with what the library makes of their value. All
// fractions here need eight bytes, because the library never chooses four by itself.
const texts = [
  'null',
  'true',
  '"text"',
  '"\\u0000\\n\\"\\\\\u20ac\u2028\ud83d\ude00"',
  '[]',
  '{}',
  '[0,127,128,255,256,65535,65536,4294967295]',
  '[-1,-32,-33,-128,-129,-32768,-32769,-2147483648]',
  '[0.1,-3.14,1e-10,1e+300]',
  '{"id":7,"pub":{"channel":"room-1","data":{"text":"hi","list":[1,[2,[3,{}]]]},"key":null}}',
  JSON.stringify({ long: 'x'.repeat(300), list: Array.from({ length: 20 }, (_, i) => i) }),
];
const documents = texts.map((json) => ({ json, bytes: encoded(JSON.parse(json)) }));

const lines = (list) => list.map((item) => `    ${JSON.stringify(item)}`).join(',\n');
writeFileSync(
  new URL('msgpack.json', import.meta.url),
  `{\n  "values": [\n${lines(cases)}\n  ],\n  "documents": [\n${lines(documents)}\n  ]\n}\n`,
);
