import { expect, describe as group, it } from 'vitest';
import { describe } from '../../src/devtools/describe';
import { colours } from '../../src/devtools/json';

const circular: { self?: unknown; list: unknown[] } = { list: [] };
circular.self = circular;
circular.list.push(circular);

const hostile = {
  good: 1,
  get bad(): never {
    throw new TypeError('no');
  },
};

const trap = new Proxy(
  {},
  {
    ownKeys() {
      throw new RangeError('no keys');
    },
  },
);

const deep: { in?: unknown } = {};
let at = deep;
for (let i = 0; i < 100; i++) {
  const next = {};
  at.in = next;
  at = next;
}

group('anything', () => {
  it.each<[string, unknown, string]>([
    ['a string', 'text', '"text"'],
    ['quotes and line feeds', 'a"b\nc', '"a\\"b\\nc"'],
    ['half a surrogate pair', '\ud800', '"\\ud800"'],
    ['a number', -1.5e-7, '-1.5e-7'],
    ['no number', Number.NaN, 'NaN'],
    ['true', true, 'true'],
    ['null', null, 'null'],
    ['undefined', undefined, 'undefined'],
    ['a large integer', 2n ** 70n, '1180591620717411303424n'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['a function', () => 1, '[function]'],
    ['a list', [1, [], {}], '[1,[],{}]'],
    ['an object', { a: 1, 'b c': null }, '{"a":1,"b c":null}'],
    ['no prototype', Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ['a date', new Date(1234), '1234'],
    ['a date that is none', new Date(Number.NaN), 'NaN'],
    ['a map', new Map([[1, 2]]), '[1 entries]'],
    ['a set', new Set([1, 2]), '[2 entries]'],
    ['an error', new RangeError('far'), '[RangeError: far]'],
    ['bytes', new Uint8Array([1, 255]), '[2 bytes: 01 ff]'],
    ['no bytes', new ArrayBuffer(0), '[0 bytes]'],
    ['a part of bytes', new Uint8Array([1, 2, 3, 4]).subarray(1, 3), '[2 bytes: 02 03]'],
    ['other numbers', new Uint16Array([1]), '[2 bytes: 01 00]'],
    ['a circle', circular, '{"list":[[circular]],"self":[circular]}'],
    ['a getter that throws', hostile, '{"good":1,"bad":[cannot be read: TypeError]}'],
    ['a trap', trap, '[cannot be shown: RangeError]'],
  ])('%s is told in one line', (_, value, text) => {
    expect(describe(value)).toBe(text);
  });

  it('the same object twice is no circle', () => {
    const shared = { a: 1 };
    expect(describe([shared, shared])).toBe('[{"a":1},{"a":1}]');
  });
});

group('secrets', () => {
  it.each(['token', 'session', 'stream'])('%s is not shown, however deep', (name) => {
    const text = describe({ a: [{ [name]: 'eyJhbGciOi' }], [name]: { b: 'eyJhbGciOi' } });
    expect(text).not.toContain('eyJ');
    expect(text).toBe(`{"a":[{"${name}":[redacted]}],"${name}":[redacted]}`);
  });

  it('that are absent are told to be so', () => {
    expect(describe({ token: null, session: undefined })).toBe(
      '{"token":null,"session":undefined}',
    );
  });

  it('of another name are none', () => {
    expect(describe({ tokens: 3 })).toBe('{"tokens":3}');
  });
});

group('what is too much', () => {
  it('is left out, and counted: items', () => {
    const text = describe(Array.from({ length: 5000 }, () => 0));
    expect(text.endsWith('… 4800 more]')).toBe(true);
  });

  it('members', () => {
    const text = describe(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i])));
    expect(text.endsWith('"k199":199,… 100 more}')).toBe(true);
  });

  it('characters of a string', () => {
    expect(describe('x'.repeat(5000))).toBe(`"${'x'.repeat(2000)}"… 3000 more`);
  });

  it('bytes', () => {
    expect(describe(new Uint8Array(1 << 20))).toBe(
      `[1048576 bytes: ${Array.from({ length: 16 }, () => '00').join(' ')} …]`,
    );
  });

  it('levels', () => {
    expect(describe(deep)).toBe(`${'{"in":'.repeat(12)}[deeper]${'}'.repeat(12)}`);
  });

  it.each([0, 1, 10, 100, 1000])('all together stay near %d characters', (max) => {
    const item = { text: 'some text', list: [1, 2, 3] };
    const text = describe(
      Array.from({ length: 1000 }, () => item),
      { max },
    );
    expect(text.length).toBeLessThan(max + 80);
  });

  it('a wide and deep value takes no time to speak of', () => {
    const wide: unknown[] = [];
    let level: unknown[] = wide;
    for (let i = 0; i < 10; i++) {
      const next: unknown[] = [];
      for (let k = 0; k < 200; k++) level.push(next);
      level = next;
    }
    expect(describe(wide).length).toBeLessThan(25_000);
  });
});

group('in several lines', () => {
  it('members have lines of their own, empty values none', () => {
    expect(describe({ a: [1, { b: 2 }], c: {}, d: [] }, { pretty: true })).toBe(
      ['{', '  "a": [', '    1,', '    {', '      "b": 2', '    }', '  ],', '  "c": {},']
        .concat(['  "d": []', '}'])
        .join('\n'),
    );
  });
});

group('colours', () => {
  const parts = (text: string) => {
    const element = document.createElement('pre');
    element.append(colours(text));
    expect(element.textContent).toBe(text);
    return [...element.children].map(({ className, textContent }) => `${className} ${textContent}`);
  };

  it('tell keys, texts, values and notes apart, and change nothing', () => {
    expect(parts('{"a": "b", "n": -1.5e+3, "t": true, "z": [redacted], "e": []}')).toEqual([
      'key "a"',
      'text "b"',
      'key "n"',
      'value -1.5e+3',
      'key "t"',
      'value true',
      'key "z"',
      'note [redacted]',
      'key "e"',
    ]);
  });

  it('are not misled by what is inside of a text', () => {
    expect(parts('{"a": "x\\": [1] <b>true</b>"}')).toEqual([
      'key "a"',
      'text "x\\": [1] <b>true</b>"',
    ]);
  });

  it.each([circular, deep, hostile, 'x'.repeat(3000), [1, [2, [3]]], new Uint8Array(40)])(
    'keep every character (%#)',
    (value) => {
      parts(describe(value, { pretty: true }));
    },
  );

  it('make no markup of markup', () => {
    const element = document.createElement('pre');
    element.append(colours(describe({ html: '<img src=x onerror=alert(1)>' }, { pretty: true })));
    expect(element.querySelector('img')).toBeNull();
  });
});
