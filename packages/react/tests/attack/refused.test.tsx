import { act } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { define } from '../../../client/src/contract';
import type { ClientOptions, Message } from '../../../client/src/index';
import {
  useChannel,
  useConnectionState,
  useHistory,
  useOptimisticPublish,
  usePresence,
  useRpc,
} from '../../src/index';
import { tokenSource } from '../../src/token';
import { asked, cut, makeClient, network, pass, probe, publish, server, settle } from '../realtime';
import { textSchema } from '../schema';

const rt = define({ channels: { room: { message: textSchema } } });
/** Everything that a page may show of a channel. */
const everything = (name: string | null = 'room') => ({
  channel: useChannel(name),
  history: useHistory(name),
  sent: useOptimisticPublish(name),
  present: usePresence(name, { name: 'Ann' }),
  rpc: useRpc('sum'),
  connection: useConnectionState(),
});
type All = ReturnType<typeof everything>;
const statuses = ({ channel, history, sent, present }: All) =>
  new Set([channel, history, sent, present].map(({ status }) => status));
const errors = ({ channel, history, sent, present }: All) =>
  [channel, history, sent, present].map(({ error }) => error);

describe('an address that leads nowhere', () => {
  it.each(['', 'ftp://x/', 'http://[', undefined])(
    'is an error with advice in every hook: %s',
    async (url) => {
      const client = makeClient({ url: url as string });
      const p = probe(everything, { client, strict: true });
      await settle();
      // In jsdom the page has an address, so what is relative would lead somewhere.
      expect(statuses(p.result)).toEqual(new Set(['failed']));
      for (const error of [...errors(p.result), p.result.connection.error]) {
        expect(error).toMatchObject({ code: 'bad_url', advice: expect.any(String) });
      }
      await act(async () => void p.result.channel.publish(1).catch(() => {}));
      await act(async () => void p.result.rpc.call(undefined));
      await settle();
      expect(p.result.rpc.error).toMatchObject({ code: 'closed' });
    },
  );
});

describe('a token route', () => {
  const hang: typeof fetch = (_, init) =>
    new Promise((_, reject) => {
      init?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
    });
  const answers: readonly [string, typeof fetch, string, number][] = [
    ['401', async () => new Response('', { status: 401 }), 'failed', 1],
    ['403', async () => new Response('no', { status: 403 }), 'failed', 1],
    ['404', async () => new Response('<html>', { status: 404 }), 'connecting', 15],
    ['500', async () => new Response('oops', { status: 500 }), 'connecting', 15],
    ['a page instead of JSON', async () => new Response('<html>'), 'connecting', 15],
    ['null', async () => new Response('null'), 'connecting', 15],
    ['a list', async () => new Response('[]'), 'connecting', 15],
    ['no token', async () => new Response('{"tokens":1}'), 'connecting', 15],
    ['five megabytes', async () => new Response('x'.repeat(5 << 20)), 'connecting', 15],
    ['no answer at all', hang, 'connecting', 15],
    ['a refusal to connect', () => Promise.reject(new TypeError('fetch')), 'connecting', 15],
    [
      'a throw',
      () => {
        throw new Error('no fetch here');
      },
      'connecting',
      15,
    ],
  ];

  it.each(answers)('that answers %s is not asked in a storm', async (_, answer, status, most) => {
    const send = vi.fn(answer);
    const token = tokenSource('/token', send) as NonNullable<ClientOptions['token']>;
    const p = probe(everything, { client: makeClient({ token }), strict: true });
    await settle();
    await pass(60_000);
    expect(send.mock.calls.length).toBeGreaterThanOrEqual(1);
    expect(send.mock.calls.length).toBeLessThanOrEqual(most);
    expect(statuses(p.result)).toEqual(new Set([status]));
    expect(p.result.connection.error).toMatchObject({
      code: expect.stringMatching(/token|network/),
    });
    expect(p.result.connection.error?.advice).toEqual(expect.any(String));
    expect(server.conns).toEqual([]);
    expect(p.renders()).toBeLessThan(150);
  });
});

