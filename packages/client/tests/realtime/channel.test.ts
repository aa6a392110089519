import { describe, expect, it } from 'vitest';
import { type Gap, type Message, pattern, type Subscribed } from '../../src/index';
import { FakeWebSocket } from '../support/fake-web-socket';
import { opened, realtime } from '../support/realtime';

const room = 'room:1';
const numbers = (messages: readonly Message[]) => messages.map(({ data }) => data);

describe('subscribing', () => {
  it('connects by itself and says connect and subscribe in one frame', async () => {
    const r = realtime();
    const got: Message[] = [];
    expect(r.client.state).toBe('idle');
    r.client.channel(room).subscribe((message) => got.push(message));
    await r.settle();
    expect(r.client.state).toBe('open');
    expect(r.server.last.got.map(({ type }) => type)).toEqual(['connect', 'subscribe']);
    r.server.publish(room, { data: 1, event: 'chat', client: 'c9', user: 'ann', tags: { a: 'b' } });
    expect(got).toEqual([
      {
        channel: room,
        epoch: 'e1',
        offset: 1,
        time: 1001,
        kind: 'json',
        data: 1,
        event: 'chat',
        client: 'c9',
        user: 'ann',
        tags: { a: 'b' },
      },
    ]);
  });

  it('takes a message with an id of its own for a message, and not for an answer', async () => {
    const r = await opened();
    const got: Message[] = [];
    r.client.channel(room).subscribe((message) => got.push(message));
    await r.settle();
    r.server.publish(room, { id: 'm-1', data: 1 });
    expect(got).toMatchObject([{ id: 'm-1', data: 1, offset: 1 }]);
  });

  it('reads the JSON text that stands for what MessagePack cannot say', async () => {
    const r = await opened();
    const got: Message[] = [];
    r.client.channel(room).subscribe((message) => got.push(message));
    await r.settle();
    r.server.publish(room, { text: '{"n":1e400}', json: true });
    expect(got).toEqual([
      { channel: room, epoch: 'e1', offset: 1, time: 1001, kind: 'json', data: { n: Infinity } },
    ]);
  });

  it('gives text as a string and binary as bytes', async () => {
    const r = await opened();
    const got: Message[] = [];
    r.client.channel(room).subscribe((message) => got.push(message));
    await r.settle();
    r.server.publish(room, { text: 'hi' });
    r.server.publish(room, { binary: btoa('\x00\xff') });
    expect(got.map(({ kind, data }) => [kind, data])).toEqual([
      ['text', 'hi'],
      ['binary', new Uint8Array([0, 255])],
    ]);
  });

  it('shares one subscription among all listeners of a channel', async () => {
    const r = await opened();
    const a: unknown[] = [];
    const b: unknown[] = [];
    const leaveA = r.client.channel(room).subscribe(({ data }) => a.push(data));
    const leaveB = r.client.channel(room).subscribe(({ data }) => b.push(data));
    await r.settle();
    r.server.publish(room, { data: 1 });
    leaveA();
    leaveA();
    r.server.publish(room, { data: 2 });
    expect([a, b]).toEqual([[1], [1, 2]]);
    expect(r.server.last.of('subscribe')).toHaveLength(1);
    leaveB();
    await r.pass(500);
    expect(r.server.last.of('unsubscribe')).toHaveLength(1);
  });

  it('outlives its last listener a little, so that a new mount finds it as it was', async () => {
    const r = await opened();
    const leave = r.client.channel(room).subscribe(() => {});
    await r.settle();
    leave();
    r.client.channel(room).subscribe(() => {});
    await r.pass(1000);
    expect(r.server.last.of('subscribe')).toHaveLength(1);
    expect(r.server.last.of('unsubscribe')).toHaveLength(0);
  });

  it('lets a listener leave, and others join, while a message is delivered', async () => {
    const r = await opened();
    const got: string[] = [];
    const channel = r.client.channel(room);
    const leaveB = { run: () => {} };
    channel.subscribe(() => {
      got.push('a');
      leaveB.run();
    });
    leaveB.run = channel.subscribe(() => got.push('b'));
    await r.settle();
    r.server.publish(room);
    expect(got).toEqual(['a']);
  });

  it('passes rewind, own and filter on', async () => {
    const r = await opened();
    for (let i = 1; i <= 5; i++) r.server.publish(room, { data: i });
    const got: Message[] = [];
    const filter = { lang: ['en', 'de'] };
    r.client.channel(room, { rewind: 2, own: false, filter }).subscribe((m) => got.push(m));
    await r.settle();
    expect(numbers(got)).toEqual([4, 5]);
    expect(r.server.last.of('subscribe')[0]).toMatchObject({ rewind: 2, own: false, filter });
  });

  it('refuses options that contradict those in use', async () => {
    const r = await opened();
    r.client.channel(room, { own: false }).subscribe(() => {});
    expect(() => r.client.channel(room).subscribe(() => {})).toThrow(/options_conflict/);
  });

  it('begins for each of the first listeners where it wants, in whatever order they come', async () => {
    for (const rewinds of [
      [0, 2, 3],
      [3, 0],
      [1, 3, 0, 2],
    ]) {
      const r = await opened();
      for (let i = 1; i <= 5; i++) r.server.publish(room, { data: i });
      const got: Message[][] = [];
      for (const rewind of rewinds) {
        const mine: Message[] = [];
        got.push(mine);
        r.client.channel(room, rewind ? { rewind } : {}).subscribe((message) => mine.push(message));
      }
      await r.pass(500);
      const wanted = rewinds.map((rewind) => [1, 2, 3, 4, 5].slice(5 - rewind));
      expect(got.map(numbers)).toEqual(wanted);
      const later: Message[] = [];
      r.client.channel(room, { rewind: 5 }).subscribe((message) => later.push(message));
      r.client.channel(room).subscribe((message) => later.push(message));
      await r.settle();
      expect(later).toEqual([]);
      r.server.publish(room, { data: 6 });
      expect(got.map(numbers)).toEqual(wanted.map((mine) => [...mine, 6]));
      expect(r.errors).toEqual([]);
    }
  });

  it('does not repeat rewind after a break', async () => {
    const r = await opened();
    r.server.publish(room, { data: 1 });
    const got: Message[] = [];
    r.client.channel(room, { rewind: 5 }).subscribe((message) => got.push(message));
    await r.settle();
    await r.cut();
    await r.pass(1000);
    const again = r.server.last.of('subscribe')[0];
    expect(again).toMatchObject({ since: { epoch: 'e1', offset: 1 } });
    expect(again).not.toHaveProperty('rewind');
    expect(numbers(got)).toEqual([1]);
  });

  it('tells a refusal and tries again on the next connection', async () => {
    const r = await opened();
    r.server.script = (conn, { type, id }) => {
      if (type !== 'subscribe' || r.server.conns.length > 1) return false;
      conn.say({ type: 'error', id, code: 'forbidden', message: 'not you', retry: false });
      return true;
    };
    const channel = r.client.channel(room);
    const seen: string[] = [];
    channel.on('error', ({ code, channel }) => seen.push(`${code} ${channel}`));
    channel.on('subscribed', () => seen.push('subscribed'));
    channel.subscribe(() => {});
    await r.settle();
    expect(seen).toEqual(['forbidden room:1']);
    expect(r.errors.map(({ code }) => code)).toEqual(['forbidden']);
    await r.pass(5000);
    expect(r.server.last.of('subscribe')).toHaveLength(1);
    await r.cut();
    await r.pass(1000);
    expect(seen).toEqual(['forbidden room:1', 'subscribed']);
  });

  it('asks again, slower and slower, when the server says that it may', async () => {
    const r = await opened();
    r.server.script = (conn, { type, id }) => {
      if (type !== 'subscribe') return false;
      conn.say({ type: 'error', id, code: 'overloaded', message: 'later', retry: true });
      return true;
    };
    r.client.channel(room).subscribe(() => {});
    await r.pass(6000);
    const { length } = r.server.last.of('subscribe');
    expect(length).toBeGreaterThan(3);
    expect(length).toBeLessThan(8);
    r.server.script = undefined;
    await r.pass(20_000);
    expect(r.client.channel(room).cursor).toEqual({ epoch: 'e1', offset: 0 });
  });

  it('stops when the server ends the subscription, and tells why', async () => {
    const r = await opened();
    const got: Message[] = [];
    const codes: string[] = [];
    const channel = r.client.channel(room);
    channel.on('error', ({ code }) => codes.push(code));
    channel.subscribe((message) => got.push(message));
    await r.settle();
    r.server.last.subscriptions.delete(room);
    r.server.last.say({ type: 'unsubscribed', channel: room, code: 'forbidden', message: 'no' });
    r.server.last.say({ type: 'message', channel: room, offset: 1, time: 1, data: 1 });
    await r.pass(1000);
    expect(codes).toEqual(['forbidden']);
    expect(got).toEqual([]);
    expect(r.server.last.of('subscribe')).toHaveLength(1);
  });
});

