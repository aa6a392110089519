import { describe, expect, it } from 'vitest';
import {
  AnywireError,
  type ChannelRef,
  history,
  inspect,
  type Message,
  presence,
  rpc,
} from '../../src/index';
import { opened, realtime } from '../support/realtime';

/** A channel of even numbers, which are halved on their way in, and doubled on their way out. */
function even(name = 'a') {
  const asked: unknown[] = [];
  const refuse = (value: unknown) =>
    new AnywireError('schema', `${value} is odd`, { issues: [{ message: 'odd' }], cause: value });
  const ref: ChannelRef<number, number, number> = {
    name,
    check: {
      message(value, event) {
        asked.push(event === undefined ? value : [event, value]);
        if (Number(value) % 2 !== 0) throw refuse(value);
        return Number(value) / 2;
      },
      publish(value) {
        if (Number(value) > 100) throw refuse(value);
        return Number(value) * 2;
      },
      presence(info) {
        if (info === 'odd') throw refuse(info);
        return { info };
      },
    },
  };
  return { ref, asked };
}

describe('a check of messages', () => {
  it('is asked once for each message, however many listen', async () => {
    const r = await opened();
    const { ref, asked } = even();
    const channel = r.client.channel(ref);
    const got: number[][] = [[], []];
    const errors: AnywireError[] = [];
    channel.on('error', (error) => errors.push(error));
    for (const mine of got) channel.subscribe(({ data }) => mine.push(data));
    await r.settle();
    for (const data of [2, 3, 4]) r.server.publish('a', { data });
    expect(got).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(asked).toEqual([2, 3, 4]);
    expect(errors).toMatchObject([{ code: 'schema', issues: [{ message: 'odd' }], cause: 3 }]);
    expect(channel.dropped).toBe(1);
  });

  it('is given the event, and leaves the message as others get it', async () => {
    const r = await opened();
    const { ref, asked } = even();
    const plain: Message[] = [];
    r.client.channel('a').subscribe((message) => plain.push(message));
    r.client.channel(ref).subscribe(() => {});
    await r.settle();
    r.server.publish('a', { data: 2, event: 'add' });
    expect(asked).toEqual([['add', 2]]);
    expect(plain).toMatchObject([{ data: 2, event: 'add' }]);
  });

  it('that refuses does not hold up the cursor, nor ask for anything again', async () => {
    const r = await opened();
    const channel = r.client.channel(even().ref);
    channel.subscribe(() => {});
    await r.settle();
    for (let i = 0; i < 50; i++) r.server.publish('a', { data: 1 });
    await r.pass(1000);
    expect(channel.dropped).toBe(50);
    expect(channel.cursor).toEqual({ epoch: 'e1', offset: 50 });
    expect(r.server.last.of('subscribe')).toHaveLength(1);
    expect(r.client.state).toBe('open');
    // It is the channel's affair, and nothing that the connection has done.
    expect(r.errors).toEqual([]);
  });

  it('is shown to who looks into the client', async () => {
    const r = await opened();
    const seen: string[] = [];
    const stop = inspect(r.client).on('error', ({ code }) => seen.push(code));
    const channel = r.client.channel(even().ref);
    channel.subscribe(() => {});
    await r.settle();
    r.server.publish('a', { data: 1 });
    await channel.publish(101).catch(() => {});
    expect(seen).toEqual(['schema', 'schema']);
    stop();
    r.server.publish('a', { data: 1 });
    expect(seen).toHaveLength(2);
  });

  it('holds for pages of history, too', async () => {
    const r = await opened();
    const channel = r.client.channel(even().ref);
    for (const data of [2, 3, 4, 5]) r.server.publish('a', { data });
    const page = Promise.resolve(history(channel, { limit: 3 }));
    await r.settle();
    const first = await page;
    expect(first.messages.map(({ data }) => data)).toEqual([1, 2]);
    expect(channel.dropped).toBe(1);
    // What was refused counts: the next page begins behind it.
    const next = first.next();
    await r.settle();
    expect((await next)?.messages).toEqual([]);
    expect(r.server.last.of('history').at(-1)).toMatchObject({ after: 3 });
  });
});

describe('a check of what goes out', () => {
  it('says what is sent', async () => {
    const r = await opened();
    const done = r.client.channel(even().ref).publish(21);
    await r.settle();
    await done;
    expect(r.server.published).toMatchObject([{ data: 42 }]);
  });

  it('refuses before anything waits, also without a connection', async () => {
    const r = realtime();
    const refused = r.client.channel(even().ref).publish(101);
    await expect(refused).rejects.toMatchObject({ code: 'schema', uncertain: false, cause: 101 });
    expect(r.client.queued).toBe(0);
    expect(r.client.state).toBe('idle');
  });

  it('says what presence is entered with, and leaves none alone', async () => {
    const r = await opened();
    const own = presence(r.client.channel(even().ref));
    void own.enter(1);
    await r.settle();
    expect(r.server.last.of('enter').at(-1)).toMatchObject({ info: { info: 1 } });
    await expect(own.enter('odd' as never)).rejects.toMatchObject({ code: 'schema' });
    void own.enter();
    await r.settle();
    expect(r.server.last.of('enter').at(-1)).not.toHaveProperty('info');
  });

  it('of a method says what is asked and what the answer is', async () => {
    const r = await opened();
    const method = {
      name: 'sum',
      check: { input: (value: unknown) => [value], output: (value: unknown) => ({ value }) },
    };
    const answer = rpc(r.client, method, 1);
    await r.settle();
    expect(await answer).toEqual({ value: ['sum', [1]] });
  });

  it('of a method may refuse either', async () => {
    const r = await opened();
    const no = () => {
      throw new AnywireError('schema', 'no');
    };
    const yes = (value: unknown) => value;
    const calls = [
      rpc(r.client, { name: 'm', check: { input: no, output: yes } }, 1),
      rpc(r.client, { name: 'm', check: { input: yes, output: no } }, 1),
    ].map((call) => expect(call).rejects.toMatchObject({ code: 'schema' }));
    await r.settle();
    await Promise.all(calls);
    expect(r.server.last.of('rpc')).toHaveLength(1);
  });
});

describe('a channel', () => {
  it('is a reference itself: what takes one takes the other', async () => {
    const r = await opened();
    const first = r.client.channel(even().ref);
    const got: number[] = [];
    r.client.channel(first).subscribe(({ data }) => got.push(data));
    await r.settle();
    r.server.publish('a', { data: 8 });
    expect(got).toEqual([4]);
  });

  it('reads a result that MessagePack cannot say from its JSON text', async () => {
    const r = await opened();
    r.server.script = (conn, { type, id }) => {
      if (type !== 'rpc') return false;
      conn.say({ type: 'result', id, text: '{"n":1e400}', json: true });
      return true;
    };
    const answer = rpc(r.client, 'large');
    await r.settle();
    expect(await answer).toEqual({ n: Number.POSITIVE_INFINITY });
  });
});