describe('one channel that is refused', () => {
  it('says so, and leaves the others alone', async () => {
    server.script = (conn, { type, id, channel }) => {
      if (channel !== 'bad' || type === 'unsubscribe') return false;
      conn.say({ type: 'error', id, code: 'forbidden', message: 'no', channel });
      return true;
    };
    const p = probe(() => ({ bad: everything('bad'), good: everything('good') }), {
      strict: true,
    });
    await settle();
    await pass(60_000);
    expect(statuses(p.result.bad)).toEqual(new Set(['refused']));
    for (const error of errors(p.result.bad)) {
      expect(error).toMatchObject({
        code: 'forbidden',
        channel: 'bad',
        advice: expect.any(String),
      });
    }
    expect(statuses(p.result.good)).toEqual(new Set(['live']));
    expect(errors(p.result.good)).toEqual([undefined, undefined, undefined, undefined]);
    expect(asked('subscribe').length).toBeLessThan(8);
    await publish('good', 'hello');
    expect(p.result.good.channel.messages.map(({ data }) => data)).toEqual(['hello']);
  });

  it('because its name is half an emoji says so as well', async () => {
    const name = '\ud83d\ude00'.slice(0, 1);
    const p = probe(() => ({ bad: everything(name), good: everything('good') }), { strict: true });
    await settle();
    await pass(5000);
    for (const error of errors(p.result.bad).slice(0, 3)) {
      expect(error).toMatchObject({ code: 'bad_channel', advice: expect.any(String) });
    }
    expect(p.result.bad.present.error?.code).toMatch(/bad_(channel|data)/);
    expect(statuses(p.result.bad)).toEqual(new Set(['refused']));
    expect(statuses(p.result.good)).toEqual(new Set(['live']));
  });
});

describe('a server of another version', () => {
  it('whose message cannot be read is told, and the next is there', async () => {
    const p = probe(everything);
    await settle();
    await act(async () => {
      const base = { type: 'message', channel: 'room', time: 1 };
      server.last.say({ ...base, offset: 1, data: 'one' });
      server.last.say({ ...base, offset: 2, binary: '!' });
      server.last.say({ ...base, offset: 3, data: 'three' });
    });
    await settle();
    const { channel, history, sent } = p.result;
    for (const { messages, error, status } of [channel, history, sent]) {
      expect(messages.map(({ data }) => data)).toEqual(['one', 'three']);
      expect(error).toMatchObject({ code: 'bad_message', advice: expect.any(String) });
      expect(status).toBe('live');
    }
  });

  it('that knows no such command is an error value', async () => {
    server.script = (conn, { type, id }) => {
      if (type === 'connect') return false;
      conn.say({ type: 'error', id, code: 'unknown_type', message: type });
      return true;
    };
    const p = probe(everything, { strict: true });
    await settle();
    await pass(30_000);
    expect(statuses(p.result)).toEqual(new Set(['refused']));
    for (const error of errors(p.result)) {
      expect(error).toMatchObject({ code: 'unknown_type', advice: expect.any(String) });
    }
    expect(server.conns).toHaveLength(1);
  });
});

describe('a queue that is full', () => {
  it('shows in every hook that publishes, and drops nothing in silence', async () => {
    server.sockets = 'hang';
    const client = makeClient({ queue: { max: 3 } });
    const p = probe(() => ({ channel: useChannel('room'), sent: useOptimisticPublish('room') }), {
      client,
    });
    await settle();
    const refused: unknown[] = [];
    await act(async () => {
      for (let i = 0; i < 5; i++) p.result.channel.publish(i).catch((e) => refused.push(e.code));
      for (let i = 5; i < 10; i++) p.result.sent.publish(i).catch((e) => refused.push(e.code));
    });
    await settle();
    expect(refused).toEqual(Array.from({ length: 7 }, () => 'queue_full'));
    expect(p.result.channel.error).toMatchObject({
      code: 'queue_full',
      advice: expect.any(String),
    });
    expect(p.result.sent.messages.map(({ failed }) => failed?.code)).toEqual(
      Array.from({ length: 5 }, () => 'queue_full'),
    );
    server.sockets = 'serve';
    await pass(30_000);
    expect(server.published.map(({ data }) => data)).toEqual([0, 1, 2]);
    for (const { key } of p.result.sent.messages.filter(({ failed }) => failed).slice(0, 3)) {
      await act(async () => void p.result.sent.retry(key));
    }
    await pass(1000);
    expect(p.result.sent.messages.filter(({ failed }) => failed)).toHaveLength(2);
    expect(server.published).toHaveLength(6);
  });
});

