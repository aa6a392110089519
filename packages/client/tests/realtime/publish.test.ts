import { describe, expect, it } from 'vitest';
import { type AnywireError, createClient, type Published, rpc } from '../../src/index';
import { msgpack } from '../../src/msgpack';
import { FakeClock } from '../support/fake-clock';
import { FakeWebSocket } from '../support/fake-web-socket';
import { opened, type Realtime, realtime } from '../support/realtime';

const room = 'room:1';

/** Publishes and writes down what becomes of it. */
function attempt(r: Realtime, ...args: Parameters<ReturnType<typeof r.client.channel>['publish']>) {
  const outcome: { done?: Published; error?: AnywireError } = {};
  r.client
    .channel(room)
    .publish(...args)
    .then(
      (done) => {
        outcome.done = done;
      },
      (error: AnywireError) => {
        outcome.error = error;
      },
    );
  return outcome;
}

describe('publishing', () => {
  it('resolves with the position', async () => {
    const r = await opened();
    const a = attempt(r, { text: 'hi' }, { event: 'chat', messageId: 'm1', tags: { a: 'b' } });
    await r.settle();
    expect(a.done).toEqual({ epoch: 'e1', offset: 1, duplicate: false });
    expect(r.server.last.of('publish')[0]).toEqual({
      type: 'publish',
      id: expect.any(Number),
      channel: room,
      event: 'chat',
      messageId: 'm1',
      tags: { a: 'b' },
      idempotencyKey: expect.stringMatching(/^[0-9a-z]{24}-1$/),
      data: { text: 'hi' },
    });
  });

  it.each([
    ['text', 'hello', { text: 'hello' }],
    ['bytes', new Uint8Array([1, 255]), { binary: 'Af8=' }],
    ['a buffer', new Uint8Array([1]).buffer, { binary: 'AQ==' }],
    ['a view', new DataView(new Uint8Array([1, 2, 3]).buffer, 1), { binary: 'AgM=' }],
    ['nothing', undefined, { data: null }],
    ['null', null, { data: null }],
    ['zero', 0, { data: 0 }],
    ['a list', [1], { data: [1] }],
  ])('sends %s as its kind', async (_, data, members) => {
    const r = await opened();
    void attempt(r, data);
    await r.settle();
    const [sent] = r.server.last.of('publish');
    expect(sent).toMatchObject(members);
    expect(['data', 'text', 'binary'].filter((name) => name in (sent ?? {}))).toHaveLength(1);
  });

  it('resolves with the offset 0 when the application took it and published nothing', async () => {
    const r = await opened();
    const nowhere = { epoch: '0000000000000000', offset: 0 };
    r.server.script = (conn, { type, id }) => {
      if (type === 'publish') conn.say({ type: 'published', id, ...nowhere });
      return type === 'publish';
    };
    const a = attempt(r, 'dropped');
    await r.settle();
    expect(a).toEqual({ done: { ...nowhere, duplicate: false } });
  });

  it('says that a key had been used before', async () => {
    const r = await opened();
    void attempt(r, 1, { idempotencyKey: 'mine' });
    const b = attempt(r, 1, { idempotencyKey: 'mine' });
    await r.settle();
    expect(b.done).toEqual({ epoch: 'e1', offset: 1, duplicate: true });
    expect(r.server.published).toHaveLength(1);
  });

  it('takes data as it is at the time of the call', async () => {
    const r = realtime();
    const data = { n: 1 };
    void attempt(r, data);
    data.n = 2;
    await r.settle();
    expect(r.server.published).toMatchObject([{ data: { n: 1 } }]);
  });

  it('rejects what cannot be encoded, and what the server refuses', async () => {
    const r = await opened();
    const a = attempt(r, 1n);
    r.server.script = (conn, { type, id }) => {
      if (type !== 'publish') return false;
      conn.say({ type: 'error', id, code: 'forbidden', message: 'no', retry: false });
      return true;
    };
    const b = attempt(r, 1);
    await r.settle();
    expect(a.error).toMatchObject({ code: 'bad_data', channel: room });
    expect(b.error).toMatchObject({ code: 'forbidden', retry: false, channel: room });
    expect(r.client.queued).toBe(0);
  });

  it('keeps the order, also of what has to wait for the window', async () => {
    const r = await opened();
    const all = Array.from({ length: 200 }, (_, i) => attempt(r, i));
    r.server.script = ({ got }) => {
      const waiting = got.filter(({ type }) => type === 'publish').length;
      expect(waiting).toBeLessThanOrEqual(200);
      return false;
    };
    await r.settle();
    expect(all.map(({ done }) => done?.offset)).toEqual(all.map((_, i) => i + 1));
  });

  it('has at most 128 commands under way, in frames of at most 64', async () => {
    const r = await opened();
    r.server.script = (_, { type }) => type === 'publish';
    const before = FakeWebSocket.last.sent.length;
    for (let i = 0; i < 200; i++) void attempt(r, i);
    await r.settle();
    expect(r.server.last.of('publish')).toHaveLength(128);
    await r.cut();
    await r.pass(500);
    const frames = FakeWebSocket.last.sent.map((frame) => [JSON.parse(frame as string)].flat());
    expect(frames.map(({ length }) => length)).toEqual([1, 64, 64]);
    expect(before).toBe(1);
  });
});

