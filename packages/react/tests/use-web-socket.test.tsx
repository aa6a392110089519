import { act, render, renderHook } from '@testing-library/react';
import { StrictMode, useEffect, useLayoutEffect } from 'react';
import { describe, expect, it, vi } from 'vitest';
import { useWebSocket, type WsOptions } from '../src/index';
import { textSchema } from './schema';
import { accept, alive, end, FakeWebSocket, made, pass, say, url, ws } from './support';

describe('as a drop-in for a hand-written hook', () => {
  it('has connected, messages and send with the same meaning', () => {
    const { result } = renderHook(() => useWebSocket(url));
    expect(result.current.connected).toBe(false);
    accept();
    expect(result.current.connected).toBe(true);
    say('{"hello":"world"}', 'plain text', '[1]');
    expect(result.current.messages).toEqual([{ hello: 'world' }, 'plain text', [1]]);
    act(() => {
      expect(result.current.send('text')).toBe(true);
      expect(result.current.send({ msg: 'x' })).toBe(true);
    });
    expect(ws().sent).toEqual(['text', '{"msg":"x"}']);
  });

  it('gives functions that never change, and a result that changes only with its contents', () => {
    const { result, rerender } = renderHook(() => useWebSocket(url));
    const { send, close, clear, reconnect } = result.current;
    accept();
    const before = result.current;
    rerender();
    expect(result.current).toBe(before);
    say('1');
    expect(result.current).not.toBe(before);
    expect(result.current).toMatchObject({ send, close, clear, reconnect });
  });
});

describe('the connection', () => {
  it('is closed after the linger, not before', () => {
    const { unmount } = renderHook(() => useWebSocket(url));
    accept();
    unmount();
    pass(249);
    expect(alive()).toBe(1);
    pass(1);
    expect(alive()).toBe(0);
    expect(ws().closedWith?.[0]).toBe(1000);
  });

  it('survives a remount within the linger, and a move to another component', () => {
    const first = renderHook(() => useWebSocket(url));
    accept();
    first.unmount();
    pass(200);
    const second = renderHook(() => useWebSocket(url));
    expect(second.result.current.connected).toBe(true);
    pass(1000);
    expect(made()).toBe(1);
    expect(alive()).toBe(1);
  });

  it('takes another linger', () => {
    const { unmount } = renderHook(() => useWebSocket(url, { linger: 0 }));
    unmount();
    pass(0);
    expect(alive()).toBe(0);
  });

  it('is shared by URLs that mean the same', () => {
    renderHook(() => [useWebSocket('/raw/x'), useWebSocket(`${window.location.origin}/raw/x`)]);
    expect(made()).toBe(1);
  });

  it('is not shared by different protocols, or where that is not wanted', () => {
    renderHook(() => [
      useWebSocket(url),
      useWebSocket(url, { protocols: 'a' }),
      useWebSocket(url, { share: false }),
      useWebSocket(url, { share: false }),
    ]);
    expect(made()).toBe(4);
  });

  it('is not touched by new option objects or callbacks', () => {
    const { rerender } = renderHook(() =>
      useWebSocket(url, { protocols: ['a'], onMessage: () => {}, queue: { max: 5 } }),
    );
    for (let i = 0; i < 5; i++) rerender();
    pass(1000);
    expect(made()).toBe(1);
  });

  it('is absent for a null URL and comes with a real one', () => {
    const { result, rerender } = renderHook(({ at }) => useWebSocket(at), {
      initialProps: { at: null as string | null | undefined },
    });
    expect(result.current).toMatchObject({ state: 'idle', connected: false, messages: [] });
    expect(made()).toBe(0);
    act(() => expect(result.current.send('x')).toBe(false));
    expect(result.current.dropped).toBe(1);
    rerender({ at: url });
    accept();
    say('1');
    expect(result.current).toMatchObject({ connected: true, messages: [1], dropped: 0 });
    rerender({ at: undefined });
    expect(result.current).toMatchObject({ state: 'idle', messages: [] });
    pass(250);
    expect(alive()).toBe(0);
    rerender({ at: url });
    accept();
    expect(result.current).toMatchObject({ connected: true, messages: [] });
  });

  it('can be closed and opened again, for all who share it', () => {
    const { result } = renderHook(() => [useWebSocket(url), useWebSocket(url)] as const);
    accept();
    act(() => result.current[0].close());
    expect(result.current.map(({ state }) => state)).toEqual(['closed', 'closed']);
    act(() => result.current[1].reconnect());
    expect(made()).toBe(2);
    accept();
    expect(result.current.map(({ connected }) => connected)).toEqual([true, true]);
  });

  it('goes from a to b and back to a within the linger on the first socket', () => {
    const a = 'wss://anywire.test/a';
    const { result, rerender } = renderHook(({ at }) => useWebSocket(at), {
      initialProps: { at: a },
    });
    accept(a);
    rerender({ at: 'wss://anywire.test/b' });
    rerender({ at: a });
    expect(result.current.connected).toBe(true);
    pass(1000);
    expect(made()).toBe(2);
    expect(ws(a).closedWith).toBeUndefined();
    expect(alive()).toBe(1);
  });
});

