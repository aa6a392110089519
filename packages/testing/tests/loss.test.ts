import { history, type Published, presence } from '@anywire/client';
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

async function listening(options = {}) {
  const client = server.createClient(options);
  const log = new Log(client, 'room');
  await server.settled();
  return { client, log };
}

describe('gap', () => {
  it('is told at once to who is subscribed', async () => {
    const { log } = await listening();
    server.publish('room', 1);
    server.gap('room', 3);
    server.publish('room', 5);
    await server.settled();
    expect(log.data).toEqual([1, 5]);
    expect(log.gaps).toMatchObject([{ from: 2, to: 4, reason: 'slow', position: { offset: 4 } }]);
    expect(log.messages.at(-1)?.offset).toBe(5);
  });

  it('is told to who is away when it comes back', async () => {
    const { log } = await listening();
    server.publish('room', 1);
    await server.settled();
    server.drop();
    server.publish('room', 2);
    server.gap('room');
    server.publish('room', 4);
    await clock.advance(1000);
    expect(log.data).toEqual([1, 4]);
    expect(log.gaps).toMatchObject([{ from: 2, to: 3, reason: 'evicted' }]);
    expect(log.subscribed.at(-1)).toMatchObject({ recovered: false });
  });

  it('leaves what was published to be looked at', async () => {
    const { client } = await listening();
    server.publish('room', 1);
    server.gap('room');
    expect(server.messages('room')).toHaveLength(1);
    const page = await history(client.channel('room'));
    expect(page).toMatchObject({ top: 2, oldest: 3, messages: [] });
  });
});

describe('forget', () => {
  it('is noticed only by who has missed something', async () => {
    const ann = await listening();
    server.publish('room', 1);
    server.forget('room');
    server.publish('room', 2);
    await server.settled();
    expect([ann.log.data, ann.log.gaps]).toEqual([[1, 2], []]);
    server.drop();
    server.publish('room', 3);
    server.forget('room');
    await clock.advance(1000);
    expect(ann.log.gaps).toMatchObject([{ from: 3, to: 3, reason: 'evicted' }]);
  });
});

describe('newEpoch', () => {
  it('is a gap without an end for who is subscribed, and who comes back', async () => {
    const { log } = await listening();
    server.publish('room', 1);
    server.newEpoch('room');
    server.publish('room', 2);
    await server.settled();
    expect(log.gaps).toMatchObject([{ from: 2, to: 0, reason: 'epoch', position: { offset: 0 } }]);
    expect(log.messages.map(({ data, offset }) => [data, offset])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    server.drop();
    server.newEpoch('room');
    server.publish('room', 3);
    await clock.advance(1000);
    expect(log.gaps).toHaveLength(2);
    expect(log.data).toEqual([1, 2, 3]);
  });

  it('keeps the keys that were used', async () => {
    const { client } = await listening();
    const once = { idempotencyKey: 'k' };
    const first = await client.channel('room').publish(1, once);
    server.newEpoch('room');
    const again = await client.channel('room').publish(1, once);
    expect(again).toEqual({ ...first, duplicate: true });
  });
});

describe('restart', () => {
  it('forgets sessions, presence, messages and keys', async () => {
    const { client, log } = await listening({ token: 'ann' });
    const room = client.channel('room');
    await presence(room).enter('me');
    server.enter('room', 'other');
    const once = { idempotencyKey: 'k' };
    const first = await room.publish(1, once);
    const { clientId } = client.snapshot;
    server.restart();
    expect(server.members('room')).toEqual([]);
    await clock.advance(2000);
    expect(client.snapshot).toMatchObject({ state: 'open', lastClose: { code: 1012 } });
    expect(client.snapshot.clientId).not.toBe(clientId);
    expect(server.members('room')).toMatchObject([{ user: 'ann', info: 'me' }]);
    expect(log.gaps).toMatchObject([{ reason: 'epoch' }]);
    const second: Published = await room.publish(1, once);
    expect(second).toMatchObject({ offset: 1, duplicate: false });
    expect(second.epoch).not.toBe(first.epoch);
  });

  it('is told to who watches presence as a list that has shrunk', async () => {
    const { client } = await listening();
    const there = presence(client.channel('room'));
    const reasons: unknown[] = [];
    there.on('leave', ({ user }, reason) => reasons.push([user, reason]));
    server.enter('room', 1, { user: 'bob' });
    await server.settled();
    server.restart();
    await clock.advance(2000);
    expect(reasons).toEqual([['bob', 'gone']]);
    expect(there.snapshot).toMatchObject({ members: [], complete: true });
  });
});

describe('what time takes away', () => {
  it('forgets messages that have had their time', async () => {
    server.close();
    server = createMockServer({ clock, channels: [{ pattern: '*', historyTtl: 1000 }] });
    const client = server.createClient();
    server.publish('room', 1);
    await clock.advance(600);
    server.publish('room', 2);
    await clock.advance(400);
    const page = await history(client.channel('room'));
    expect(page).toMatchObject({ top: 2, oldest: 2 });
    expect(page.messages.map(({ data }) => data)).toEqual([2]);
    await clock.advance(600);
    expect(await history(client.channel('room'))).toMatchObject({ oldest: 3, messages: [] });
  });

  it('knows a key for five minutes', async () => {
    const { client } = await listening();
    const once = { idempotencyKey: 'k' };
    const room = client.channel('room');
    await room.publish(1, once);
    await clock.advance(299_999);
    expect(await room.publish(1, once)).toMatchObject({ duplicate: true });
    await clock.advance(1);
    expect(await room.publish(1, once)).toMatchObject({ offset: 2, duplicate: false });
    await expect(room.publish(2, once)).rejects.toMatchObject({ code: 'idempotency_conflict' });
  });

  it('keeps a session for its window, and no longer', async () => {
    server.close();
    server = createMockServer({ clock, sessionWindow: 5000 });
    const { client } = await listening();
    const { clientId } = client.snapshot;
    const away = async (ms: number) => {
      server.refuse({ times: Number.POSITIVE_INFINITY });
      server.drop();
      await clock.advance(ms);
      server.refuse(0);
      await clock.advance(200);
      return client.snapshot.clientId;
    };
    expect(await away(4000)).toBe(clientId);
    expect(await away(6000)).not.toBe(clientId);
    expect(client.state).toBe('open');
  });

  it('resumes no session at all where there is no window', async () => {
    server.close();
    server = createMockServer({ clock, sessionWindow: 0 });
    const { client, log } = await listening();
    const { clientId } = client.snapshot;
    server.drop();
    server.publish('room', 1);
    await clock.advance(200);
    expect(client.snapshot.clientId).not.toBe(clientId);
    expect(log.data).toEqual([1]);
  });

  it('does not order backwards when the clock is set back', async () => {
    let now = 1000;
    const strange = createMockServer({
      clock: { now: () => now, random: () => 0.5, setTimeout: () => 0, clearTimeout: () => {} },
    });
    strange.publish('room', 1);
    now = 500;
    strange.publish('room', 2);
    expect(strange.messages('room').map(({ time }) => time)).toEqual([1000, 1000]);
    strange.close();
  });
});
