import { afterEach, describe, expect, it, vi } from 'vitest';
import type { NetworkEvent } from '../src/index';
import { type NetInfoStateLike, reactNativeNetwork } from '../src/react-native';
import { FakeWebSocket } from './support/fake-web-socket';
import { NativeServer } from './support/native-server';
import { realtime } from './support/realtime';

/** React Native's AppState: `change` only, and a subscription with `remove`. */
class FakeAppState {
  currentState = 'active';
  readonly listeners = new Set<(state: string) => void>();

  addEventListener(type: 'change', listener: (state: string) => void): { remove(): void } {
    expect(type).toBe('change');
    this.listeners.add(listener);
    return { remove: () => void this.listeners.delete(listener) };
  }

  become(...states: string[]): void {
    for (const state of states) {
      this.currentState = state;
      for (const listener of [...this.listeners]) listener(state);
    }
  }
}

/** NetInfo: tells the present state to who subscribes, and whatever changes. */
class FakeNetInfo {
  state: NetInfoStateLike = { type: 'wifi', isConnected: true };
  readonly listeners = new Set<(state: NetInfoStateLike) => void>();

  addEventListener(listener: (state: NetInfoStateLike) => void): () => void {
    this.listeners.add(listener);
    listener(this.state);
    return () => void this.listeners.delete(listener);
  }

  become(type: string, isConnected: boolean | null): void {
    this.state = { type, isConnected };
    for (const listener of [...this.listeners]) listener(this.state);
  }
}

function phone() {
  const AppState = new FakeAppState();
  const NetInfo = new FakeNetInfo();
  const events: NetworkEvent[] = [];
  const network = reactNativeNetwork({ AppState, NetInfo });
  return {
    AppState,
    NetInfo,
    network,
    events,
    watch: () => network.subscribe((e) => events.push(e)),
  };
}

afterEach(() => vi.unstubAllGlobals());

describe('an application', () => {
  it('that goes into the background and comes back suspends and resumes', () => {
    const p = phone();
    p.watch();
    p.AppState.become('background', 'active');
    expect(p.events).toEqual(['suspend', 'resume']);
  });

  it('goes by way of `inactive` on iOS, which changes nothing', () => {
    const p = phone();
    p.watch();
    p.AppState.become('inactive', 'background', 'inactive', 'active');
    expect(p.events).toEqual(['suspend', 'resume']);
  });

  it('that was only covered for a moment asks if the link still lives', () => {
    const p = phone();
    p.watch();
    p.AppState.become('inactive', 'active');
    expect(p.events).toEqual(['wake']);
  });

  it('is suspended once, however often it is told', () => {
    const p = phone();
    p.watch();
    p.AppState.become('background', 'background', 'active', 'active');
    expect(p.events).toEqual(['suspend', 'resume', 'wake']);
  });

  it('in a state that nobody knows is left alone', () => {
    const p = phone();
    p.watch();
    p.AppState.become('unknown', 'extension', '');
    expect(p.events).toEqual([]);
  });
});

