import { isDeepStrictEqual } from 'node:util';
import {
  decodeMulti,
  ExtData,
  decode as theirDecode,
  encode as theirEncode,
} from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { decode, encode, msgpack } from '../src/msgpack';

const bytes = (...list: number[]) => new Uint8Array(list);
const lengths = [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536];

const values: unknown[] = [
  null,
  true,
  false,
  0,
  0.5,
  -1.25,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  Number.POSITIVE_INFINITY,
  Number.NaN,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  2 ** 53,
  -(2 ** 60),
  ...[7, 8, 15, 16, 31, 32, 52].flatMap((power) =>
    [-1, 0, 1].flatMap((off) => [2 ** power + off, -(2 ** power) + off]),
  ),
  ...[-1, -31, -32, -33],
  '',
  'ä€😀',
  '\u0000',
  [],
  {},
  [[[]]],
  { a: { b: [1, 'x', null, { c: -1 }] } },
  ...lengths.map((length) => 'x'.repeat(length)),
  ...lengths.map((length) => new Array(length).fill(1)),
  ...lengths.map((length) => new Uint8Array(length).fill(7)),
  ...lengths
    .slice(0, 9)
    .map((n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [i, i]))),
];
const name = (value: unknown) =>
  `${typeof value} ${String(JSON.stringify(value)).slice(0, 24)} ${(value as [])?.length ?? ''}`;

describe('MessagePack', () => {
  it.each(values.map((value) => [name(value), value]))('is read by others: %s', (_, value) => {
    expect(isDeepStrictEqual(theirDecode(encode(value)), value)).toBe(true);
  });

  it.each(values.map((value) => [name(value), value]))(
    'reads what others write: %s',
    (_, value) => {
      expect(isDeepStrictEqual(decode(new Uint8Array(theirEncode(value))), value)).toBe(true);
    },
  );

  it.each(values.map((value) => [name(value), value]))('is as short as theirs: %s', (_, value) => {
    // Beyond 32 bits they write a float where we write an integer, equally long.
    expect(encode(value).length).toBe(theirEncode(value).length);
  });

  it('agrees with the other implementation about random values', () => {
    let state = 1;
    const random = (n: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % n;
    };
    const make = (depth: number): unknown => {
      const makers = [
        () => null,
        () => random(2) === 0,
        () => random(1 << 24) - (1 << 23),
        () => (random(1 << 24) - (1 << 23)) * 2 ** random(40),
        () => random(1 << 24) / 7,
        () => 'aé漢😀'.repeat(random(20)),
        () => new Uint8Array(random(300)).fill(random(256)),
        () => Array.from({ length: random(20) }, () => make(depth + 1)),
        () =>
          Object.fromEntries(
            Array.from({ length: random(20) }, (_, i) => [`k${i}`, make(depth + 1)]),
          ),
      ];
      return makers[random(depth > 2 ? makers.length - 2 : makers.length)]?.();
    };
    for (let i = 0; i < 500; i++) {
      const value = make(0);
      expect(isDeepStrictEqual(theirDecode(encode(value)), value)).toBe(true);
      expect(isDeepStrictEqual(decode(new Uint8Array(theirEncode(value))), value)).toBe(true);
    }
  });

  it('keeps integers of 64 bits as bigint where a number would lie', () => {
    for (const value of [2n ** 64n - 1n, -(2n ** 63n), 2n ** 53n, -(2n ** 53n)]) {
      expect(decode(encode(value))).toBe(value);
      expect(theirDecode(encode(value), { useBigInt64: true })).toBe(value);
    }
    expect(decode(encode(5n))).toBe(5);
    expect(() => encode(2n ** 64n)).toThrow(/64 bits/);
    expect(() => encode(-(2n ** 63n) - 1n)).toThrow(/64 bits/);
  });

  it('treats values as JSON does', () => {
    const date = new Date(0);
    const value = { a: undefined, b: [undefined], date, json: { toJSON: () => 'own' } };
    expect(decode(encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
    expect(() => encode('\ud800')).toThrow('surrogate');
  });

  it('refuses what has no meaning', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const value of [cycle, () => 1, Symbol('s'), [() => 1]]) {
      expect(() => encode(value)).toThrow(TypeError);
    }
  });

  it('takes views and buffers as bytes, only the part seen', () => {
    const whole = bytes(1, 2, 3, 4);
    expect(decode(encode(whole.subarray(1, 3)))).toEqual(bytes(2, 3));
    expect(decode(encode(whole.buffer))).toEqual(whole);
    expect(decode(encode(new DataView(whole.buffer, 3)))).toEqual(bytes(4));
  });

  it('reads single floats, timestamps and foreign extensions', () => {
    expect(decode(bytes(0xca, 0x3f, 0x80, 0, 0))).toBe(1);
    for (const time of [0, 1.5e12, 1e15, -1]) {
      expect(decode(new Uint8Array(theirEncode(new Date(time))))).toEqual(new Date(time));
    }
    for (const length of [1, 2, 3, 4, 8, 16, 17, 300, 70_000]) {
      const data = new Uint8Array(length).fill(3);
      const encoded = new Uint8Array(theirEncode(new ExtData(5, data)));
      expect(decode(encoded)).toEqual({ type: 5, data });
    }
  });

  it('does not let a key change a prototype', () => {
    const value = decode(encode(JSON.parse('{"__proto__":{"evil":1}}'))) as { evil?: number };
    expect(value.evil).toBeUndefined();
    expect(Object.keys(value)).toEqual(['__proto__']);
  });

  it('refuses every value that is cut short, and bytes behind a value', () => {
    const whole = encode({ a: [1, 'two', 3.5, bytes(1, 2), 70_000, -70_000, 'x'.repeat(300)] });
    for (let length = 0; length < whole.length; length++) {
      expect(() => decode(whole.slice(0, length))).toThrow(RangeError);
    }
    expect(() => decode(bytes(0xc0, 0xc0))).toThrow(/behind/);
  });

  it('refuses lengths that are only claimed, nesting without end, and 0xc1', () => {
    expect(() => decode(bytes(0xdd, 0xff, 0xff, 0xff, 0xff))).toThrow(RangeError);
    expect(() => decode(bytes(0xdf, 0xff, 0xff, 0xff, 0xff))).toThrow(RangeError);
    expect(() => decode(bytes(0xc6, 0xff, 0xff, 0xff, 0xff))).toThrow(RangeError);
    expect(() => decode(new Uint8Array(100_000).fill(0x91))).toThrow(/deep/);
    expect(() => decode(bytes(0xc1))).toThrow(TypeError);
    expect(() => decode(bytes(0xa2, 0xc3, 0x28))).toThrow(TypeError);
  });
});

describe('the codec', () => {
  const codec = msgpack();
  const a = { type: 'ping', id: 1 };
  const b = { type: 'pong', id: 2, binary: bytes(1, 2) };
  const buffer = (piece: unknown) => (piece as Uint8Array<ArrayBuffer>).slice().buffer;

  it('puts one message or several into a frame', () => {
    const one = buffer(codec.join([codec.encode(a)]));
    const two = buffer(codec.join([codec.encode(a), codec.encode(b)]));
    expect([...decodeMulti(one)]).toEqual([a]);
    expect([...decodeMulti(two)]).toEqual([[a, b]]);
    expect(codec.decode(one)).toEqual([a]);
    expect(codec.decode(two)).toEqual([a, b]);
  });

  it('leaves out what is no message and refuses what is no frame', () => {
    expect(codec.decode(buffer(encode([a, 1, null, {}])))).toEqual([a]);
    expect(() => codec.decode('{}')).toThrow(TypeError);
  });
});
