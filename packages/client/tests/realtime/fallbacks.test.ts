import { describe, expect, it } from 'vitest';
import { presence as presenceOf } from '../../src/index';
import { msgpack } from '../../src/msgpack';
import { FakeWebSocket } from '../support/fake-web-socket';
import { harness, only } from '../support/fallbacks';

const room = 'room:1';

describe.each(['sse', 'poll'] as const)('over %s', (name) => {
  it('everything works as over WebSocket', async () => {
    const r = harness(only(name));
    r.server.publish(room, { data: 'before' });
    r.client.channel(room, { rewind: 1 }).subscribe(({ data }) => r.got.push(data));
    const done = r.client.channel(room).publish('mine');
    void presenceOf(r.client.channel(room)).enter({ name: 'Ann' });
    presenceOf(r.client.channel(room)).on('change', () => {});
    await r.pass(250);
    expect(r.client.snapshot).toMatchObject({ state: 'open', transport: name });
    expect(await done).toMatchObject({ offset: 2 });
    r.server.publish(room, { data: 'after' });
    await r.settle();
    expect(r.got).toEqual(['before', 'mine', 'after']);
    expect(presenceOf(r.client.channel(room)).members).toEqual([
      { client: 'c1', info: { name: 'Ann' } },
    ]);
    const urls = r.http.requests.map(({ path }) => path);
    expect(new Set(urls)).toEqual(new Set([name, 'send']));
    expect(new Set(r.http.of('send').map(({ contentType }) => contentType))).toEqual(
      new Set(['text/plain;charset=UTF-8']),
    );
  });

  it('resumes the session and recovers after the stream is gone', async () => {
    const r = harness(only(name));
    r.client.channel(room).subscribe(({ data }) => r.got.push(data));
    await r.pass(250);
    const { session } = r.server.last;
    r.server.last.close(1012, 'restart');
    r.server.publish(room, { data: 1 });
    await r.settle();
    expect(r.client.snapshot.lastClose).toMatchObject({ code: 1012, reason: 'restart' });
    await r.pass(1500);
    expect(r.server.last.got[0]).toMatchObject({ type: 'connect', session });
    expect(r.got).toEqual([1]);
  });

  it.each([
    [4403, 'failed'],
    [4451, 'failed'],
    [1013, 'waiting'],
  ])('close %i means the same as over WebSocket', async (code, state) => {
    const r = harness({ ...only(name), token: 't' });
    r.server.judge = () => code;
    r.client.connect();
    await r.pass(10);
    expect(r.client.state).toBe(state);
    expect(r.client.snapshot.lastClose?.code).toBe(code);
  });

  it('sends in order, one request at a time', async () => {
    const r = harness(only(name));
    r.client.connect();
    await r.pass(250);
    const all = Array.from({ length: 150 }, (_, i) => r.client.channel(room).publish(i));
    await r.settle();
    await Promise.all(all);
    expect(r.server.published.map(({ data }) => data)).toEqual(all.map((_, i) => i));
  });

  it('never doubles a publish whose request had no answer', async () => {
    const r = harness(only(name));
    r.client.connect();
    await r.pass(250);
    let lost = false;
    r.http.fault = ({ path }) => {
      if (path !== 'send' || lost) return undefined;
      lost = true;
      return 'unanswered';
    };
    const done = r.client.channel(room).publish(1);
    await r.pass(1500);
    expect(await done).toMatchObject({ offset: 1 });
    expect(r.server.published).toHaveLength(1);
  });

  it('repeats a request of which the server took nothing', async () => {
    const r = harness(only(name));
    r.client.connect();
    await r.pass(250);
    r.http.fault = ({ path }) => (path === 'send' ? 503 : undefined);
    const done = r.client.channel(room).publish(1);
    await r.pass(1500);
    expect(r.client.state).toBe('open');
    r.http.fault = () => undefined;
    await r.pass(1500);
    expect(await done).toMatchObject({ offset: 1, duplicate: false });
    expect(r.server.conns).toHaveLength(1);
  });

  it('takes 404 for the end of the stream and 413 for too large', async () => {
    const r = harness(only(name));
    r.client.connect();
    await r.pass(250);
    r.http.fault = ({ path }) => (path === 'send' ? 413 : undefined);
    const failed = expect(r.client.channel(room).publish(1)).rejects.toMatchObject({
      code: 'too_large',
    });
    await r.settle();
    await failed;
    expect(r.client.snapshot.lastClose?.code).toBe(1009);
    r.http.fault = () => undefined;
    await r.pass(500);
    r.http.fault = ({ path }) => (path === 'send' ? 404 : undefined);
    void presenceOf(r.client.channel(room)).enter();
    await r.settle();
    expect(r.client.snapshot.lastClose?.code).toBe(1006);
  });

  it('asks again when a connection kept from before has died in silence', async () => {
    const r = harness(only(name));
    r.http.fault = ({ path }) => (path === name && r.http.of(name).length < 3 ? 'hang' : undefined);
    r.client.connect();
    await r.pass(1250);
    expect(r.http.of(name)).toHaveLength(1);
    await r.pass(500);
    expect(r.http.of(name)).toHaveLength(2);
    await r.pass(2000);
    expect(r.http.of(name)).toHaveLength(2);
    await r.pass(1000);
    expect(r.client.snapshot).toMatchObject({ state: 'open', attempt: 0, opens: 1 });
    await r.client.close();
    await r.settle();
    expect(r.clock.pending).toBe(0);
  });

  it('says what is left to say before it closes', async () => {
    const r = harness(only(name));
    await r.pass(250);
    void presenceOf(r.client.channel(room)).enter();
    await r.pass(250);
    expect(r.server.channel(room).members.size).toBe(1);
    await r.client.close();
    await r.settle();
    expect(r.server.channel(room).members.size).toBe(0);
    expect(r.clock.pending).toBe(0);
  });

  it('does not wait for ever for what cannot be said', async () => {
    const r = harness(only(name));
    void presenceOf(r.client.channel(room)).enter();
    await r.pass(250);
    r.http.fault = ({ path }) => (path === 'send' ? 'hang' : undefined);
    let gone = false;
    void r.client.close().then(() => {
      gone = true;
    });
    await r.pass(1750);
    expect(gone).toBe(false);
    await r.pass(500);
    expect(gone).toBe(true);
    expect(r.clock.pending).toBe(0);
  });

  it('leaves nothing behind when closed', async () => {
    const r = harness(only(name));
    r.client.connect();
    await r.pass(250);
    await r.client.close();
    await r.settle();
    expect(r.clock.pending).toBe(0);
    expect(r.client.state).toBe('closed');
  });

  it('pings over the stream and notices when it has died', async () => {
    const r = harness(only(name));
    r.server.greeting = { ping: 5000 };
    r.client.connect();
    await r.pass(5500);
    expect(r.server.last.of('ping').length).toBeGreaterThan(0);
    r.http.fault = ({ path }) => (path === 'send' || path === 'poll' ? 'hang' : undefined);
    r.server.script = () => true;
    await r.pass(16_000);
    expect(r.client.snapshot.lastClose?.by).toBe('heartbeat');
  });
});

