import { describe, expect, it } from 'vitest';
import { createClient, presence as presenceOf, rpc, type TokenRequest } from '../../src/index';
import { FakeWebSocket } from '../support/fake-web-socket';
import { opened, realtime } from '../support/realtime';

const sockets = () => FakeWebSocket.all.length;

describe('connecting', () => {
  it('does nothing until it is used', () => {
    const r = realtime();
    expect(r.client.state).toBe('idle');
    expect(sockets()).toBe(0);
    expect(r.network.listeners).toBe(0);
    expect(r.clock.pending).toBe(0);
  });

  it('is open when the server has answered connect', async () => {
    const r = realtime({ agent: 'app/1', token: 'tok' });
    r.server.greeting = { user: 'ann' };
    const done = r.client.connect();
    await r.settle();
    await done;
    expect(r.states).toEqual(['connecting', 'open']);
    expect(FakeWebSocket.last.protocols).toEqual(['anywire.v1.json']);
    expect(r.server.last.got[0]).toEqual({ type: 'connect', id: 1, token: 'tok', agent: 'app/1' });
    expect(r.client.snapshot).toMatchObject({
      clientId: 'c1',
      user: 'ann',
      transport: 'websocket',
      attempt: 0,
      opens: 1,
    });
  });

  it('keeps the snapshot the same object until something changes', async () => {
    const r = await opened();
    const { snapshot } = r.client;
    await r.pass(1000);
    expect(r.client.snapshot).toBe(snapshot);
    expect(Object.isFrozen(snapshot)).toBe(true);
  });

  it('gives up a try without answer and makes another', async () => {
    const r = realtime();
    r.server.sockets = 'hang';
    r.client.connect();
    await r.pass(10_000);
    expect(r.client.state).toBe('waiting');
    expect(r.client.snapshot.lastClose?.by).toBe('timeout');
    expect(FakeWebSocket.last.closedWith).toBeDefined();
    r.server.sockets = 'serve';
    await r.pass(250);
    expect(r.client.state).toBe('open');
  });

  it('does not take the connection for open when only the handshake was done', async () => {
    const r = realtime();
    r.server.script = () => true;
    r.client.connect();
    await r.settle();
    expect(r.client.state).toBe('connecting');
    await r.pass(10_000);
    expect(r.client.state).toBe('waiting');
  });

  it('sends one frame only before the server has answered', async () => {
    const r = realtime();
    let held: (() => void) | undefined;
    r.server.script = (conn, message) => {
      if (message.type !== 'connect' || held) return false;
      held = () => r.server.take(conn, message);
      return true;
    };
    const names = Array.from({ length: 200 }, (_, i) => `room:${i}`);
    for (const name of names) r.client.channel(name).subscribe(() => {});
    await r.settle();
    expect(FakeWebSocket.last.sent).toHaveLength(1);
    expect(r.server.last.got[0]?.type).toBe('connect');
    expect(r.server.last.subscriptions.size).toBeGreaterThan(30);
    held?.();
    await r.settle();
    expect([...r.server.last.subscriptions.keys()]).toEqual(names);
    expect(r.server.last.of('subscribe')).toHaveLength(names.length);
    expect(r.client.state).toBe('open');
  });

  it('keeps the secret of its session until it has been given another', async () => {
    const r = await opened();
    const { session, client } = r.server.last;
    // The server takes the session over, and what it says of that is lost.
    r.server.script = (conn, { type }) => {
      if (type !== 'connect') return false;
      conn.close(1006);
      return true;
    };
    await r.cut();
    await r.pass(250);
    expect(r.server.conns).toHaveLength(2);
    r.server.script = undefined;
    await r.pass(1000);
    expect(r.server.last.got[0]).toMatchObject({ type: 'connect', session });
    expect(r.client.snapshot).toMatchObject({ state: 'open', clientId: client });
    await r.cut();
    await r.pass(1000);
    expect(r.server.last.got[0]?.session).not.toBe(session);
    expect(r.client.snapshot.clientId).toBe(client);
  });

  it('does not talk to a server that selected another protocol', async () => {
    const r = realtime();
    r.client.connect();
    await Promise.resolve().then(() => {});
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    while (sockets() === 0) await Promise.resolve();
    FakeWebSocket.last.accept('chat');
    expect(FakeWebSocket.last.sent).toEqual([]);
    expect(r.client.state).toBe('failed');
    expect(r.client.snapshot.error?.message).toContain('anywire.v1.json');
  });

  it.each(['{', '1', 'null', '[1,null,"x"]', '{"type":7}'])(
    'survives a frame of nonsense: %s',
    async (frame) => {
      const r = await opened();
      FakeWebSocket.last.say(frame);
      await r.pass(1000);
      expect(r.client.state).toBe('open');
      expect(sockets()).toBe(frame === '{' ? 2 : 1);
    },
  );

  it('ignores types and members it does not know', async () => {
    const r = await opened();
    r.server.last.say({ type: 'fireworks', big: true }, { type: 'ok', id: 999 });
    expect(r.client.state).toBe('open');
  });

  it('reports errors that answer nothing', async () => {
    const r = await opened();
    r.server.last.say({ type: 'error', code: 'bad_message', message: 'what?' });
    expect(r.errors.map(({ code }) => code)).toEqual(['bad_message']);
  });

  it.each([
    [true, 'waiting'],
    [false, 'failed'],
  ])('takes a refusal of connect as an end, retry %s', async (retry, state) => {
    const r = realtime();
    r.server.script = (conn, { id }) => {
      conn.say({ type: 'error', id, code: 'too_large', message: 'agent', retry });
      return true;
    };
    r.client.connect();
    await r.settle();
    expect(r.client.state).toBe(state);
    expect(r.client.snapshot.error?.message).toContain('too_large');
  });

  it('fails on an address that is none, and can be started again', async () => {
    let url = 'ftp://x';
    const r = realtime({ url: () => url });
    const done = r.client.connect();
    await r.settle();
    await expect(done).rejects.toMatchObject({ code: 'bad_url' });
    expect(r.client.state).toBe('failed');
    url = 'https://anywire.test/anywire';
    const second = r.client.connect();
    await r.settle();
    await second;
    expect(FakeWebSocket.last.url).toBe('wss://anywire.test/anywire');
  });

  it('tries again when the address function fails', async () => {
    let calls = 0;
    const url = () => {
      if (++calls === 1) throw new Error('no');
      return 'wss://anywire.test/';
    };
    const r = realtime({ url });
    r.client.connect();
    await r.settle();
    expect(r.client.state).toBe('waiting');
    await r.pass(500);
    expect(r.client.state).toBe('open');
  });

  it('fails where there is no WebSocket', async () => {
    const client = createClient({ url: 'wss://x.test/', transports: [] });
    await expect(client.connect()).rejects.toMatchObject({ code: 'no_transport' });
  });
});

