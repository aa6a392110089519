import { history, pattern, presence, rpc, type WireMessage } from '@anywire/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMockServer, ManualClock, type MockServer } from '../src/index';
import { Log } from './same/stage';

let clock: ManualClock;
let server: MockServer;

beforeEach(() => {
  clock = new ManualClock();
  server = createMockServer({ clock });
});
afterEach(() => {
  server.close();
  expect(clock.pending).toBe(0);
});

/** A client that is open and listens. */
async function listening(name = 'room', options = {}) {
  const client = server.createClient(options);
  const log = new Log(client, name);
  await server.settled();
  expect(client.state).toBe('open');
  return { client, log };
}

describe('what the test does as others', () => {
  it('publishes, with all that a message may have', async () => {
    const { log } = await listening();
    const position = server.publish(
      'room',
      { text: 'hi' },
      {
        event: 'chat',
        id: 'm-1',
        user: 'bob',
        client: 'c-bob',
        tags: { lang: 'en' },
      },
    );
    await server.settled();
    expect(log.messages).toEqual([
      {
        channel: 'room',
        ...position,
        time: clock.now(),
        event: 'chat',
        id: 'm-1',
        user: 'bob',
        client: 'c-bob',
        tags: { lang: 'en' },
        kind: 'json',
        data: { text: 'hi' },
      },
    ]);
  });

  it('publishes before anybody is there', async () => {
    server.publish('room', 1);
    server.publish('room', 2);
    const client = server.createClient();
    const log = new Log(client, 'room', { rewind: 1 });
    await server.settled();
    expect(log.data).toEqual([2]);
    expect((await history(client.channel('room'))).messages).toHaveLength(2);
  });

  it.each([
    ['text', 'text'],
    [new Uint8Array([1, 2, 255]), 'binary'],
    [{ a: [1, null] }, 'json'],
    [null, 'json'],
    [undefined, 'json'],
  ])('publishes %j as the client would', async (data, kind) => {
    const { client, log } = await listening();
    server.publish('room', data);
    await client.channel('room').publish(data);
    expect(log.messages.map((message) => [message.kind, message.data])).toEqual([
      [kind, data ?? null],
      [kind, data ?? null],
    ]);
  });

  it('shares no object with those it publishes to', async () => {
    const { log } = await listening();
    const data = { list: [1] };
    server.publish('room', data);
    data.list.push(2);
    await server.settled();
    (log.data[0] as typeof data).list.push(3);
    expect(server.messages('room').map((message) => message.data)).toEqual([{ list: [1] }]);
  });

  it('shows what was published, by clients and by the test, as clients see it', async () => {
    const { client, log } = await listening('room', { token: 'ann' });
    await client.channel('room').publish('mine', { event: 'e' });
    server.publish('room', 'theirs', { user: 'bob' });
    await server.settled();
    expect(server.messages('room')).toEqual(log.messages);
    expect(server.messages('elsewhere')).toEqual([]);
  });

  it('remembers what history has forgotten, and former epochs', async () => {
    server.publish('room', 1);
    server.forget('room');
    server.publish('room', 2);
    server.newEpoch('room');
    server.publish('room', 3);
    const all = server.messages('room');
    expect(all.map(({ data, offset }) => [data, offset])).toEqual([
      [1, 1],
      [2, 2],
      [3, 1],
    ]);
    expect(new Set(all.map(({ epoch }) => epoch)).size).toBe(2);
  });

  it('lets members enter, change, leave and get lost', async () => {
    const { client } = await listening();
    const events: unknown[] = [];
    const there = presence(client.channel('room'));
    there.on('join', ({ user }) => events.push(['join', user]));
    there.on('update', ({ info }) => events.push(['update', info]));
    there.on('leave', (_, reason) => events.push(['leave', reason]));
    await server.settled();
    const bob = server.enter('room', { name: 'Bob' }, { user: 'bob' });
    const eve = server.enter('room', { name: 'Eve' }, { user: 'eve', client: 'c-eve' });
    bob.update({ name: 'Bobby' });
    eve.leave();
    bob.lose();
    await clock.advance(9999);
    expect(events).toHaveLength(4);
    await clock.advance(1);
    expect(events).toEqual([
      ['join', 'bob'],
      ['join', 'eve'],
      ['update', { name: 'Bobby' }],
      ['leave', 'left'],
      ['leave', 'lost'],
    ]);
    expect(eve.client).toBe('c-eve');
  });

  it('shows who is there, clients and members of the test', async () => {
    const { client } = await listening('room', { token: 'ann' });
    await presence(client.channel('room')).enter({ name: 'Ann' });
    const bob = server.enter('room', undefined, { user: 'bob' });
    expect(server.members('room')).toEqual([
      { client: client.snapshot.clientId, user: 'ann', info: { name: 'Ann' } },
      { client: bob.client, user: 'bob' },
    ]);
    expect(server.subscribers('room')).toBe(1);
    expect(server.subscribers('elsewhere')).toBe(0);
  });

  it('answers calls', async () => {
    const { client } = await listening('room', { token: 'ann' });
    const callers: unknown[] = [];
    const stop = server.rpc('sum', async (data, caller) => {
      callers.push(caller);
      return (data as number[]).reduce((a, b) => a + b, 0);
    });
    expect(await rpc(client, 'sum', [1, 2, 3])).toBe(6);
    const { clientId } = client.snapshot;
    expect(callers).toEqual([{ method: 'sum', client: clientId, user: 'ann' }]);
    stop();
    await expect(rpc(client, 'sum', [1])).rejects.toMatchObject({ code: 'no_handler' });
  });

  it('answers a call that gives nothing with null', async () => {
    const { client } = await listening();
    server.rpc('nothing', () => undefined);
    expect(await rpc(client, 'nothing')).toBeNull();
  });

  it('tells what a handler throws: an error with a code as it is, others as unavailable', async () => {
    const { client } = await listening();
    server.rpc('coded', () => {
      throw Object.assign(new Error('no more'), { code: 'sold_out', retry: false });
    });
    server.rpc('broken', () => Promise.reject(new Error('oops')));
    await expect(rpc(client, 'coded')).rejects.toMatchObject({
      code: 'sold_out',
      message: 'no more',
      retry: false,
    });
    await expect(rpc(client, 'broken')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('replaces a handler by a newer one, whose end the older does not cause', async () => {
    const { client } = await listening();
    const stop = server.rpc('m', () => 'old');
    server.rpc('m', () => 'new');
    stop();
    expect(await rpc(client, 'm')).toBe('new');
  });
});

describe('what the test refuses', () => {
  it('refuses what onPublish returns or throws', async () => {
    const { client, log } = await listening();
    const seen: unknown[] = [];
    const stop = server.onPublish((attempt) => {
      seen.push(attempt);
      if (attempt.data === 'bad') return { code: 'rude', message: 'be nice' };
      if (attempt.data === 'worse') throw new Error('broken hook');
      return undefined;
    });
    const room = client.channel('room');
    await expect(room.publish({ toString: 1 })).resolves.toMatchObject({ offset: 1 });
    server.onPublish(({ text }) => (text === 'bad' ? { code: 'rude', message: 'no' } : undefined));
    await expect(room.publish('bad')).rejects.toMatchObject({ code: 'rude', retry: false });
    stop();
    expect(seen).toHaveLength(2);
    expect(seen[0]).toMatchObject({
      channel: 'room',
      data: { toString: 1 },
      client: 'client-0001',
    });
    expect(server.messages('room')).toHaveLength(1);
    expect(log.data).toEqual([{ toString: 1 }]);
  });

  it('asks a hook as often as it was given', async () => {
    const { client } = await listening();
    let asked = 0;
    const hook = () => {
      asked++;
      return undefined;
    };
    const stop = server.onPublish(hook);
    server.onPublish(hook);
    await client.channel('room').publish(1);
    stop();
    await client.channel('room').publish(2);
    expect(asked).toBe(3);
  });

  it('lets a client publish again what was refused for a while', async () => {
    const { client } = await listening();
    let asked = 0;
    server.onPublish(() => {
      if (++asked > 1) return undefined;
      return { code: 'overloaded', message: 'later' };
    });
    const sent = client.channel('room').publish(1);
    await clock.advance(100);
    expect(await sent).toMatchObject({ offset: 1 });
    expect(asked).toBe(2);
  });

  it('fails commands, so often, with the code and retry that it is told', async () => {
    const { client } = await listening();
    server.fail('history', { code: 'forbidden' });
    server.fail('publish', { code: 'overloaded', retry: false, message: 'no' }, 2);
    const room = client.channel('room');
    await expect(history(room)).rejects.toMatchObject({ code: 'forbidden', retry: false });
    for (let i = 0; i < 2; i++) {
      await expect(room.publish(1)).rejects.toMatchObject({ code: 'overloaded', message: 'no' });
    }
    await expect(room.publish(1)).resolves.toMatchObject({ offset: 1 });
    expect((await history(room)).top).toBe(1);
  });

  it('refuses a subscription, which the client tells and can live with', async () => {
    const client = server.createClient();
    server.fail('subscribe', { code: 'forbidden' });
    const log = new Log(client, 'room');
    await server.settled();
    expect(log.errors).toEqual(['forbidden']);
    expect(client.state).toBe('open');
  });

  it('names what was prepared and never met', async () => {
    expect(server.unused).toEqual([]);
    server.refuse(2);
    server.denyNextToken();
    server.fail('rpc', { code: 'x' }, 3);
    server.fail('ping', { code: 'y' }, Number.POSITIVE_INFINITY);
    expect(server.unused).toEqual([
      'refuse: 2 more tries to connect with 1006',
      'denyNextToken: 1 more tokens',
      'fail: 3 more of rpc, x',
    ]);
    server.refuse(0);
    let tokens = 0;
    const client = server.createClient({ token: () => `ann-${++tokens}` });
    client.connect();
    await clock.advance(1000);
    expect(client.state).toBe('open');
    expect(server.unused).toEqual(['fail: 3 more of rpc, x']);
  });
});

describe('links', () => {
  it('cuts one connection or all, and clients come back', async () => {
    const ann = await listening();
    const bob = await listening();
    server.connections[0]?.drop();
    await server.settled();
    expect([ann.client.state, bob.client.state]).toEqual(['waiting', 'open']);
    expect(ann.client.snapshot.lastClose).toMatchObject({ code: 1006, wasClean: false });
    await clock.advance(100);
    expect(ann.client.snapshot).toMatchObject({ state: 'open', opens: 2 });
    server.drop({ code: 1012, reason: 'deploy' });
    await server.settled();
    for (const { client } of [ann, bob]) {
      expect(client.snapshot.lastClose).toMatchObject({ code: 1012, reason: 'deploy' });
    }
    expect(server.connections).toEqual([]);
  });

  it('does not tell a client in the turn in which its link is cut', async () => {
    const { client } = await listening();
    server.drop();
    expect(client.state).toBe('open');
    await Promise.resolve();
    expect(client.state).toBe('waiting');
  });

  it('stops clients with a code that says so', async () => {
    const { client } = await listening();
    server.drop({ code: 4403, reason: 'banned' });
    await clock.advance(60_000);
    expect(client.snapshot).toMatchObject({ state: 'failed', error: { code: 'refused' } });
  });

  it('loses what was under way on a link that is cut', async () => {
    const { log } = await listening();
    server.publish('room', 1);
    server.drop();
    await server.settled();
    expect(log.data).toEqual([]);
    await clock.advance(100);
    expect(log.data).toEqual([1]);
    expect(log.gaps).toEqual([]);
  });

  it('refuses so many tries, as if nobody answered', async () => {
    const client = server.createClient();
    server.refuse(2);
    client.connect();
    await server.settled();
    expect(client.snapshot).toMatchObject({ state: 'waiting', attempt: 1, opens: 0 });
    expect(server.connections).toEqual([]);
    await clock.advance(1000);
    expect(client.snapshot).toMatchObject({ state: 'open', opens: 1 });
  });

  it('is away until it is told not to be', async () => {
    const client = server.createClient();
    server.refuse({ times: Number.POSITIVE_INFINITY });
    client.connect();
    await clock.advance(5000);
    expect(client.state).toBe('waiting');
    expect(client.snapshot.attempt).toBeGreaterThan(5);
    server.refuse(0);
    await clock.advance(1000);
    expect(client.state).toBe('open');
  });

  it('refuses with a code of the protocol, in answer to connect', async () => {
    const client = server.createClient();
    server.refuse({ code: 4403, reason: 'not you' });
    await expect(client.connect()).rejects.toMatchObject({ code: 'refused' });
    expect(client.snapshot.lastClose).toMatchObject({ code: 4403, reason: 'not you' });
  });

  it('refuses one after the other as it was told', async () => {
    const client = server.createClient();
    server.refuse({ code: 1013 });
    server.refuse({ code: 4500, times: 2 });
    const codes: number[] = [];
    client.on('state', ({ lastClose }, before) => {
      if (lastClose && lastClose !== before.lastClose) codes.push(lastClose.code);
    });
    client.connect();
    await clock.advance(5000);
    expect(codes).toEqual([1013, 4500, 4500]);
    expect(client.state).toBe('open');
  });

  it('shows connections: who they are, what they listen to and what was said', async () => {
    const { client } = await listening('room', { token: 'ann', agent: 'test/1' });
    pattern(client, 'a*').subscribe(() => {});
    await server.settled();
    const [connection] = server.connections;
    expect(connection).toMatchObject({
      client: client.snapshot.clientId,
      user: 'ann',
      agent: 'test/1',
      open: true,
      channels: ['room', 'a*'],
    });
    const said = connection?.frames.map(({ from, message }) => `${from} ${message.type}`);
    expect(said).toEqual([
      'client connect',
      'server connected',
      'client subscribe',
      'server subscribed',
      'client subscribe',
      'server subscribed',
    ]);
    expect(connection?.frames[0]?.at).toBe(clock.now());
    connection?.drop();
    expect(connection?.open).toBe(false);
  });

  it('says whatever the test wants', async () => {
    const { client, log } = await listening();
    const [connection] = server.connections;
    connection?.send({ type: 'unsubscribed', channel: 'room', code: 'forbidden', message: 'out' });
    connection?.send({ type: 'news', of: 'a later version' } as WireMessage);
    await server.settled();
    expect(log.errors).toEqual(['forbidden']);
    expect(client.state).toBe('open');
  });
});

describe('time', () => {
  it('is slow: what the server says comes so much later, in order', async () => {
    const { log } = await listening();
    server.slow(500);
    server.publish('room', 1);
    await clock.advance(200);
    server.publish('room', 2);
    await clock.advance(299);
    expect(log.data).toEqual([]);
    await clock.advance(1);
    expect(log.data).toEqual([1]);
    server.slow(0);
    server.publish('room', 3);
    await clock.advance(199);
    expect(log.data).toEqual([1]);
    await clock.advance(1);
    expect(log.data).toEqual([1, 2, 3]);
  });

  it('makes a client wait that connects to a slow server', async () => {
    server.slow(300);
    const client = server.createClient();
    client.connect();
    await clock.advance(599);
    expect(client.state).toBe('connecting');
    await clock.advance(1);
    expect(client.state).toBe('open');
  });

  it('holds everything, and lets go of it in order', async () => {
    const { client, log } = await listening();
    server.hold();
    const sent = client.channel('room').publish('mine');
    server.publish('room', 'theirs');
    await server.settled();
    expect([log.data, server.messages('room').length]).toEqual([[], 1]);
    server.release();
    await sent;
    expect(log.data).toEqual(['theirs', 'mine']);
  });

  it('holds also what was said just before, in the same turn', async () => {
    const { log } = await listening();
    server.publish('room', 1);
    server.hold();
    await server.settled();
    expect(log.data).toEqual([]);
    server.release();
    await server.settled();
    expect(log.data).toEqual([1]);
  });

  it('holds answers: the server has it, and the client does not know', async () => {
    const { client } = await listening();
    server.hold('answers');
    let done = false;
    const sent = client
      .channel('room')
      .publish(1)
      .then(() => {
        done = true;
      });
    await server.settled();
    expect([server.messages('room').length, done]).toEqual([1, false]);
    server.release();
    await sent;
    expect(done).toBe(true);
  });

  it('holds commands: the server says what it has to, and hears nothing', async () => {
    const { client, log } = await listening();
    server.hold('commands');
    void client.channel('room').publish('mine');
    server.publish('room', 'theirs');
    await server.settled();
    expect(log.data).toEqual(['theirs']);
    server.release();
    await server.settled();
    expect(log.data).toEqual(['theirs', 'mine']);
  });

  it('holds one direction after the other, and lets both go', async () => {
    const { client, log } = await listening();
    server.hold('commands');
    server.hold('answers');
    void client.channel('room').publish('mine');
    server.publish('room', 'theirs');
    await server.settled();
    expect([log.data, server.messages('room').length]).toEqual([[], 1]);
    server.release();
    await server.settled();
    expect(log.data).toEqual(['theirs', 'mine']);
  });

  it('publishes once what was held when the link was cut, whichever way it was held', async () => {
    for (const what of ['commands', 'answers', 'all'] as const) {
      const { client } = await listening(what);
      server.hold(what);
      const sent = client.channel(what).publish('once');
      await server.settled();
      server.drop();
      server.release();
      await clock.advance(1000);
      expect(await sent).toMatchObject({ offset: 1, duplicate: what === 'answers' });
      expect(server.messages(what)).toHaveLength(1);
    }
  });

  it('keeps a client that hears nothing from believing that it is connected', async () => {
    const { client } = await listening();
    server.hold('answers');
    await clock.advance(25_000 + 10_000 + 100);
    expect(client.state).not.toBe('open');
    server.release();
    await clock.advance(5000);
    expect(client.state).toBe('open');
  });

  it('closes a connection that never says connect', async () => {
    const { transport } = { transport: server.transport() };
    let code = 0;
    transport.open({ json: { join: ([piece]: readonly unknown[]) => piece } } as never, {
      opened: () => {},
      messages: () => {},
      lost: (close) => {
        code = close.code;
      },
    });
    await clock.advance(9999);
    expect(code).toBe(0);
    await clock.advance(1);
    expect(code).toBe(4500);
  });

  it('settles only when everything has arrived that will by itself', async () => {
    const { client, log } = await listening();
    for (let i = 0; i < 1000; i++)
      void client
        .channel('room')
        .publish(i)
        .catch(() => {});
    await server.settled();
    expect(log.data).toHaveLength(256);
  });
});