describe('the cursor', () => {
  async function listening() {
    const r = await opened();
    const got: Message[] = [];
    const gaps: Gap[] = [];
    const begun: Subscribed[] = [];
    const channel = r.client.channel(room);
    channel.on('gap', (gap) => gaps.push(gap));
    channel.on('subscribed', (info) => begun.push(info));
    channel.subscribe((message) => got.push(message));
    await r.settle();
    return { ...r, got, gaps, begun, channel };
  }

  it('brings back what was published during a break, in order and once', async () => {
    const r = await listening();
    r.server.publish(room, { data: 1 });
    await r.cut();
    for (let i = 2; i <= 101; i++) r.server.publish(room, { data: i });
    await r.pass(1000);
    r.server.publish(room, { data: 102 });
    expect(numbers(r.got)).toEqual(Array.from({ length: 102 }, (_, i) => i + 1));
    expect(r.begun.map(({ recovered }) => recovered)).toEqual([undefined, true]);
    expect(r.gaps).toEqual([]);
  });

  it('tells of what history has no more and goes on behind it', async () => {
    const r = await listening();
    r.server.publish(room, { data: 1 });
    await r.cut();
    for (let i = 2; i <= 9; i++) r.server.publish(room, { data: i });
    r.server.channel(room).messages.splice(0, 6);
    await r.pass(1000);
    expect(r.gaps).toEqual([
      {
        channel: room,
        from: 2,
        to: 6,
        reason: 'evicted',
        position: { epoch: 'e1', offset: 6 },
      },
    ]);
    expect(numbers(r.got)).toEqual([1, 7, 8, 9]);
    expect(r.begun.at(-1)?.recovered).toBe(false);
  });

  it('tells of a stream that began anew, whose offsets are low again', async () => {
    const r = await listening();
    for (let i = 1; i <= 5; i++) r.server.publish(room, { data: i });
    await r.cut();
    Object.assign(r.server.channel(room), { epoch: 'e2', top: 0, messages: [] });
    r.server.publish(room, { data: 'new' });
    await r.pass(1000);
    expect(r.gaps).toMatchObject([{ from: 6, to: 0, reason: 'epoch' }]);
    expect(r.got.at(-1)).toMatchObject({ epoch: 'e2', offset: 1, data: 'new' });
  });

  it('does not believe "recovered" of another epoch', async () => {
    const r = await listening();
    r.server.publish(room, { data: 1 });
    r.server.script = (conn, { type, id }) => {
      if (type !== 'subscribe') return false;
      const there = { epoch: 'e9', offset: 3, top: 3, recoverable: true, recovered: true };
      conn.say({ type: 'subscribed', id, channel: room, ...there });
      return true;
    };
    await r.cut();
    await r.pass(1000);
    expect(r.gaps).toMatchObject([{ reason: 'unknown', position: { epoch: 'e9', offset: 3 } }]);
  });

  it('drops what it has had', async () => {
    const r = await listening();
    r.server.publish(room, { data: 1 });
    r.server.last.say({ type: 'message', channel: room, offset: 1, time: 1, data: 'twice' });
    expect(numbers(r.got)).toEqual([1]);
  });

  it('subscribes anew when an offset is left out', async () => {
    const r = await listening();
    r.server.publish(room, { data: 1 });
    const { subscriptions } = r.server.last;
    const held = subscriptions.get(room);
    subscriptions.delete(room);
    r.server.publish(room, { data: 2 });
    subscriptions.set(room, held as never);
    r.server.publish(room, { data: 3 });
    await r.settle();
    expect(r.server.last.of('subscribe').at(-1)).toMatchObject({ since: { offset: 1 } });
    expect(numbers(r.got)).toEqual([1, 2, 3]);
    expect(r.gaps).toEqual([]);
  });

  it('is not drawn into a storm by a server that always leaves something out', async () => {
    const r = await listening();
    r.server.script = (conn, { type, id }) => {
      if (type !== 'subscribe') return false;
      const there = { epoch: 'e1', offset: 0, top: 9, recoverable: true, recovered: true };
      conn.say({ type: 'subscribed', id, channel: room, ...there });
      conn.say({ type: 'message', channel: room, offset: 9, time: 1, data: 9 });
      return true;
    };
    r.server.last.say({ type: 'message', channel: room, offset: 7, time: 1, data: 7 });
    await r.pass(10_000);
    expect(r.server.last.of('subscribe').length).toBeLessThan(12);
    expect(r.got).toEqual([]);
  });

  it('ignores what the old subscription still sends while it asks for a new one', async () => {
    const r = await listening();
    r.server.script = ({ got }, { type }) => type === 'subscribe' && got.length > 2;
    r.server.last.say({ type: 'message', channel: room, offset: 5, time: 1, data: 5 });
    await r.settle();
    r.server.last.say({ type: 'message', channel: room, offset: 1, time: 1, data: 1 });
    r.server.last.say({ type: 'gap', channel: room, from: 1, to: 7, epoch: 'e1', offset: 7 });
    expect(r.got).toEqual([]);
    expect(r.gaps).toEqual([]);
    expect(r.channel.cursor).toEqual({ epoch: 'e1', offset: 0 });
  });

  it('moves with advance, forwards only', async () => {
    const r = await listening();
    r.server.last.say({ type: 'advance', channel: room, offset: 4 });
    r.server.last.say({ type: 'advance', channel: room, offset: 2 });
    expect(r.channel.cursor).toEqual({ epoch: 'e1', offset: 4 });
    r.server.last.say({ type: 'message', channel: room, offset: 5, time: 1, data: 5 });
    expect(numbers(r.got)).toEqual([5]);
  });

  it('moves with a gap push and tells the application', async () => {
    const r = await listening();
    const gap = { from: 1, to: 7, reason: 'slow', epoch: 'e1', offset: 7 };
    r.server.last.say({ type: 'gap', channel: room, ...gap });
    r.server.last.say({ type: 'message', channel: room, offset: 8, time: 1, data: 8 });
    expect(r.gaps).toMatchObject([{ from: 1, to: 7, reason: 'slow' }]);
    expect(numbers(r.got)).toEqual([8]);
  });

  it('begins at a position that the caller has from elsewhere', async () => {
    const r = await opened();
    for (let i = 1; i <= 4; i++) r.server.publish(room, { data: i });
    const got: Message[] = [];
    const since = { epoch: 'e1', offset: 2 };
    r.client.channel(room).subscribe((message) => got.push(message), { since });
    await r.settle();
    expect(numbers(got)).toEqual([3, 4]);
  });

  it('repeats for a late listener what the others have had, for him alone', async () => {
    const r = await listening();
    for (let i = 1; i <= 4; i++) r.server.publish(room, { data: i });
    const late: Message[] = [];
    const since = { epoch: 'e1', offset: 2 };
    r.client.channel(room).subscribe((message) => late.push(message), { since });
    await r.settle();
    r.server.publish(room, { data: 5 });
    expect(numbers(late)).toEqual([3, 4, 5]);
    expect(numbers(r.got)).toEqual([1, 2, 3, 4, 5]);
  });

  it('tells a late listener whose position is of another epoch', async () => {
    const r = await listening();
    r.server.publish(room);
    const late = r.client.channel(room);
    const gaps: Gap[] = [];
    late.on('gap', (gap) => gaps.push(gap));
    late.subscribe(() => {}, { since: { epoch: 'e0', offset: 7 } });
    expect(gaps).toMatchObject([{ from: 8, to: 0, reason: 'epoch' }]);
    expect(r.gaps).toEqual([]);
  });
});