describe('close codes', () => {
  it.each([4400, 4403, 4409, 4401, 4449])('%i stops', async (code) => {
    const r = await opened();
    await r.cut(code, 'because');
    expect(r.client.state).toBe('failed');
    expect(r.client.snapshot.error).toMatchObject({ code: 'refused' });
    expect(r.client.snapshot.error?.message).toContain('because');
    await r.pass(60_000);
    expect(sockets()).toBe(1);
    expect(r.clock.pending).toBe(0);
    expect(r.network.listeners).toBe(0);
  });

  it('4409 does not stop whom an earlier attempt of its own has taken over', async () => {
    const r = await opened();
    r.server.script = (_, { type }) => type === 'connect';
    await r.cut();
    await r.pass(500);
    await r.cut(1006);
    r.server.script = undefined;
    await r.pass(1000);
    expect(r.client.state).toBe('open');
    await r.cut(4409, 'taken over');
    expect(r.client.state).toBe('waiting');
    await r.pass(2000);
    expect(r.client.state).toBe('open');
    await r.cut(4409, 'taken over');
    expect(r.client.state).toBe('failed');
  });

  it('4409 stops where all attempts were answered, or long ago', async () => {
    const r = await opened();
    r.server.script = (_, { type }) => type === 'connect';
    await r.cut();
    await r.pass(500);
    await r.cut(1006);
    r.server.script = undefined;
    await r.pass(60_000);
    expect(r.client.state).toBe('open');
    await r.cut(4409);
    expect(r.client.state).toBe('failed');
  });

  it.each([
    1000, 1001, 1006, 1011, 1012, 1013, 1008, 3000, 4000, 4500, 4501, 4503, 4529, 4599, 4600,
  ])('%i reconnects with back-off and resumes', async (code) => {
    const r = await opened();
    const { session } = r.server.last;
    await r.cut(code);
    expect(r.client.state).toBe('waiting');
    await r.pass(1000);
    expect(r.client.state).toBe('open');
    expect(r.server.last.got[0]).toMatchObject({ session });
    expect(r.client.snapshot).toMatchObject({ clientId: 'c1', opens: 2 });
  });

  it('waits longer with each failure, up to 20 s', async () => {
    const r = await opened();
    r.server.sockets = 'refuse';
    await r.cut();
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      const wait = (r.client.snapshot.retryAt ?? 0) - r.clock.time;
      waits.push(Math.round(wait));
      r.clock.advance(wait);
      await r.settle();
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
    expect(r.client.snapshot.attempt).toBe(10);
  });

  it('forgets the failures only when the connection has proved stable', async () => {
    const r = await opened();
    const wait = () => Math.round((r.client.snapshot.retryAt ?? 0) - r.clock.time);
    await r.cut(4529);
    await r.pass(250);
    await r.cut(4529);
    expect(wait()).toBe(500);
    await r.pass(500);
    await r.pass(5000);
    await r.cut(4529);
    expect(wait()).toBe(250);
  });

  it.each([4450, 4451, 4452, 4453, 4460])('%i fails where there is but one token', async (code) => {
    const r = await opened({ token: 'only' });
    await r.cut(code);
    expect(r.client.state).toBe('failed');
    expect(r.client.snapshot.error?.code).toBe('unauthorized');
  });
});

