import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';

/** The same definition in three libraries, and values on both sides of every line it draws. */
export const libraries = {
  zod: z.object({
    text: z.string().min(2).max(5),
    to: z.optional(z.array(z.email()).max(2)),
    kind: z.enum(['chat', 'note']),
    price: z.optional(z.number().min(0).max(10)),
    n: z.optional(z.int()),
    when: z.optional(z.iso.date()),
    id: z.optional(z.uuid()),
    ref: z.nullable(z.string()),
  }),
  valibot: v.object({
    text: v.pipe(v.string(), v.minLength(2), v.maxLength(5)),
    to: v.optional(v.pipe(v.array(v.pipe(v.string(), v.email())), v.maxLength(2))),
    kind: v.picklist(['chat', 'note']),
    price: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(10))),
    n: v.optional(v.pipe(v.number(), v.integer())),
    when: v.optional(v.pipe(v.string(), v.isoDate())),
    id: v.optional(v.pipe(v.string(), v.uuid())),
    ref: v.nullable(v.string()),
  }),
  arktype: type({
    text: '2<=string<=5',
    'to?': 'string.email[]<=2',
    kind: "'chat'|'note'",
    'price?': '0<=number<=10',
    'n?': 'number.integer',
    'id?': 'string.uuid',
    ref: 'string|null',
  }),
};

const good = { text: 'hello', kind: 'chat', ref: null };
export const values: readonly unknown[] = [
  good,
  { ...good, more: 1 },
  { ...good, text: 'x' },
  { ...good, text: 'xxxxxx' },
  { ...good, text: '😀' },
  { ...good, text: '😀😀😀' },
  { ...good, text: 7 },
  { kind: 'chat', ref: null },
  { ...good, to: ['ann@example.com'] },
  { ...good, to: ['ANN@EXAMPLE.COM'] },
  { ...good, to: ['ann'] },
  { ...good, to: ['a@b.cd', 'a@b.cd', 'a@b.cd'] },
  { ...good, to: 'ann@example.com' },
  { ...good, kind: 'other' },
  { ...good, price: 0 },
  { ...good, price: 10 },
  { ...good, price: 10.5 },
  { ...good, price: -1 },
  { ...good, n: 1.5 },
  { ...good, n: 1 },
  { ...good, id: '2eb8aa08-aa98-41ea-b4aa-73b441d16380' },
  { ...good, id: 'nonsense' },
  { ...good, ref: 'x' },
  { ...good, ref: 1 },
  { text: 'hello', kind: 'chat' },
  null,
  [],
  'text',
];
