import { describe, expect, it, vi } from 'vitest';
import { createSocket, Socket } from '../src/index';
import { FakeClock } from './support/fake-clock';
import { FakeNetwork } from './support/fake-network';
import { FakeWebSocket } from './support/fake-web-socket';
import { harness, opened, url } from './support/harness';

describe('idle', () => {
  it('is where it starts, with nothing made and nothing running', () => {
    const h = harness();
    expect(h.socket.snapshot).toEqual({
      state: 'idle',
      attempt: 0,
      retryAt: undefined,
      error: undefined,
      lastClose: undefined,
      dropped: 0,
      opens: 0,
    });
    expect(h.made()).toBe(0);
    expect(h.clock.pending).toBe(0);
    expect(h.network.listeners).toBe(0);
  });

  it('goes to connecting by connect()', () => {
    const h = harness();
    h.socket.connect();
    expect(h.states).toEqual(['connecting']);
    expect(h.ws().url).toBe(url);
    expect(h.ws().binaryType).toBe('arraybuffer');
    expect(h.network.listeners).toBe(1);
  });

  it('is skipped by createSocket', () => {
    FakeWebSocket.reset();
    const socket = createSocket({
      url,
      clock: new FakeClock(),
      network: new FakeNetwork(),
      WebSocket: FakeWebSocket,
    });
    expect(socket.state).toBe('connecting');
  });

  it('goes to closed by close()', async () => {
    const h = harness();
    await h.socket.close();
    expect(h.states).toEqual(['closed']);
    expect(h.made()).toBe(0);
  });
});

describe('connecting', () => {
  it('goes to open when the server accepts', () => {
    const h = opened();
    expect(h.states).toEqual(['connecting', 'open']);
    expect(h.opens).toEqual([1]);
    expect(h.socket.snapshot).toMatchObject({ state: 'open', attempt: 0, opens: 1 });
  });

  it('ignores a second connect()', () => {
    const h = harness();
    h.socket.connect();
    h.socket.connect();
    expect(h.made()).toBe(1);
    expect(h.states).toEqual(['connecting']);
  });

  it('goes to waiting when the server cannot be reached, and is not a close', () => {
    const h = harness();
    h.socket.connect();
    h.ws().end();
    expect(h.states).toEqual(['connecting', 'waiting']);
    expect(h.socket.snapshot).toMatchObject({
      attempt: 1,
      error: { code: 'network' },
      lastClose: { code: 1006, by: 'peer' },
    });
    expect(h.closes).toEqual([]);
  });

  it('goes to waiting when the handshake takes too long, and closes what hangs', () => {
    const h = harness();
    h.socket.connect();
    h.clock.advance(9999);
    expect(h.socket.state).toBe('connecting');
    h.clock.advance(1);
    expect(h.socket.snapshot).toMatchObject({
      state: 'waiting',
      error: { code: 'timeout' },
      lastClose: { by: 'timeout' },
    });
    expect(h.ws().closedWith).toEqual([undefined, undefined]);
  });

  it('takes another limit for the handshake', () => {
    const h = harness({ connectTimeout: 100 });
    h.socket.connect();
    h.clock.advance(100);
    expect(h.socket.state).toBe('waiting');
  });

  it('has no limit left once it is open', () => {
    const h = opened();
    h.clock.advance(60_000);
    expect(h.socket.state).toBe('open');
  });

  it('goes to closed by close(), and a late acceptance changes nothing', () => {
    const h = harness();
    h.socket.connect();
    void h.socket.close();
    h.ws().accept();
    expect(h.states).toEqual(['connecting', 'closed']);
    expect(h.opens).toEqual([]);
    expect(h.ws().closedWith).toBeDefined();
  });

  it('goes to offline when the device says so, yet open if it is wrong', () => {
    const h = harness();
    h.socket.connect();
    h.network.emit('offline');
    expect(h.socket.state).toBe('offline');
    h.ws().accept();
    expect(h.states).toEqual(['connecting', 'offline', 'open']);
  });
});

