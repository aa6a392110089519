import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { act, fireEvent, render, renderHook, screen } from '@testing-library/react';
import * as React from 'react';
import { StrictMode, useState } from 'react';
import { describe, expect, it, vi } from 'vitest';
import { useWebSocket } from '../src/index';
import { textSchema } from './schema';
import { accept, alive, end, FakeWebSocket, made, pass, say, url, ws } from './support';

/**
 * The fifteen ways in which the usual hand-written useWebSocket hook goes wrong, and one test or
 * more for each to show that this one does not. Where a trap lies outside of the hook (docs,
 * server), the test covers the part that is ours and says so.
 */
const { Activity } = React as { Activity?: typeof React.Activity };

/** A chat as people write it, with a hook that tells whether a message was taken. */
function Chat({ at = url }: { at?: string }) {
  const { connected, messages, send, state } = useWebSocket(at);
  const [text, setText] = useState('');
  return (
    <div>
      <div data-testid="status">{connected ? 'connected' : 'disconnected'}</div>
      <div data-testid="state">{state}</div>
      <ul>
        {messages.map((m, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: as in the chat it stands for
          <li key={i}>{JSON.stringify(m)}</li>
        ))}
      </ul>
      <input value={text} onChange={(event) => setText(event.target.value)} />
      <button type="button" onClick={() => send({ msg: text }) && setText('')}>
        Send
      </button>
    </div>
  );
}

const status = () => screen.getByTestId('status').textContent;
const state = () => screen.getByTestId('state').textContent;
const items = () => screen.queryAllByRole('listitem').map((item) => item.textContent);

describe('trap 1: not usable in the App Router without "use client"', () => {
  it.each(['index.ts', 'use-web-socket.ts'])('src/%s says so itself', (file) => {
    // The built file is checked by the package check, for tests run before any build.
    const source = readFileSync(join(import.meta.dirname, '../src', file), 'utf8');
    expect(source.startsWith("'use client';\n")).toBe(true);
  });
});

describe('trap 2: no reconnect', () => {
  it('comes back by itself within a second of a server kill', () => {
    render(<Chat />);
    accept();
    expect(status()).toBe('connected');
    end();
    expect(status()).toBe('disconnected');
    expect(state()).toBe('waiting');
    pass(999);
    expect(made()).toBe(2);
    accept();
    expect(status()).toBe('connected');
  });
});

describe('trap 3: wrong status after a change of URL', () => {
  it('stays connected when the old socket closes late', () => {
    const { rerender } = render(<Chat at="wss://anywire.test/a" />);
    accept();
    const old = ws();
    rerender(<Chat at="wss://anywire.test/b" />);
    accept();
    expect(status()).toBe('connected');
    pass(1000);
    expect(old.readyState).toBe(FakeWebSocket.CLOSING);
    act(() => old.end(1000));
    expect(status()).toBe('connected');
    expect(ws().url).toBe('wss://anywire.test/b');
  });
});

describe('trap 4: messages of room A under room B', () => {
  it('shows each room its own, also when the old one speaks late', () => {
    const { rerender } = render(<Chat at="wss://anywire.test/a" />);
    accept();
    say('"from a"');
    expect(items()).toEqual(['"from a"']);
    const old = ws();
    rerender(<Chat at="wss://anywire.test/b" />);
    expect(items()).toEqual([]);
    accept();
    act(() => old.say('"late from a"'));
    say('"from b"');
    expect(items()).toEqual(['"from b"']);
  });
});

