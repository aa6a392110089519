import { type } from 'arktype';
import * as v from 'valibot';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import {
  AnywireError,
  type ChannelDefs,
  type ChannelRef,
  type Contract,
  define,
  type RpcRef,
  type StandardSchema,
} from '../src/contract';

const half = '\ud800';

/** A schema whose `validate` is the test's. */
function schema(validate: (value: unknown) => unknown): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate: validate as never } };
}
const named = (name: string): StandardSchema => schema((value) => ({ value: [name, value] }));

/** A contract of these names, each of whose channels says which one it is. */
function names(...keys: string[]): Contract {
  const channels = Object.fromEntries(keys.map((key) => [key, { message: named(key) }]));
  return define({ channels }) as unknown as Contract;
}
function keyOf(ref: ChannelRef | undefined): unknown {
  return (ref?.check?.message(0) as readonly unknown[] | undefined)?.[0];
}
function errorOf(run: () => unknown): AnywireError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(AnywireError);
    return error as AnywireError;
  }
  throw new Error('it did not throw');
}
/** What whoever uses a channel or method is told that the contract does not have. */
function faultOf({ check }: ChannelRef | RpcRef): AnywireError {
  const errors = Object.values(check ?? {}).map((verb) => errorOf(() => verb(0)));
  expect(new Set(errors).size).toBe(1);
  return errors[0] as AnywireError;
}
/** As JavaScript calls it, without types. */
function loose(contract: unknown): { channel(name: string, parts?: object): ChannelRef } {
  return contract as never;
}

afterEach(() => vi.unstubAllEnvs());

