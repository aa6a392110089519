import { describe, expect, it } from 'vitest';
import { json, messages, toBytes } from '../../src/realtime/codec';
import type { Piece } from '../../src/realtime/wire';

describe('JSON', () => {
  it('is joined to one message, or to a list', () => {
    const pieces = [{ type: 'a' }, { type: 'b' }].map((message) => json.encode(message));
    expect(json.join(pieces.slice(0, 1))).toBe('{"type":"a"}');
    expect(json.join(pieces)).toBe('[{"type":"a"},{"type":"b"}]');
  });

  it.each([1, 2, 5])('comes back as it went, %i at a time', (n) => {
    const all = Array.from({ length: n }, (_, id) => ({
      type: 't',
      id,
      data: { text: '\u2028"' },
    }));
    const frame = json.join(all.map((message) => json.encode(message)) as Piece[]);
    expect(json.decode(frame as string)).toEqual(all);
  });

  it('spells bytes of a publish as base64, of any length', () => {
    for (let length = 0; length < 10; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => 255 - i * 17);
      const piece = JSON.parse(json.encode({ type: 'publish', binary: bytes }) as string);
      expect(piece.binary).toBe(Buffer.from(bytes).toString('base64'));
      expect(toBytes(piece.binary)).toEqual(bytes);
    }
  });

  it('spells many bytes as well', () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i * 31);
    const { binary } = JSON.parse(json.encode({ type: 'publish', binary: bytes }) as string);
    expect(binary).toBe(Buffer.from(bytes).toString('base64'));
  });

  it('leaves a message without bytes alone, and the given object as it was', () => {
    const message = { type: 'publish', binary: new Uint8Array([1]) };
    json.encode(message);
    expect(message.binary).toEqual(new Uint8Array([1]));
    expect(json.encode({ type: 'publish', binary: 'AQ==' })).toContain('"AQ=="');
  });

  it.each(['', '{', '[1,', 'undefined', '{"type":"a"}x'])('refuses %j', (frame) => {
    expect(() => json.decode(frame)).toThrow();
  });

  it('refuses a binary frame', () => {
    expect(() => json.decode(new ArrayBuffer(2))).toThrow(TypeError);
  });

  it.each([
    [null, 0],
    [1, 0],
    ['x', 0],
    [[], 0],
    [{ type: 1 }, 0],
    [{ type: '' }, 1],
    [[null, 'x', { type: 'a' }, { kind: 'b' }, { type: 'c' }], 2],
  ])('finds in %j the messages, and passes over the rest', (value, n) => {
    expect(messages(value)).toHaveLength(n);
  });

  it('takes bytes that are bytes already as they are', () => {
    const bytes = new Uint8Array([1, 2]);
    expect(toBytes(bytes)).toBe(bytes);
  });
});