describe('the network of a phone', () => {
  it('is online until it is known to be otherwise', () => {
    const p = phone();
    expect(p.network.online).toBe(true);
    p.NetInfo.state = { type: 'unknown', isConnected: null };
    p.watch();
    expect(p.network.online).toBe(true);
    expect(p.events).toEqual([]);
  });

  it('may be off from the beginning', () => {
    const p = phone();
    p.NetInfo.state = { type: 'none', isConnected: false };
    p.watch();
    expect(p.network.online).toBe(false);
    expect(p.events).toEqual(['offline']);
  });

  it('goes and comes back, and each is told once', () => {
    const p = phone();
    p.watch();
    p.NetInfo.become('none', false);
    p.NetInfo.become('none', false);
    expect([p.network.online, p.events]).toEqual([false, ['offline']]);
    p.NetInfo.become('wifi', true);
    p.NetInfo.become('wifi', true);
    expect([p.network.online, p.events]).toEqual([true, ['offline', 'online']]);
  });

  it('is what it was while it is not known', () => {
    const p = phone();
    p.watch();
    p.NetInfo.become('none', false);
    p.NetInfo.become('unknown', null);
    p.NetInfo.become('other', false);
    expect([p.network.online, p.events]).toEqual([false, ['offline']]);
  });

  it('may be another one, to which the link does not belong', () => {
    const p = phone();
    p.watch();
    p.NetInfo.become('cellular', true);
    p.NetInfo.become('cellular', true);
    p.NetInfo.become('wifi', true);
    expect(p.events).toEqual(['wake', 'wake']);
  });

  it('is looked at anew by the next to subscribe', () => {
    const p = phone();
    const leave = p.watch();
    p.NetInfo.become('none', false);
    leave();
    p.NetInfo.state = { type: 'wifi', isConnected: true };
    p.watch();
    expect(p.events).toEqual(['offline', 'online']);
  });

  it('is told to every client by itself', () => {
    const p = phone();
    const other: NetworkEvent[] = [];
    p.watch();
    p.network.subscribe((event) => other.push(event));
    p.NetInfo.become('none', false);
    p.AppState.become('background');
    expect(p.events).toEqual(['offline', 'suspend']);
    expect(other).toEqual(['offline', 'suspend']);
  });
});

it('lets go of the device with the last listener', () => {
  const p = phone();
  const leave = p.watch();
  leave();
  p.AppState.become('background');
  p.NetInfo.become('none', false);
  expect([p.AppState.listeners.size, p.NetInfo.listeners.size]).toEqual([0, 0]);
  expect(p.events).toEqual([]);
});

it('touches nothing before somebody listens', () => {
  const p = phone();
  expect([p.AppState.listeners.size, p.NetInfo.listeners.size]).toEqual([0, 0]);
});

it('needs neither NetInfo nor a subscription that can be removed', () => {
  let change = (_: string) => {};
  const events: NetworkEvent[] = [];
  const network = reactNativeNetwork({
    AppState: {
      addEventListener(_, listener) {
        change = listener;
        return undefined;
      },
    },
  });
  const leave = network.subscribe((event) => events.push(event));
  change('background');
  expect([network.online, events]).toEqual([true, ['suspend']]);
  expect(leave).not.toThrow();
});

describe('a client on a phone', () => {
  it('lets its link go in the background and resumes its session afterwards', async () => {
    const { AppState, NetInfo, network } = phone();
    const r = realtime({ network });
    const got: unknown[] = [];
    r.client.channel('room').subscribe(({ data }) => got.push(data));
    await r.settle();
    AppState.become('inactive', 'background');
    await r.settle();
    expect(r.client.snapshot).toMatchObject({ state: 'waiting', retryAt: undefined });
    expect(FakeWebSocket.last.closedWith).toBeDefined();
    r.server.publish('room', { data: 1 });
    await r.pass(60_000);
    expect(FakeWebSocket.all).toHaveLength(1);
    AppState.become('active');
    await r.settle();
    expect(r.client.snapshot).toMatchObject({ state: 'open', clientId: 'c1', opens: 2 });
    expect(got).toEqual([1]);
    void r.client.close();
    expect([AppState.listeners.size, NetInfo.listeners.size]).toEqual([0, 0]);
  });

  it('is offline without a network and back at once with it', async () => {
    const { NetInfo, network } = phone();
    const r = realtime({ network });
    r.client.connect();
    await r.settle();
    NetInfo.become('none', false);
    expect(r.client.state).toBe('offline');
    r.server.last.close(1006);
    await r.settle();
    NetInfo.become('cellular', true);
    await r.settle();
    expect(r.client.state).toBe('open');
  });

  it('asks over the new network if the link of the old one lives, and replaces it if not', async () => {
    const { NetInfo, network } = phone();
    const r = realtime({ network });
    r.client.connect();
    await r.settle();
    r.server.script = () => true;
    NetInfo.become('cellular', true);
    await r.settle();
    expect(r.server.last.of('ping')).toHaveLength(1);
    r.server.script = undefined;
    await r.pass(13_000);
    expect(r.client.snapshot).toMatchObject({ state: 'open', opens: 2 });
  });
});

