import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  AnywireError,
  type Gap,
  history,
  inspect,
  type Message,
  pattern,
  presence,
  rpc,
} from '../../src/index';
import { FakeWebSocket } from '../support/fake-web-socket';
import { opened, type Realtime } from '../support/realtime';

/** What no member should ever be. */
const junk: readonly unknown[] = [
  undefined,
  null,
  true,
  -1,
  0.5,
  2 ** 60,
  -(2 ** 60),
  1e308,
  '',
  'x',
  '__proto__',
  'constructor',
  [],
  [null],
  [[]],
  [1, 'a', null, {}],
  {},
  { toString: 1, valueOf: 1 },
  JSON.parse('{"__proto__":{"toString":1},"constructor":1}'),
];

const pushes: readonly Record<string, unknown>[] = [
  { type: 'message', channel: 'room', offset: 1, time: 1, data: 1 },
  { type: 'message', channel: 'room', offset: 1, time: 1, text: '1', json: true },
  { type: 'message', channel: 'room', offset: 1, time: 1, binary: 'AAAA', event: 'e', tags: {} },
  { type: 'advance', channel: 'room', offset: 1 },
  { type: 'gap', channel: 'room', from: 1, to: 2, reason: 'slow', epoch: 'e1', offset: 2 },
  { type: 'gap', pattern: 'r*', missed: 2, reason: 'slow' },
  { type: 'subscribed', channel: 'room', epoch: 'e1', offset: 0, top: 0, recoverable: true },
  { type: 'unsubscribed', channel: 'other', code: 'overloaded', message: 'no' },
  { type: 'left', channel: 'room', code: 'forbidden', message: 'no' },
  { type: 'presence', channel: 'room', epoch: 'p1', version: 3, all: true, join: [], count: 0 },
  { type: 'presence', channel: 'room', epoch: 'p1', version: 3, partial: true, count: 0, users: 0 },
  {
    type: 'presence',
    channel: 'room',
    epoch: 'p1',
    from: 0,
    version: 1,
    join: [{ client: 'a', info: 1 }],
    update: [{ client: 'a' }],
    leave: [{ client: 'a', reason: 'left' }],
    count: 0,
    users: 0,
  },
  { type: 'error', code: 'overloaded', message: 'no', retry: false, channel: 'room' },
  { type: 'expiring', expires: 1 },
  { type: 'connected', client: 'c', session: 's', resumed: false },
  { type: 'nonsense', channel: 'room', pattern: 'r*' },
];

const replies: Record<string, Record<string, unknown>> = {
  subscribe: { type: 'subscribed', channel: 'room', epoch: 'e1', offset: 0, top: 0 },
  publish: { type: 'published', epoch: 'e1', offset: 1, duplicate: false },
  history: { type: 'history', epoch: 'e1', top: 1, oldest: 1, more: false, messages: [] },
  members: { type: 'members', epoch: 'p1', version: 1, more: false, members: [], count: 0 },
  enter: { type: 'ok' },
  rpc: { type: 'result', data: 1 },
  auth: { type: 'ok', expires: 1 },
};

let thrown: unknown[] = [];
beforeEach(() => {
  thrown = [];
  vi.stubGlobal('reportError', (error: unknown) => thrown.push(error));
});
afterEach(() => {
  vi.unstubAllGlobals();
  expect(thrown, 'no listener was disturbed').toEqual([]);
});

/** With all that a client may do in use. */
async function busy(): Promise<Realtime & { messages: Message[]; gaps: Gap[] }> {
  const r = await opened({ token: () => 'token', membersMax: 50 });
  const messages: Message[] = [];
  const gaps: Gap[] = [];
  const room = r.client.channel('room');
  room.subscribe((message) => messages.push(message));
  room.on('gap', (gap) => gaps.push(gap));
  presence(room).on('change', () => {});
  r.client.channel('other').subscribe(() => {});
  pattern(r.client, 'r*').subscribe(() => {});
  inspect(r.client).on('frame', () => {});
  await r.settle();
  return { ...r, messages, gaps };
}