describe('tokens', () => {
  function provider() {
    const reasons: string[] = [];
    let n = 0;
    return {
      reasons,
      token: ({ reason }: TokenRequest) => {
        reasons.push(reason);
        return `t${++n}`;
      },
    };
  }

  it('are kept for reconnecting as long as the server takes them', async () => {
    const { token, reasons } = provider();
    const r = await opened({ token });
    await r.cut();
    await r.pass(1000);
    expect(r.server.last.got[0]).toMatchObject({ token: 't1' });
    expect(reasons).toEqual(['connect']);
  });

  it.each([
    [4450, 0],
    [4451, 250],
    [4452, 0],
    [4453, 250],
    [4470, 0],
  ])('%i gets another after at most %i ms', async (code, wait) => {
    const { token, reasons } = provider();
    const r = await opened({ token });
    await r.cut(code);
    const { retryAt = 0 } = r.client.snapshot;
    expect(Math.round(retryAt - r.clock.time)).toBe(wait);
    await r.pass(wait || 1);
    expect(r.client.state).toBe('open');
    expect(r.server.last.got[0]).toMatchObject({ token: 't2' });
    expect(reasons).toEqual(['connect', 'denied']);
  });

  it('do not cause a storm when each new one has expired as well', async () => {
    const { token } = provider();
    const r = realtime({ token });
    r.server.judge = () => 4452;
    r.client.connect();
    await r.pass(10_000);
    expect(sockets()).toBeLessThan(9);
    r.server.judge = () => undefined;
    await r.pass(20_000);
    expect(r.client.state).toBe('open');
  });

  it('that were just denied are not tried again', async () => {
    const r = realtime({ token: () => 'same' });
    r.server.judge = () => 4451;
    r.client.connect();
    await r.pass(1000);
    expect(r.client.state).toBe('failed');
    expect(r.client.snapshot.error?.code).toBe('unauthorized');
    expect(sockets()).toBe(1);
  });

  it('may be refused by the application, which ends it', async () => {
    const r = realtime({ token: () => null });
    r.client.connect();
    await r.settle();
    expect(r.client.state).toBe('failed');
    expect(r.client.snapshot.error?.code).toBe('token');
    expect(sockets()).toBe(0);
  });

  it('are asked for again, later, when the function fails', async () => {
    let calls = 0;
    const token = async () => {
      if (++calls < 3) throw new Error('500');
      return { token: 'ok' };
    };
    const r = realtime({ token });
    r.client.connect();
    await r.settle();
    expect(r.client.snapshot.error?.message).toContain('500');
    await r.pass(2000);
    expect(r.client.state).toBe('open');
    expect(calls).toBe(3);
  });

  it('that come too late are not used', async () => {
    const answers: ((token: string) => void)[] = [];
    const signals: AbortSignal[] = [];
    const token = ({ signal }: TokenRequest) => {
      signals.push(signal);
      return new Promise<string>((resolve) => answers.push(resolve));
    };
    const r = realtime({ token });
    r.client.connect();
    await r.settle();
    await r.client.close();
    expect(signals[0]?.aborted).toBe(true);
    answers[0]?.('late');
    await r.settle();
    expect(sockets()).toBe(0);
    expect(r.client.state).toBe('closed');
  });

  it('are renewed on the connection when the server says that one expires', async () => {
    const { token, reasons } = provider();
    const r = await opened({ token });
    r.server.last.say({ type: 'expiring', expires: 1 });
    await r.pass(250);
    expect(r.server.last.of('auth')).toMatchObject([{ token: 't2' }]);
    expect(reasons).toEqual(['connect', 'refresh']);
    await r.cut();
    await r.pass(1000);
    expect(r.server.last.got[0]).toMatchObject({ token: 't2' });
    expect(r.states.filter((state) => state === 'open')).toHaveLength(2);
  });

  it('are asked for again when the server does not take the new one', async () => {
    const { token, reasons } = provider();
    const r = await opened({ token });
    r.server.judge = (given) => (given === 't2' ? 4451 : undefined);
    r.server.last.say({ type: 'expiring', expires: 1 });
    await r.pass(1000);
    expect(r.server.last.of('auth').map(({ token }) => token)).toEqual(['t2', 't3']);
    expect(reasons).toEqual(['connect', 'refresh', 'denied']);
    expect(r.client.state).toBe('open');
  });

  it('are not asked for where there is but one', async () => {
    const r = await opened({ token: 'only' });
    r.server.last.say({ type: 'expiring', expires: 1 });
    await r.pass(1000);
    expect(r.server.last.of('auth')).toEqual([]);
  });

  it('of somebody else begin another session', async () => {
    const { token } = provider();
    const r = await opened({ token });
    r.server.script = (conn, { type, id }) => {
      if (type !== 'auth') return false;
      conn.say({ type: 'error', id, code: 'user_mismatch', message: 'who?' });
      return true;
    };
    void r.client.refreshToken();
    await r.pass(250);
    expect(r.server.conns).toHaveLength(2);
    expect(r.server.last.got[0]).toMatchObject({ token: 't2' });
    expect(r.server.last.got[0]).not.toHaveProperty('session');
  });

  it('give a refused subscription another chance', async () => {
    const { token } = provider();
    const r = await opened({ token });
    r.server.script = (conn, { type, id }) => {
      if (type !== 'subscribe' || conn.of('auth').length > 0) return false;
      conn.say({ type: 'error', id, code: 'forbidden', message: 'no' });
      return true;
    };
    const channel = r.client.channel('a');
    channel.subscribe(() => {});
    await r.settle();
    const done = r.client.refreshToken();
    await r.settle();
    await done;
    await r.settle();
    expect(channel.cursor).toEqual({ epoch: 'e1', offset: 0 });
  });
});

