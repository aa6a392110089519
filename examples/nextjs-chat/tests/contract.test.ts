import { describe, expect, it } from 'vitest';
import {
  kGuest,
  kNameLengthMax,
  kTextLengthMax,
  roomChannel,
  rt,
  type Said,
} from '../lib/contract';

const read = (data: unknown): Said | undefined => {
  try {
    return roomChannel('lobby').check?.message(data, undefined) as Said;
  } catch {
    return undefined;
  }
};
const ada = { id: 'a1', name: 'Ada', hue: 10 };

describe('what arrives in a room', () => {
  it('takes what this page says as it is', () => {
    expect(read({ text: 'hello', from: ada })).toEqual({ text: 'hello', from: ada });
  });

  it('takes the words of plain clients as those of a guest', () => {
    for (const text of ['typed in a terminal', '42', 'null', '"quoted"', '{not json']) {
      expect(read(text)).toEqual({ text, from: kGuest });
    }
  });

  it("takes the seed's JSON and this page's, written by hand", () => {
    expect(read('{"msg":"from the seed"}')).toEqual({ text: 'from the seed', from: kGuest });
    expect(read(JSON.stringify({ text: 'bot', from: ada }))).toEqual({ text: 'bot', from: ada });
  });

  it.each([
    ['nothing', ''],
    ['blanks', '   '],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['an empty message', '{"msg":""}'],
    ['a message that is no text', '{"msg":{}}'],
    ['no author', { text: 'x' }],
    ['half an author', { text: 'x', from: { id: 'z' } }],
    ['an author without a name', { text: 'x', from: { ...ada, name: ' ' } }],
    ['text that is none', { text: [], from: ada }],
    ['a colour that is none', { text: 'x', from: { ...ada, hue: 'red' } }],
    ['a number', 7],
    ['null', null],
    ['bytes', new Uint8Array([1])],
  ])('refuses %s', (_, data) => {
    expect(read(data)).toBeUndefined();
  });

  it('cuts to size what is too long, and trims', () => {
    const long = read({ text: ` ${'x'.repeat(5000)} `, from: { ...ada, name: 'n'.repeat(500) } });
    expect(long?.text).toBe('x'.repeat(kTextLengthMax));
    expect(long?.from.name).toBe('n'.repeat(kNameLengthMax));
    expect(read(`${'x'.repeat(kTextLengthMax - 1)} tail`)?.text).toBe(
      'x'.repeat(kTextLengthMax - 1),
    );
  });

  it.each([
    [725, 5],
    [-10, 350],
    [1e9, 1e9 % 360],
    [12.4, 12],
  ])('brings the colour %d onto the wheel', (hue, expected) => {
    expect(read({ text: 'x', from: { ...ada, hue } })?.from.hue).toBe(expected);
  });

  it('drops members that it does not know', () => {
    const sly = { text: 'x', from: { ...ada, admin: true }, html: '<b>' };
    expect(read(sly)).toEqual({ text: 'x', from: ada });
  });
});

describe('presence', () => {
  const check = (info: unknown) => roomChannel('lobby').check?.presence(info);

  it('is a person, and whether they type', () => {
    expect(check({ ...ada, typing: true })).toEqual({ ...ada, typing: true });
  });

  it.each([undefined, null, {}, { ...ada }, { ...ada, typing: 'yes' }])('refuses %j', (info) => {
    expect(() => check(info)).toThrow();
  });
});

describe('names of channels', () => {
  it('are those of the raw protocol, unchanged', () => {
    expect(roomChannel('tee-küche').name).toBe('room:tee-küche');
    expect(rt.find('room:')).toBeUndefined();
  });
});