describe('open', () => {
  it('delivers text and binary in order', () => {
    const h = opened();
    const binary = new ArrayBuffer(3);
    h.ws().say('a');
    h.ws().say(binary);
    h.ws().say('');
    expect(h.messages).toEqual(['a', binary, '']);
  });

  it('goes to waiting when the link breaks, and says how it ended', () => {
    const h = opened();
    h.ws().end(1001, 'restart');
    expect(h.socket.snapshot).toMatchObject({
      state: 'waiting',
      attempt: 1,
      lastClose: { code: 1001, reason: 'restart', wasClean: true, by: 'peer' },
      error: { code: 'network', message: 'The link was closed (1001: restart)' },
    });
    expect(h.closes).toHaveLength(1);
  });

  it.each([1000, 1001, 1002, 1005, 1006, 1009, 1011, 1012, 1013, 3000])(
    'comes back after %i',
    (code) => {
      const h = opened();
      h.ws().end(code);
      expect(h.socket.state).toBe('waiting');
      h.clock.advance(1000);
      expect(h.socket.state).toBe('connecting');
    },
  );

  it('clears the error of the time before', () => {
    const h = opened();
    h.ws().end();
    h.clock.advance(1000);
    h.ws().accept();
    expect(h.socket.snapshot).toMatchObject({ state: 'open', error: undefined, opens: 2 });
    expect(h.socket.snapshot.lastClose?.code).toBe(1006);
  });

  it('goes to closed by close() with a code and a reason', async () => {
    const h = opened();
    const gone = h.socket.close(4000, 'bye');
    expect(h.socket.state).toBe('closed');
    expect(h.ws().closedWith).toEqual([4000, 'bye']);
    expect(h.closes).toEqual([{ code: 4000, reason: 'bye', wasClean: true, by: 'local' }]);
    h.ws().end(4000, 'bye');
    await gone;
    expect(h.closes).toHaveLength(1);
  });

  it('does without a close code that the platform refuses', () => {
    const h = opened();
    expect(() => h.socket.close(1)).not.toThrow();
    expect(h.socket.state).toBe('closed');
    expect(h.ws().readyState).toBe(FakeWebSocket.CLOSING);
  });

  it('waits at most two seconds for the goodbye', async () => {
    const h = opened();
    let done = false;
    const gone = h.socket.close().then(() => {
      done = true;
    });
    h.clock.advance(1999);
    await Promise.resolve();
    expect(done).toBe(false);
    h.clock.advance(1);
    await gone;
    expect(done).toBe(true);
  });

  it('leaves no timer and no listener when closed', () => {
    const h = opened({}, 'anywire.raw.v1');
    void h.socket.close();
    h.ws().end(1000);
    expect(h.clock.pending).toBe(0);
    expect(h.network.listeners).toBe(0);
  });

  it('can be disposed of', async () => {
    const h = opened();
    const gone = h.socket[Symbol.asyncDispose]();
    h.ws().end(1000);
    await gone;
    expect(h.socket.state).toBe('closed');
  });

  it('shows the selected subprotocol while open', () => {
    const h = harness({ protocols: ['chat'] });
    expect(h.socket.protocol).toBe('');
    h.socket.connect();
    expect(h.socket.protocol).toBe('');
    h.ws().accept('chat');
    expect(h.socket.protocol).toBe('chat');
    h.ws().end();
    expect(h.socket.protocol).toBe('');
  });
});

describe('waiting', () => {
  it('tries again within a second of losing an open link', () => {
    const h = opened();
    h.clock.advance(60_000);
    h.ws().end();
    const { retryAt } = h.socket.snapshot;
    expect(retryAt).toBeLessThanOrEqual(h.clock.time + 250);
    h.clock.advance(250);
    expect(h.socket.state).toBe('connecting');
    expect(h.made()).toBe(2);
    expect(h.socket.snapshot.retryAt).toBeUndefined();
  });

  it('waits longer each time, up to the maximum, and counts', () => {
    const h = harness({ backoff: { jitter: 'none' } });
    h.socket.connect();
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      h.ws().end();
      const { retryAt = 0, attempt } = h.socket.snapshot;
      expect(attempt).toBe(i + 1);
      waits.push(retryAt - h.clock.time);
      h.clock.advance(retryAt - h.clock.time);
      expect(h.socket.state).toBe('connecting');
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
  });

  it('starts over after five seconds of health', () => {
    const h = harness({ backoff: { jitter: 'none' } });
    h.socket.connect();
    for (let i = 0; i < 4; i++) {
      h.ws().end();
      h.retry();
    }
    h.ws().accept();
    expect(h.socket.snapshot.attempt).toBe(0);
    h.clock.advance(5000);
    h.ws().end();
    expect(h.socket.snapshot).toMatchObject({ attempt: 1, retryAt: h.clock.time + 250 });
  });

  it('goes on growing for a server that accepts and throws out', () => {
    const h = harness({ backoff: { jitter: 'none' } });
    h.socket.connect();
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      h.ws().accept();
      h.clock.advance(4999);
      h.ws().end(1000);
      waits.push((h.socket.snapshot.retryAt ?? 0) - h.clock.time);
      h.retry();
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000]);
  });

  it('is hurried by connect()', () => {
    const h = opened();
    h.ws().end();
    h.socket.connect();
    expect(h.socket.state).toBe('connecting');
    h.clock.advance(1000);
    expect(h.made()).toBe(2);
  });

  it('goes to closed by close(), and nothing is tried again', () => {
    const h = opened();
    h.ws().end();
    void h.socket.close();
    h.clock.advance(100_000);
    expect(h.made()).toBe(1);
    expect(h.socket.snapshot).toMatchObject({ state: 'closed', attempt: 0, retryAt: undefined });
  });

  it('has a limit of tries when told so', () => {
    const h = harness({ retries: 2 });
    h.socket.connect();
    for (let i = 0; i < 3; i++) {
      h.ws().end();
      h.retry();
    }
    expect(h.made()).toBe(3);
    expect(h.socket.snapshot).toMatchObject({ state: 'failed', error: { code: 'retries' } });
    expect(h.socket.snapshot.error?.cause).toMatchObject({ code: 'network' });
    expect(h.clock.pending).toBe(0);
  });
});