describe('trap 5: a list that grows for ever and is copied for each message', () => {
  it('keeps the newest 1000 and draws once a frame', () => {
    let renders = 0;
    const { result } = renderHook(() => {
      renders++;
      return useWebSocket<number>(url);
    });
    accept();
    const before = renders;
    say(...Array.from({ length: 5000 }, (_, i) => String(i)));
    expect(result.current.messages).toHaveLength(1000);
    expect(result.current.messages[0]).toBe(4000);
    expect(result.current.messages.at(-1)).toBe(4999);
    expect(renders - before).toBe(1);
  });

  it('can be told another limit, and cleared', () => {
    const { result } = renderHook(() => useWebSocket(url, { limit: 2 }));
    accept();
    say('1', '2', '3');
    expect(result.current.messages).toEqual([2, 3]);
    act(() => result.current.clear());
    expect(result.current.messages).toEqual([]);
  });
});

describe('trap 6: two sockets in StrictMode, one for every hook', () => {
  it('opens exactly one in StrictMode and closes none', () => {
    const error = vi.spyOn(console, 'error');
    render(<Chat />, { wrapper: StrictMode });
    pass(1000);
    expect(made()).toBe(1);
    expect(ws().closedWith).toBeUndefined();
    accept();
    expect(status()).toBe('connected');
    expect(error).not.toHaveBeenCalled();
  });

  it('opens one for two components with the same URL, and both see everything', () => {
    const two = () => [useWebSocket(url), useWebSocket(url)] as const;
    const { result, unmount } = renderHook(two, { wrapper: StrictMode });
    expect(made()).toBe(1);
    accept();
    say('1');
    expect(result.current.map(({ messages }) => messages)).toEqual([[1], [1]]);
    unmount();
    pass(250);
    expect(alive()).toBe(0);
  });
});

describe('trap 7: send() drops what was typed', () => {
  it('keeps it until there is a link and delivers it once', () => {
    render(<Chat />);
    fireEvent.change(screen.getByRole('textbox'), { target: { value: 'hello' } });
    fireEvent.click(screen.getByRole('button'));
    expect(screen.getByRole<HTMLInputElement>('textbox').value).toBe('');
    accept();
    expect(ws().sent).toEqual(['{"msg":"hello"}']);
    end();
    pass(1000);
    accept();
    expect(ws().sent).toEqual([]);
  });

  it('says false when it cannot keep it, counts it and says why', () => {
    const onDrop = vi.fn();
    const { result } = renderHook(() => useWebSocket(url, { queue: { max: 1 }, onDrop }));
    let taken: boolean[] = [];
    act(() => {
      taken = [result.current.send('a'), result.current.send('b')];
    });
    expect(taken).toEqual([true, false]);
    expect(onDrop).toHaveBeenCalledWith({ reason: 'overflow', count: 1, bytes: 1, data: 'b' });
    expect(result.current.dropped).toBe(1);
  });
});

describe('trap 8: connected while offline or half-open', () => {
  it('says offline as soon as the device does', () => {
    render(<Chat />);
    accept();
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    act(() => void window.dispatchEvent(new Event('offline')));
    expect(status()).toBe('disconnected');
    expect(state()).toBe('offline');
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(true);
    act(() => void window.dispatchEvent(new Event('online')));
    accept();
    expect(status()).toBe('connected');
  });

  it('finds a half-open link by its heartbeat', () => {
    const heartbeat = { interval: 1000, timeout: 500 };
    const { result } = renderHook(() => useWebSocket(url, { heartbeat }));
    accept(undefined, 'anywire.raw.v1');
    expect(result.current.connected).toBe(true);
    pass(1500);
    expect(result.current.connected).toBe(false);
    expect(result.current.error?.code).toBe('heartbeat');
  });
});

describe('trap 9: no errors, no close codes, no "connecting"', () => {
  it('has all three', () => {
    const { result } = renderHook(() => useWebSocket(url));
    expect(result.current.state).toBe('connecting');
    end();
    expect(result.current).toMatchObject({
      state: 'waiting',
      attempt: 1,
      retryAt: expect.any(Number),
      error: { code: 'network' },
    });
    pass(1000);
    accept();
    expect(result.current).toMatchObject({
      state: 'open',
      attempt: 0,
      retryAt: undefined,
      error: undefined,
    });
    end(1001, 'restart');
    expect(result.current.lastClose).toMatchObject({ code: 1001, reason: 'restart' });
  });

  it('stops where the server says that it is no use', () => {
    const { result } = renderHook(() => useWebSocket(url));
    accept();
    end(4403, 'not yours');
    pass(100_000);
    expect(made()).toBe(1);
    expect(result.current.state).toBe('failed');
    expect(result.current.error?.message).toBe('The server closed with 4403: not yours');
  });
});