describe('the event stream', () => {
  it.each(['\n', '\r\n', '\r'])('may end its lines with %j', async (eol) => {
    const r = harness(only('sse'));
    r.http.eol = eol;
    r.client.channel(room).subscribe(({ data }) => r.got.push(data));
    // A lone CR is only known to end a line when something follows it.
    for (let i = 0; i < 3; i++) {
      await r.settle();
      if (i === 1) r.server.publish(room, { data: 'ä€😀' });
      r.http.comment();
    }
    await r.settle();
    expect(r.got).toEqual(['ä€😀']);
  });

  it('lives as long as comments come', async () => {
    const r = harness(only('sse'));
    r.server.greeting = { ping: 5000 };
    r.client.connect();
    await r.settle();
    for (let i = 0; i < 5; i++) {
      await r.pass(4000);
      r.http.comment();
      await r.settle();
    }
    expect(r.server.last.of('ping')).toEqual([]);
    expect(r.client.state).toBe('open');
  });
});

describe('a poll', () => {
  it('is asked again when its answer was lost, and loses no message', async () => {
    const r = harness(only('poll'));
    r.client.channel(room).subscribe(({ data }) => r.got.push(data));
    await r.pass(250);
    let losses = 2;
    r.http.fault = ({ path }) => (path === 'poll' && losses-- > 0 ? 'unanswered' : undefined);
    r.server.publish(room, { data: 1 });
    await r.settle();
    r.server.publish(room, { data: 2 });
    await r.pass(2000);
    r.server.publish(room, { data: 3 });
    await r.pass(2000);
    expect(r.got).toEqual([1, 2, 3]);
    expect(r.server.conns).toHaveLength(1);
  });

  it('is given up after three tries', async () => {
    const r = harness(only('poll'));
    r.client.connect();
    await r.pass(250);
    r.http.fault = ({ path }) => (path === 'poll' ? 'lost' : undefined);
    r.server.last.say({ type: 'nothing' });
    await r.pass(1500);
    expect(r.client.state).not.toBe('open');
  });
});

