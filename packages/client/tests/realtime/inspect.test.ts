import { describe, expect, it } from 'vitest';
import { poll, sse } from '../../src/fallbacks';
import { AnywireError, createClient, type Frame, inspect, websocket } from '../../src/index';
import { msgpack } from '../../src/msgpack';
import { FakeFetch } from '../support/fake-fetch';
import { FakeWebSocket } from '../support/fake-web-socket';
import { opened, type Realtime, realtime } from '../support/realtime';

function watched(r: Realtime) {
  const frames: Frame[] = [];
  const stop = inspect(r.client).on('frame', (frame) => frames.push(frame));
  const types = (direction: string) =>
    frames.filter((frame) => frame.direction === direction).map(({ message }) => message.type);
  return { frames, stop, types };
}

describe('the frames of a client', () => {
  it('are seen both ways, greeting included, with time, size and transport', async () => {
    const r = realtime();
    const { frames, types } = watched(r);
    r.client.channel('a').subscribe(() => {});
    await r.settle();
    expect(types('out')).toEqual(['connect', 'subscribe']);
    expect(types('in')).toEqual(['connected', 'subscribed']);
    const [connect] = frames;
    expect(connect).toMatchObject({ at: r.clock.time, transport: 'websocket' });
    expect(connect?.bytes).toBe(JSON.stringify({ type: 'connect', id: 1 }).length);
    expect(frames.at(-1)?.bytes).toBeUndefined();
  });

  it('are seen of a connection that was open before', async () => {
    const r = await opened();
    const { types } = watched(r);
    r.client.channel('a').subscribe(() => {});
    await r.settle();
    r.server.publish('a');
    expect(types('out')).toEqual(['subscribe']);
    expect(types('in')).toEqual(['subscribed', 'message']);
  });

  it('do not show tokens and session secrets', async () => {
    const r = await opened({ token: () => 'very.secret.token' });
    const { frames } = watched(r);
    const { session } = r.server.last;
    await r.cut();
    await r.pass(500);
    void r.client.refreshToken();
    await r.settle();
    expect(frames.map(({ message }) => message.type)).toContain('auth');
    const shown = JSON.stringify(frames);
    expect(shown).not.toContain('very.secret.token');
    for (const secret of [session, r.server.last.session]) {
      expect(shown).not.toContain(`"${secret}"`);
    }
    expect(frames[0]?.message).toMatchObject({ token: '\u2026', session: '\u2026' });
  });

  it('are read of MessagePack as well', async () => {
    const r = realtime({ codec: msgpack() });
    r.server.codec = msgpack();
    const { frames } = watched(r);
    void r.client.channel('a').publish(new Uint8Array([1]));
    await r.settle();
    const sent = frames.find(({ message }) => message.type === 'publish');
    expect(sent?.message.binary).toEqual(new Uint8Array([1]));
    expect(sent?.bytes).toBeGreaterThan(10);
  });

  it('are told to several, until each has stopped', async () => {
    const r = await opened();
    const a = watched(r);
    const b = watched(r);
    r.server.last.say({ type: 'x' });
    a.stop();
    a.stop();
    r.server.last.say({ type: 'y' });
    b.stop();
    r.server.last.say({ type: 'z' });
    expect([a.types('in'), b.types('in')]).toEqual([['x'], ['x', 'y']]);
  });

  it('name the transport that carries them', async () => {
    let http: FakeFetch | undefined;
    const r = realtime({
      transports: [websocket(), sse(), poll()],
      memory: false,
      fetch: (...args) => (http as FakeFetch).fetch(...args),
    });
    http = new FakeFetch(r.server);
    r.server.sockets = 'refuse';
    const { frames } = watched(r);
    r.client.connect();
    await r.settle();
    expect(r.client.snapshot.transport).toBe('sse');
    expect(new Set(frames.map(({ transport }) => transport))).toEqual(new Set(['sse']));
  });
});