describe('subscriptions that the token makes', () => {
  it('are there for whoever subscribes, without asking', async () => {
    const r = realtime();
    r.server.granted = [room];
    r.client.connect();
    await r.settle();
    r.server.publish(room, { data: 1 });
    const got: Message[] = [];
    const leave = r.client.channel(room).subscribe((message) => got.push(message));
    r.server.publish(room, { data: 2 });
    expect(numbers(got)).toEqual([2]);
    leave();
    await r.pass(1000);
    expect(r.server.last.got.map(({ type }) => type)).toEqual(['connect']);
  });

  it('are made anew for who wants to begin with the last messages', async () => {
    const r = realtime();
    r.server.granted = [room];
    r.client.connect();
    await r.settle();
    for (let data = 1; data <= 5; data++) r.server.publish(room, { data });
    for (const last of [6, 7]) {
      const got: Message[] = [];
      const leave = r.client.channel(room, { rewind: 2 }).subscribe((message) => got.push(message));
      await r.settle();
      r.server.publish(room, { data: last });
      expect(numbers(got)).toEqual([last - 2, last - 1, last]);
      leave();
      await r.pass(1000);
    }
    const got: Message[] = [];
    r.client.channel(room).subscribe((message) => got.push(message));
    await r.settle();
    r.server.publish(room, { data: 8 });
    expect(numbers(got)).toEqual([8]);
    expect(r.errors).toEqual([]);
  });

  it('are taken over when our own subscription crosses with them', async () => {
    const r = realtime();
    r.server.granted = [room];
    const got: Message[] = [];
    r.client.channel(room).subscribe((message) => got.push(message));
    await r.settle();
    r.server.publish(room, { data: 1 });
    expect(numbers(got)).toEqual([1]);
    expect(r.errors).toEqual([]);
  });

  it('are recovered like others after a break', async () => {
    const r = realtime();
    r.server.granted = [room];
    r.client.connect();
    await r.settle();
    const got: Message[] = [];
    r.client.channel(room).subscribe((message) => got.push(message));
    r.server.publish(room, { data: 1 });
    await r.cut();
    r.server.publish(room, { data: 2 });
    await r.pass(1000);
    r.server.publish(room, { data: 3 });
    expect(numbers(got)).toEqual([1, 2, 3]);
  });
});