describe('failing over', () => {
  it('is at once where WebSocket is refused', async () => {
    const r = harness();
    r.server.sockets = 'refuse';
    r.client.connect();
    await r.settle();
    expect(r.client.snapshot).toMatchObject({ state: 'open', transport: 'sse', attempt: 0 });
  });

  it('takes less than 3 s where WebSocket hangs', async () => {
    const r = harness();
    r.server.sockets = 'hang';
    r.client.connect();
    await r.pass(1000);
    expect(r.client.state).toBe('connecting');
    await r.pass(500);
    expect(r.client.snapshot).toMatchObject({ state: 'open', transport: 'sse' });
    expect(FakeWebSocket.last.closedWith).toBeDefined();
  });

  it('also where WebSocket opens but carries nothing', async () => {
    const r = harness();
    r.server.script = (conn) => conn === r.server.conns[0];
    r.client.connect();
    await r.pass(1500);
    expect(r.client.snapshot).toMatchObject({ state: 'open', transport: 'sse' });
  });

  it('takes less than 3 s also where event streams are held back, too', async () => {
    const r = harness();
    r.server.sockets = 'hang';
    r.http.fault = ({ path }) => (path === 'sse' ? 'hang' : undefined);
    r.client.connect();
    await r.pass(2750);
    expect(r.client.snapshot).toMatchObject({ state: 'open', transport: 'poll' });
  });

  it('counts anew when the handshake is over', async () => {
    const r = harness();
    r.server.sockets = 'hang';
    r.server.script = (conn, { type }) => {
      // The answer comes after a second.
      if (type !== 'connect' || conn.got.length > 1) return false;
      r.clock.setTimeout(() => r.server.take(conn, conn.got[0] as never), 1000);
      return true;
    };
    r.client.connect();
    await r.pass(1000);
    r.server.sockets = 'serve';
    await r.pass(1250);
    expect(r.client.snapshot).toMatchObject({ state: 'open', transport: 'websocket' });
  });

  it('is slower where a transport has worked before, as the server may be busy', async () => {
    const r = harness();
    r.client.connect();
    await r.settle();
    r.server.sockets = 'hang';
    await r.cut();
    await r.pass(4500);
    expect(r.http.requests).toEqual([]);
    await r.pass(1000);
    expect(r.client.snapshot).toMatchObject({ state: 'open', transport: 'sse' });
  });

  it('goes on to polling where event streams are held back', async () => {
    const r = harness();
    r.server.sockets = 'refuse';
    r.http.fault = ({ path }) => (path === 'sse' ? 'hang' : undefined);
    r.client.connect();
    await r.pass(2250);
    expect(r.client.snapshot).toMatchObject({ state: 'open', transport: 'poll' });
  });

  it('is no use against a server that sends everybody away or wants a token', async () => {
    for (const code of [1012, 1013, 4403]) {
      const r = harness();
      r.server.judge = () => code;
      r.client.connect();
      await r.settle();
      expect(r.http.requests).toEqual([]);
      expect(r.client.snapshot.lastClose?.code).toBe(code);
    }
  });

  it('tries every way once and then waits', async () => {
    const r = harness();
    r.server.sockets = 'refuse';
    r.http.fault = () => 'lost';
    r.client.connect();
    await r.settle();
    expect(r.http.requests.map(({ path }) => path)).toEqual(['sse', 'poll']);
    expect(r.client.state).toBe('waiting');
    expect(r.clock.pending).toBe(1);
  });

  it('gives what has worked a chance alone before it looks for others', async () => {
    const r = harness();
    r.client.connect();
    await r.settle();
    r.server.sockets = 'refuse';
    r.http.fault = () => 'lost';
    await r.cut();
    await r.pass(250);
    expect(FakeWebSocket.all).toHaveLength(2);
    expect(r.http.requests).toEqual([]);
    await r.pass(750);
    expect(r.http.requests.map(({ path }) => path)).toEqual(['sse', 'poll']);
  });

  it('speaks JSON over HTTP though the codec is another', async () => {
    const r = harness({ codec: msgpack() });
    r.server.codec = msgpack();
    r.server.sockets = 'refuse';
    r.client.channel(room).subscribe(({ data }) => r.got.push(data));
    await r.settle();
    const done = r.client.channel(room).publish(new Uint8Array([1, 2]));
    await r.settle();
    await done;
    expect(r.got).toEqual([new Uint8Array([1, 2])]);
  });

  it('refuses what only MessagePack can say', async () => {
    const r = harness({ codec: msgpack() });
    r.server.codec = msgpack();
    r.server.sockets = 'refuse';
    r.client.connect();
    await r.settle();
    const huge = expect(r.client.channel(room).publish(2n ** 60n)).rejects.toMatchObject({
      code: 'bad_data',
    });
    const fine = r.client.channel(room).publish(1);
    await r.settle();
    await huge;
    expect(await fine).toMatchObject({ offset: 1 });
    expect(r.client.queued).toBe(0);
  });

  it('remembers what worked', async () => {
    const known = new Map<string, string>();
    const memory = {
      get: (server: string) => known.get(server),
      set: (server: string, name: string) => void known.set(server, name),
    };
    const first = harness({ memory });
    first.server.sockets = 'refuse';
    first.client.connect();
    await first.settle();
    expect([...known]).toEqual([['anywire.test', 'sse']]);
    const second = harness({ memory });
    second.client.connect();
    await second.settle();
    expect(second.client.snapshot.transport).toBe('sse');
    expect(FakeWebSocket.all).toHaveLength(0);
    const elsewhere = harness({ memory, url: 'wss://other.test/anywire' });
    elsewhere.client.connect();
    await elsewhere.settle();
    expect(elsewhere.client.snapshot.transport).toBe('websocket');
  });

  it('finds another way when what was remembered does not work here', async () => {
    const r = harness({ memory: { get: () => 'poll', set: () => {} } });
    r.http.fault = () => 'lost';
    r.client.connect();
    await r.settle();
    expect(r.client.snapshot.transport).toBe('websocket');
  });
});