describe('onMessage', () => {
  it('sees every message with its frame, in order, before any drawing', () => {
    const seen: unknown[] = [];
    const onMessage = (message: unknown, data: unknown) => seen.push([message, data]);
    renderHook(() => useWebSocket(url, { onMessage, limit: 1 }));
    accept();
    act(() => {
      ws().say('1');
      ws().say('{"a":2}');
      expect(seen).toEqual([
        [1, '1'],
        [{ a: 2 }, '{"a":2}'],
      ]);
    });
  });

  it('is always the newest function', () => {
    const log: string[] = [];
    const { rerender } = renderHook(
      ({ name }) => useWebSocket(url, { onMessage: () => log.push(name) }),
      { initialProps: { name: 'old' } },
    );
    accept();
    rerender({ name: 'new' });
    say('1');
    expect(log).toEqual(['new']);
  });

  it('is not called after unmount', () => {
    const onMessage = vi.fn();
    const { unmount } = renderHook(() => useWebSocket(url, { onMessage }));
    accept();
    unmount();
    ws().say('1');
    pass(1000);
    expect(onMessage).not.toHaveBeenCalled();
  });

  it('may throw without harm to others', () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.stubGlobal('reportError', undefined);
    const fine = vi.fn();
    const bad = () => {
      throw new Error('mine');
    };
    const { result } = renderHook(() => [
      useWebSocket(url, { onMessage: bad }),
      useWebSocket(url, { onMessage: fine }),
    ]);
    accept();
    say('1', '2');
    expect(fine).toHaveBeenCalledTimes(2);
    expect(error).toHaveBeenCalledTimes(2);
    expect(result.current[0]?.messages).toEqual([1, 2]);
  });

  it('sees all of a flood of 20,000 in fewer than 60 renders', () => {
    let renders = 0;
    let seen = 0;
    const { result } = renderHook(() => {
      renders++;
      return useWebSocket<number>(url, { onMessage: () => seen++ });
    });
    accept();
    const before = renders;
    // 2.5 s of 8 ms turns: twice as many turns as frames.
    for (let turn = 0, n = 0; turn < 312; turn++) {
      act(() => {
        for (let i = 0; i < 65 && n < 20_000; i++) ws().say(String(n++));
      });
      pass(8);
    }
    pass(200);
    expect(seen).toBe(20_000);
    expect(renders - before).toBeLessThan(60);
    expect(result.current.messages).toHaveLength(1000);
    expect(result.current.messages.at(-1)).toBe(19_999);
    expect(result.current.dropped).toBe(0);
  });
});

describe('messages', () => {
  it('hold what select makes of them, and leave out what it leaves out', () => {
    const onMessage = vi.fn();
    const select = (n: number) => (n % 2 === 0 ? `even ${n}` : undefined);
    const { result } = renderHook(() => useWebSocket<number, string>(url, { select, onMessage }));
    accept();
    say('1', '2', '3', '4');
    expect(result.current.messages).toEqual(['even 2', 'even 4']);
    expect(onMessage).toHaveBeenCalledTimes(4);
  });

  it('stay through a reconnect', () => {
    const { result } = renderHook(() => useWebSocket(url));
    accept();
    say('1');
    end();
    pass(1000);
    accept();
    say('2');
    expect(result.current.messages).toEqual([1, 2]);
  });

  it('follow a changed limit', () => {
    const { result, rerender } = renderHook(({ limit }) => useWebSocket(url, { limit }), {
      initialProps: { limit: 3 },
    });
    accept();
    say('1', '2', '3', '4');
    rerender({ limit: 2 });
    say('5');
    expect(result.current.messages).toEqual([4, 5]);
  });

  it('do not cause a render when one leaves them alone', () => {
    let renders = 0;
    renderHook(() => {
      renders++;
      return useWebSocket(url, { select: () => undefined });
    });
    accept();
    const before = renders;
    say('1', '2', '3');
    expect(renders).toBe(before);
  });
});

