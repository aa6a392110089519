import { describe, expect, it } from 'vitest';
import { type Message, pattern, presence } from '../../src/index';
import { opened, type Realtime, realtime } from '../support/realtime';

const room = 'room:1';
const said = (r: Realtime, ...types: string[]) =>
  r.server.last.got.filter(({ type }) => types.includes(type)).map(({ type }) => type);
const data = (messages: readonly Message[]) => messages.map((message) => message.data);

/** Refuses each subscription with this code, as often as told. */
function refusing(r: Realtime, code: string, retry: boolean, times = Number.POSITIVE_INFINITY) {
  let left = times;
  r.server.script = (conn, { type, id }) => {
    if (type !== 'subscribe' || left-- <= 0) return false;
    conn.say({ type: 'error', id, code, message: 'no', retry });
    return true;
  };
}

describe('a subscription that somebody else has, too', () => {
  it('is made again at once when the server says so, then ever more slowly', async () => {
    const r = await opened();
    refusing(r, 'already_subscribed', false);
    r.client.channel(room).subscribe(() => {});
    await r.settle();
    expect(said(r, 'subscribe', 'unsubscribe')).toEqual(['subscribe', 'unsubscribe', 'subscribe']);
    await r.pass(10_000);
    expect(said(r, 'subscribe').length).toBeGreaterThan(4);
    expect(said(r, 'subscribe').length).toBeLessThan(10);
    r.server.script = undefined;
    await r.pass(20_000);
    expect(r.client.channel(room).cursor).toEqual({ epoch: 'e1', offset: 0 });
  });
});

describe('a hole in the stream', () => {
  const jump = (r: Realtime) => {
    const { subscriptions } = r.server.last;
    const held = subscriptions.get(room);
    subscriptions.delete(room);
    r.server.publish(room, { data: 'missing' });
    if (held) subscriptions.set(room, held);
    r.server.publish(room, { data: 'behind' });
  };

  it('is mended at once, each time anew once things have gone well', async () => {
    const r = await opened();
    const got: Message[] = [];
    r.client.channel(room).subscribe((message) => got.push(message));
    await r.settle();
    for (let i = 1; i <= 4; i++) {
      jump(r);
      await r.settle();
      expect(got).toHaveLength(i * 2);
    }
  });

  it('is mended at once a while after the last, though nothing came in between', async () => {
    const r = await opened();
    r.client.channel(room).subscribe(() => {});
    await r.settle();
    // Asked again in vain: what comes then is not the next either.
    refusing(r, 'already_subscribed', false, 3);
    r.server.last.say({ type: 'message', channel: room, offset: 9, time: 1, data: 9 });
    await r.pass(5000);
    r.server.script = undefined;
    await r.pass(20_000);
    const before = said(r, 'subscribe').length;
    r.server.last.say({ type: 'message', channel: room, offset: 9, time: 1, data: 9 });
    await r.settle();
    expect(said(r, 'subscribe')).toHaveLength(before + 1);
  });

  it('that is about to be mended is forgotten with the link', async () => {
    const r = await opened();
    const got: Message[] = [];
    r.client.channel(room).subscribe((message) => got.push(message));
    await r.settle();
    refusing(r, 'already_subscribed', false);
    r.server.last.say({ type: 'message', channel: room, offset: 9, time: 1, data: 9 });
    await r.settle();
    r.server.script = undefined;
    await r.cut();
    r.server.publish(room, { data: 1 });
    await r.pass(1000);
    expect(said(r, 'subscribe')).toHaveLength(1);
    await r.pass(30_000);
    expect(said(r, 'subscribe', 'unsubscribe')).toEqual(['subscribe']);
    expect(data(got)).toEqual([1]);
  });
});

describe('a subscription that was refused', () => {
  it('is asked for again by whoever comes next', async () => {
    const r = await opened();
    refusing(r, 'forbidden', false, 1);
    r.client.channel(room).subscribe(() => {});
    await r.settle();
    const got: Message[] = [];
    r.client.channel(room).subscribe((message) => got.push(message));
    await r.settle();
    r.server.publish(room, { data: 1 });
    expect(data(got)).toEqual([1]);
  });

  it('is not asked for again when nobody is left', async () => {
    const r = await opened({ linger: 0 });
    refusing(r, 'overloaded', true);
    const leave = r.client.channel(room).subscribe(() => {});
    await r.settle();
    leave();
    await r.pass(30_000);
    expect(said(r, 'subscribe', 'unsubscribe')).toEqual(['subscribe']);
    expect(r.errors).toHaveLength(1);
  });

  it('keeps its place: it goes on where it was', async () => {
    const r = await opened();
    const got: Message[] = [];
    r.client.channel(room).subscribe((message) => got.push(message));
    await r.settle();
    r.server.publish(room, { data: 1 });
    r.server.last.subscriptions.delete(room);
    r.server.last.say({
      type: 'unsubscribed',
      channel: room,
      code: 'overloaded',
      message: 'later',
    });
    r.server.publish(room, { data: 2 });
    await r.pass(500);
    expect(data(got)).toEqual([1, 2]);
    expect(r.server.last.of('subscribe').at(-1)).toMatchObject({ since: { offset: 1 } });
  });
});

