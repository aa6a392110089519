import { beforeEach, describe, expect, it, vi } from 'vitest';
import type * as ReadMarks from '../lib/read-marks';

let stored: Map<string, string>;
let marks: typeof ReadMarks;
/** As after a reload: the module knows nothing, the storage what it was told. */
const reload = async () => {
  vi.resetModules();
  marks = await import('../lib/read-marks');
};

beforeEach(async () => {
  stored = new Map();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  });
  await reload();
});

const at = (offset: number, epoch = 'e') => ({ epoch, offset });

describe('marks', () => {
  it('are none at first, and none for nobody', () => {
    expect(marks.snapshot('ada')).toEqual({});
    expect(marks.snapshot(undefined)).toBe(marks.serverSnapshot());
  });

  it('are the same object until one moves', () => {
    marks.markRead('ada', 'lobby', at(5));
    const before = marks.snapshot('ada');
    marks.markRead('ada', 'lobby', at(5));
    expect(marks.snapshot('ada')).toBe(before);
    marks.markRead('ada', 'lobby', at(6));
    expect(marks.snapshot('ada')).not.toBe(before);
  });

  it('never go back, but begin anew with the stream', () => {
    marks.markRead('ada', 'lobby', at(5));
    marks.markRead('ada', 'lobby', at(3));
    expect(marks.snapshot('ada').lobby).toEqual(at(5));
    marks.markRead('ada', 'lobby', at(1, 'f'));
    expect(marks.snapshot('ada').lobby).toEqual(at(1, 'f'));
  });

  it('tell listeners when they move, and only then', () => {
    const heard = vi.fn();
    const stop = marks.subscribe(heard);
    marks.markRead('ada', 'lobby', at(5));
    marks.markRead('ada', 'lobby', at(5));
    expect(heard).toHaveBeenCalledTimes(1);
    stop();
    marks.markRead('ada', 'lobby', at(6));
    expect(heard).toHaveBeenCalledTimes(1);
  });

  it('outlive a reload, for each person apart', async () => {
    marks.markRead('ada', 'lobby', at(5));
    marks.markRead('bob', 'lobby', at(2));
    await reload();
    expect(marks.snapshot('ada').lobby).toEqual(at(5));
    expect(marks.snapshot('bob').lobby).toEqual(at(2));
  });

  it('forget the room nobody has been to for longest', () => {
    for (let n = 0; n < 64; n++) marks.markRead('ada', `room-${n}`, at(1));
    marks.markRead('ada', 'room-0', at(2));
    marks.markRead('ada', 'one-more', at(1));
    const kept = Object.keys(marks.snapshot('ada'));
    expect(kept).toHaveLength(64);
    expect(kept).toContain('room-0');
    expect(kept).not.toContain('room-1');
  });

  it.each(['not json', 'null', '[]', '{"lobby":7}', '{"lobby":{"epoch":1,"offset":"x"}}'])(
    'are none where %s is stored',
    (text) => {
      stored.set('anywire-chat:read:ada', text);
      expect(marks.snapshot('ada')).toEqual({});
    },
  );

  it('live as long as the page where storage is forbidden', () => {
    vi.stubGlobal('localStorage', {
      getItem: () => {
        throw new Error('forbidden');
      },
      setItem: () => {
        throw new Error('forbidden');
      },
    });
    marks.markRead('ada', 'lobby', at(5));
    expect(marks.snapshot('ada').lobby).toEqual(at(5));
  });
});

describe('unreadOf', () => {
  it.each([
    [undefined, at(9), 0],
    [at(5), undefined, 0],
    [at(5), at(9), 4],
    [at(9), at(9), 0],
    [at(9), at(7), 0],
    [at(500), at(3, 'f'), 3],
  ])('of %j and %j is %d', (mark, newest, count) => {
    expect(marks.unreadOf(mark, newest)).toBe(count);
  });
});
