import { act } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { useChannel, useConnectionState } from '../src/index';
import { cut, makeClient, network, pass, probe, server, settle } from './realtime';

describe('useConnectionState', () => {
  it('begins idle, and opens nothing by itself', async () => {
    const p = probe(() => useConnectionState());
    await pass(1000);
    expect(p.result).toEqual({
      state: 'idle',
      connected: false,
      attempt: 0,
      retryAt: undefined,
      error: undefined,
      lastClose: undefined,
      transport: undefined,
      clientId: undefined,
      user: undefined,
      online: true,
      reconnect: expect.any(Function),
    });
    expect(server.conns).toHaveLength(0);
  });

  it('shows who and how one is connected', async () => {
    server.greeting = { user: 'ann' };
    const p = probe(() => useConnectionState());
    void p.client.connect();
    await settle();
    expect(p.result).toMatchObject({
      state: 'open',
      connected: true,
      transport: 'websocket',
      clientId: 'c1',
      user: 'ann',
    });
  });

  it('shows every state on the way, with what went wrong and when the next try is', async () => {
    const p = probe(() => useConnectionState());
    void p.client.connect();
    await settle();
    server.sockets = 'refuse';
    await cut(1011, 'restart');
    expect(p.result).toMatchObject({
      state: 'waiting',
      connected: false,
      attempt: 1,
      error: { code: 'network' },
      lastClose: { code: 1011, reason: 'restart' },
    });
    expect(p.result.retryAt).toBeGreaterThan(Date.now());
    await pass(2000);
    expect(p.result.attempt).toBeGreaterThan(2);
    server.sockets = 'serve';
    await pass(30_000);
    expect(p.result).toMatchObject({ state: 'open', attempt: 0, error: undefined });
    const states = p.results.map(({ state }) => state);
    expect(states.filter((state, i) => state !== states[i - 1]).slice(0, 4)).toEqual([
      'idle',
      'connecting',
      'open',
      'waiting',
    ]);
  });

  it('shows the network of the device', async () => {
    const p = probe(() => useConnectionState());
    void p.client.connect();
    await settle();
    act(() => network.emit('offline'));
    expect(p.result).toMatchObject({ state: 'offline', online: false, connected: false });
    act(() => network.emit('online'));
    await pass(5000);
    expect(p.result).toMatchObject({ state: 'open', online: true });
  });

  it('reconnects at once when asked to, and after a failure', async () => {
    const p = probe(() => useConnectionState());
    void p.client.connect();
    await settle();
    await cut(4403, 'go away');
    expect(p.result).toMatchObject({ state: 'failed', error: { code: 'refused' } });
    p.result.reconnect();
    await settle();
    expect(p.result.state).toBe('open');
    server.sockets = 'refuse';
    await cut();
    await pass(10_000);
    server.sockets = 'serve';
    const made = server.conns.length;
    p.result.reconnect();
    await settle();
    expect(p.result.state).toBe('open');
    expect(server.conns.length).toBe(made + 1);
  });

  it('keeps its result as long as nothing changes, and its reconnect for ever', async () => {
    const p = probe(() => useConnectionState());
    void p.client.connect();
    await settle();
    const before = p.result;
    p.rerender(() => useConnectionState());
    expect(p.result).toBe(before);
    await cut();
    expect(p.result.reconnect).toBe(before.reconnect);
  });

  it('follows another client', async () => {
    const first = makeClient();
    const second = makeClient({ url: 'nonsense:' });
    const p = probe(() => useConnectionState(), { client: first });
    void first.connect();
    void second.connect();
    await settle();
    expect(p.result.state).toBe('open');
    p.rerender(() => useConnectionState(), second);
    expect(p.result.state).toBe('failed');
    void first.close();
    await settle();
    expect(p.result.state).toBe('failed');
  });
});

describe('select', () => {
  it('renders only when what it selects changes', async () => {
    const p = probe(() => useConnectionState(({ connected }) => connected));
    expect(p.results).toEqual([false]);
    void p.client.connect();
    await settle();
    expect(p.results).toEqual([false, true]);
    server.sockets = 'refuse';
    await cut();
    await pass(10_000);
    expect(p.results).toEqual([false, true, false]);
  });

  it('may make an object, which is compared member by member', async () => {
    const p = probe(() => useConnectionState(({ user, clientId }) => ({ user, clientId })));
    void p.client.connect();
    await settle();
    expect(p.results).toEqual([{}, { clientId: 'c1' }]);
    await cut();
    await settle();
    expect(p.renders()).toBe(2);
  });

  it('may make something deep that is new each time, without rendering for ever', async () => {
    const p = probe(() => useConnectionState(({ state }) => ({ deep: { state } })));
    void p.client.connect();
    await settle();
    expect(p.result).toEqual({ deep: { state: 'open' } });
    expect(p.renders()).toBeLessThan(6);
  });

  it('may change with the render, and is asked anew then', async () => {
    const p = probe<unknown>(() => useConnectionState(({ state }) => state));
    p.rerender(() => useConnectionState(({ online }) => online));
    expect(p.result).toBe(true);
  });

  it('belongs to one hook only', async () => {
    const p = probe(() => [
      useConnectionState(({ state }) => state),
      useConnectionState(({ connected }) => connected),
      useChannel(null).status,
    ]);
    void p.client.connect();
    await settle();
    expect(p.result).toEqual(['open', true, 'off']);
  });
});