describe('an inspector', () => {
  it('is one for each client, and knows the address once there is one', async () => {
    const r = realtime();
    expect(inspect(r.client)).toBe(inspect(r.client));
    expect(inspect(r.client).url).toBeUndefined();
    r.client.connect();
    await r.settle();
    expect(inspect(r.client).url).toBe('wss://anywire.test/anywire');
    expect(inspect(createClient({ url: '/' }))).not.toBe(inspect(r.client));
  });

  it('passes errors on that no promise carries', async () => {
    const r = await opened();
    const codes: string[] = [];
    inspect(r.client).on('error', ({ code }) => codes.push(code));
    r.server.last.say({ type: 'error', code: 'bad_message', message: 'what?' });
    expect(codes).toEqual(['bad_message']);
  });

  it('cuts the link as the network would; it comes back and loses nothing', async () => {
    const r = await opened();
    const got: unknown[] = [];
    r.client.channel('a').subscribe(({ data }) => got.push(data));
    await r.settle();
    inspect(r.client).kill();
    expect(r.client.state).toBe('waiting');
    expect(r.client.snapshot.lastClose).toMatchObject({ code: 1006, by: 'peer' });
    expect(FakeWebSocket.last.closedWith).toBeDefined();
    r.server.publish('a', { data: 1 });
    await r.pass(1000);
    expect(r.client.snapshot).toMatchObject({ state: 'open', opens: 2, clientId: 'c1' });
    expect(got).toEqual([1]);
  });

  it('cuts a try short, and does nothing where nothing is open', async () => {
    const r = realtime();
    inspect(r.client).kill();
    expect(r.client.state).toBe('idle');
    r.server.sockets = 'hang';
    r.client.connect();
    await r.settle();
    inspect(r.client).kill();
    const { retryAt, attempt } = r.client.snapshot;
    expect(r.client.state).toBe('waiting');
    inspect(r.client).kill();
    expect(r.client.snapshot).toMatchObject({ retryAt, attempt });
    void r.client.close();
    inspect(r.client).kill();
    expect(r.client.state).toBe('closed');
  });
});

describe('offline, as an inspector has it', () => {
  it('drops the line, opens none, and is over at once when told so', async () => {
    const r = await opened();
    const { length } = FakeWebSocket.all;
    inspect(r.client).offline(true);
    inspect(r.client).offline(true);
    expect(r.client.state).toBe('offline');
    await r.pass(60_000);
    expect(r.client.state).toBe('offline');
    expect(FakeWebSocket.all).toHaveLength(length);
    inspect(r.client).offline(false);
    await r.settle();
    expect(r.client.state).toBe('open');
    expect(r.client.snapshot.clientId).toBe('c1');
    expect(r.states).toEqual(expect.arrayContaining(['open', 'offline', 'connecting', 'open']));
  });

  it('holds against whatever the device says', async () => {
    const r = await opened();
    inspect(r.client).offline(true);
    for (const event of ['online', 'wake', 'resume'] as const) {
      r.network.emit(event);
      await r.pass(1000);
      expect(r.client.state).not.toBe('open');
    }
    inspect(r.client).offline(false);
    await r.pass(1000);
    expect(r.client.state).toBe('open');
  });

  it('holds for a client that is started later, which publishes when it is over', async () => {
    const r = realtime();
    inspect(r.client).offline(true);
    expect(r.client.state).toBe('idle');
    const done = r.client.channel('a').publish(1);
    await r.pass(1000);
    expect(r.client.state).toBe('offline');
    expect(FakeWebSocket.all).toHaveLength(0);
    inspect(r.client).offline(false);
    await r.settle();
    expect(await done).toMatchObject({ offset: 1 });
  });

  it('leaves a closed client closed', async () => {
    const r = await opened();
    void r.client.close();
    inspect(r.client).offline(true);
    inspect(r.client).offline(false);
    await r.settle();
    expect(r.client.state).toBe('closed');
    expect(r.network.listeners).toBe(0);
  });

  it('takes no fallback either', async () => {
    let http: FakeFetch | undefined;
    const r = realtime({
      transports: [websocket(), sse(), poll()],
      memory: false,
      fetch: (...args) => (http as FakeFetch).fetch(...args),
    });
    http = new FakeFetch(r.server);
    r.client.connect();
    await r.settle();
    inspect(r.client).offline(true);
    await r.pass(30_000);
    expect(r.server.conns).toHaveLength(1);
    inspect(r.client).offline(false);
    await r.settle();
    expect(r.client.snapshot).toMatchObject({ state: 'open', transport: 'websocket' });
  });
});

describe('errors', () => {
  it('are told wherever they turn up: refused, given up, or against the contract', async () => {
    const r = await opened({ queue: { max: 1 } });
    const codes: string[] = [];
    const leave = inspect(r.client).on('error', ({ code }) => codes.push(code));
    r.server.script = (conn, { id, type }) => {
      if (type !== 'publish') return false;
      conn.say({ type: 'error', id, code: 'forbidden', message: 'no', retry: false });
      return true;
    };
    const refuse = () => {
      throw new AnywireError('schema', 'not a number');
    };
    const check = { message: refuse, publish: refuse, presence: refuse };
    const checked = r.client.channel({ name: 'b', check });
    checked.subscribe(() => {});
    const room = r.client.channel('a');
    const all = Promise.allSettled([room.publish(1), room.publish(2), checked.publish('x')]);
    await r.settle();
    await all;
    expect([...codes].sort()).toEqual(['forbidden', 'queue_full', 'schema']);
    r.server.publish('b', { data: 'y' });
    await r.settle();
    expect(codes).toHaveLength(4);
    leave();
    const last = Promise.allSettled([room.publish(3)]);
    await r.settle();
    await last;
    expect(codes).toHaveLength(4);
  });
});