describe('publishing without a connection', () => {
  it('waits for one', async () => {
    const r = realtime();
    const a = attempt(r, 1);
    const b = attempt(r, 2);
    expect(r.client.queued).toBe(2);
    await r.settle();
    expect([a.done?.offset, b.done?.offset]).toEqual([1, 2]);
    expect(r.client.queued).toBe(0);
  });

  it('sends again what was not answered, under the same key, before what is newer', async () => {
    const r = await opened();
    r.server.script = (_, { type }) => type === 'publish';
    const a = attempt(r, 'lost');
    await r.settle();
    const [{ idempotencyKey } = {} as never] = r.server.last.of('publish');
    await r.cut();
    r.server.script = undefined;
    const b = attempt(r, 'later');
    await r.pass(500);
    const sent = r.server.last.of('publish');
    expect(sent.map(({ text }) => text)).toEqual(['lost', 'later']);
    expect(sent[0]).toMatchObject({ idempotencyKey });
    expect([a.done?.offset, b.done?.offset]).toEqual([1, 2]);
  });

  it('never doubles what had arrived before the link broke', async () => {
    const r = await opened();
    r.server.script = (conn, message) => {
      if (message.type !== 'publish') return false;
      // Taken, but the answer is lost with the connection.
      r.server.script = undefined;
      r.server.take({ ...conn, say: () => {}, of: () => [], close: () => {} } as never, message);
      conn.close(1006);
      return true;
    };
    const a = attempt(r, 'once');
    await r.pass(1000);
    expect(r.server.published).toHaveLength(1);
    expect(a.done).toMatchObject({ offset: 1, duplicate: true });
  });

  it('gives each client keys of its own', async () => {
    const keys = new Set<unknown>();
    for (let i = 0; i < 20; i++) {
      const r = await opened();
      void attempt(r, 1);
      await r.settle();
      keys.add(r.server.last.of('publish')[0]?.idempotencyKey);
    }
    expect(keys.size).toBe(20);
  });

  it('refuses what is over the bounds, saying so', async () => {
    const r = realtime({ queue: { max: 2, bytes: 400 } });
    r.server.sockets = 'hang';
    const outcomes = [1, 2, 3].map((i) => attempt(r, i));
    const large = attempt(r, 'x'.repeat(400));
    await r.settle();
    expect(outcomes.map(({ error }) => error?.code)).toEqual([undefined, undefined, 'queue_full']);
    expect(outcomes[2]?.error).toMatchObject({ retry: true, uncertain: false });
    expect(large.error?.code).toBe('too_large');
  });

  it('counts bytes as well', async () => {
    const r = realtime({ queue: { bytes: 500 } });
    r.server.sockets = 'hang';
    const outcomes = [1, 2, 3].map(() => attempt(r, 'x'.repeat(100)));
    await r.settle();
    expect(outcomes.map(({ error }) => error?.code)).toEqual([undefined, undefined, 'queue_full']);
  });

  it('gives up the oldest instead, if wanted', async () => {
    const r = realtime({ queue: { max: 2, overflow: 'drop-oldest' } });
    const outcomes = [1, 2, 3].map((i) => attempt(r, i));
    await r.settle();
    expect(outcomes[0]?.error).toMatchObject({ code: 'pushed_out', uncertain: false });
    expect(outcomes.map(({ done }) => done?.offset)).toEqual([undefined, 1, 2]);
  });

  it('times out, and says whether it may have been published', async () => {
    const r = realtime();
    r.server.sockets = 'hang';
    const unsent = attempt(r, 1, { timeout: 1000 });
    await r.pass(1000);
    expect(unsent.error).toMatchObject({ code: 'timeout', retry: true, uncertain: false });
    r.server.sockets = 'serve';
    r.server.script = (_, { type }) => type === 'publish';
    await r.pass(20_000);
    const sent = attempt(r, 1, { timeout: 1000 });
    await r.pass(1000);
    expect(sent.error).toMatchObject({ code: 'timeout', uncertain: true });
    expect(r.client.queued).toBe(0);
  });

  it('does not repeat beyond the time for which the server knows the key', async () => {
    const r = await opened();
    r.server.script = (_, { type }) => type === 'publish';
    const a = attempt(r, 1, { timeout: 3_600_000 });
    await r.pass(1000);
    await r.cut();
    r.server.sockets = 'refuse';
    await r.pass(269_000);
    expect(a.error).toMatchObject({ code: 'timeout', uncertain: true });
    r.server.sockets = 'serve';
    await r.pass(20_000);
    expect(r.server.last.of('publish')).toEqual([]);
  });

  it('can be aborted', async () => {
    const r = realtime();
    const controller = new AbortController();
    const a = attempt(r, 1, { signal: controller.signal });
    controller.abort();
    const b = attempt(r, 1, { signal: controller.signal });
    await r.settle();
    expect([a.error?.code, b.error?.code]).toEqual(['aborted', 'aborted']);
    expect(r.server.published).toEqual([]);
  });

  it('is refused when the client is closed, and what waits is rejected', async () => {
    const r = realtime();
    const a = attempt(r, 1);
    void r.client.close();
    const b = attempt(r, 1);
    await r.settle();
    expect([a.error?.code, b.error?.code]).toEqual(['closed', 'closed']);
  });

  it('is rejected when the server does not want this client', async () => {
    const r = await opened();
    r.server.script = (conn, { type }) => {
      if (type === 'publish') conn.close(4403, 'out');
      return type === 'publish';
    };
    const a = attempt(r, 1);
    await r.settle();
    expect(a.error).toMatchObject({ code: 'refused', uncertain: true });
  });
});