/** A server that is itself again works with the client as if nothing had been. */
async function works({ client, server, pass }: Realtime): Promise<void> {
  server.script = undefined;
  server.greeting = {};
  await pass(40_000);
  expect(client.state).toBe('open');
  const got: unknown[] = [];
  client.channel('fresh').subscribe(({ data }) => got.push(data));
  await pass(1000);
  server.publish('fresh', { data: 'good' });
  expect(got).toEqual(['good']);
  const published = client.channel('fresh').publish('mine');
  await pass(1000);
  await expect(published).resolves.toMatchObject({ epoch: 'e1', offset: 2 });
}

const sane = (error: unknown) => {
  expect(error).toBeInstanceOf(AnywireError);
  expect((error as AnywireError).code).toMatch(/^[a-z_]+$/);
};

describe('a push with a member of the wrong type', () => {
  for (const push of pushes) {
    it(`disturbs nobody: ${push.type} ${Object.keys(push).join()}`, async () => {
      for (const member of Object.keys(push)) {
        const r = await busy();
        for (const value of junk) r.server.last.say({ ...push, [member]: value });
        await r.settle();
        for (const error of r.errors) expect(error).toBeInstanceOf(AnywireError);
        await works(r);
        r.client.close();
      }
    });
  }

  it('tells what cannot be read of a message, in the channel, and goes on behind it', async () => {
    const r = await busy();
    const errors: AnywireError[] = [];
    r.client.channel('room').on('error', (error) => errors.push(error));
    const channel = r.client.channel('room');
    channel.on('error', (error) => errors.push(error));
    channel.subscribe(() => {});
    const base = { type: 'message', channel: 'room', time: 1 };
    r.server.last.say({ ...base, offset: 1, data: 1 });
    r.server.last.say({ ...base, offset: 2, text: '{"half', json: true });
    r.server.last.say({ ...base, offset: 3, binary: '!!!' });
    r.server.last.say({ ...base, offset: 4, data: 4 });
    expect(r.messages.map(({ offset }) => offset)).toEqual([1, 4]);
    expect(errors).toMatchObject([
      { code: 'bad_message', channel: 'room', cause: expect.any(Error) },
      { code: 'bad_message', channel: 'room', cause: expect.any(Error) },
    ]);
    expect(errors[0]?.advice).toContain('do not fit');
    await works(r);
  });

  it('harms none of the messages in the same frame', async () => {
    const r = await busy();
    const good = (offset: number) => ({ type: 'message', channel: 'room', offset, time: 1 });
    const bad = { type: 'unsubscribed', channel: 'room', code: { toString: 1 } };
    r.server.last.say(good(1), { ...bad, channel: 'other' }, good(2));
    expect(r.messages.map(({ offset }) => offset)).toEqual([1, 2]);
    expect(r.errors).toMatchObject([{ code: 'bad_message' }]);
    await works(r);
  });
});