describe('closed', () => {
  it('opens again by connect(), with the count at zero', () => {
    const h = opened();
    void h.socket.close();
    h.ws().end(1000);
    h.socket.connect();
    h.ws().accept();
    expect(h.states).toEqual(['connecting', 'open', 'closed', 'connecting', 'open']);
    expect(h.network.listeners).toBe(1);
  });

  it('opens again by reconnect()', () => {
    const h = opened();
    void h.socket.close();
    h.socket.reconnect();
    expect(h.socket.state).toBe('connecting');
  });

  it('stays closed when closed again', () => {
    const h = opened();
    void h.socket.close();
    void h.socket.close();
    expect(h.states.filter((state) => state === 'closed')).toHaveLength(1);
    expect(h.closes).toHaveLength(1);
  });

  it('does not listen to the device', () => {
    const h = opened();
    void h.socket.close();
    for (const event of ['offline', 'online', 'wake', 'suspend', 'resume'] as const) {
      h.network.emit(event);
    }
    expect(h.socket.state).toBe('closed');
    expect(h.made()).toBe(1);
  });
});

describe('failed', () => {
  it.each([1008, 4000, 4401, 4999])('is where close code %i leads, and it stays there', (code) => {
    const h = opened();
    h.ws().end(code, 'no');
    expect(h.socket.snapshot).toMatchObject({
      state: 'failed',
      error: { code: 'fatal-close', message: `The server closed with ${code}: no` },
      lastClose: { code, reason: 'no' },
      retryAt: undefined,
    });
    h.network.emit('online');
    h.network.emit('wake');
    h.clock.advance(1_000_000);
    expect(h.made()).toBe(1);
    expect(h.clock.pending).toBe(0);
  });

  it('takes its own list of codes', () => {
    const h = opened({ fatal: [1011] });
    h.ws().end(4000);
    expect(h.socket.state).toBe('waiting');
    h.clock.advance(1000);
    h.ws().accept().end(1011);
    expect(h.socket.state).toBe('failed');
  });

  it('takes a predicate, and a mistake in it means "not fatal"', () => {
    const h = opened({ fatal: ({ reason }) => reason === 'banned' });
    h.ws().end(1000, 'banned');
    expect(h.socket.state).toBe('failed');
    vi.spyOn(console, 'error').mockImplementationOnce(() => {});
    const other = opened({
      fatal: () => {
        throw new Error('mine');
      },
    });
    other.ws().end(1008);
    expect(other.socket.state).toBe('waiting');
  });

  it('opens again by connect() or reconnect()', () => {
    const h = opened();
    h.ws().end(1008);
    h.socket.connect();
    h.ws().accept();
    expect(h.socket.state).toBe('open');
    expect(h.socket.snapshot.error).toBeUndefined();
    h.ws().end(1008);
    h.socket.reconnect();
    expect(h.socket.state).toBe('connecting');
  });

  it.each(['ftp://a.test/', 'no url at all', 'ws://', ''])('is where the URL %j leads', (bad) => {
    const h = harness({ url: bad });
    expect(() => h.socket.connect()).not.toThrow();
    expect(h.socket.snapshot).toMatchObject({ state: 'failed', error: { code: 'bad-url' } });
    expect(h.clock.pending).toBe(0);
  });

  it('is where a page on https: that asks for ws: ends up, with words', () => {
    const h = harness();
    const cause = Object.assign(new Error('insecure'), { name: 'SecurityError' });
    FakeWebSocket.refuse = cause;
    h.socket.connect();
    expect(h.socket.snapshot.error).toMatchObject({ code: 'blocked', cause });
  });

  it('is where a platform that throws a SyntaxError leads', () => {
    const h = harness();
    FakeWebSocket.refuse = new SyntaxError('bad');
    h.socket.connect();
    expect(h.socket.snapshot.error?.code).toBe('bad-url');
  });

  it('is where a platform without WebSocket leads', () => {
    vi.stubGlobal('WebSocket', undefined);
    const socket = new Socket({ url, clock: new FakeClock(), network: new FakeNetwork() });
    socket.connect();
    expect(socket.snapshot).toMatchObject({ state: 'failed', error: { code: 'unsupported' } });
    vi.unstubAllGlobals();
  });

  it('uses the WebSocket of the platform when none is passed', () => {
    FakeWebSocket.reset();
    vi.stubGlobal('WebSocket', FakeWebSocket);
    createSocket({ url, clock: new FakeClock(), network: new FakeNetwork() });
    expect(FakeWebSocket.last.url).toBe(url);
    vi.unstubAllGlobals();
  });
});