describe('patterns', () => {
  it('deliver what matches, with the name of its channel', async () => {
    const r = await opened();
    const got: string[] = [];
    pattern(r.client, 'room:*').subscribe(({ channel, offset }) =>
      got.push(`${channel} ${offset}`),
    );
    await r.settle();
    expect(r.server.last.of('subscribe')[0]).toEqual({
      type: 'subscribe',
      id: expect.any(Number),
      pattern: 'room:*',
    });
    r.server.publish('room:1');
    r.server.publish('room:2');
    r.server.publish('hall');
    r.server.publish('room:1');
    expect(got).toEqual(['room:1 1', 'room:2 1', 'room:1 2']);
  });

  it('show a message once though several subscriptions bring it', async () => {
    const r = await opened();
    const got: string[] = [];
    pattern(r.client, 'room:*').subscribe(() => got.push('*'));
    pattern(r.client, 'room:?').subscribe(() => got.push('?'));
    r.client.channel(room).subscribe(() => got.push('1'));
    await r.settle();
    r.server.publish(room);
    expect(got.sort()).toEqual(['*', '1', '?']);
  });

  it('see what is new in a channel that is subscribed to by its name, not what it brings back', async () => {
    const r = await opened();
    r.server.publish(room, { data: 1 });
    const got: unknown[] = [];
    pattern(r.client, 'room:*').subscribe(({ data }) => got.push(data));
    r.client.channel(room, { rewind: 5 }).subscribe(() => {});
    await r.settle();
    r.server.publish(room, { data: 2 });
    const since = { epoch: 'e1', offset: 0 };
    r.client.channel(room, { rewind: 5 }).subscribe(() => {}, { since });
    await r.settle();
    r.server.publish(room, { data: 3 });
    expect(got).toEqual([2, 3]);
  });

  it('tell how many messages were left out', async () => {
    const r = await opened();
    const gaps: Gap[] = [];
    const rooms = pattern(r.client, 'room:*');
    rooms.on('gap', (gap) => gaps.push(gap));
    rooms.subscribe(() => {});
    await r.settle();
    r.server.last.say({ type: 'gap', pattern: 'room:*', missed: 17, reason: 'slow' });
    expect(gaps).toMatchObject([{ channel: 'room:*', missed: 17, reason: 'slow' }]);
  });

  it('are told when the server ends them', async () => {
    const r = await opened();
    const codes: string[] = [];
    const rooms = pattern(r.client, 'room:*');
    rooms.on('error', ({ code }) => codes.push(code));
    rooms.subscribe(() => {});
    await r.settle();
    r.server.last.say({
      type: 'unsubscribed',
      pattern: 'room:*',
      code: 'forbidden',
      message: 'no',
    });
    expect(codes).toEqual(['forbidden']);
  });

  it('take their special characters literally', async () => {
    const r = await opened();
    const got: string[] = [];
    pattern(r.client, 'a.b(c)[d]+?').subscribe(({ channel }) => got.push(channel));
    await r.settle();
    for (const name of ['a.b(c)[d]+e', 'axb(c)[d]+e', 'a.b(c)[d]+']) {
      r.server.last.say({ type: 'message', channel: name, offset: 1, time: 1, data: 1 });
    }
    expect(got).toEqual(['a.b(c)[d]+e']);
  });

  it('are unsubscribed by pattern', async () => {
    const r = await opened({ linger: 0 });
    const leave = pattern(r.client, 'room:*').subscribe(() => {});
    await r.settle();
    leave();
    await r.settle();
    expect(r.server.last.of('unsubscribe')).toMatchObject([{ pattern: 'room:*' }]);
  });
});