describe('liveness', () => {
  it('pings after silence as long as the server says, and reconnects without answer', async () => {
    const r = realtime();
    r.server.greeting = { ping: 5000 };
    r.client.connect();
    await r.settle();
    await r.pass(5000);
    expect(r.server.last.of('ping')).toHaveLength(1);
    expect(r.client.state).toBe('open');
    r.server.script = (_, { type }) => type === 'ping';
    await r.pass(5000);
    expect(r.client.state).toBe('open');
    await r.pass(10_000);
    expect(r.client.snapshot.lastClose?.by).toBe('heartbeat');
    await r.pass(500);
    expect(r.client.state).toBe('open');
  });

  it('does not wait for ever for an answer from a server that still talks', async () => {
    const r = await opened();
    r.server.script = (_, { type }) => type === 'subscribe';
    r.client.channel('a').subscribe(() => {});
    for (let i = 0; i < 4; i++) {
      await r.pass(4500);
      r.server.last.say({ type: 'hello again' });
    }
    expect(r.client.snapshot.opens).toBe(1);
    r.server.script = undefined;
    await r.pass(3000);
    expect(r.client.snapshot).toMatchObject({ state: 'open', opens: 2 });
    expect(r.client.channel('a').cursor).toBeDefined();
  });

  it('is patient with publishing and rpc, which have limits of their own', async () => {
    const r = await opened();
    r.server.script = (_, { type }) => type === 'rpc' || type === 'publish';
    const asked = rpc(r.client, 'slow', 1, { timeout: 50_000 });
    const ended = expect(asked).rejects.toMatchObject({ code: 'timeout' });
    await r.pass(49_000);
    expect(r.client.snapshot.opens).toBe(1);
    await r.pass(1000);
    await ended;
  });

  it('ignores whatever an old connection still says', async () => {
    const r = await opened();
    const old = FakeWebSocket.last;
    const { onmessage, onclose } = old;
    const got: unknown[] = [];
    r.client.channel('a').subscribe(({ data }) => got.push(data));
    await r.cut();
    await r.pass(500);
    expect(r.client.state).toBe('open');
    const late = JSON.stringify({ type: 'message', channel: 'a', offset: 1, time: 1, data: 1 });
    onmessage?.({ data: late });
    onclose?.({ code: 4409, reason: '', wasClean: true });
    expect(r.client.state).toBe('open');
    expect(got).toEqual([]);
  });

  it('is offline when the device says so, and open again when it is back', async () => {
    const r = await opened();
    r.server.sockets = 'hang';
    r.server.script = () => true;
    r.network.emit('offline');
    expect(r.client.state).toBe('offline');
    await r.pass(12_000);
    r.server.sockets = 'serve';
    r.server.script = undefined;
    r.network.emit('online');
    await r.pass(1000);
    expect(r.client.state).toBe('open');
  });

  it('believes what arrives more than what the device says, once it cannot be from before', async () => {
    const r = await opened();
    r.network.emit('offline');
    expect(r.client.state).toBe('offline');
    // These may have been under way when the network went.
    for (let i = 0; i < 3; i++) {
      r.server.last.say({ type: 'hello again' });
      await r.pass(250);
    }
    expect(r.server.last.of('ping')).toEqual([]);
    expect(r.states).toEqual(['connecting', 'open', 'offline']);
    await r.pass(250);
    expect(r.server.last.of('ping')).toHaveLength(1);
    expect(r.client.state).toBe('open');
    expect(sockets()).toBe(1);
  });

  it('stays offline when nothing answers, and looks again at a slow pace', async () => {
    const r = await opened();
    r.server.script = () => true;
    r.server.sockets = 'hang';
    r.network.emit('offline');
    await r.pass(1000);
    expect(r.server.last.of('ping')).toHaveLength(1);
    await r.pass(2250);
    expect(r.client.snapshot.retryAt).toBeUndefined();
    await r.pass(250);
    expect(r.client.state).toBe('offline');
    expect((r.client.snapshot.retryAt ?? 0) - r.clock.time).toBeGreaterThan(9000);
    expect(sockets()).toBe(1);
  });

  it('begins the doubt anew with each word of the device, and ends it with "online"', async () => {
    const r = await opened();
    r.network.emit('offline');
    await r.pass(750);
    r.network.emit('offline');
    await r.pass(750);
    r.server.last.say({ type: 'hello again' });
    expect(r.client.state).toBe('offline');
    r.network.emit('online');
    await r.settle();
    expect(r.client.state).toBe('open');
    expect(sockets()).toBe(1);
  });

  it('tries at once when the page is shown again', async () => {
    const r = await opened();
    r.server.sockets = 'refuse';
    await r.cut();
    await r.pass(8000);
    r.server.sockets = 'serve';
    expect(r.client.state).toBe('waiting');
    r.network.emit('wake');
    await r.settle();
    expect(r.client.state).toBe('open');
  });

  it('closes for the back/forward cache and resumes the session on return', async () => {
    const r = await opened();
    r.network.emit('suspend');
    expect(r.client.state).toBe('waiting');
    expect(FakeWebSocket.last.closedWith?.[0]).toBe(1000);
    await r.pass(60_000);
    expect(sockets()).toBe(1);
    r.network.emit('resume');
    await r.settle();
    expect(r.client.state).toBe('open');
    expect(r.client.snapshot.clientId).toBe('c1');
  });
});

