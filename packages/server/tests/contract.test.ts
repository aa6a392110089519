import { define, type StandardSchema } from '@anywire/client/contract';
import { toJsonSchema } from '@valibot/to-json-schema';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type JsonSchema, toContract } from '../src/contract';
import { libraries, values } from './support/definitions';

function schemaOf(message: StandardSchema): JsonSchema | undefined {
  return toContract(define({ channels: { c: { message } } }), { toJsonSchema }).channels[0]
    ?.message;
}

describe('channels', () => {
  const patterns = (keys: readonly string[]): string[] =>
    toContract(
      define({ channels: Object.fromEntries(keys.map((key) => [key, {}])) as never }),
    ).channels.map(({ pattern }) => pattern);

  test('parts become wildcards, and braces of their own stay', () => {
    expect(patterns(['room:{id}'])).toEqual(['room:*']);
    expect(patterns(['a:{x}:b:{y}'])).toEqual(['a:*:b:*']);
    expect(patterns(['set{{1}}'])).toEqual(['set{1}']);
  });

  test('the most specific come first, as the client chooses', () => {
    expect(patterns(['{any}', 'room:{id}', 'room:', 'room:lobby', 'room:{a}:x'])).toEqual([
      'room:lobby',
      'room:*:x',
      'room:',
      'room:*',
      '*',
    ]);
  });

  test.each(['a*', 'what?'])('%s is refused: the server would take it for a pattern', (key) => {
    expect(() => patterns([key])).toThrow('wildcards');
  });

  test('messages, events, presence and methods each have their place', () => {
    const text = z.object({ text: z.string() });
    const schema = {
      type: 'object',
      properties: { text: { type: 'string' } },
      required: ['text'],
    };
    const document = toContract(
      define({
        channels: { c: { message: text, events: { joined: text }, presence: text }, free: {} },
        rpc: { add: { input: z.tuple([z.number(), z.number()]), output: z.number() }, ping: {} },
      }),
    );
    expect(document.channels).toEqual([
      { pattern: 'free' },
      { pattern: 'c', message: schema, events: { joined: schema }, presence: schema },
    ]);
    expect(document.rpc.add?.output).toEqual({ type: 'number' });
    expect(document.rpc.ping).toEqual({});
  });
});

describe('schemas', () => {
  test('are of what is taken, not of what is given', () => {
    const taken = z.object({ at: z.string().default('now'), n: z.string().transform(Number) });
    expect(schemaOf(taken)).toEqual({
      type: 'object',
      properties: { at: { default: 'now', type: 'string' }, n: { type: 'string' } },
      required: ['n'],
    });
  });

  test('have a pattern or a format, and never both', () => {
    const zod = schemaOf(z.object({ mail: z.email(), link: z.url() })) as {
      properties: Record<string, Record<string, unknown>>;
    };
    expect(zod.properties.mail).toEqual({ type: 'string', pattern: expect.any(String) });
    expect(zod.properties.link).toEqual({ type: 'string', format: 'uri' });
    expect(schemaOf(type('string.email'))).toEqual({ type: 'string', pattern: expect.any(String) });
    expect(schemaOf(v.pipe(v.string(), v.isoDate()))).toEqual({
      type: 'string',
      pattern: expect.any(String),
    });
  });

  test('a member that is called "format" or "pattern" stays', () => {
    const members = z.object({ format: z.string(), pattern: z.string() });
    expect(schemaOf(members)).toMatchObject({ required: ['format', 'pattern'] });
    expect(Object.keys((schemaOf(members) as { properties: object }).properties)).toHaveLength(2);
  });

  test('the flag "i" is kept', () => {
    expect(schemaOf(z.string().regex(/^ab$/i))).toEqual({
      type: 'string',
      allOf: [{ pattern: '(?i:^ab$)' }],
    });
    expect(schemaOf(v.pipe(v.string(), v.regex(/^ab$/i)))).toEqual({
      type: 'string',
      pattern: '(?i:^ab$)',
    });
    expect(() => schemaOf(type(/^ab$/i))).toThrow('flags');
  });

  test('say what their library takes for the length of a text', () => {
    const counting = { 'x-anywire-lengths': 'utf-16', type: 'string', maxLength: 3 };
    expect(schemaOf(v.pipe(v.string(), v.maxLength(3)))).toEqual(counting);
    expect(schemaOf(type('string<=3'))).toEqual(counting);
    const units = z.string().max(1).safeParse('😀').success
      ? {}
      : { 'x-anywire-lengths': 'utf-16' };
    expect(schemaOf(z.string().max(3))).toEqual({ ...units, type: 'string', maxLength: 3 });
    expect(schemaOf(z.string().min(2))).toEqual({ ...units, type: 'string', minLength: 2 });
    expect(schemaOf(z.array(z.string()).max(3))).not.toHaveProperty('x-anywire-lengths');
  });

  test('several patterns all count', () => {
    const both = v.pipe(v.string(), v.regex(/a/), v.regex(/b/));
    expect(schemaOf(both)).toEqual({ type: 'string', pattern: 'a', allOf: [{ pattern: 'b' }] });
  });

  test('look-ahead is taken at the beginning only', () => {
    expect(schemaOf(z.string().regex(/^(?=.*\d)(?!.*(a|b)).{8,}$/))).toBeTruthy();
    for (const pattern of [/a(?=b)/, /(?<=a)b/, /(?<!a)b/, /(a)\1/, /^(?=a)b(?!c)/]) {
      expect(() => schemaOf(z.string().regex(pattern)), String(pattern)).toThrow('linear time');
    }
    for (const pattern of [/\\1/, /[(?=]/, /\(\?=/]) {
      expect(() => schemaOf(z.string().regex(pattern)), String(pattern)).not.toThrow();
    }
  });
});

describe('what cannot be said in JSON Schema', () => {
  const place = (schema: StandardSchema, options = {}): (() => unknown) => {
    const contract = define({ channels: { 'room:{id}': { events: { joined: schema } } } });
    return () => toContract(contract, options);
  };

  test('is an error with its place and code', () => {
    expect(place(z.date())).toThrow('room:{id}, event "joined": Date cannot be represented');
    expect(place(z.date())).toThrow(expect.objectContaining({ code: 'bad_contract' }));
    expect(place(v.date(), { toJsonSchema })).toThrow('cannot be converted');
  });

  test('says what to do', () => {
    expect(place(v.string())).toThrow('npm install @valibot/to-json-schema');
    const own = {
      '~standard': { version: 1, vendor: 'own', validate: (value: unknown) => ({ value }) },
    } as const;
    expect(place(own)).toThrow('"own" does not say how');
    const old = { '~standard': { ...own['~standard'], vendor: 'zod' } } as const;
    expect(place(old)).toThrow('zod 4.2');
    expect(place({ ...own, toJsonSchema: () => ({ type: 'null' }) } as never)).not.toThrow();
    expect(place({ ...own, toJsonSchema: () => 7 } as never)).toThrow('no JSON Schema');
  });
});

describe.each(Object.entries(libraries))('%s', (_, schema) => {
  const message = schemaOf(schema as StandardSchema) as object;
  // JSON Schema counts code points, and JavaScript knows no (?i:...).
  const text = JSON.stringify(message).replaceAll('(?i:', '(?:');
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(text));

  test.each(values.filter((one) => !/😀|EXAMPLE/.test(JSON.stringify(one))))(
    'judges %j as its JSON Schema does',
    (value) => {
      const { issues } = (schema as StandardSchema)['~standard'].validate(value) as {
        issues?: unknown;
      };
      expect(validate(value)).toBe(issues === undefined);
    },
  );
});