describe('trap 10: any, no validation, mixed types, Blobs', () => {
  it('delivers only what the schema accepts, and stays connected', () => {
    const onDrop = vi.fn();
    const onMessage = vi.fn();
    const { result } = renderHook(() =>
      useWebSocket(url, { schema: textSchema, onDrop, onMessage }),
    );
    accept();
    say('{"text":"ok","more":1}', '{"text":7}', 'not JSON');
    expect(result.current.messages).toEqual([{ text: 'ok' }]);
    expect(onMessage).toHaveBeenCalledTimes(1);
    expect(result.current).toMatchObject({
      connected: true,
      dropped: 2,
      error: { code: 'schema' },
    });
    expect(onDrop).toHaveBeenCalledWith({
      reason: 'schema',
      count: 1,
      data: '{"text":7}',
      issues: [{ message: 'text must be a string', path: ['text'] }],
    });
  });

  it('does not turn the text 1 into a number when told to leave text alone', () => {
    const { result } = renderHook(() => useWebSocket(url, { parse: (data) => data }));
    accept();
    say('1', '{"a":1}');
    expect(result.current.messages).toEqual(['1', '{"a":1}']);
  });

  it('gives binary as an ArrayBuffer and sends binary as binary', () => {
    const { result } = renderHook(() => useWebSocket(url));
    expect(ws().binaryType).toBe('arraybuffer');
    accept();
    const bytes = new Uint8Array([1, 2]);
    say(bytes.buffer);
    expect(result.current.messages).toEqual([bytes.buffer]);
    act(() => void result.current.send(bytes));
    expect(ws().sent).toEqual([bytes]);
  });

  it('refuses a Blob rather than sending {}', () => {
    const onDrop = vi.fn();
    const { result } = renderHook(() => useWebSocket(url, { onDrop }));
    accept();
    act(() => expect(result.current.send(new Blob(['x']))).toBe(false));
    expect(ws().sent).toEqual([]);
    expect(onDrop).toHaveBeenCalledWith(expect.objectContaining({ reason: 'unserializable' }));
  });
});

describe('trap 11: a bad URL takes the tree down; a relative one is left to chance', () => {
  it.each(['ftp://anywire.test/', 'ws://', 'http://'])('fails in place for %j', (bad) => {
    const { result } = renderHook(() => useWebSocket(bad));
    expect(result.current).toMatchObject({ state: 'failed', error: { code: 'bad-url' } });
    pass(100_000);
    expect(made()).toBe(0);
  });

  it('fails in place when the platform throws, as for ws: on an https: page', () => {
    FakeWebSocket.refuse = Object.assign(new Error('insecure'), { name: 'SecurityError' });
    const { result } = renderHook(() => useWebSocket(url));
    expect(result.current).toMatchObject({ state: 'failed', error: { code: 'blocked' } });
  });

  it('resolves a relative URL against the page, on purpose', () => {
    renderHook(() => useWebSocket('/raw/lobby'));
    expect(ws().url).toBe(`ws://${window.location.host}/raw/lobby`);
  });
});

describe('trap 12: a hard-coded ws://localhost', () => {
  // Which URL an application uses is its own affair; ours is that no host has to be named.
  it('needs no host, and follows the page from http to https', () => {
    vi.stubGlobal('location', { href: 'https://chat.test/room/1' });
    renderHook(() => useWebSocket('/raw/lobby'));
    expect(ws().url).toBe('wss://chat.test/raw/lobby');
  });

  it('takes http and https URLs for ws and wss', () => {
    renderHook(() => useWebSocket(new URL('https://anywire.test/raw/x')));
    expect(ws().url).toBe('wss://anywire.test/raw/x');
  });
});

