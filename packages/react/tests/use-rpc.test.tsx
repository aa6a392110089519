import { act } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { define } from '../../client/src/contract';
import type { AnywireError } from '../../client/src/index';
import { useRpc } from '../src/index';
import { cut, makeClient, pass, probe, server, settle, start } from './realtime';
import { textSchema } from './schema';

const calls = () => server.conns.flatMap((conn) => conn.of('rpc'));
/** Answers come when the test says so, in the order that it says. */
const hold = () => {
  const held: ((data: unknown) => void)[] = [];
  server.script = (conn, { type, id }) => {
    if (type !== 'rpc') return false;
    held.push((data) => conn.say({ type: 'result', id, data }));
    return true;
  };
  return async (index: number, data: unknown) => {
    await act(async () => held[index]?.(data));
    await settle();
  };
};
const refuse = (code: string) => {
  server.script = (conn, { type, id }) => {
    if (type !== 'rpc') return false;
    conn.say({ type: 'error', id, code, message: 'no', retry: false });
    return true;
  };
};

describe('useRpc', () => {
  it('does nothing until it is called', async () => {
    const p = probe(() => useRpc('math.add'));
    await pass(1000);
    expect(p.result).toMatchObject({ data: undefined, error: undefined, isPending: false });
    expect(server.conns).toHaveLength(0);
  });

  it('calls the method, shows that it is pending, and then the answer', async () => {
    const p = probe(() => useRpc<unknown, [number, number]>('math.add'));
    const answer = start(() => p.result.call([1, 2]));
    expect(p.result.isPending).toBe(true);
    await settle();
    expect(p.result).toMatchObject({
      data: ['math.add', [1, 2]],
      error: undefined,
      isPending: false,
    });
    await expect(answer).resolves.toEqual(['math.add', [1, 2]]);
  });

  it('may be called without an argument', async () => {
    const p = probe(() => useRpc('now'));
    act(() => void p.result.call());
    await settle();
    expect(calls()).toMatchObject([{ method: 'now' }]);
    expect(calls()[0]).not.toHaveProperty('data');
  });

  it('shows the latest call, whatever the order of the answers', async () => {
    const answer = hold();
    const p = probe(() => useRpc('search'));
    const results: unknown[] = [];
    act(() => {
      void p.result.call('a').then((data) => results.push(data));
      void p.result.call('ab').then((data) => results.push(data));
    });
    await settle();
    await answer(1, 'found ab');
    expect(p.result).toMatchObject({ data: 'found ab', isPending: false });
    await answer(0, 'found a');
    expect(p.result).toMatchObject({ data: 'found ab', isPending: false });
    expect(results).toEqual(['found ab', 'found a']);
  });

  it('does not show the failure of an earlier call', async () => {
    const answer = hold();
    const p = probe(() => useRpc('search'));
    act(() => {
      p.result.call('a', { timeout: 500 }).catch(() => {});
      void p.result.call('ab');
    });
    await settle();
    await pass(600);
    expect(p.result).toMatchObject({ error: undefined, isPending: true });
    await answer(1, 'found');
    expect(p.result).toMatchObject({ data: 'found', error: undefined, isPending: false });
  });

  it('keeps the answer while another call is pending', async () => {
    const p = probe(() => useRpc('now'));
    act(() => void p.result.call(1));
    await settle();
    const answer = hold();
    act(() => void p.result.call(2));
    await settle();
    expect(p.result).toMatchObject({ data: ['now', 1], isPending: true });
    await answer(0, 'later');
    expect(p.result).toMatchObject({ data: 'later', isPending: false });
  });

  it('has the same call and reset in every render', async () => {
    const p = probe(() => useRpc('now'));
    const { call, reset } = p.result;
    act(() => void call(1));
    await settle();
    p.rerender(() => useRpc('now'));
    expect(p.result.call).toBe(call);
    expect(p.result.reset).toBe(reset);
  });

  it('forgets all when it is reset, the pending call included', async () => {
    const p = probe(() => useRpc('now'));
    act(() => void p.result.call(1));
    await settle();
    const answer = hold();
    const codes: string[] = [];
    act(() => void p.result.call(2).catch(({ code }: AnywireError) => codes.push(code)));
    await settle();
    act(() => p.result.reset());
    expect(p.result).toMatchObject({ data: undefined, error: undefined, isPending: false });
    await answer(0, 'too late');
    expect(p.result.data).toBeUndefined();
    expect(codes).toEqual(['aborted']);
  });

  it('gives pending calls up when the component goes', async () => {
    hold();
    const p = probe(() => useRpc('slow'));
    const codes: string[] = [];
    act(() => void p.result.call().catch(({ code }: AnywireError) => codes.push(code)));
    await settle();
    p.unmount();
    await settle();
    expect(codes).toEqual(['aborted']);
  });

  it('gives pending calls up when the method changes, and shows nothing of them', async () => {
    const answer = hold();
    const p = probe(() => useRpc('one'));
    act(() => void p.result.call());
    await settle();
    p.rerender(() => useRpc('two'));
    await settle();
    expect(p.result).toMatchObject({ isPending: false, data: undefined, error: undefined });
    await answer(0, 'of one');
    expect(p.result.data).toBeUndefined();
  });

  it('works in StrictMode as elsewhere', async () => {
    const p = probe(() => useRpc('now'), { strict: true });
    act(() => void p.result.call(1));
    await settle();
    expect(p.result.data).toEqual(['now', 1]);
    expect(calls()).toHaveLength(1);
  });
});