describe('the name of a channel', () => {
  it('is what was asked for, and nothing else is made of it', () => {
    const rt = names('room:{id}');
    for (const name of ['room:1', 'room:a:b', 'room: ', 'room:%', 'room:ä😀', 'room:{id}x']) {
      expect(rt.channel(name).name).toBe(name);
    }
  });

  it.each([
    ['room:{id}', 'room:42', true],
    ['room:{id}', 'room:', false],
    ['room:{id}', 'room', false],
    ['room:{id}', 'xroom:1', false],
    ['room:{id}', 'room:\n', true],
    ['room:{id}', 'ROOM:1', false],
    ['lobby', 'lobby', true],
    ['lobby', 'lobby ', false],
    ['lobby', 'lobb', false],
    ['{a}:{b}', 'x:y', true],
    ['{a}:{b}', ':y', false],
    ['{a}:{b}', 'x:', false],
    ['{a}:{b}', 'xy', false],
    ['{a}:{b}', '::y', true],
    ['{a}:{b}', ':::', true],
    ['{a}:{b}', '::', false],
    ['a:{x}:b', 'a::b', false],
    ['a:{x}:b', 'a:b', false],
    ['a:{x}:b', 'a:1:b', true],
    ['a:{x}:b', 'a:b:b', true],
    ['a:{x}:b', 'a:1:bc', false],
    ['a:{x}:b:{y}:c', 'a:1:b:2:c', true],
    ['a:{x}:b:{y}:c', 'a:1:b:c', false],
    ['a:{x}:b:{y}:c', 'a::b:b:2:c', true],
    ['räume/{größe}', 'räume/1', false],
    ['räume/{id}', 'räume/😀', true],
    ['ra.me/{id}', 'raume/1', false],
    ['a+{id}', 'aa1', false],
    ['[{id}]', '[1]', true],
    ['^{id}$', '^1$', true],
  ])('%j takes %j: %j', (key, name, fits) => {
    vi.stubEnv('NODE_ENV', 'production');
    expect(keyOf(names(key).find(name))).toBe(fits ? key : undefined);
  });

  it.each([
    [['room:{id}', 'room:lobby'], 'room:lobby', 'room:lobby'],
    [['room:{id}', 'room:lobby'], 'room:lobby2', 'room:{id}'],
    [['{any}', 'room:{id}'], 'room:1', 'room:{id}'],
    [['room:{id}', 'room:{id}:moves'], 'room:1:moves', 'room:{id}:moves'],
    [['room:{id}', 'room:{id}:moves'], 'room:moves', 'room:{id}'],
    [['room:{id}', 'room:a{id}'], 'room:ab', 'room:a{id}'],
    [['room:{id}', '{any}:a:long:ending'], 'room:1:a:long:ending', 'room:{id}'],
    [['a{x}-b', 'a{x}-{y}'], 'a1-b', 'a{x}-b'],
    [['a:{id}', 'a:'], 'a:', 'a:'],
    // Neither is more specific: the first one.
    [['a{x}.b', 'a{y}-c.b'], 'a1-c.b', 'a{y}-c.b'],
    [['a{x}.b{y}', 'a{x}-c{y}'], 'a1.b-c2', 'a{x}.b{y}'],
    [['a{x}-c{y}', 'a{x}.b{y}'], 'a1.b-c2', 'a{x}-c{y}'],
  ])('of %j, %j belongs to %j', (keys, name, key) => {
    expect(keyOf(names(...keys).channel(name))).toBe(key);
    expect(keyOf(names(...[...keys].reverse()).find(name))).toBeDefined();
  });

  it('has single braces where the contract has pairs', () => {
    const rt = names('{{a}}', 'x{{{id}}}', '{{{{', 'y{{{id}', 'plain');
    expect(keyOf(rt.channel('{a}'))).toBe('{{a}}');
    expect(keyOf(rt.channel('x{1}'))).toBe('x{{{id}}}');
    expect(keyOf(rt.channel('{{'))).toBe('{{{{');
    expect(keyOf(rt.channel('y{1'))).toBe('y{{{id}');
    expect(rt.find('{{a}}')).toBeUndefined();
    expect(loose(rt).channel('x{{{id}}}', { id: 7 }).name).toBe('x{7}');
  });

  it('is never found in a prototype', () => {
    const hostile = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', ''];
    const rt = define({
      channels: { 'room:{id}': {}, lobby: {} },
      rpc: { add: {} },
    });
    for (const name of hostile) {
      expect(rt.find(name)).toBeUndefined();
      expect(rt.findRpc(name)).toBeUndefined();
      expect(faultOf(rt.channel(name as 'lobby')).code).toBe('unknown_channel');
      expect(faultOf(rt.rpc(name as 'add')).code).toBe('unknown_rpc');
    }
  });

  it('may be one that objects have by themselves', () => {
    const channels: ChannelDefs = JSON.parse('{"__proto__":{},"constructor":{},"toString":{}}');
    const rpc = JSON.parse('{"__proto__":{},"constructor":{}}');
    const rt = define({ channels, rpc });
    for (const name of Object.keys(channels)) expect(rt.find(name)?.name).toBe(name);
    for (const name of Object.keys(rpc)) expect(rt.findRpc(name)?.name).toBe(name);
  });

  it('is looked at in linear time, however long and hostile', () => {
    const rt = names('a:{b}:{c}:{d}:{e}:z');
    const began = performance.now();
    expect(rt.find(`a:${':'.repeat(200_000)}y`)).toBeUndefined();
    expect(keyOf(rt.find(`a:${':'.repeat(200_000)}:z`))).toBeDefined();
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('a channel from its parts', () => {
  const rt = define({
    channels: {
      'room:{id}': { message: named('room') },
      'room:lobby': { message: named('lobby') },
      'room:{id}:moves': { message: named('moves') },
      'user.{user}.{box}': {},
      'dm:{a}-{b}': {},
      '({x})': {},
    },
  });

  it.each([
    ['42', 'room:42'],
    [42, 'room:42'],
    [0, 'room:0'],
    [-1.5, 'room:-1.5'],
    ['a:moves', 'room:a%3Amoves'],
    ['a/b?c=d&e#f', 'room:a%2Fb%3Fc%3Dd%26e%23f'],
    ['100%', 'room:100%25'],
    ['%2F', 'room:%252F'],
    ['a b', 'room:a%20b'],
    ['ä😀', 'room:%C3%A4%F0%9F%98%80'],
    ['{id}', 'room:%7Bid%7D'],
    ['\u0000\n', 'room:%00%0A'],
    ['a-b_c.d', 'room:a-b_c.d'],
    ['$&', 'room:%24%26'],
    ['__proto__', 'room:__proto__'],
  ])('encodes %j', (id, name) => {
    const ref = rt.channel('room:{id}', { id });
    expect(ref.name).toBe(name);
    expect(keyOf(ref)).toBe('room');
    expect(keyOf(rt.find(name))).toBe('room');
  });

  it('never gives two sets of parts the same name', () => {
    const texts = ['a', '.', '-', 'a.', '.a', 'a-b', '%2E', '%2D', '..', '--', ')', '(', "'", '*'];
    const seen = new Map<string, string>();
    for (const a of texts) {
      for (const b of texts) {
        for (const { name } of [
          rt.channel('user.{user}.{box}', { user: a, box: b }),
          rt.channel('dm:{a}-{b}', { a, b }),
        ]) {
          const key = JSON.stringify([name[0], a, b]);
          expect(seen.get(name) ?? key).toBe(key);
          seen.set(name, key);
        }
      }
    }
    expect(seen.size).toBe(2 * texts.length ** 2);
  });

  it('encodes the sign that ends a part', () => {
    expect(rt.channel('user.{user}.{box}', { user: 'a.b', box: 'c.d' }).name).toBe(
      'user.a%2Eb.c.d',
    );
    expect(rt.channel('({x})', { x: '()' }).name).toBe('((%29)');
  });

  it('refuses a part that would make it another channel', () => {
    const error = faultOf(rt.channel('room:{id}', { id: 'lobby' }));
    expect(error).toMatchObject({ code: 'bad_channel', retry: false, channel: 'room:lobby' });
    expect(error.message).toContain('room:lobby');
  });

  it.each([
    [''],
    [undefined],
    [null],
    [true],
    [{}],
    [['a']],
    [Symbol('a')],
    [() => 'a'],
    [half],
    [`a${half}b`],
  ])('refuses %o as a part', (id) => {
    const error = faultOf(rt.channel('room:{id}', { id: id as never }));
    expect(error).toMatchObject({ code: 'bad_channel', retry: false });
    expect(error.message).toContain('id');
  });

  it('refuses parts that are missing, also those that every object has', () => {
    expect(faultOf(loose(rt).channel('room:{id}')).code).toBe('bad_channel');
    expect(faultOf(loose(rt).channel('room:{id}', {})).code).toBe('bad_channel');
    expect(faultOf(loose(rt).channel('dm:{a}-{b}', { a: 1 })).message).toContain('b');
    const odd = names('x:{constructor}', 'y:{toString}', 'z:{__proto__}');
    for (const name of ['x:{constructor}', 'y:{toString}', 'z:{__proto__}']) {
      expect(faultOf(loose(odd).channel(name, {})).code).toBe('bad_channel');
    }
    expect(loose(odd).channel('x:{constructor}', { constructor: 1 }).name).toBe('x:1');
  });
});

describe('a name that is not in the contract', () => {
  const channels = Object.fromEntries(
    ['room:{id}', 'robot', 'lobby', 'news', 'a', 'b', 'c', 'd'].map((key) => [key, {}]),
  );

  it('is an error that names what comes near', () => {
    const rt = define({ channels }) as unknown as Contract;
    const error = faultOf(rt.channel('Rom:42'));
    expect(error).toMatchObject({ code: 'unknown_channel', retry: false });
    expect(error.message).toMatch(/^"Rom:42" .* room:\{id\}, robot, /);
    expect(error.message.split(', ').length).toBeLessThan(8);
    expect(faultOf(rt.channel('newz')).message).toMatch(/has news,/);
  });

  it('is an error also of a contract that has nothing', () => {
    const rt = define({}) as unknown as Contract;
    expect(faultOf(rt.channel('a')).message).toContain('none');
    expect(faultOf(rt.rpc('a'))).toMatchObject({ code: 'unknown_rpc' });
  });

  it('makes a ref that bears it, so that it may be asked for in a render', () => {
    const rt = define({ channels }) as unknown as Contract;
    const { name, check } = rt.channel('Rom:42');
    expect(name).toBe('Rom:42');
    for (const verb of ['known', 'message', 'publish', 'presence'] as const) {
      expect(errorOf(() => check?.[verb]?.({})).code).toBe('unknown_channel');
    }
    expect(rt.channel('room:42').check?.known).toBeUndefined();
    expect((rt.rpc as (name: string) => RpcRef)('math.sub').name).toBe('math.sub');
    expect(rt.rpc('math.sub' as never).name).toBe('math.sub');
  });

  it('is told of methods, too', () => {
    const rt = define({ rpc: { 'math.add': {}, 'text.trim': {} } });
    const error = faultOf(rt.rpc('math.sub' as never));
    expect(error.message).toMatch(/has math\.add, text\.trim/);
  });

  it('is told in few words in production', () => {
    vi.stubEnv('NODE_ENV', 'production');
    const rt = define({ channels }) as unknown as Contract;
    expect(faultOf(rt.channel('x')).message).toBe('"x" is not in the contract');
  });
});

describe.each([
  ['Valibot', v.object({ text: v.pipe(v.string(), v.maxLength(5)) })],
  ['Zod', z.object({ text: z.string().max(5) })],
  ['ArkType', type({ text: 'string <= 5' })],
])('a message checked by %s', (_, message) => {
  const { check } = define({ channels: { a: { message } } }).channel('a');

  it('is what the schema says', () => {
    expect(check?.message({ text: 'hi' })).toEqual({ text: 'hi' });
    expect(check?.publish({ text: 'hi' })).toEqual({ text: 'hi' });
  });

  it.each([[{ text: 'too long' }], [{}], [null], [undefined], ['hi'], [[]], [1n], [Symbol('x')]])(
    'is refused if it is %o',
    (data) => {
      for (const verb of ['message', 'publish'] as const) {
        const error = errorOf(() => check?.[verb](data));
        expect(error).toMatchObject({ code: 'schema', retry: false, channel: 'a' });
        expect(error.issues?.length).toBeGreaterThan(0);
        expect(error.message).toContain(error.issues?.[0]?.message);
      }
    },
  );

  it('says where', () => {
    const error = errorOf(() => check?.message({ text: 1 }));
    expect(error.message).toMatch(/^a\.text: /);
    expect(error.issues?.[0]?.path).toHaveLength(1);
  });
});

describe('a schema that transforms', () => {
  const rt = define({
    channels: {
      a: {
        message: v.pipe(v.string(), v.transform(Number)),
        presence: v.object({ name: v.optional(v.string(), 'Ann') }),
        events: { at: z.coerce.date() },
      },
    },
    rpc: { r: { input: v.pipe(v.string(), v.transform(Number)), output: z.coerce.date() } },
  });
  const { check } = rt.channel('a');

  it('is applied to what arrives', () => {
    expect(check?.message('17')).toBe(17);
    expect(check?.message(0, 'at')).toEqual(new Date(0));
    expect(check?.presence({})).toEqual({ name: 'Ann' });
    expect(rt.rpc('r').check?.output(0)).toEqual(new Date(0));
  });

  it('lets what is published go out as it is, for each receiver applies it', () => {
    expect(check?.publish('17')).toBe('17');
    expect(check?.message(check.publish('17'))).toBe(17);
    expect(rt.rpc('r').check?.input('17')).toBe('17');
  });
});

describe('events', () => {
  const rt = define({
    channels: {
      some: { message: v.string(), events: { typing: v.boolean() } },
      none: { message: v.string() },
      only: { events: { typing: v.boolean() } },
      odd: { events: JSON.parse('{"__proto__":null}') },
    },
  });

  it('have schemas of their own', () => {
    const { check } = rt.channel('some');
    expect(check?.message('a')).toBe('a');
    expect(check?.message(true, 'typing')).toBe(true);
    expect(errorOf(() => check?.message('a', 'typing')).message).toMatch(/^typing: /);
    expect(errorOf(() => check?.message(true)).message).toMatch(/^some: /);
  });

  it('which are not in the contract are refused, where it has any', () => {
    const { check } = rt.channel('some');
    for (const event of ['', 'typng', '__proto__', 'constructor', 'toString']) {
      for (const verb of ['message', 'publish'] as const) {
        expect(errorOf(() => check?.[verb]('a', event))).toMatchObject({
          code: 'schema',
          issues: [{ message: 'unknown event' }],
          channel: 'some',
        });
      }
    }
  });

  it('are messages like any other where it has none', () => {
    const { check } = rt.channel('none');
    expect(check?.message('a', 'whatever')).toBe('a');
    expect(errorOf(() => check?.message(1, 'whatever')).code).toBe('schema');
  });

  it('leave the others unchecked where there is no schema for those', () => {
    expect(rt.channel('only').check?.message(Symbol.iterator)).toBe(Symbol.iterator);
  });
});

describe('a schema that misbehaves', () => {
  const check = (validate: (value: unknown) => unknown) => {
    const ref = define({ channels: { a: { message: schema(validate) } } }).channel('a');
    return errorOf(() => ref.check?.message(1));
  };

  it('by throwing is a refusal', () => {
    const cause = new RangeError('oops');
    const error = check(() => {
      throw cause;
    });
    expect(error).toMatchObject({ code: 'schema', cause });
    expect(error.issues).toBeUndefined();
  });

  it('by throwing something odd is a refusal, too', () => {
    for (const odd of [undefined, null, Symbol('x'), Object.create(null)]) {
      const error = check(() => {
        throw odd;
      });
      expect(error.code).toBe('schema');
    }
  });

  it.each([[undefined], [null], [7], ['yes']])('by answering %o is a refusal', (answer) => {
    expect(check(() => answer).code).toBe('schema');
  });

  it('by promising an answer is a refusal, for order could not be kept', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const error = check(async () => ({ value: 1 }));
    expect(error.issues).toEqual([{ message: 'asynchronous' }]);
    expect(check(() => Promise.reject(new Error('late'))).message).toContain('asynchronous');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('is a refusal also where the promise comes from a real library', () => {
    const slow = z.string().refine(async () => true);
    const ref = define({ channels: { a: { message: slow } } }).channel('a');
    expect(errorOf(() => ref.check?.publish('a'))).toMatchObject({
      code: 'schema',
      issues: [{ message: 'asynchronous' }],
    });
  });

  it.each([
    [[{ message: 'no' }], 'a: no'],
    [[{ message: 'no', path: [] }], 'a: no'],
    [[{ message: 'no', path: ['x', 0, { key: 'y' }] }], 'a.x.0.y: no'],
    [[{ message: 'no', path: [Symbol('s'), { key: Symbol('t') }] }], 'a.Symbol(s).Symbol(t): no'],
    [[{ message: 'first' }, { message: 'second' }], 'a: first'],
    [[], 'a: the schema threw'],
  ])('with issues %o says %j', (issues, words) => {
    const error = check(() => ({ issues }));
    expect(error.message).toBe(words);
    expect(error.issues).toEqual(issues);
  });
});

describe('a method', () => {
  const rt = define({
    rpc: { 'math.add': { input: v.tuple([v.number(), v.number()]), output: v.number() }, any: {} },
  });

  it('checks what it is given and what it answers', () => {
    const { name, check } = rt.rpc('math.add');
    expect(name).toBe('math.add');
    expect(check?.input([1, 2])).toEqual([1, 2]);
    expect(check?.output(3)).toBe(3);
    expect(errorOf(() => check?.input([1, 'a']))).toMatchObject({ code: 'schema' });
    expect(errorOf(() => check?.input([1, 'a'])).message).toMatch(/^math\.add\.1: /);
    expect(errorOf(() => check?.output('3')).message).toMatch(/^math\.add: /);
  });

  it('without schemas checks nothing', () => {
    const { check } = rt.rpc('any');
    expect(check?.input(undefined)).toBeUndefined();
    expect(check?.output('x')).toBe('x');
  });
});

describe('a contract', () => {
  it('shows what it was made from', () => {
    const channels = { a: {} };
    const rpc = { b: {} };
    const rt = define({ channels, rpc });
    expect([rt.channels, rt.rpcs]).toEqual([channels, rpc]);
    expect(define({})).toMatchObject({ channels: {}, rpcs: {} });
  });

  it.each([
    [''],
    ['room:{'],
    ['room:}'],
    ['room:{}'],
    ['room:{id'],
    ['room:id}'],
    ['room:{a b}'],
    ['room:{{id}'],
    ['{{{a}}'],
    ['{a}:{a}'],
    ['{a}{b}'],
    ['{id}px'],
    ['{id}5'],
    ['{id}%'],
    ['a\0b'],
  ])('with a channel %j is a mistake', (key) => {
    const error = errorOf(() => names(key));
    expect(error).toMatchObject({ code: 'bad_contract', retry: false });
    expect(error.message).toContain(JSON.stringify(key).replace('\\u0000', '\0'));
  });

  it.each([['{id}'], ['{a}世{b}'], ['{id} x'], ['{a}{{{b}'], ['{a_1}.{B2}']])(
    'may have a channel %j',
    (key) => {
      expect(() => names(key)).not.toThrow();
    },
  );

  it('with something that is no schema is a mistake', () => {
    for (const bad of [{}, { '~standard': {} }, 'string', () => {}] as never[]) {
      for (const def of [{ message: bad }, { presence: bad }, { events: { x: bad } }]) {
        expect(errorOf(() => define({ channels: { a: def } })).code).toBe('bad_contract');
      }
      expect(errorOf(() => define({ rpc: { a: { input: bad } } })).code).toBe('bad_contract');
      expect(errorOf(() => define({ rpc: { a: { output: bad } } })).code).toBe('bad_contract');
    }
  });

  it('works where there is no `process`', () => {
    vi.stubGlobal('process', undefined);
    const rt = names('room:{id}');
    const ref = rt.channel('room:1');
    const error = faultOf(rt.channel('x'));
    vi.unstubAllGlobals();
    expect(keyOf(ref)).toBe('room:{id}');
    expect(error.code).toBe('unknown_channel');
  });

  it('gives a new ref each time, which stands for the same channel', () => {
    const rt = names('a');
    expect(rt.channel('a')).not.toBe(rt.channel('a'));
    expect(rt.channel('a').name).toBe(rt.channel('a').name);
  });
});