describe('closing', () => {
  it('leaves no timer, listener or socket behind, from any state', async () => {
    const setups: ((r: Awaited<ReturnType<typeof opened>>) => Promise<void>)[] = [
      async () => {},
      async (r) => {
        r.client.channel('a').subscribe(() => {})();
        void presenceOf(r.client.channel('a')).enter({});
        presenceOf(r.client.channel('b')).on('change', () => {});
        void r.client
          .channel('a')
          .publish(1)
          .catch(() => {});
        await r.settle();
      },
      async (r) => {
        r.server.sockets = 'refuse';
        await r.cut();
        void r.client
          .channel('a')
          .publish(1)
          .catch(() => {});
      },
      async (r) => r.network.emit('offline'),
      async (r) => {
        r.server.sockets = 'hang';
        await r.cut();
        await r.pass(500);
      },
      async (r) => r.server.last.say({ type: 'expiring', expires: 1 }),
    ];
    for (const setup of setups) {
      const r = await opened({ token: () => 't' });
      await setup(r);
      const closed = r.client.close();
      for (const ws of FakeWebSocket.all) if (ws.readyState < 3) ws.end(1000);
      await closed;
      await r.settle();
      expect(r.client.state).toBe('closed');
      expect(r.clock.pending, String(setup)).toBe(0);
      expect(r.network.listeners).toBe(0);
      expect(FakeWebSocket.all.every((ws) => ws.closedWith || ws.readyState === 3)).toBe(true);
    }
  });

  it('says leave first, so that others see it at once', async () => {
    const r = await opened();
    void presenceOf(r.client.channel('a')).enter();
    await r.settle();
    void r.client.close('bye');
    await r.settle();
    expect(r.server.last.of('leave')).toMatchObject([{ channel: 'a' }]);
    expect(FakeWebSocket.last.closedWith).toEqual([1000, 'bye']);
  });

  it('forgets the session, so that the next connect begins another', async () => {
    const r = await opened();
    void r.client.close();
    await r.settle();
    r.client.connect();
    await r.settle();
    expect(r.server.last.got[0]).not.toHaveProperty('session');
    expect(r.client.snapshot.clientId).toBe('c3');
  });

  it('rejects a connect that waits', async () => {
    const r = realtime();
    const done = r.client.connect();
    void r.client.close();
    await expect(done).rejects.toMatchObject({ code: 'closed' });
  });

  it('keeps subscriptions for a later connect', async () => {
    const r = await opened();
    const got: unknown[] = [];
    r.client.channel('a').subscribe(({ data }) => got.push(data));
    await r.settle();
    void r.client.close();
    await r.settle();
    r.server.publish('a', { data: 1 });
    r.client.connect();
    await r.settle();
    expect(got).toEqual([1]);
  });
});