describe('where much of a browser is missing', () => {
  /** What Hermes and React Native lack, or have in name only. */
  function hermes(): void {
    for (const name of [
      'document',
      'location',
      'addEventListener',
      'removeEventListener',
      'crypto',
      'structuredClone',
      'sessionStorage',
      'TextDecoder',
      'BroadcastChannel',
    ]) {
      vi.stubGlobal(name, undefined);
    }
    vi.stubGlobal('window', globalThis);
    vi.stubGlobal('navigator', { product: 'ReactNative' });
    vi.stubGlobal(
      'URL',
      class {
        readonly href: string;
        constructor(url: string, base?: string) {
          if (base !== undefined) throw new TypeError('Invalid base URL');
          this.href = `${url}/`;
        }
        get host(): string {
          throw new Error('URL.host is not implemented');
        }
        get protocol(): string {
          throw new Error('URL.protocol is not implemented');
        }
      },
    );
  }

  it('a client connects, publishes and receives all the same', async () => {
    hermes();
    vi.resetModules();
    FakeWebSocket.reset();
    const { createClient, presence } = await import('../src/index');
    const server = new NativeServer();
    const client = createClient({ url: 'https://a.test/anywire', WebSocket: FakeWebSocket });
    const room = client.channel('room');
    const got: unknown[] = [];
    room.subscribe(({ data }) => got.push(data));
    const done = room.publish({ text: 'hi' });
    await server.settle();
    expect(await done).toMatchObject({ offset: 1 });
    expect(FakeWebSocket.last.url).toBe('wss://a.test/anywire');
    expect(got).toEqual([{ text: 'hi' }]);
    void presence(room).enter({ name: 'Ann' });
    await server.settle();
    expect(server.channel('room').members.size).toBe(1);
    void client.close();
  });

  it('makes keys that differ though there is no `crypto`', async () => {
    hermes();
    const server = new NativeServer();
    const { createClient } = await import('../src/index');
    for (let i = 0; i < 5; i++) {
      FakeWebSocket.reset();
      const client = createClient({ url: 'wss://a.test/', WebSocket: FakeWebSocket });
      const done = Promise.all([1, 2].map((n) => client.channel('a').publish(n)));
      await server.settle();
      await done;
      void client.close();
    }
    const keys = server.conns.flatMap((conn) => conn.of('publish')).map((m) => m.idempotencyKey);
    expect(new Set(keys).size).toBe(10);
  });

  it('falls back to polling, for `fetch` has no streams', async () => {
    hermes();
    vi.resetModules();
    FakeWebSocket.reset();
    const { createClient, websocket } = await import('../src/index');
    const { poll, sse } = await import('../src/fallbacks');
    const server = new NativeServer();
    server.sockets = 'refuse';
    const asked: string[] = [];
    const fetch = (async (url: string, init: RequestInit) => {
      asked.push(url);
      const ok = { ok: true, status: 200, headers: new Map() };
      if (url.endsWith('/sse')) return ok;
      const { messages, stream } = JSON.parse(String(init.body));
      if (stream) return new Promise(() => {});
      const said: object[] = [];
      const conn = server.open({ send: (all) => said.push(...all), close: () => {} });
      for (const message of messages) server.take(conn, message);
      return { ...ok, json: async () => ({ stream: 's', seq: 1, messages: said }) };
    }) as never;
    const transports = [websocket(), sse(), poll()];
    const url = 'https://a.test/anywire';
    const client = createClient({ url, transports, fetch, WebSocket: FakeWebSocket });
    client.connect();
    await server.settle();
    await server.settle();
    expect(client.snapshot).toMatchObject({ state: 'open', transport: 'poll' });
    expect(asked.slice(0, 2)).toEqual([
      'https://a.test/anywire/sse',
      'https://a.test/anywire/poll',
    ]);
    void client.close();
  });
});
