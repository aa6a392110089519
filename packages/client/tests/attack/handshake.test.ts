import { describe, expect, it } from 'vitest';
import { type Message, presence } from '../../src/index';
import type { Conn } from '../support/native-server';
import { type Realtime, realtime } from '../support/realtime';

/** A client that has greeted, and a server that takes its time to answer. */
async function greeted(
  before?: (r: Realtime) => void,
): Promise<{ r: Realtime; answer(): Promise<void> }> {
  const r = realtime();
  before?.(r);
  const held: [Conn, never][] = [];
  r.server.script = (conn, message) => {
    held.push([conn, message as never]);
    return true;
  };
  r.client.connect();
  await r.settle();
  expect(r.server.last.of('connect')).toHaveLength(1);
  return {
    r,
    async answer() {
      r.server.script = undefined;
      for (const [conn, message] of held) r.server.take(conn, message);
      await r.settle();
    },
  };
}

describe('while the answer to the greeting is on its way', () => {
  it('who comes is subscribed as soon as it is there', async () => {
    const { r, answer } = await greeted();
    const got: unknown[] = [];
    r.client.channel('room').subscribe(({ data }) => got.push(data));
    await answer();
    expect(r.server.last.of('subscribe')).toMatchObject([{ channel: 'room' }]);
    r.server.publish('room', { data: 1 });
    expect(got).toEqual([1]);
  });

  it('who watches a presence is told of it', async () => {
    const { r, answer } = await greeted();
    const lists: number[] = [];
    presence(r.client.channel('room')).on('change', ({ count }) => lists.push(count));
    r.server.presence('room', { join: [{ client: 'x' }] });
    await answer();
    expect(lists).toEqual([1]);
  });

  it('who goes is not subscribed for ever', async () => {
    let leave = () => {};
    const { r, answer } = await greeted(({ client }) => {
      leave = client.channel('room').subscribe(() => {});
    });
    leave();
    await r.pass(1000);
    await answer();
    await r.pass(1000);
    expect(r.server.last.subscriptions.size).toBe(0);
    expect(r.server.last.of('unsubscribe')).toHaveLength(1);
    r.client.close();
    await r.pass(5000);
    expect(r.clock.pending).toBe(0);
  });

  it('who goes and comes back is subscribed once', async () => {
    let leave = () => {};
    const { r, answer } = await greeted(({ client }) => {
      leave = client.channel('room').subscribe(() => {});
    });
    leave();
    const got: unknown[] = [];
    r.client.channel('room').subscribe(({ data }) => got.push(data));
    await answer();
    await r.pass(1000);
    r.server.publish('room', { data: 1 });
    expect(got).toEqual([1]);
    expect(r.server.last.of('unsubscribe')).toEqual([]);
  });

  it('who wants to begin further behind gets what is there', async () => {
    const fresh: Message[] = [];
    const { r, answer } = await greeted(({ client, server }) => {
      for (let i = 0; i < 5; i++) server.publish('room', { data: i });
      client.channel('room').subscribe(() => {});
    });
    const { client } = r;
    client.channel('room').subscribe((message) => fresh.push(message), {
      since: { epoch: 'e1', offset: 2 },
    });
    await answer();
    await r.pass(1000);
    expect(fresh.map(({ offset }) => offset)).toEqual([3, 4, 5]);
  });

  it('what breaks then leaves nothing behind', async () => {
    const { r } = await greeted(({ client }) => client.channel('a').subscribe(() => {})());
    r.client.channel('b').subscribe(() => {})();
    r.server.script = undefined;
    await r.cut();
    await r.pass(2000);
    expect(r.client.state).toBe('open');
    expect(r.server.last.of('subscribe')).toEqual([]);
  });
});