describe('trap 13: no way to authenticate', () => {
  it('asks for a fresh token before each connection and keeps it out of the URL', async () => {
    let n = 0;
    renderHook(() => useWebSocket(url, { token: async () => `token-${++n}` }));
    await act(async () => {});
    expect(ws().url).toBe(url);
    expect(ws().protocols).toContain('anywire.bearer.token-1');
    end();
    pass(1000);
    await act(async () => {});
    expect(ws().protocols).toContain('anywire.bearer.token-2');
  });

  it('never lets two tokens share a connection', () => {
    const { rerender } = renderHook(({ token }) => useWebSocket(url, { token }), {
      initialProps: { token: 'alice' },
    });
    rerender({ token: 'bob' });
    expect(FakeWebSocket.all.map(({ protocols }) => protocols.at(-1))).toEqual([
      'anywire.bearer.alice',
      'anywire.bearer.bob',
    ]);
    pass(250);
    expect(alive()).toBe(1);
  });

  it('passes subprotocols on', () => {
    renderHook(() => useWebSocket(url, { protocols: ['chat.v2', 'chat.v1'] }));
    expect(ws().protocols).toEqual(['chat.v2', 'chat.v1']);
  });
});

const gaps: unknown[] = [];
function Room() {
  const { messages } = useWebSocket(url, { onGap: (gap) => gaps.push(gap) });
  return <p>{messages.join()}</p>;
}

describe('trap 14: hidden by Activity: stale messages and an invisible gap', () => {
  const page = (mode: 'visible' | 'hidden') => {
    if (!Activity) throw new Error('no Activity in this React');
    return (
      <Activity mode={mode}>
        <Room />
      </Activity>
    );
  };

  it.skipIf(!Activity)('bridges a short absence without losing a message', () => {
    const { rerender, container } = render(page('visible'));
    accept();
    say('1');
    rerender(page('hidden'));
    act(() => ws().say('2'));
    rerender(page('visible'));
    pass(20);
    expect(container.textContent).toBe('1,2');
    expect(made()).toBe(1);
  });

  it.skipIf(!Activity)('closes in a long absence, and tells that there is a gap on return', () => {
    gaps.length = 0;
    const { rerender } = render(page('visible'));
    accept();
    say('1');
    rerender(page('hidden'));
    const since = Date.now();
    pass(60_000);
    expect(alive()).toBe(0);
    rerender(page('visible'));
    expect(gaps).toEqual([]);
    accept();
    expect(gaps).toEqual([{ since: since + 250, until: Date.now() }]);
  });

  it('tells of the gap of any other break as well', () => {
    const onGap = vi.fn();
    renderHook(() => useWebSocket(url, { onGap }));
    accept();
    expect(onGap).not.toHaveBeenCalled();
    end();
    const since = Date.now();
    pass(1000);
    accept();
    expect(onGap).toHaveBeenCalledExactlyOnceWith({ since, until: Date.now() });
  });
});

describe('trap 15: a server without back-pressure or limits', () => {
  // The server's half is tested where the server is. Ours: what we hold for a slow one is bounded.
  it('stops handing messages to a browser that cannot get rid of them', () => {
    const { result } = renderHook(() => useWebSocket(url, { queue: { max: 3 } }));
    accept();
    ws().bufferedAmount = 64 << 20;
    act(() => {
      const taken = Array.from({ length: 5 }, (_, i) => result.current.send(`m${i}`));
      expect(taken).toEqual([true, true, true, false, false]);
    });
    expect(ws().sent).toEqual([]);
    expect(result.current.dropped).toBe(2);
    ws().bufferedAmount = 0;
    pass(50);
    expect(ws().sent).toEqual(['m0', 'm1', 'm2']);
  });
});
