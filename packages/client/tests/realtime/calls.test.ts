import { describe, expect, it } from 'vitest';
import { Calls } from '../../src/realtime/calls';
import { json } from '../../src/realtime/codec';
import type { Piece, WireMessage } from '../../src/realtime/wire';
import { FakeClock } from '../support/fake-clock';

function table() {
  const clock = new FakeClock();
  const frames: WireMessage[][] = [];
  let stuck = 0;
  const calls = new Calls(json, clock, () => stuck++);
  const send = (pieces: readonly Piece[]) =>
    void frames.push(pieces.map((piece) => JSON.parse(piece as string)));
  const replies: WireMessage[] = [];
  const make = (type: string, patient?: boolean) =>
    calls.make({ type }, (reply) => replies.push(reply), patient);
  const many = (n: number) => Array.from({ length: n }, (_, i) => make(`t${i}`));
  return { clock, calls, frames, send, make, many, replies, stuck: () => stuck };
}

describe('commands', () => {
  it('have ids of their own, from 1 on', () => {
    const { make } = table();
    expect([make('a').id, make('b').id, make('c').id]).toEqual([1, 2, 3]);
  });

  it('are encoded when they are made', () => {
    const { calls, frames, send } = table();
    const message = { type: 'a', list: [1] };
    const call = calls.make(message);
    message.list.push(2);
    calls.transmit(send, [call]);
    expect(frames).toEqual([[{ type: 'a', list: [1], id: 1 }]]);
  });

  it('throw where they cannot be encoded, and use up no answer', () => {
    const { calls } = table();
    expect(() => calls.make({ type: 'a', big: 1n })).toThrow(TypeError);
    expect(calls.size).toBe(0);
  });

  it('wait for their answer only once they were sent', () => {
    const { calls, make, send } = table();
    const call = make('a');
    expect(calls.size).toBe(0);
    calls.transmit(send, [call]);
    expect(calls.size).toBe(1);
  });
});

describe('answers', () => {
  it('go to whom they are for, in any order, and once', () => {
    const { calls, many, send, replies } = table();
    calls.transmit(send, many(3));
    for (const id of [3, 1, 1, 3, 99]) calls.answer({ type: 'ok', id });
    expect(replies.map(({ id }) => id)).toEqual([3, 1]);
    expect(calls.size).toBe(1);
  });

  it('are all `connection_lost` when the link breaks', () => {
    const { calls, many, send, replies, clock } = table();
    calls.transmit(send, many(3));
    calls.lost();
    expect(replies).toEqual(
      [1, 2, 3].map((id) => ({ type: 'error', id, code: 'connection_lost', retry: true })),
    );
    expect(calls.size).toBe(0);
    expect(clock.pending).toBe(0);
    calls.lost();
    expect(replies).toHaveLength(3);
  });

  it('that break a link may send at once what waits for the next', () => {
    const { calls, send } = table();
    let again = 0;
    const call = calls.make({ type: 'a' }, () => {
      if (again++ === 0) calls.transmit(send, [call]);
    });
    calls.transmit(send, [call]);
    calls.lost();
    expect(again).toBe(1);
    expect(calls.size).toBe(1);
  });

  it('that are overdue are reported, unless the caller is patient', () => {
    const { calls, make, send, clock, stuck } = table();
    calls.transmit(send, [make('a', true)]);
    clock.advance(60_000);
    expect(stuck()).toBe(0);
    calls.transmit(send, [make('b')]);
    clock.advance(19_999);
    expect(stuck()).toBe(0);
    clock.advance(1);
    expect(stuck()).toBe(1);
  });

  it('that come in time leave no timer behind', () => {
    const { calls, many, send, clock } = table();
    calls.transmit(send, many(2));
    calls.answer({ type: 'ok', id: 1 });
    expect(clock.pending).toBe(1);
    calls.answer({ type: 'ok', id: 2 });
    expect(clock.pending).toBe(0);
  });
});

describe('frames', () => {
  it.each([
    [0, []],
    [1, [1]],
    [64, [64]],
    [65, [64, 1]],
    [200, [64, 64, 64, 8]],
  ])('of %i commands hold at most 64 of them', (n, sizes) => {
    const { calls, many, send, frames } = table();
    expect(calls.transmit(send, many(n))).toEqual([]);
    expect(frames.map(({ length }) => length)).toEqual(sizes);
    expect(frames.flat().map(({ id }) => id)).toEqual(Array.from({ length: n }, (_, i) => i + 1));
  });

  it('stay below the size that the server takes', () => {
    const { calls, send, frames } = table();
    calls.frameBytesMax = 1000;
    const text = 'x'.repeat(270);
    calls.transmit(
      send,
      Array.from({ length: 7 }, () => calls.make({ type: 'a', text })),
    );
    expect(frames.map(({ length }) => length)).toEqual([3, 3, 1]);
    for (const frame of frames) expect(JSON.stringify(frame).length).toBeLessThanOrEqual(1000);
  });

  it('count bytes and not letters', () => {
    const { calls, send, frames } = table();
    calls.frameBytesMax = 1000;
    const text = '\u20ac'.repeat(150);
    calls.transmit(
      send,
      Array.from({ length: 3 }, () => calls.make({ type: 'a', text })),
    );
    expect(frames.map(({ length }) => length)).toEqual([1, 1, 1]);
  });

  it('hold what is too large for any alone, for the caller has checked', () => {
    const { calls, make, send, frames } = table();
    calls.frameBytesMax = 100;
    const large = calls.make({ type: 'large', text: 'x'.repeat(200) });
    calls.transmit(send, [make('a'), large, make('b')]);
    expect(frames.map((frame) => frame.map(({ type }) => type))).toEqual([['a'], ['large'], ['b']]);
  });

  it('that begin with a greeting are one only, and the rest is given back', () => {
    const { calls, make, many, send, frames } = table();
    const all = many(100);
    const left = calls.transmit(send, all, make('connect').piece);
    expect(frames.map(({ length }) => length)).toEqual([64]);
    expect(frames[0]?.[0]?.type).toBe('connect');
    expect(left).toEqual(all.slice(63));
    // What was not sent waits for nothing.
    expect(calls.size).toBe(63);
  });

  it('that begin with a greeting stop at the size as well', () => {
    const { calls, make, send, frames } = table();
    calls.frameBytesMax = 200;
    const large = calls.make({ type: 'large', text: 'x'.repeat(150) });
    const small = make('small');
    expect(calls.transmit(send, [large, small], make('connect').piece)).toEqual([large, small]);
    expect(frames.map((frame) => frame.map(({ type }) => type))).toEqual([['connect']]);
  });
});
