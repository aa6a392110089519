import { act } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { type Gap, type Message, type Transport, websocket } from '../../client/src/index';
import { useChannel, useHistory, usePresence } from '../src/index';
import { cut, makeClient, network, pass, probe, publish, server, settle } from './realtime';

const data = (messages: readonly Message[]): unknown[] => messages.map((message) => message.data);
const offsets = (messages: readonly Message[]): number[] => messages.map(({ offset }) => offset);

describe('useChannel', () => {
  it('gives messages in order, to the callback at once and to the list with the next frame', async () => {
    const seen: unknown[] = [];
    const p = probe(() => useChannel('room', { onMessage: (message) => seen.push(message.data) }));
    await settle();
    server.publish('room', { data: 'a' });
    server.publish('room', { data: 'b' });
    expect(seen).toEqual(['a', 'b']);
    expect(p.result.messages).toEqual([]);
    await settle();
    expect(data(p.result.messages)).toEqual(['a', 'b']);
    expect(p.result.messages[0]).toMatchObject({ channel: 'room', epoch: 'e1', offset: 1 });
  });

  it('takes a ref, whose name alone says which channel it is', async () => {
    const p = probe(() => useChannel({ name: 'room' }).messages);
    await settle();
    await publish('room', 1);
    p.rerender(() => useChannel({ name: 'room' }).messages);
    p.rerender(() => useChannel('room').messages);
    await settle();
    expect(data(p.result)).toEqual([1]);
    expect(server.last.of('subscribe')).toHaveLength(1);
    expect(server.last.of('unsubscribe')).toHaveLength(0);
  });

  it('goes from off over connecting to live', async () => {
    const p = probe(() => useChannel('room').status);
    await settle();
    expect([...new Set(p.results)]).toEqual(['off', 'connecting', 'live']);
  });

  it('is live at once beside another hook of the channel', async () => {
    const client = makeClient();
    probe(() => useChannel('room'), { client });
    await settle();
    const p = probe(() => useChannel('room').status, { client });
    expect(p.result).toBe('live');
    await settle();
    expect(server.last.of('subscribe')).toHaveLength(1);
  });

  it('shares one subscription, and each hook has all messages', async () => {
    const seen: string[] = [];
    const p = probe(() => [
      useChannel('room', { onMessage: () => seen.push('a') }),
      useChannel('room', { onMessage: () => seen.push('b') }),
    ]);
    await settle();
    await publish('room', 1);
    expect(seen).toEqual(['a', 'b']);
    expect(p.result.map(({ messages }) => data(messages))).toEqual([[1], [1]]);
    expect(server.last.of('subscribe')).toHaveLength(1);
  });

  it('calls the newest callbacks', async () => {
    const seen: string[] = [];
    const p = probe(() => useChannel('room', { onMessage: () => seen.push('old') }));
    await settle();
    p.rerender(() => useChannel('room', { onMessage: () => seen.push('new') }));
    await publish('room', 1);
    expect(seen).toEqual(['new']);
  });

  it('survives a callback that throws, and shows the mistake', async () => {
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.stubGlobal('reportError', undefined);
    const p = probe(() =>
      useChannel('room', {
        onMessage: () => {
          throw new Error('mistake of the application');
        },
      }),
    );
    await settle();
    await publish('room', 1, 2);
    expect(data(p.result.messages)).toEqual([1, 2]);
    expect(shown).toHaveBeenCalledTimes(2);
  });

  it('keeps the newest within the limit, and follows a change of the limit', async () => {
    const seen: unknown[] = [];
    const use = (limit: number) => () =>
      useChannel('room', { limit, onMessage: (message) => seen.push(message.data) });
    const p = probe(use(3));
    await settle();
    await publish('room', 1, 2, 3, 4, 5);
    expect(data(p.result.messages)).toEqual([3, 4, 5]);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    p.rerender(use(2));
    await publish('room', 6);
    expect(data(p.result.messages)).toEqual([5, 6]);
  });

  it('puts into the list what select takes, while callbacks see everything', async () => {
    const seen: unknown[] = [];
    const p = probe(() =>
      useChannel<number, string>('room', {
        select: (message) => (message.data % 2 ? `#${message.data}` : undefined),
        onMessage: (message) => seen.push(message.data),
      }),
    );
    await settle();
    await publish('room', 1, 2, 3);
    expect(p.result.messages).toEqual(['#1', '#3']);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('is not rendered anew by an inline select, nor changes its result', async () => {
    const p = probe(() => useChannel('room', { select: ({ offset }) => ({ offset }) }));
    await settle();
    await publish('room', 1);
    const renders = p.renders();
    const before = p.result;
    p.rerender(() => useChannel('room', { select: ({ offset }) => ({ offset }) }));
    await settle();
    expect(p.renders()).toBe(renders + 1);
    expect(p.result).toBe(before);
  });

  it('clears the list, and shows what comes after', async () => {
    const p = probe(() => useChannel('room'));
    await settle();
    await publish('room', 1, 2);
    p.result.clear();
    await settle();
    expect(p.result.messages).toEqual([]);
    await publish('room', 3);
    expect(data(p.result.messages)).toEqual([3]);
  });
});

describe('another channel', () => {
  it('is another list: nothing of the old one shows, not even late', async () => {
    const seen: unknown[] = [];
    const use = (name: string) => () =>
      useChannel(name, { onMessage: (message) => seen.push(message.data) });
    const p = probe(use('a'));
    await settle();
    await publish('a', 'a1');
    // Has arrived, but no frame has been drawn.
    server.publish('a', { data: 'a2' });
    p.rerender(use('b'));
    const begun = p.results.length - 1;
    server.publish('a', { data: 'a3' });
    await settle();
    await publish('b', 'b1');
    for (const { messages } of p.results.slice(begun)) {
      expect(messages.every(({ channel }) => channel === 'b')).toBe(true);
    }
    expect(seen).toEqual(['a1', 'a2', 'b1']);
    expect(data(p.result.messages)).toEqual(['b1']);
  });

  it('is left after the linger', async () => {
    const p = probe(() => useChannel('a'));
    await settle();
    p.rerender(() => useChannel('b'));
    await settle();
    expect(server.last.of('unsubscribe')).toEqual([]);
    await pass(300);
    expect(server.last.of('unsubscribe')).toMatchObject([{ channel: 'a' }]);
  });

  it('may be none: nothing happens, and nothing is sent', async () => {
    const p = probe(() => [useChannel(null), useChannel(undefined)]);
    await pass(500);
    for (const result of p.result) {
      expect(result).toMatchObject({ status: 'off', messages: [], error: undefined });
    }
    expect(server.conns).toHaveLength(0);
  });

  it('may come after none, and go again', async () => {
    const use = (name: string | null) => () => useChannel(name);
    const p = probe(use(null));
    p.rerender(use('room'));
    await settle();
    await publish('room', 1);
    expect(p.result).toMatchObject({ status: 'live', messages: [{ data: 1 }] });
    p.rerender(use(null));
    expect(p.result).toMatchObject({ status: 'off', messages: [] });
    await pass(300);
    expect(server.last.of('unsubscribe')).toHaveLength(1);
  });

  it('comes with its own publish, and without one a publish is refused', async () => {
    const p = probe(() => useChannel(null));
    await expect(p.result.publish('lost')).rejects.toMatchObject({ code: 'no_channel' });
    await settle();
    expect(p.result.error).toMatchObject({ code: 'no_channel' });
  });

  it('comes with another client, too', async () => {
    const first = makeClient();
    const second = makeClient();
    const p = probe(() => useChannel('room'), { client: first });
    await settle();
    await publish('room', 1);
    p.rerender(() => useChannel('room'), second);
    expect(p.result.messages).toEqual([]);
    await settle();
    await publish('room', 2);
    expect(data(p.result.messages)).toEqual([2]);
    await pass(300);
    expect(server.conns[0]?.subscriptions.size).toBe(0);
  });
});

describe('options of the subscription', () => {
  it('are passed on, and make another view when they change in content', async () => {
    const use = (lang: string) => () =>
      useChannel('room', { own: false, filter: { lang: [lang] }, rewind: 2 });
    const p = probe(use('en'));
    await settle();
    expect(server.last.of('subscribe')).toMatchObject([
      { own: false, filter: { lang: ['en'] }, rewind: 2 },
    ]);
    p.rerender(use('en'));
    await settle();
    expect(server.last.of('subscribe')).toHaveLength(1);
    p.rerender(use('de'));
    await settle();
    expect(server.last.of('subscribe').at(-1)).toMatchObject({ filter: { lang: ['de'] } });
    expect(p.result).toMatchObject({ status: 'live', error: undefined });
  });

  it('that contradict those in use are an error, not a crash', async () => {
    const client = makeClient();
    probe(() => useChannel('room', { own: false }), { client });
    await settle();
    const errors: string[] = [];
    const p = probe(() => useChannel('room', { onError: ({ code }) => errors.push(code) }), {
      client,
    });
    await settle();
    expect(p.result.status).toBe('refused');
    expect(p.result.error?.code).toBe('options_conflict');
    expect(errors).toEqual(['options_conflict']);
  });

  it('that say what is so anyway contradict nobody', async () => {
    const p = probe(() => [useChannel('room', { own: true }), useChannel('room', { rewind: 0 })]);
    await settle();
    for (const { status, error } of p.result) {
      expect({ status, error }).toEqual({ status: 'live', error: undefined });
    }
    expect(server.last.of('subscribe')).toHaveLength(1);
  });

  it('begin with the last messages', async () => {
    for (let i = 1; i <= 5; i++) server.publish('room', { data: i });
    const p = probe(() => useChannel('room', { rewind: 2 }));
    await settle();
    expect(offsets(p.result.messages)).toEqual([4, 5]);
  });

  it('begin with the last messages beside others that did not ask for them', async () => {
    for (let i = 1; i <= 5; i++) server.publish('room', { data: i });
    const client = makeClient();
    const plain = probe(() => useChannel('room'), { client });
    await settle();
    const p = probe(() => useChannel('room', { rewind: 2 }), { client });
    await settle();
    await publish('room', 6);
    expect(offsets(p.result.messages)).toEqual([4, 5, 6]);
    expect(offsets(plain.result.messages)).toEqual([6]);
    expect(p.result.gap).toBeUndefined();
  });

  it('begin with what there is when history is shorter, which is no gap', async () => {
    for (let i = 1; i <= 5; i++) server.publish('room', { data: i });
    server.channel('room').messages.splice(0, 3);
    const client = makeClient();
    probe(() => useChannel('room'), { client });
    await settle();
    const gaps: Gap[] = [];
    const p = probe(() => useChannel('room', { rewind: 10, onGap: (gap) => gaps.push(gap) }), {
      client,
    });
    await settle();
    expect(offsets(p.result.messages)).toEqual([4, 5]);
    expect(gaps).toEqual([]);
    expect(p.result.gap).toBeUndefined();
  });
});

describe('a break', () => {
  it('is bridged: what was missed comes once and in order', async () => {
    const events: unknown[] = [];
    const p = probe(() =>
      useChannel('room', {
        onMessage: ({ offset }) => events.push(offset),
        onRecovered: ({ recovered }) => events.push({ recovered }),
        onGap: () => events.push('gap'),
      }),
    );
    await settle();
    await publish('room', 1);
    expect(p.result.recovered).toBeUndefined();
    await cut();
    expect(p.result.status).toBe('waiting');
    for (let i = 2; i <= 100; i++) server.publish('room', { data: i });
    await pass(1000);
    await publish('room', 101);
    await pass(100);
    expect(p.result.status).toBe('live');
    expect(p.result.recovered).toBe(true);
    const all = Array.from({ length: 101 }, (_, i) => i + 1);
    expect(offsets(p.result.messages)).toEqual(all);
    expect(events).toEqual([1, { recovered: true }, ...all.slice(1)]);
  });

  it('longer than history is told, with positions', async () => {
    const gaps: Gap[] = [];
    const p = probe(() => useChannel('room', { onGap: (gap) => gaps.push(gap) }));
    await settle();
    await publish('room', 1);
    await cut();
    for (let i = 2; i <= 10; i++) server.publish('room', { data: i });
    server.channel('room').messages.splice(0, 7);
    await pass(1000);
    expect(gaps).toMatchObject([{ from: 2, to: 7, reason: 'evicted' }]);
    expect(p.result.gap).toBe(gaps[0]);
    expect(p.result.recovered).toBe(false);
    expect(offsets(p.result.messages)).toEqual([1, 8, 9, 10]);
    p.result.clear();
    await settle();
    expect(p.result.gap).toBeUndefined();
  });

  it('after which the stream began anew is told, too', async () => {
    const gaps: Gap[] = [];
    const p = probe(() => useChannel('room', { onGap: (gap) => gaps.push(gap) }));
    await settle();
    await publish('room', 1);
    await cut();
    const channel = server.channel('room');
    Object.assign(channel, { epoch: 'e2', top: 0, messages: [] });
    server.publish('room', { data: 'new' });
    await pass(1000);
    expect(gaps).toMatchObject([{ reason: 'epoch', to: 0 }]);
    expect(p.result.messages.map(({ epoch, data }) => [epoch, data])).toEqual([
      ['e1', 1],
      ['e2', 'new'],
    ]);
  });

  it('shows in the status without an error, as it passes', async () => {
    const p = probe(() => useChannel('room'));
    await settle();
    server.sockets = 'refuse';
    await cut();
    await pass(3000);
    expect(p.result).toMatchObject({ status: 'waiting', error: undefined });
    expect(p.client.snapshot.error?.code).toBe('network');
    server.sockets = 'serve';
    await pass(30_000);
    expect(p.result).toMatchObject({ status: 'live', error: undefined });
  });

  it('of the network of the device shows as waiting, and is over without a new subscription', async () => {
    const p = probe(() => useChannel('room').status);
    await settle();
    act(() => network.emit('offline'));
    expect(p.result).toBe('waiting');
    await pass(1500);
    act(() => network.emit('online'));
    await publish('room', 1);
    await pass(3000);
    expect(p.result).toBe('live');
    expect(server.conns).toHaveLength(1);
    expect(server.last.of('subscribe')).toHaveLength(1);
  });
});

describe('what goes wrong', () => {
  it('a refusal is an error with its code, and leaves the tree as it is', async () => {
    server.script = refuse('forbidden');
    const errors: string[] = [];
    const p = probe(() => useChannel('room', { onError: ({ code }) => errors.push(code) }));
    await settle();
    expect(p.result.status).toBe('refused');
    expect(p.result.error).toMatchObject({ code: 'forbidden', channel: 'room', retry: false });
    expect(errors).toEqual(['forbidden']);
    await pass(60_000);
    expect(server.last.of('subscribe')).toHaveLength(1);
  });

  it.each([
    ['useChannel', () => useChannel('room')],
    ['useHistory', () => useHistory('room')],
    ['usePresence', () => usePresence('room')],
  ])('a server that was never reached shows why in %s, as long as it is so', async (_, hook) => {
    const open: Transport['open'] = ({ codec }, { lost }) => {
      const gone = { code: 1006, reason: '', wasClean: false, by: 'peer' } as const;
      if (down) void Promise.resolve().then(() => lost(gone));
      return { codec, send: () => {}, end: async () => {} };
    };
    let down = true;
    const nowhere: Transport = { name: 'nowhere', open };
    const works = websocket();
    const transport: Transport = {
      ...works,
      open: (...of) => (down ? nowhere : works).open(...of),
    };
    const client = makeClient({ transports: [transport] });
    const p = probe<{ status: string; error: unknown }>(hook, { client });
    await settle();
    await pass(5000);
    expect(p.result).toMatchObject({ status: 'connecting', error: { code: 'network' } });
    down = false;
    await pass(60_000);
    await settle();
    expect(p.result).toMatchObject({ status: 'live', error: undefined });
  });

  it('a refusal that may pass is retried, and shows as connecting', async () => {
    server.script = refuse('overloaded', true);
    const p = probe(() => useChannel('room'));
    await settle();
    expect(p.result).toMatchObject({ status: 'connecting', error: undefined });
    server.script = undefined;
    await pass(1000);
    expect(p.result).toMatchObject({ status: 'live', error: undefined });
  });

  it('a refusal is forgotten when the server changes its mind', async () => {
    server.script = refuse('forbidden');
    const p = probe(() => useChannel('room'));
    await settle();
    expect(p.result.status).toBe('refused');
    server.script = undefined;
    await cut();
    await pass(1000);
    expect(p.result.status).toBe('live');
    expect(p.result.error).toBeUndefined();
  });

  it('a subscription that the server ends is refused, not live', async () => {
    const p = probe(() => useChannel('room'));
    await settle();
    server.last.say({
      type: 'unsubscribed',
      channel: 'room',
      code: 'forbidden',
      message: 'the token has changed',
    });
    await settle();
    expect(p.result.status).toBe('refused');
    expect(p.result.error).toMatchObject({ code: 'forbidden' });
  });

  it.each([
    ['nonsense://nowhere', 'bad_url'],
    ['http://[', 'bad_url'],
  ])('the address %j is a failure, not a crash', async (bad, code) => {
    const p = probe(() => useChannel('room'), { client: makeClient({ url: bad }) });
    await settle();
    expect(p.result.status).toBe('failed');
    expect(p.result.error?.code).toBe(code);
    expect(p.result.error?.message).toBeTruthy();
    const tries = server.conns.length;
    await pass(60_000);
    expect(server.conns.length).toBe(tries);
  });

  it('a token that is refused fails once, without a storm', async () => {
    server.judge = () => 4451;
    const p = probe(() => useChannel('room'), { client: makeClient({ token: 'bad' }) });
    await settle();
    expect(p.result.status).toBe('failed');
    expect(p.result.error).toMatchObject({ code: 'unauthorized' });
    await pass(60_000);
    expect(server.conns).toHaveLength(1);
  });

  it('a client that is closed shows off, and goes on when it is opened again', async () => {
    const p = probe(() => useChannel('room'));
    await settle();
    await publish('room', 1);
    void p.client.close();
    await settle();
    expect(p.result).toMatchObject({ status: 'off', messages: [{ data: 1 }] });
    void p.client.connect();
    await settle();
    expect(p.result.status).toBe('live');
    await publish('room', 2);
    expect(data(p.result.messages)).toEqual([1, 2]);
  });
});

function refuse(code: string, retry = false): NonNullable<typeof server.script> {
  return (conn, { type, id, channel }) => {
    if (type !== 'subscribe') return false;
    conn.say({ type: 'error', id, channel, code, message: 'no', retry });
    return true;
  };
}
