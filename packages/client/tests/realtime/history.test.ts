import { describe, expect, it } from 'vitest';
import { history } from '../../src/index';
import { opened } from '../support/realtime';

const room = 'room:1';

describe('history', () => {
  async function filled(n: number) {
    const r = await opened();
    for (let i = 1; i <= n; i++) r.server.publish(room, { data: i });
    return r;
  }

  it('gives pages', async () => {
    const r = await filled(5);
    const channel = r.client.channel<number>(room);
    const asked = history(channel, { limit: 2, order: 'backward', before: 5 });
    const first = Promise.resolve(asked);
    await r.settle();
    const page = await first;
    expect(page).toMatchObject({ epoch: 'e1', top: 5, oldest: 1, more: true });
    expect(page.messages.map(({ data }) => data)).toEqual([4, 3]);
    expect(page.messages[0]).toMatchObject({ channel: room, epoch: 'e1', kind: 'json' });
    const next = page.next();
    await r.settle();
    const second = await next;
    expect(second?.messages.map(({ data }) => data)).toEqual([2, 1]);
    expect(await second?.next()).toBeUndefined();
  });

  it('asks nothing before it is used, and once for each page', async () => {
    const r = await filled(1);
    const asked = history(r.client.channel(room));
    await r.settle();
    expect(r.server.last.of('history')).toEqual([]);
    const both = Promise.all([asked, asked]);
    await r.settle();
    await both;
    expect(r.server.last.of('history')).toHaveLength(1);
  });

  it('can be iterated to its end', async () => {
    const r = await filled(25);
    const seen: unknown[] = [];
    const run = (async () => {
      for await (const { data } of history(r.client.channel(room), { limit: 10 })) seen.push(data);
    })();
    for (let i = 0; i < 5; i++) await r.settle();
    await run;
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
    expect(r.server.last.of('history').map(({ after }) => after)).toEqual([undefined, 10, 20]);
  });

  it('does not mix two lives of a stream', async () => {
    const r = await filled(5);
    const first = Promise.resolve(history(r.client.channel(room), { limit: 2 }));
    await r.settle();
    r.server.channel(room).epoch = 'e2';
    const second = (await first).next();
    const seen = expect(second).rejects.toMatchObject({ code: 'epoch_changed' });
    await r.settle();
    await seen;
  });

  it('ends rather than ask for ever when a page is empty though there should be more', async () => {
    const r = await filled(1);
    r.server.script = (conn, { type, id }) => {
      if (type !== 'history') return false;
      const there = { epoch: 'e1', top: 9, oldest: 1, more: true, messages: [] };
      conn.say({ type: 'history', id, channel: room, ...there });
      return true;
    };
    const first = Promise.resolve(history(r.client.channel(room)));
    await r.settle();
    expect(await (await first).next()).toBeUndefined();
  });

  it('is asked again on the next connection, and rejects with the reason', async () => {
    const r = await filled(1);
    r.server.script = (_, { type }) => type === 'history';
    const first = Promise.resolve(history(r.client.channel(room)));
    await r.settle();
    await r.cut();
    r.server.script = (conn, { type, id }) => {
      if (type !== 'history') return false;
      conn.say({ type: 'error', id, code: 'no_history', message: 'none', retry: false });
      return true;
    };
    const seen = expect(first).rejects.toMatchObject({ code: 'no_history', channel: room });
    await r.pass(1000);
    await seen;
  });

  it('leads to live messages without a hole', async () => {
    const r = await filled(3);
    const first = Promise.resolve(history(r.client.channel<number>(room)));
    await r.settle();
    const page = await first;
    r.server.publish(room, { data: 4 });
    const seen = page.messages.map(({ data }) => data);
    const since = { epoch: page.epoch, offset: page.messages.at(-1)?.offset ?? 0 };
    r.client.channel<number>(room).subscribe(({ data }) => seen.push(data), { since });
    await r.settle();
    r.server.publish(room, { data: 5 });
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });
});