describe('publishing to a server in trouble', () => {
  it.each(['overloaded', 'rate_limited', 'unavailable', 'too_many_pending'])(
    'tries again after %s',
    async (code) => {
      const r = await opened();
      let refusals = 3;
      r.server.script = (conn, { type, id }) => {
        if (type !== 'publish' || refusals-- <= 0) return false;
        conn.say({ type: 'error', id, code, message: 'later', retry: true });
        return true;
      };
      const a = attempt(r, 1);
      await r.pass(500);
      expect(a.done).toBeUndefined();
      await r.pass(2000);
      expect(a.done?.offset).toBe(1);
    },
  );

  it('gives up what the server closes on as too large, and nothing else', async () => {
    const r = await opened();
    r.server.script = (conn, { type, text }) => {
      if (type !== 'publish') return false;
      if (String(text).length > 100) conn.close(1009);
      return true;
    };
    const small = attempt(r, 'small');
    const large = attempt(r, 'x'.repeat(200));
    await r.settle();
    r.server.script = undefined;
    await r.pass(1000);
    expect(large.error?.code).toBe('too_large');
    expect(small.done?.offset).toBe(1);
    expect(r.client.state).toBe('open');
  });

  it('does not send what is larger than the server takes', async () => {
    const r = realtime();
    r.server.greeting = { messageBytesMax: 1000 };
    const early = attempt(r, 'x'.repeat(2000));
    await r.settle();
    const late = attempt(r, 'x'.repeat(2000));
    await r.settle();
    expect([early.error?.code, late.error?.code]).toEqual(['too_large', 'too_large']);
    expect(r.server.last.of('publish')).toEqual([]);
  });

  it('keeps frames below the size that the server takes', async () => {
    const r = realtime();
    r.server.greeting = { messageBytesMax: 1000 };
    r.client.connect();
    await r.settle();
    for (let i = 0; i < 20; i++) void attempt(r, 'x'.repeat(200));
    await r.settle();
    const sizes = FakeWebSocket.last.sent.map((frame) => (frame as string).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1000);
    expect(r.server.published).toHaveLength(20);
  });
});