describe('a flood', () => {
  it('is seen whole, in order, in frames of any size', async () => {
    const r = await opened();
    let next = 1;
    r.client.channel(room).subscribe(({ offset }) => {
      expect(offset).toBe(next);
      next++;
    });
    await r.settle();
    let offset = 0;
    for (let frame = 0; frame < 200; frame++) {
      const burst = Array.from({ length: 1 + (frame % 7) * 30 }, () => ({
        type: 'message',
        channel: room,
        offset: ++offset,
        time: 1,
        data: { text: 'x'.repeat(100) },
      }));
      r.server.last.say(...burst);
    }
    expect(next - 1).toBe(offset);
    expect(r.client.channel(room).cursor).toEqual({ epoch: 'e1', offset });
  });

  it('of listeners and channels leaves no room behind', async () => {
    const r = await opened();
    const leaves: (() => void)[] = [];
    for (let i = 0; i < 100; i++) {
      for (let j = 0; j < 3; j++) leaves.push(r.client.channel(`c${i}`).subscribe(() => {}));
    }
    await r.settle();
    expect(r.server.last.of('subscribe')).toHaveLength(100);
    for (const leave of leaves) leave();
    await r.pass(500);
    expect(r.server.last.of('unsubscribe')).toHaveLength(100);
    await r.cut();
    await r.pass(500);
    expect(r.server.last.of('subscribe')).toHaveLength(0);
    expect(r.clock.pending).toBe(2);
  });

  it('of subscriptions at the start comes in frames that the server takes', async () => {
    const r = realtime();
    for (let i = 0; i < 128; i++) r.client.channel(`c${i}`).subscribe(() => {});
    await r.settle();
    expect(r.server.last.of('subscribe')).toHaveLength(128);
    const frames = FakeWebSocket.last.sent.map((frame) => [JSON.parse(frame as string)].flat());
    expect(frames.map(({ length }) => length)).toEqual([64, 64, 1]);
    expect(frames[0]?.[0]).toMatchObject({ type: 'connect' });
  });
});