describe('a reply with a member of the wrong type', () => {
  for (const [type, reply] of Object.entries(replies)) {
    it(`is an error value at most: ${type}`, async () => {
      for (const member of [...Object.keys(reply), 'extra']) {
        const r = await busy();
        let at = 0;
        r.server.script = (conn, message) => {
          if (message.type !== type) return false;
          conn.say({ ...reply, [member]: junk[at++ % junk.length], id: message.id });
          return true;
        };
        const asked: Promise<unknown>[] = [];
        for (let i = 0; i < junk.length; i++) {
          const room = r.client.channel(`room ${i}`);
          const leave = room.subscribe(() => {});
          const leavePresence = presence(room).on('change', () => {});
          asked.push(
            room.publish(i, { timeout: 1000 }),
            Promise.resolve(history(room)),
            presence(room).enter(i),
            rpc(r.client, 'm', i, { timeout: 1000 }),
            r.client.refreshToken(),
          );
          await r.settle();
          leave();
          leavePresence();
        }
        const settled = Promise.allSettled(asked);
        await works(r);
        r.client.close();
        for (const one of await settled) if (one.status === 'rejected') sane(one.reason);
        for (const error of r.errors) expect(error).toBeInstanceOf(AnywireError);
      }
    });
  }

  it('rejects a publish whose answer says no position, for nobody knows what became of it', async () => {
    const r = await busy();
    r.server.script = (conn, { type, id }) => {
      if (type === 'publish') conn.say({ type: 'ok', id });
      return type === 'publish';
    };
    const published = r.client.channel('room').publish(1);
    await r.settle();
    await expect(published).rejects.toMatchObject({ code: 'bad_message', uncertain: true });
  });

  it('refuses a subscription that begins nowhere', async () => {
    const r = await opened();
    r.server.script = (conn, { type, id, channel }) => {
      const answer = { type: 'subscribed', id, channel, epoch: 'e1', offset: 'x', top: 0 };
      if (type === 'subscribe') conn.say(answer);
      return type === 'subscribe';
    };
    r.client.channel('room').subscribe(() => {});
    await r.pass(60_000);
    expect(r.errors).toMatchObject([{ code: 'bad_message', channel: 'room' }]);
    expect(r.server.last.of('subscribe')).toHaveLength(1);
  });
});

describe('a greeting with a member of the wrong type', () => {
  it.each(['client', 'session', 'resumed', 'user', 'ping', 'messageBytesMax', 'expires'])(
    'leaves a client that goes on: %s',
    async (member) => {
      for (const value of junk) {
        const r = await opened();
        r.server.greeting = { [member]: value };
        await r.cut();
        await r.pass(2000);
        const before = r.server.conns.length;
        await r.pass(60_000);
        expect(r.server.conns.length - before, `${String(member)}`).toBeLessThan(20);
        expect(r.server.last.of('ping').length).toBeLessThan(64);
        r.server.greeting = {};
        r.server.last.close(1006);
        await works(r);
        r.client.close();
      }
    },
  );
});

describe('frames that are none', () => {
  const frames: readonly [string, string | ArrayBuffer][] = [
    ['half an object', '{"type":"message"'],
    ['bytes', new ArrayBuffer(9)],
    ['nothing', ''],
    ['a number', '7'],
    ['null', 'null'],
    ['a list of nothing', '[null,[[]],7,"x",{}]'],
    ['a list that is very deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['ten megabytes', JSON.stringify({ type: 'nonsense', data: 'x'.repeat(10 << 20) })],
  ];

  it.each(frames)('are an error value at most, and no storm: %s', async (_, frame) => {
    const r = await opened();
    // Parsing megabytes takes its time.
    const times = typeof frame === 'string' && frame.length > 1e6 ? 3 : 60;
    for (let i = 0; i < times; i++) {
      FakeWebSocket.last.say(frame);
      await r.pass(1000);
    }
    expect(FakeWebSocket.all.length).toBeLessThan(30);
    if (r.client.snapshot.error) sane(r.client.snapshot.error);
    await works(r);
  });

  it('before the greeting mean that there is no such server', async () => {
    const r = await opened();
    r.client.close();
    await r.settle();
    r.server.sockets = 'hang';
    r.client.connect();
    await r.settle();
    FakeWebSocket.last.accept('anywire.v1.json').say('<html>');
    await r.settle();
    expect(r.client.snapshot).toMatchObject({
      state: 'failed',
      error: { code: 'unsupported', advice: expect.stringContaining('url') },
    });
  });

  it('of things said before the answer to connect are ignored', async () => {
    const r = await opened();
    r.server.script = (conn, { type }) => {
      if (type !== 'connect') return false;
      for (const push of pushes) conn.say(push);
      conn.say({ type: 'published', id: 77, epoch: 'e', offset: 1 });
      conn.say({ type: 'error', code: 'nonsense', message: 'no' });
      return false;
    };
    await r.cut();
    await r.pass(1000);
    expect(r.client.state).toBe('open');
    expect(r.errors).toEqual([]);
  });
});
