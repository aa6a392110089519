import { describe, expect, it } from 'vitest';
import type { Drop, QueueOptions } from '../src/index';
import { byteLength, SendQueue } from '../src/queue';
import { FakeClock } from './support/fake-clock';

function setup(options: QueueOptions = {}) {
  const clock = new FakeClock();
  const drops: Drop[] = [];
  const queue = new SendQueue(options, clock, (drop) => drops.push(drop));
  const push = (text: string) => queue.push(text, byteLength(text));
  const drain = () => {
    const out: unknown[] = [];
    for (let item = queue.peek(); item; item = queue.peek()) {
      out.push(item.data);
      queue.shift();
    }
    return out;
  };
  return { clock, drops, queue, push, drain };
}

describe('byteLength', () => {
  it.each([
    '',
    'plain',
    'é',
    '€',
    '😀',
    'a😀b€cé',
    '\ud800',
    'x\udc00y',
    '\ud800\ud800\udc00',
    '\udc00\ud800',
    '\ud83d',
  ])('agrees with an encoder on %j', (text) => {
    expect(byteLength(text)).toBe(new TextEncoder().encode(text).length);
  });

  it('counts binary as it is', () => {
    expect(byteLength(new ArrayBuffer(7))).toBe(7);
    expect(byteLength(new Uint16Array(3))).toBe(6);
    expect(byteLength(new DataView(new ArrayBuffer(9), 4))).toBe(5);
  });
});

describe('SendQueue', () => {
  it('gives messages back in order', () => {
    const { push, drain, queue } = setup();
    for (const text of ['a', 'b', 'c']) expect(push(text)).toBeUndefined();
    expect(queue.size).toBe(3);
    expect(queue.bytes).toBe(3);
    expect(drain()).toEqual(['a', 'b', 'c']);
    expect(queue.size).toBe(0);
    expect(queue.bytes).toBe(0);
  });

  it('shows the same message until it is shifted', () => {
    const { push, queue } = setup();
    push('a');
    expect(queue.peek()?.data).toBe('a');
    expect(queue.peek()?.data).toBe('a');
    queue.shift();
    expect(queue.peek()).toBeUndefined();
    queue.shift();
    expect(queue.size).toBe(0);
  });

  it('refuses the newest when full', () => {
    const { push, drain, drops } = setup({ max: 2 });
    push('a');
    push('b');
    expect(push('c')).toBe('overflow');
    expect(drops).toEqual([]);
    expect(drain()).toEqual(['a', 'b']);
  });

  it('refuses when full by bytes, counted as UTF-8', () => {
    const { push } = setup({ bytes: 4 });
    expect(push('€')).toBeUndefined();
    expect(push('é')).toBe('overflow');
    expect(push('e')).toBeUndefined();
  });

  it('refuses what could never fit, and keeps what it has', () => {
    const { push, drain } = setup({ bytes: 4, overflow: 'drop-oldest' });
    push('ab');
    expect(push('abcde')).toBe('too-large');
    expect(drain()).toEqual(['ab']);
  });

  it('refuses everything when it may hold nothing', () => {
    const { push } = setup({ max: 0, overflow: 'drop-oldest' });
    expect(push('a')).toBe('too-large');
  });

  it('can give up the oldest instead, and says which', () => {
    const { push, drain, drops } = setup({ max: 2, overflow: 'drop-oldest' });
    for (const text of ['a', 'b', 'c', 'd']) expect(push(text)).toBeUndefined();
    expect(drops).toEqual([
      { reason: 'oldest', count: 1, bytes: 1, data: 'a' },
      { reason: 'oldest', count: 1, bytes: 1, data: 'b' },
    ]);
    expect(drain()).toEqual(['c', 'd']);
  });

  it('gives up as many as a large newcomer needs', () => {
    const { push, drain, drops } = setup({ bytes: 6, overflow: 'drop-oldest' });
    for (const text of ['aa', 'bb', 'cc']) push(text);
    push('dddd');
    expect(drops.map((drop) => drop.data)).toEqual(['aa', 'bb']);
    expect(drain()).toEqual(['cc', 'dddd']);
  });

  it('gives up what has waited too long, and nothing younger', () => {
    const { clock, push, drain, drops, queue } = setup({ ttl: 1000 });
    push('old');
    clock.advance(600);
    push('young');
    clock.advance(401);
    queue.expire();
    expect(drops).toEqual([{ reason: 'expired', count: 1, bytes: 3, data: 'old' }]);
    expect(drain()).toEqual(['young']);
  });

  it('never hands out what has expired', () => {
    const { clock, push, drain, drops } = setup({ ttl: 1000 });
    push('old');
    clock.advance(1001);
    expect(drain()).toEqual([]);
    expect(drops).toHaveLength(1);
  });

  it('makes room by expiry before it refuses', () => {
    const { clock, push, drops } = setup({ max: 1, ttl: 1000 });
    push('old');
    clock.advance(1001);
    expect(push('new')).toBeUndefined();
    expect(drops[0]?.reason).toBe('expired');
  });

  it('can be emptied at once, with everything accounted for', () => {
    const { push, queue, drops } = setup();
    push('a');
    push('bb');
    push('ccc');
    queue.shift();
    expect(queue.take('closed')).toEqual([
      { reason: 'closed', count: 1, bytes: 2, data: 'bb' },
      { reason: 'closed', count: 1, bytes: 3, data: 'ccc' },
    ]);
    expect(drops).toEqual([]);
    expect(queue.size).toBe(0);
    expect(queue.bytes).toBe(0);
    expect(queue.take('closed')).toEqual([]);
  });

  it('keeps order and count over many thousands', () => {
    const { push, queue } = setup({ max: 5000, bytes: 1 << 20 });
    let next = 0;
    let taken = 0;
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 2000 && queue.size < 5000; i++) push(String(next++));
      for (let i = 0; i < 1900; i++) {
        expect(queue.peek()?.data).toBe(String(taken++));
        queue.shift();
      }
    }
    expect(queue.size).toBe(next - taken);
  });
});