describe('listeners that make mistakes or act', () => {
  it('harm nobody else when they throw', async () => {
    const r = await opened();
    const shown: unknown[] = [];
    const { reportError } = globalThis as { reportError?: unknown };
    Object.assign(globalThis, { reportError: (error: unknown) => shown.push(error) });
    try {
      const got: unknown[] = [];
      const channel = r.client.channel(room);
      channel.subscribe(() => {
        throw new Error('mine');
      });
      channel.subscribe(({ data }) => got.push(data));
      await r.settle();
      r.server.publish(room, { data: 1 });
      r.server.publish(room, { data: 2 });
      expect(got).toEqual([1, 2]);
      expect(shown).toHaveLength(2);
      expect(r.client.state).toBe('open');
    } finally {
      Object.assign(globalThis, { reportError });
    }
  });

  it('may close the client in the midst of a frame', async () => {
    const r = await opened();
    const got: unknown[] = [];
    r.client.channel(room).subscribe(({ data }) => {
      got.push(data);
      void r.client.close();
    });
    await r.settle();
    const message = { type: 'message', channel: room, time: 1 };
    r.server.last.say({ ...message, offset: 1, data: 1 }, { ...message, offset: 2, data: 2 });
    expect(got).toEqual([1]);
    expect(r.client.state).toBe('closed');
  });

  it('may subscribe, leave and publish from within', async () => {
    const r = await opened();
    const got: string[] = [];
    const channel = r.client.channel(room);
    const first = channel.subscribe(({ data }) => {
      got.push(`first ${data}`);
      first();
      channel.subscribe((message) => got.push(`second ${message.data}`));
      void channel.publish('b');
    });
    await r.settle();
    r.server.publish(room, { data: 'a' });
    await r.settle();
    expect(got).toEqual(['first a', 'second b']);
  });

  it('may close, reconnect or throw in a state listener', async () => {
    const r = realtime();
    r.client.on('state', ({ state, opens }) => {
      if (state === 'open' && opens === 1) void r.client.close();
    });
    r.client.channel(room).subscribe(() => {});
    await r.settle();
    expect(r.client.state).toBe('closed');
    for (const ws of FakeWebSocket.all) if (ws.readyState < 3) ws.end(1000);
    expect(r.clock.pending).toBe(0);
    r.client.connect();
    await r.settle();
    expect(r.client.state).toBe('open');
  });
});