describe('what goes wrong', () => {
  it.each(['no_handler', 'forbidden', 'rate_limited'])('%s is an error value', async (code) => {
    refuse(code);
    const p = probe(() => useRpc('math.add'));
    let rejected: unknown;
    act(() => void p.result.call(1).catch((error: unknown) => (rejected = error)));
    await settle();
    expect(p.result).toMatchObject({ error: { code }, data: undefined, isPending: false });
    expect(p.result.error).toBe(rejected);
  });

  it('shows also when nobody looks at the promise, and breaks nothing', async () => {
    refuse('no_handler');
    const p = probe(() => useRpc('math.add'));
    act(() => void p.result.call(1));
    await settle();
    expect(p.result.error?.code).toBe('no_handler');
  });

  it('is forgotten by the next call that succeeds', async () => {
    refuse('forbidden');
    const p = probe(() => useRpc('now'));
    act(() => void p.result.call(1));
    await settle();
    server.script = undefined;
    act(() => void p.result.call(2));
    await settle();
    expect(p.result).toMatchObject({ data: ['now', 2], error: undefined });
  });

  it('is said of a call that may have been carried out when the link broke', async () => {
    hold();
    const p = probe(() => useRpc('pay'));
    act(() => void p.result.call(1));
    await settle();
    server.script = undefined;
    await cut();
    await pass(1000);
    expect(p.result.error).toMatchObject({ code: 'connection_lost', uncertain: true });
    expect(calls()).toHaveLength(1);
  });

  it('is a timeout where the caller set one', async () => {
    hold();
    const p = probe(() => useRpc('slow'));
    act(() => void p.result.call(1, { timeout: 500 }));
    await pass(600);
    expect(p.result.error).toMatchObject({ code: 'timeout' });
  });

  it('is the signal of the caller, before or after the call', async () => {
    hold();
    const p = probe(() => useRpc('slow'));
    const abort = new AbortController();
    act(() => void p.result.call(1, { signal: abort.signal }));
    await settle();
    act(() => abort.abort());
    await settle();
    expect(p.result).toMatchObject({ error: { code: 'aborted' }, isPending: false });
    act(() => p.result.reset());
    act(() => void p.result.call(1, { signal: abort.signal }));
    await settle();
    expect(p.result.error?.code).toBe('aborted');
    expect(calls()).toHaveLength(1);
  });

  it('is that there is no method', async () => {
    const p = probe(() => useRpc(null));
    const answer = start(() => p.result.call());
    await settle();
    await expect(answer).rejects.toMatchObject({ code: 'no_method' });
    expect(p.result.error?.code).toBe('no_method');
  });

  it('is an address that is none', async () => {
    const p = probe(() => useRpc('now'), { client: makeClient({ url: 'nonsense:' }) });
    act(() => void p.result.call());
    await settle();
    expect(p.result.error).toBeDefined();
    expect(p.result.isPending).toBe(false);
  });
});

describe('a contract', () => {
  const rt = define({ rpc: { echo: { input: textSchema, output: textSchema } } });

  it('checks what goes out before it goes', async () => {
    const p = probe(() => useRpc(rt.rpc('echo')));
    act(() => void p.result.call({ text: 7 } as never));
    await settle();
    expect(p.result.error).toMatchObject({ code: 'schema' });
    expect(calls()).toEqual([]);
  });

  it('checks what comes back', async () => {
    const answer = hold();
    const p = probe(() => useRpc(rt.rpc('echo')));
    act(() => void p.result.call({ text: 'a' }));
    await settle();
    await answer(0, { text: 'b', more: 1 });
    expect(p.result).toMatchObject({ data: { text: 'b' }, error: undefined });
    act(() => void p.result.call({ text: 'a' }));
    await settle();
    await answer(1, 'nonsense');
    expect(p.result.error).toMatchObject({ code: 'schema' });
  });
});