describe('the way back to WebSocket', () => {
  async function degraded() {
    const r = harness();
    r.server.sockets = 'refuse';
    r.client.channel(room).subscribe(({ data }) => r.got.push(data));
    await r.settle();
    expect(r.client.snapshot.transport).toBe('sse');
    return r;
  }

  it('is taken in the background, with the session and without a loss', async () => {
    const r = await degraded();
    r.server.publish(room, { data: 1 });
    r.server.sockets = 'serve';
    await r.settle();
    await r.pass(9000);
    expect(r.client.snapshot.transport).toBe('sse');
    r.server.publish(room, { data: 2 });
    await r.pass(1500);
    expect(r.client.snapshot).toMatchObject({ transport: 'websocket', clientId: 'c1', opens: 2 });
    r.server.publish(room, { data: 3 });
    await r.settle();
    expect(r.got).toEqual([1, 2, 3]);
    expect(r.states).toEqual(['connecting', 'open']);
    expect(r.errors).toEqual([]);
  });

  it('is taken with the token of now, not with that of then', async () => {
    let n = 0;
    const r = harness({ token: () => `t${++n}` });
    r.server.sockets = 'refuse';
    r.client.connect();
    await r.settle();
    const renewed = r.client.refreshToken();
    await r.settle();
    await renewed;
    r.server.judge = (token) => (token === 't2' ? undefined : 4452);
    r.server.sockets = 'serve';
    await r.pass(10_500);
    expect(r.client.snapshot.transport).toBe('websocket');
  });

  it('does not disturb what is under way', async () => {
    const r = await degraded();
    r.server.script = (_, { type }) => type === 'publish';
    const done = r.client.channel(room).publish(1);
    await r.settle();
    r.server.sockets = 'serve';
    await r.pass(9750);
    r.server.script = undefined;
    await r.pass(500);
    expect(await done).toMatchObject({ offset: 1 });
  });

  it('is tried again later and later', async () => {
    const r = await degraded();
    const before = FakeWebSocket.all.length;
    await r.pass(75_000);
    expect(FakeWebSocket.all.length - before).toBe(3);
    expect(r.client.snapshot).toMatchObject({ state: 'open', transport: 'sse' });
  });

  it('does not touch the session before frames are known to come through', async () => {
    const r = await degraded();
    const { session } = r.server.last;
    r.server.sockets = 'serve';
    r.server.script = (conn) => conn === r.server.conns[1];
    await r.pass(19_000);
    expect(r.server.conns[1]?.got.map(({ type }) => type)).toEqual(['ping']);
    expect(r.server.sessions.has(session)).toBe(true);
    r.server.publish(room, { data: 1 });
    await r.settle();
    expect(r.got).toEqual([1]);
    expect(r.client.snapshot).toMatchObject({ transport: 'sse', opens: 1 });
    await r.pass(22_000);
    expect(r.client.snapshot).toMatchObject({ transport: 'websocket', opens: 2 });
  });

  it('is given up when nothing comes of it', async () => {
    const r = await degraded();
    r.server.sockets = 'hang';
    await r.pass(10_000);
    const hanging = FakeWebSocket.last;
    expect(hanging.closedWith).toBeUndefined();
    await r.pass(10_000);
    expect(hanging.closedWith).toBeDefined();
    expect(r.client.state).toBe('open');
  });

  it('survives the end of the old stream before the new one has spoken', async () => {
    const r = await degraded();
    const old = r.server.last;
    r.server.sockets = 'serve';
    r.server.script = (conn, { type }) => {
      if (type !== 'connect') return false;
      r.server.script = undefined;
      // The session is taken over; the answer takes its time.
      old.close(4409, 'taken over');
      const connect = conn.of('connect')[0];
      setImmediate(() => setImmediate(() => r.server.take(conn, connect as never)));
      return true;
    };
    await r.pass(10_500);
    expect(r.client.snapshot).toMatchObject({ state: 'open', transport: 'websocket' });
    r.server.publish(room, { data: 1 });
    await r.settle();
    expect(r.got).toEqual([1]);
  });

  it('survives that a request meets the end of the old stream first', async () => {
    const r = await degraded();
    r.server.sockets = 'serve';
    let answer: (() => void) | undefined;
    r.server.script = (conn, message) => {
      if (message.type !== 'connect') return false;
      r.server.script = undefined;
      r.http.fault = ({ path }) => (path === 'send' ? 404 : undefined);
      answer = () => r.server.take(conn, message);
      return true;
    };
    await r.pass(10_000);
    const done = r.client.channel(room).publish(1);
    await r.settle();
    expect(r.client.snapshot).toMatchObject({ state: 'open', transport: 'sse', opens: 1 });
    answer?.();
    await r.settle();
    expect(await done).toMatchObject({ offset: 1, duplicate: false });
    expect(r.client.snapshot).toMatchObject({ transport: 'websocket', opens: 2, clientId: 'c1' });
    expect([r.got, r.states]).toEqual([[1], ['connecting', 'open']]);
  });

  it('does not stand in for the old stream before it has the session', async () => {
    const r = await degraded();
    r.server.sockets = 'serve';
    r.server.script = (conn) => conn === r.server.conns[1];
    await r.pass(10_250);
    expect(r.server.conns).toHaveLength(2);
    r.server.conns[0]?.close(1012, 'restart');
    await r.settle();
    expect(r.client.state).toBe('waiting');
    await r.pass(6000);
    expect(r.client.state).toBe('open');
  });

  it('leads to an ordinary reconnect when both are lost', async () => {
    const r = await degraded();
    const old = r.server.last;
    r.server.sockets = 'serve';
    r.server.script = (conn, { type }) => {
      if (type !== 'connect') return false;
      r.server.script = undefined;
      old.close(4409, 'taken over');
      setImmediate(() => setImmediate(() => conn.close(1006)));
      return true;
    };
    await r.pass(10_250);
    await r.pass(2000);
    expect(r.client.state).toBe('open');
    r.server.publish(room, { data: 1 });
    await r.settle();
    expect(r.got).toEqual([1]);
  });

  it('ends with close()', async () => {
    const r = await degraded();
    r.server.sockets = 'hang';
    await r.pass(10_000);
    void r.client.close();
    for (const ws of FakeWebSocket.all) if (ws.readyState < 3) ws.end(1000);
    await r.settle();
    expect(FakeWebSocket.last.closedWith).toBeDefined();
    expect(r.clock.pending).toBe(0);
  });
});