describe('history that the contract refuses', () => {
  it('is passed over, so that one gets behind it', async () => {
    const put = (count: number, data: unknown) => {
      for (let i = 0; i < count; i++) server.publish('room', { data });
    };
    put(5, { text: 'old' });
    put(40, { old: 'form' });
    put(5, { text: 'new' });
    const p = probe(() => useHistory(rt.channel('room'), { pageSize: 5 }));
    await settle();
    expect(p.result.messages).toHaveLength(5);
    await act(async () => void p.result.fetchOlder());
    await settle();
    expect(p.result.messages.map(({ data }) => data.text)).toEqual([
      ...Array.from({ length: 5 }, () => 'old'),
      ...Array.from({ length: 5 }, () => 'new'),
    ]);
    expect(p.result).toMatchObject({ hasOlder: false, error: { code: 'schema' } });
  });

  it('is not asked for without end where there is nothing else', async () => {
    for (let i = 0; i < 100; i++) server.publish('room', { data: { old: i } });
    const p = probe(() => useHistory(rt.channel('room'), { pageSize: 10 }));
    await settle();
    for (let i = 0; i < 20 && p.result.hasOlder; i++) {
      await act(async () => void p.result.fetchOlder());
      await settle();
    }
    expect(p.result).toMatchObject({ messages: [], hasOlder: false });
    expect(asked('history').length).toBeLessThan(15);
  });

  it('is passed over on the way back to the newest, too', async () => {
    for (let i = 0; i < 5; i++) server.publish('room', { data: { text: `${i}` } });
    const p = probe(() => useHistory(rt.channel('room'), { pageSize: 5, limit: 5 }));
    await settle();
    for (let i = 0; i < 20; i++) server.publish('room', { data: { old: i } });
    for (let i = 5; i < 10; i++) server.publish('room', { data: { text: `${i}` } });
    await pass(1000);
    for (let i = 0; i < 3 && p.result.hasOlder; i++) {
      await act(async () => void p.result.fetchOlder());
      await settle();
    }
    expect(p.result.atLive).toBe(false);
    for (let i = 0; i < 3; i++) {
      await act(async () => void p.result.fetchNewer());
      await settle();
    }
    expect(p.result.atLive).toBe(true);
    expect(p.result.messages.map(({ data }) => data.text)).toEqual(['5', '6', '7', '8', '9']);
  });
});

describe('a message of our own that the stream has lost', () => {
  const texts = (messages: readonly Message[]) => messages.map(({ data }) => data);
  const anew = (epoch: string) => {
    const room = server.channel('room');
    Object.assign(room, { epoch, top: 0, messages: [] });
    room.keys.clear();
  };

  it('does not stand at the end for ever, when a new stream has begun', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    // It is confirmed, but the connection breaks before it is delivered.
    server.last.subscriptions.delete('room');
    await act(async () => void p.result.publish('lost'));
    await settle();
    expect(texts(p.result.messages)).toEqual(['lost']);
    anew('e2');
    await cut();
    await pass(2000);
    await publish('room', 'one', 'two');
    expect(texts(p.result.messages)).toEqual(['one', 'two']);
    expect(p.result.messages.filter(({ pending }) => pending)).toEqual([]);
  });

  it('does not come back when its key is known from the stream before', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    await publish('room', 'zero');
    server.script = (conn, { type, id }) => {
      if (type !== 'publish') return false;
      conn.say({ type: 'published', id, epoch: 'e0', offset: 9, duplicate: true });
      return true;
    };
    await act(async () => void p.result.publish('of yore'));
    await settle();
    expect(texts(p.result.messages)).toEqual(['zero']);
  });

  it('stays when the answer comes before the new stream is known', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    await publish('room', 'zero');
    anew('e2');
    server.last.subscriptions.delete('room');
    await act(async () => void p.result.publish('first'));
    await settle();
    expect(texts(p.result.messages)).toEqual(['zero', 'first']);
    await cut();
    await pass(2000);
    expect(texts(p.result.messages)).toEqual(['zero', 'first']);
    await publish('room', 'second');
    expect(texts(p.result.messages)).toEqual(['zero', 'first', 'second']);
  });
});

describe('what the walks have found', () => {
  it('a gap is told though the stream before it had been followed further', async () => {
    const gaps: unknown[] = [];
    for (let i = 0; i < 9; i++) server.publish('room', { data: i });
    const client = makeClient();
    // Somebody is there already, so this one knows where the subscription stands.
    const hooks = (more: boolean) => () => {
      useChannel('room');
      useChannel(more ? 'room' : null, {
        onGap: ({ from, to, reason }) => gaps.push([from, to, reason]),
      });
    };
    const p = probe(hooks(false), { client });
    await settle();
    p.rerender(hooks(true));
    await settle();
    const room = server.channel('room');
    Object.assign(room, { epoch: 'e2', top: 0, messages: [] });
    await cut();
    await pass(1000);
    expect(gaps).toEqual([[10, 0, 'epoch']]);
    await publish('room', 'one');
    server.sockets = 'refuse';
    await cut();
    for (let i = 0; i < 5; i++) server.publish('room', { data: i });
    room.messages.splice(0, 4);
    server.sockets = 'serve';
    await pass(5000);
    expect(gaps.slice(1)).toEqual([[2, 4, 'evicted']]);
  });

  it('presence is live though its list came while the device said that it was offline', async () => {
    const client = makeClient();
    const name = { now: null as string | null };
    const p = probe(() => usePresence(name.now), { client });
    void client.connect();
    await settle();
    await act(async () => network.emit('offline'));
    name.now = 'room';
    p.rerender(() => usePresence(name.now));
    await settle();
    // What arrives later shows that there is a network after all.
    await pass(1500);
    await act(async () => server.last.say({ type: 'nonsense' }));
    await settle();
    expect(client.state).toBe('open');
    expect(p.result).toMatchObject({ status: 'live', complete: true });
    await act(async () => network.emit('online'));
  });
});