describe('several subscriptions that know of each other', () => {
  it('give each listener its own beginning', async () => {
    const r = await opened();
    for (let i = 1; i <= 3; i++) r.server.publish(room, { data: i });
    const logs: unknown[][] = [[], [], []];
    const starts = [undefined, { epoch: 'e1', offset: 1 }, { epoch: 'e1', offset: 2 }];
    for (const [i, since] of starts.entries()) {
      r.client.channel(room).subscribe(({ data }) => logs[i]?.push(data), since ? { since } : {});
      await r.settle();
    }
    r.server.publish(room, { data: 4 });
    expect(logs).toEqual([[4], [2, 3, 4], [3, 4]]);
  });

  it('tell a gap only to those whom it concerns', async () => {
    const r = await opened();
    for (let i = 1; i <= 6; i++) r.server.publish(room, { data: i });
    const first = r.client.channel(room);
    const late = r.client.channel(room);
    const told: string[] = [];
    first.on('gap', () => told.push('first'));
    late.on('gap', ({ from, to }) => told.push(`late ${from}-${to}`));
    first.subscribe(() => {});
    await r.settle();
    r.server.channel(room).messages.splice(0, 4);
    late.subscribe(() => {}, { since: { epoch: 'e1', offset: 1 } });
    await r.settle();
    expect(told).toEqual(['late 2-4']);
  });

  it('replace options when nobody listens any more', async () => {
    const r = await opened();
    const leave = r.client.channel(room).subscribe(() => {});
    await r.settle();
    leave();
    r.client.channel(room, { own: false }).subscribe(() => {});
    await r.settle();
    expect(r.server.last.got.slice(2)).toMatchObject([
      { type: 'unsubscribe' },
      { type: 'subscribe', own: false, since: { offset: 0 } },
    ]);
  });

  it('move the cursor by advance where own messages are left out', async () => {
    const r = await opened();
    const got: unknown[] = [];
    const channel = r.client.channel(room, { own: false });
    channel.subscribe(({ data }) => got.push(data));
    await r.settle();
    void channel.publish('mine');
    await r.settle();
    r.server.publish(room, { data: 'theirs' });
    expect(got).toEqual(['theirs']);
    expect(r.server.last.of('subscribe')).toHaveLength(1);
  });
});
