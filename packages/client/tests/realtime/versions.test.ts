import { describe, expect, it } from 'vitest';
import { poll, sse } from '../../src/fallbacks';
import { presence, websocket } from '../../src/index';
import { FakeFetch } from '../support/fake-fetch';
import { FakeWebSocket } from '../support/fake-web-socket';
import { opened, realtime } from '../support/realtime';

const room = 'room:1';

describe('a server that is newer', () => {
  it.each([
    [{ type: 'fireworks', channel: room, offset: 1, data: 1 }],
    [{ type: 'fireworks', channel: 'elsewhere' }],
    [{ type: 'constructor', channel: room }],
    [{ type: '__proto__', channel: '__proto__' }],
    [{ type: 'fireworks', id: 'a-string' }],
    [{ type: 'fireworks', id: 4711 }],
    [{ type: '' }],
  ])('may push %j, which is ignored', async (push) => {
    const r = await opened();
    const got: unknown[] = [];
    r.client.channel(room).subscribe(({ data }) => got.push(data));
    await r.settle();
    r.server.last.say(push);
    r.server.publish(room, { data: 'as ever' });
    await r.settle();
    expect(got).toEqual(['as ever']);
    expect(r.errors).toEqual([]);
    expect(r.client.snapshot).toMatchObject({ state: 'open', opens: 1 });
    // The offset that it named does not count.
    expect(r.client.channel(room).cursor).toEqual({ epoch: 'e1', offset: 1 });
  });

  it('may say more than is known here, in whatever message', async () => {
    const r = realtime();
    r.server.greeting = { server: 'anywire/99.0', features: ['x'], limits: { y: 1 } };
    const got: object[] = [];
    r.client.channel(room).subscribe((message) => got.push(message));
    const done = r.client.channel(room).publish('mine');
    presence(r.client.channel(room)).on('change', () => {});
    await r.settle();
    r.server.publish(room, { data: 1, colour: 'red', nested: { a: [1] } });
    r.server.presence(room, { join: [{ client: 'x', mood: 'good' }] }, { weather: 'fine' });
    await r.settle();
    expect(await done).toMatchObject({ offset: 1 });
    expect(got).toMatchObject([{ data: 'mine' }, { data: 1, offset: 2 }]);
    expect(presence(r.client.channel(room)).members).toMatchObject([{ client: 'x' }]);
    expect(r.client.snapshot).toMatchObject({ state: 'open', opens: 1 });
  });

  it('may refuse with a code that is not known here', async () => {
    const r = await opened();
    r.server.script = (conn, { type, id }) => {
      if (type !== 'publish') return false;
      const message = 'the moon is full';
      conn.say({ type: 'error', id, code: 'moon_phase', message, retry: false, hint: 'wait' });
      return true;
    };
    const refused = expect(r.client.channel(room).publish(1)).rejects.toMatchObject({
      code: 'moon_phase',
      message: 'the moon is full',
      retry: false,
    });
    await r.settle();
    await refused;
    expect(r.client.state).toBe('open');
  });
});

describe('a server that does not speak the protocol', () => {
  /** Answers every upgrade with this subprotocol. */
  async function meets(protocol: string) {
    const r = realtime();
    r.server.sockets = 'hang';
    void r.client.connect().catch(() => {});
    await r.settle();
    FakeWebSocket.last.accept(protocol);
    await r.settle();
    return r;
  }

  it.each([[''], ['anywire.v2.json'], ['anywire.v1.msgpack'], ['mqtt']])(
    'but selects %j is an error with advice, and no storm of retries',
    async (protocol) => {
      const r = await meets(protocol);
      const { state, error, lastClose } = r.client.snapshot;
      expect(state).toBe('failed');
      expect(error).toMatchObject({ code: 'unsupported', retry: false });
      expect(error?.message).toContain('anywire.v1.json');
      expect(error?.advice).toMatch(/url/);
      expect(lastClose).toMatchObject({ code: 1002, by: 'local' });
      expect(FakeWebSocket.last.closedWith).toBeDefined();
      FakeWebSocket.last.end(1000);
      await r.pass(120_000);
      expect(FakeWebSocket.all).toHaveLength(1);
      expect(r.clock.pending).toBe(0);
    },
  );

  it('rejects what waited, and connects again when told to', async () => {
    const r = realtime();
    r.server.sockets = 'hang';
    const done = expect(r.client.channel(room).publish(1)).rejects.toMatchObject({
      code: 'unsupported',
    });
    await r.settle();
    FakeWebSocket.last.accept('');
    await r.settle();
    await done;
    r.server.sockets = 'serve';
    void r.client.connect();
    await r.settle();
    expect(r.client.state).toBe('open');
  });

  it('but frames of its own is unsupported, too', async () => {
    const r = await meets('anywire.v1.json');
    FakeWebSocket.last.say('HELLO 1.0');
    await r.settle();
    expect(r.client.snapshot).toMatchObject({ state: 'failed', error: { code: 'unsupported' } });
  });

  it('or knows no `connect` stops the client', async () => {
    const r = realtime();
    r.server.script = (conn, { id }) => {
      conn.say({ type: 'error', id, code: 'unknown_type', message: 'what?', retry: false });
      return true;
    };
    void r.client.connect().catch(() => {});
    await r.pass(60_000);
    expect(r.client.snapshot).toMatchObject({ state: 'failed', error: { code: 'refused' } });
    expect(r.client.snapshot.error?.message).toContain('unknown_type: what?');
    expect(FakeWebSocket.all).toHaveLength(1);
  });

  it('is not so where a single frame was garbled on a link that had worked', async () => {
    const r = await opened();
    FakeWebSocket.last.say('{"type":');
    await r.settle();
    expect(r.client.snapshot).toMatchObject({ state: 'waiting', error: { code: 'network' } });
    await r.pass(1500);
    expect(r.client.snapshot).toMatchObject({ state: 'open', opens: 2 });
  });

  it('over WebSocket may do so over a fallback, where a proxy has taken the subprotocol', async () => {
    let http: FakeFetch | undefined;
    const r = realtime({
      transports: [websocket(), sse(), poll()],
      fetch: (...args) => (http as FakeFetch).fetch(...args),
      memory: false,
    });
    http = new FakeFetch(r.server);
    r.server.sockets = 'hang';
    void r.client.connect();
    await r.settle();
    FakeWebSocket.last.accept('');
    for (let i = 0; i < 12; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      await r.settle();
    }
    expect(r.client.snapshot).toMatchObject({ state: 'open', transport: 'sse', attempt: 0 });
  });
});