describe('leaving', () => {
  it('while the subscription is asked for takes it back', async () => {
    const r = await opened({ linger: 0 });
    r.client.channel(room).subscribe(() => {})();
    await r.settle();
    expect(said(r, 'subscribe', 'unsubscribe')).toEqual(['subscribe', 'unsubscribe']);
    expect(r.client.channel(room).cursor).toBeUndefined();
  });

  it('without a connection is done at once', async () => {
    const r = realtime();
    r.client.channel(room).subscribe(() => {})();
    await r.settle();
    expect(said(r, 'subscribe', 'unsubscribe')).toEqual([]);
  });

  it('during a break means not to come back', async () => {
    const r = await opened();
    const leave = r.client.channel(room).subscribe(() => {});
    await r.settle();
    await r.cut();
    leave();
    await r.pass(1000);
    expect(said(r, 'subscribe')).toEqual([]);
  });

  it('and coming within the linger time leaves all as it was, however often', async () => {
    const r = await opened();
    const got: Message[] = [];
    let leave = r.client.channel(room).subscribe((message) => got.push(message));
    await r.settle();
    for (let i = 0; i < 5; i++) {
      leave();
      await r.pass(200);
      r.server.publish(room, { data: `nobody ${i}` });
      leave = r.client.channel(room).subscribe((message) => got.push(message));
      r.server.publish(room, { data: i });
    }
    expect(data(got)).toEqual([0, 1, 2, 3, 4]);
    expect(said(r, 'subscribe', 'unsubscribe')).toEqual(['subscribe']);
  });

  it('of the last listener keeps the room while somebody watches the presence', async () => {
    const r = await opened();
    const stop = presence(r.client.channel(room)).on('change', () => {});
    const leave = r.client.channel(room).subscribe(() => {});
    await r.settle();
    leave();
    await r.pass(1000);
    expect(said(r, 'unsubscribe')).toEqual([]);
    stop();
    await r.pass(1000);
    expect(said(r, 'unsubscribe')).toEqual(['unsubscribe']);
  });
});

describe('what a subscription without an epoch brings', () => {
  it('is delivered as it comes, for there is no cursor to go by', async () => {
    const r = await opened();
    const got: Message[] = [];
    r.server.script = (conn, { type, id }) => {
      if (type !== 'subscribe') return false;
      conn.say({ type: 'subscribed', id, channel: room });
      return true;
    };
    r.client.channel(room).subscribe((message) => got.push(message));
    await r.settle();
    for (const offset of [5, 9]) {
      r.server.last.say({ type: 'message', channel: room, offset, time: 1, data: offset });
    }
    expect(data(got)).toEqual([5, 9]);
    expect(r.client.channel(room).cursor).toBeUndefined();
  });
});

describe('patterns and channels side by side', () => {
  it('with the same name are two things', async () => {
    const r = await opened();
    const seen: string[] = [];
    pattern(r.client, 'a').subscribe(() => seen.push('pattern'));
    r.client.channel('a').subscribe(() => seen.push('channel'));
    await r.settle();
    expect(r.server.last.of('subscribe')).toMatchObject([{ pattern: 'a' }, { channel: 'a' }]);
    r.server.publish('a');
    expect(seen.sort()).toEqual(['channel', 'pattern']);
  });

  it('come back after a break, the pattern without what it missed', async () => {
    const r = await opened();
    const seen: string[] = [];
    pattern(r.client, 'b*').subscribe(({ channel, data }) => seen.push(`${channel} ${data}`));
    r.client.channel('a').subscribe(({ channel, data }) => seen.push(`${channel} ${data}`));
    await r.settle();
    await r.cut();
    r.server.publish('a', { data: 1 });
    r.server.publish('b1', { data: 1 });
    await r.pass(1000);
    r.server.publish('b1', { data: 2 });
    expect(seen).toEqual(['a 1', 'b1 2']);
  });

  it('take over what a client delivers only once a pattern is asked for', async () => {
    const r = await opened();
    const seen: unknown[] = [];
    r.client.channel('a').subscribe(({ data }) => seen.push(data));
    await r.settle();
    r.server.publish('a', { data: 1 });
    const stop = pattern(r.client, '*').subscribe(() => {});
    await r.settle();
    r.server.publish('a', { data: 2 });
    stop();
    await r.pass(1000);
    r.server.publish('a', { data: 3 });
    expect(seen).toEqual([1, 2, 3]);
  });

  it('share a subscription, and must agree on its options', async () => {
    const r = await opened();
    const seen: string[] = [];
    pattern(r.client, 'a*').subscribe(() => seen.push('first'));
    pattern(r.client, 'a*').subscribe(() => seen.push('second'));
    await r.settle();
    r.server.publish('a1');
    expect(seen).toEqual(['first', 'second']);
    expect(said(r, 'subscribe')).toHaveLength(1);
    expect(() => pattern(r.client, 'a*', { own: false }).subscribe(() => {})).toThrow(
      expect.objectContaining({ code: 'options_conflict', channel: 'a*' }),
    );
  });
});
