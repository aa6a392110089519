import { AnywireError } from '@anywire/client';
import { describe, expect, it } from 'vitest';
import {
  describeGap,
  type Entry,
  kGroupGapMs,
  localDay,
  type RoomMessage,
  timeline,
  utcDay,
} from '../lib/timeline';

const ada = { id: 'a', name: 'Ada', hue: 1 };
const bob = { id: 'b', name: 'Bob', hue: 2 };
const noon = Date.UTC(2026, 0, 5, 12);

let offset = 0;
const message = (text: string, more: Partial<RoomMessage> & { from?: typeof ada } = {}) => {
  const { from = ada, ...rest } = more;
  offset++;
  return { epoch: 'e', offset, time: noon, data: { text, from }, ...rest } as RoomMessage;
};

/** `Ada[one two] | Bob[three]`, with days and gaps in between. */
function drawn(entries: readonly Entry[]): string {
  let text = '';
  for (const entry of entries) {
    if (entry.kind === 'day') text += `(${utcDay(entry.time)}) `;
    else if (entry.kind === 'gap') text += `<${entry.gap.from}-${entry.gap.to}> `;
    else {
      text += entry.starts ? `${entry.from.name}[` : ' ';
      text += entry.line.text + (entry.ends ? '] ' : '');
    }
  }
  return text.trim();
}

const draw = (messages: readonly RoomMessage[], gaps: Parameters<typeof timeline>[1] = []) =>
  drawn(timeline(messages, gaps, utcDay));

describe('timeline', () => {
  it('is empty without messages', () => {
    expect(timeline([], [], utcDay)).toEqual([]);
  });

  it('shows a name once for what one person says in a row', () => {
    const all = [message('one'), message('two'), message('three', { from: bob }), message('four')];
    expect(draw(all)).toBe('(2026-01-05) Ada[one two] Bob[three] Ada[four]');
  });

  it('shows it again after a silence, and after another name', () => {
    const late = noon + kGroupGapMs;
    const all = [
      message('one'),
      message('two', { time: late - 1 }),
      message('three', { time: 2 * late - noon }),
      message('four', { time: 2 * late - noon, from: { ...ada, name: 'Ada L.' } }),
    ];
    expect(draw(all)).toBe('(2026-01-05) Ada[one two] Ada[three] Ada L.[four]');
  });

  it('begins each day with its name', () => {
    const midnight = Date.UTC(2026, 0, 6);
    const all = [message('one', { time: midnight - 1 }), message('two', { time: midnight })];
    expect(draw(all)).toBe('(2026-01-05) Ada[one] (2026-01-06) Ada[two]');
  });

  it('marks a gap where messages are missing', () => {
    const gap = (index: number, from: number, to: number) => ({
      index,
      from,
      to,
      reason: 'evicted',
    });
    const all = [message('one'), message('two'), message('three')];
    expect(draw(all, [gap(1, 2, 8)])).toBe('(2026-01-05) Ada[one] <2-8> Ada[two three]');
    expect(draw(all, [gap(3, 9, 9)])).toBe('(2026-01-05) Ada[one two three] <9-9>');
    expect(draw(all, [gap(2, 2, 3), gap(2, 5, 6)])).toBe(
      '(2026-01-05) Ada[one two] <2-3> <5-6> Ada[three]',
    );
  });

  it('leaves out what was sent again by somebody who could not know', () => {
    const all = [message('once', { id: 'x' }), message('once', { id: 'x' }), message('next')];
    expect(draw(all)).toBe('(2026-01-05) Ada[once next]');
  });

  it('keeps the key of a message when the server has confirmed it', () => {
    const pending = message('mine', { id: 'm1', offset: Number.POSITIVE_INFINITY, pending: true });
    const sent = message('mine', { id: 'm1', offset: 7 });
    const keys = [pending, sent].map((one) => timeline([one], [], utcDay).at(-1)?.key);
    expect(keys).toEqual(['m1', 'm1']);
  });

  it('keeps all keys when older messages are put in front', () => {
    const newer = [message('one'), message('two')];
    const keys = (all: readonly RoomMessage[]) =>
      timeline(all, [], utcDay)
        .filter(({ kind }) => kind === 'line')
        .map(({ key }) => key);
    expect(keys([message('zero'), ...newer]).slice(1)).toEqual(keys(newer));
  });

  it('keeps the entries of lines that have not changed, so that they are not drawn again', () => {
    const all = [message('one'), message('two'), message('three')];
    const lines = (list: readonly RoomMessage[]) =>
      timeline(list, [], utcDay).filter(({ kind }) => kind === 'line');
    const before = lines(all);
    const after = lines([...all, message('four')]);
    expect(after.slice(0, 2).map((entry, at) => entry === before[at])).toEqual([true, true]);
    expect(after[2]).not.toBe(before[2]);
    expect(after[2]).toMatchObject({ starts: false, ends: false });
  });

  it('gives every entry a key of its own', () => {
    const all = [
      message('a'),
      message('b', { id: 'b' }),
      message('c', { time: noon + 864e5 }),
      message('d', { epoch: 'f', offset: 1 }),
    ];
    const gaps = [1, 2].map((index) => ({ index, from: index, to: index, reason: 'slow' }));
    const keys = timeline(all, gaps, utcDay).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('says what has become of a message', () => {
    const failed = new AnywireError('timeout', 'too late');
    const all = [
      message('a'),
      message('b', { id: 'b', pending: true }),
      message('c', { id: 'c', failed }),
    ];
    const lines = timeline(all, [], utcDay).flatMap((one) => (one.kind === 'line' ? [one] : []));
    expect(lines.map(({ line }) => [line.id, line.status])).toEqual([
      [undefined, 'sent'],
      ['b', 'pending'],
      ['c', 'failed'],
    ]);
  });
});

describe('days', () => {
  it('are those of the device in the browser, and of UTC before that', () => {
    expect(utcDay(Date.UTC(2026, 11, 31, 23, 59))).toBe('2026-12-31');
    const late = new Date(2026, 2, 9, 23, 59).getTime();
    expect(localDay(late)).toBe('2026-3-9');
    expect(localDay(late + 60_000)).toBe('2026-3-10');
  });
});

describe('describeGap', () => {
  it.each([
    [{ from: 2, to: 8, reason: 'evicted' }, '7 messages are missing here.'],
    [{ from: 2, to: 2, reason: 'slow' }, 'One message is missing here.'],
    [{ from: undefined, to: undefined, reason: 'slow' }, 'Messages are missing here.'],
    [{ from: 9, to: 0, reason: 'unknown' }, 'Messages are missing here.'],
    [
      { from: 9, to: 0, reason: 'epoch' },
      'The server started anew. What was said in between is missing here.',
    ],
  ])('%j', (gap, text) => {
    expect(describeGap(gap)).toBe(text);
  });

  it('has the words of the application for what it refuses, and for nothing else', () => {
    const refused = new AnywireError('refused', 'Please be kind.');
    const late = new AnywireError('timeout', 'too late');
    const entries = timeline(
      [message('a', { id: 'a', failed: refused }), message('b', { id: 'b', failed: late })],
      [],
      utcDay,
    );
    const lines = entries.flatMap((entry) => (entry.kind === 'line' ? [entry.line] : []));
    expect(lines.map(({ refusal }) => refusal)).toEqual(['Please be kind.', undefined]);
  });
});