describe('rpc', () => {
  it('resolves with the result', async () => {
    const r = await opened();
    const done = rpc(r.client, 'sum', [1, 2]);
    await r.settle();
    expect(await done).toEqual(['sum', [1, 2]]);
  });

  it('is not repeated, for it may have been carried out', async () => {
    const r = await opened();
    r.server.script = (_, { type }) => type === 'rpc';
    const seen = expect(rpc(r.client, 'pay')).rejects.toMatchObject({
      code: 'connection_lost',
      uncertain: true,
    });
    await r.settle();
    await r.cut();
    await seen;
    await r.pass(1000);
    expect(r.server.last.of('rpc')).toEqual([]);
  });
});

describe('MessagePack', () => {
  it('carries everything, bytes as bytes', async () => {
    const r = realtime({ codec: msgpack() });
    r.server.codec = msgpack();
    const got: unknown[] = [];
    r.client.channel(room).subscribe(({ data }) => got.push(data));
    const a = attempt(r, new Uint8Array([1, 2]));
    const b = attempt(r, { n: 1 });
    await r.settle();
    expect(FakeWebSocket.last.protocols).toEqual(['anywire.v1.msgpack']);
    expect(FakeWebSocket.last.sent[0]).toBeInstanceOf(Uint8Array);
    expect(got).toEqual([new Uint8Array([1, 2]), { n: 1 }]);
    expect([a.done?.offset, b.done?.offset]).toEqual([1, 2]);
  });

  it('treats a frame that is none as a broken link', async () => {
    const r = realtime({ codec: msgpack() });
    r.server.codec = msgpack();
    r.client.connect();
    await r.settle();
    FakeWebSocket.last.say(new Uint8Array([0xc1]).buffer);
    expect(r.client.state).toBe('waiting');
  });
});

describe('a platform without crypto', () => {
  it('makes keys by the clock', async () => {
    const { crypto } = globalThis;
    Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
    try {
      const clock = new FakeClock();
      clock.chance = 0.5;
      FakeWebSocket.reset();
      const client = createClient({ url: 'wss://x.test/', clock, WebSocket: FakeWebSocket });
      const failed = expect(client.channel('a').publish(1)).rejects.toMatchObject({
        code: 'closed',
      });
      void client.close();
      await failed;
    } finally {
      Object.defineProperty(globalThis, 'crypto', { value: crypto, configurable: true });
    }
  });
});