describe('what cannot be used', () => {
  const cases: [string, Partial<WsOptions>, string][] = [
    [
      'a parse that throws',
      {
        parse: () => {
          throw new Error('no');
        },
      },
      'parse',
    ],
    [
      'a schema that throws',
      {
        schema: {
          '~standard': {
            ...textSchema['~standard'],
            validate: () => {
              throw new Error('no');
            },
          },
        },
      },
      'schema',
    ],
    [
      'an asynchronous schema',
      {
        schema: {
          '~standard': { ...textSchema['~standard'], validate: async () => ({ value: 1 }) },
        },
      },
      'schema',
    ],
  ];
  it.each(cases)('%s costs the message, not the connection', (_, options, code) => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.stubGlobal('reportError', undefined);
    const { result } = renderHook(() => useWebSocket(url, options));
    accept();
    say('{"text":"x"}');
    expect(result.current).toMatchObject({
      connected: true,
      messages: [],
      dropped: 1,
      error: { code },
    });
    act(() => result.current.clear());
    expect(result.current.error).toBeUndefined();
  });

  it.each([
    ['undefined', undefined],
    ['a function', () => {}],
    [
      'a circle',
      (() => {
        const o: Record<string, unknown> = {};
        o.o = o;
        return o;
      })(),
    ],
    ['a bigint', 1n],
  ])('%s is refused by send, which does not throw', (_, data) => {
    const { result } = renderHook(() => useWebSocket(url));
    accept();
    act(() => expect(result.current.send(data)).toBe(false));
    expect(result.current.dropped).toBe(1);
    expect(ws().sent).toEqual([]);
  });

  it('is an error of the past once a new link is open', () => {
    const { result } = renderHook(() => useWebSocket(url, { schema: textSchema }));
    accept();
    say('7');
    expect(result.current.error?.code).toBe('schema');
    end();
    pass(1000);
    accept();
    expect(result.current.error).toBeUndefined();
  });
});

function Child({ send }: { send: (data: unknown) => boolean }) {
  useLayoutEffect(() => {
    send('layout');
  }, [send]);
  useEffect(() => {
    send('effect');
  }, [send]);
  return null;
}
function Parent() {
  return <Child send={useWebSocket(url).send} />;
}

describe('send at odd times', () => {
  it('works from an effect that runs before ours', () => {
    render(<Parent />);
    accept();
    expect(made()).toBe(1);
    expect(ws().sent).toEqual(['layout', 'effect']);
    pass(1000);
    expect(alive()).toBe(1);
  });

  it('works in the cleanup of the component, and not once the linger is over', () => {
    const { result, unmount } = renderHook(() => useWebSocket(url));
    accept();
    const { send } = result.current;
    unmount();
    expect(send('bye')).toBe(true);
    expect(ws().sent).toEqual(['bye']);
    pass(1000);
    expect(send('too late')).toBe(false);
    expect(made()).toBe(1);
  });
});

describe('the page', () => {
  it('closes on pagehide and comes back on pageshow with its list', () => {
    const { result } = renderHook(() => useWebSocket(url));
    accept();
    say('1');
    act(() => void window.dispatchEvent(new Event('pagehide')));
    expect(alive()).toBe(0);
    expect(result.current.state).toBe('waiting');
    act(() => void window.dispatchEvent(new Event('pageshow')));
    accept();
    expect(result.current).toMatchObject({ connected: true, messages: [1] });
  });

  it('leaves no timer and no listener behind', () => {
    const add = vi.spyOn(window, 'addEventListener');
    const remove = vi.spyOn(window, 'removeEventListener');
    const names = ['online', 'offline', 'focus', 'pagehide', 'pageshow'];
    const count = (spy: typeof add | typeof remove) =>
      spy.mock.calls.filter(([name]) => names.includes(name)).length;
    const { unmount } = renderHook(() => useWebSocket(url), { wrapper: StrictMode });
    accept();
    say('1');
    unmount();
    pass(250);
    ws().end(1000);
    expect(count(add)).toBe(5);
    expect(count(remove)).toBe(5);
    expect(vi.getTimerCount()).toBe(0);
    expect(FakeWebSocket.all).toHaveLength(1);
  });
});
