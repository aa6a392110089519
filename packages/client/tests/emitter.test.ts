import { afterEach, describe, expect, it, vi } from 'vitest';
import { Emitter, safely } from '../src/emitter';

interface Events {
  a: (value: number) => void;
  b: () => void;
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe('Emitter', () => {
  it('calls listeners in order with the arguments', () => {
    const emitter = new Emitter<Events>();
    const log: string[] = [];
    emitter.on('a', (value) => log.push(`first ${value}`));
    emitter.on('a', (value) => log.push(`second ${value}`));
    emitter.on('b', () => log.push('b'));
    emitter.emit('a', 1);
    expect(log).toEqual(['first 1', 'second 1']);
  });

  it('treats the same function registered twice as two', () => {
    const emitter = new Emitter<Events>();
    const listener = vi.fn();
    const off = emitter.on('b', listener);
    emitter.on('b', listener);
    off();
    off();
    emitter.emit('b');
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('lets listeners come and go while it speaks', () => {
    const emitter = new Emitter<Events>();
    const log: string[] = [];
    const off = emitter.on('b', () => {
      log.push('one');
      off();
      emitter.on('b', () => log.push('three'));
    });
    emitter.on('b', () => log.push('two'));
    emitter.emit('b');
    expect(log).toEqual(['one', 'two']);
    emitter.emit('b');
    expect(log).toEqual(['one', 'two', 'two', 'three']);
  });

  it('shows a mistake of one listener and goes on to the next', () => {
    const show = vi.fn();
    vi.stubGlobal('reportError', show);
    const emitter = new Emitter<Events>();
    const next = vi.fn();
    emitter.on('b', () => {
      throw new Error('mine');
    });
    emitter.on('b', next);
    emitter.emit('b');
    expect(next).toHaveBeenCalledOnce();
    expect(show).toHaveBeenCalledWith(new Error('mine'));
  });

  it('uses the console where there is no reportError', () => {
    vi.stubGlobal('reportError', undefined);
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(
      safely(() => {
        throw new Error('mine');
      }),
    ).toBeUndefined();
    expect(error).toHaveBeenCalledOnce();
    expect(safely(() => 7)).toBe(7);
  });

  it('is quiet when nobody listens', () => {
    expect(() => new Emitter<Events>().emit('b')).not.toThrow();
  });
});
