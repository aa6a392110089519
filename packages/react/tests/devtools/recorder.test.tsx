import { act } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import type { Client, ClientOptions } from '../../../client/src/index';
import { AnywireError, inspect } from '../../../client/src/index';
import { entriesMax, leaseRecorder, type Recorder } from '../../src/devtools/recorder';
import { cut, FakeWebSocket, makeClient, pass, publish, server, settle } from '../realtime';

let releases: (() => void)[] = [];

async function watched(options: Partial<ClientOptions> = {}): Promise<[Recorder, Client]> {
  const client = makeClient(options);
  const { recorder, release } = leaseRecorder(client);
  releases.push(release);
  void client.connect().catch(() => {});
  await settle();
  return [recorder, client];
}

async function done(): Promise<void> {
  for (const release of releases) release();
  releases = [];
  await pass(1000);
}

const types = ({ entries }: Recorder) =>
  entries.map(({ direction, type }) => `${{ in: '<', out: '>', here: '=' }[direction]} ${type}`);

describe('the timeline', () => {
  it('has frames and states in the order in which they happened', async () => {
    const [recorder, client] = await watched();
    client.channel('room').subscribe(() => {});
    await settle();
    await publish('room', 1);
    expect(types(recorder)).toEqual([
      '= connecting',
      '> connect',
      '< connected',
      '= open',
      '> subscribe',
      '< subscribed',
      '< message',
    ]);
    expect(recorder.entries.at(-1)).toMatchObject({ channel: 'room', transport: 'websocket' });
    expect(recorder.counters).toMatchObject({ sent: 2, received: 3, lost: 0, dropped: 0 });
    await done();
  });

  it('holds the newest 500', async () => {
    const [recorder, client] = await watched();
    client.channel('room').subscribe(() => {});
    await settle();
    await publish('room', ...Array.from({ length: 2000 }, (_, i) => i));
    expect(recorder.entries).toHaveLength(entriesMax);
    expect(recorder.entries.at(-1)?.message.data).toBe(1999);
    expect(recorder.counters.received).toBe(2002);
    recorder.clear();
    expect(recorder.entries).toEqual([]);
    await done();
  });

  it('never shows what opens a session', async () => {
    const [recorder] = await watched({ token: 'eyJsecret' });
    expect(JSON.stringify(recorder.entries)).not.toContain('eyJsecret');
    await done();
  });
});

describe('news', () => {
  it('are told at most once a frame, and less often in a flood', async () => {
    const [recorder, client] = await watched();
    client.channel('room').subscribe(() => {});
    await settle();
    const listener = vi.fn();
    recorder.subscribe(listener);
    await publish('room', 1, 2, 3);
    expect(listener).toHaveBeenCalledTimes(1);
    listener.mockClear();
    for (let i = 0; i < 20; i++) await publish('room', ...Array.from({ length: 100 }, () => i));
    // Twenty frames of 20 ms; the first is told at once, then every 100 ms and a frame.
    expect(listener.mock.calls.length).toBeLessThan(8);
    await done();
  });

  it('set no timer while nobody wants to know', async () => {
    const [recorder, client] = await watched();
    const timers = vi.getTimerCount();
    client.channel('room').subscribe(() => {});
    await act(() => server.settle());
    expect(recorder.entries.length).toBeGreaterThan(4);
    expect(vi.getTimerCount()).toBe(timers);
    await done();
  });

  it('end with their listener', async () => {
    const [recorder] = await watched();
    const listener = vi.fn();
    recorder.subscribe(listener)();
    await cut();
    expect(listener).not.toHaveBeenCalled();
    await done();
  });
});

describe('the connection', () => {
  it('is described by what came over it', async () => {
    server.greeting = { expires: 1_900_000_000_000, user: 'ann' };
    const [recorder] = await watched();
    expect(recorder.url).toBe('wss://anywire.test/anywire');
    expect(recorder.expires).toBe(1_900_000_000_000);
    expect(recorder.openedAt).toBeTypeOf('number');
    await cut();
    expect(recorder.openedAt).toBeUndefined();
    await done();
  });

  it('has a token that is renewed, or none that ends', async () => {
    server.greeting = { expires: 1_900_000_000_000 };
    const [recorder] = await watched();
    server.greeting = {};
    await cut();
    await pass(2000);
    expect(recorder.client.state).toBe('open');
    expect(recorder.expires).toBeUndefined();
    await done();
  });

  it('loses its link by kill, and gets another one by itself', async () => {
    const [recorder, client] = await watched();
    act(() => recorder.kill());
    expect(client.state).toBe('waiting');
    await pass(2000);
    expect(client.state).toBe('open');
    expect(FakeWebSocket.all).toHaveLength(2);
    await done();
  });

  it('is offline until it is let go again', async () => {
    const [recorder, client] = await watched();
    act(() => recorder.setOffline(true));
    expect(recorder.offline).toBe(true);
    await pass(30_000);
    expect(client.state).toBe('offline');
    expect(FakeWebSocket.all).toHaveLength(1);
    act(() => recorder.setOffline(false));
    await pass(1000);
    expect(client.state).toBe('open');
    await done();
  });

  it.each(['open', 'waiting', 'offline', 'closed'])('is made anew from %s', async (state) => {
    const [recorder, client] = await watched();
    if (state === 'waiting') await cut();
    if (state === 'offline') act(() => recorder.setOffline(true));
    if (state === 'closed') await act(async () => void client.close());
    expect(client.state).toBe(state);
    act(() => recorder.reconnect());
    await settle();
    await settle();
    expect(client.state).toBe('open');
    expect(recorder.offline).toBe(false);
    expect(FakeWebSocket.all).toHaveLength(2);
    await done();
  });
});

describe('a problem', () => {
  it('is told once, though the server and the client both speak of it', async () => {
    const [recorder, client] = await watched();
    server.script = (conn, { id, type }) => {
      if (type !== 'publish') return false;
      conn.say({ type: 'error', id, code: 'forbidden', message: 'not you', retry: false });
      return true;
    };
    const publishing = client.channel('room').publish(1);
    publishing.catch(() => {});
    await settle();
    expect(recorder.problems).toMatchObject([
      { code: 'forbidden', message: 'not you', count: 1, channel: 'room' },
    ]);
    await done();
  });

  it('that comes again and again is one with a number', async () => {
    const [recorder] = await watched();
    await act(async () => {
      for (let i = 0; i < 5; i++) {
        server.last.say({ type: 'error', code: 'overloaded', message: 'later', retry: true });
      }
    });
    expect(recorder.problems).toMatchObject([{ code: 'overloaded', count: 5 }]);
    recorder.clearProblems();
    expect(recorder.problems).toEqual([]);
    await done();
  });

  it('has the advice that goes with its code', async () => {
    const { advice } = new AnywireError('closed', 'x');
    const [recorder] = await watched();
    await act(async () => server.last.say({ type: 'error', code: 'closed', message: 'x' }));
    expect(advice).toBeTypeOf('string');
    expect(recorder.problems).toMatchObject([{ advice }]);
    await done();
  });

  it('of the queue is counted as a drop', async () => {
    const client = makeClient({ queue: { max: 1 } });
    const { recorder, release } = leaseRecorder(client);
    releases.push(release);
    server.sockets = 'hang';
    const room = client.channel('room');
    void Promise.allSettled([room.publish(1), room.publish(2)]);
    await settle();
    expect(recorder.problems).toMatchObject([{ code: 'queue_full' }]);
    expect(recorder.counters.dropped).toBe(1);
    await done();
  });

  it('of a contract is one, in both directions', async () => {
    const [recorder, client] = await watched();
    const refuse = (): never => {
      throw new AnywireError('schema', 'not a number', { channel: 'room' });
    };
    const check = { message: refuse, publish: refuse, presence: refuse };
    const room = client.channel({ name: 'room', check });
    room.subscribe(() => {});
    room.publish('x').catch(() => {});
    await settle();
    expect(recorder.problems).toMatchObject([{ code: 'schema', channel: 'room', count: 1 }]);
    await publish('room', 'y');
    expect(recorder.problems).toMatchObject([{ code: 'schema', count: 2 }]);
    expect(recorder.counters.dropped).toBe(2);
    expect(client.state).toBe('open');
    await done();
  });

  it('that was there before is seen, too', async () => {
    const client = makeClient();
    server.judge = () => 4403;
    void client.connect().catch(() => {});
    await settle();
    expect(client.state).toBe('failed');
    const { recorder, release } = leaseRecorder(client);
    releases.push(release);
    expect(recorder.problems).toMatchObject([{ code: 'refused' }]);
    await done();
  });

  it('is kept with a hundred others', async () => {
    const [recorder] = await watched();
    await act(async () => {
      for (let i = 0; i < 300; i++) {
        server.last.say({ type: 'error', code: `code_${i}`, message: 'x' });
      }
    });
    expect(recorder.problems).toHaveLength(100);
    expect(recorder.problems.at(-1)?.code).toBe('code_299');
    await done();
  });
});

describe('what is lost', () => {
  it('is counted', async () => {
    const [recorder, client] = await watched();
    client.channel('room').subscribe(() => {});
    await settle();
    await act(async () => {
      const gap = { type: 'gap', channel: 'room', from: 1, to: 8, reason: 'slow' };
      server.last.say({ ...gap, epoch: 'e1', offset: 8 });
    });
    expect(recorder.counters.lost).toBe(8);
    expect(recorder.channels).toMatchObject([{ name: 'room', lost: 8, offset: 8 }]);
    await done();
  });
});

describe('a recorder', () => {
  it('opens no connection', async () => {
    const client = makeClient();
    const { release } = leaseRecorder(client);
    await settle();
    expect(client.state).toBe('idle');
    expect(FakeWebSocket.all).toHaveLength(0);
    release();
    await pass(1000);
  });

  it('is the same for all who ask, also after a moment without any', async () => {
    const client = makeClient();
    const first = leaseRecorder(client);
    const second = leaseRecorder(client);
    expect(second.recorder).toBe(first.recorder);
    first.release();
    first.release();
    second.release();
    await pass(900);
    const third = leaseRecorder(client);
    expect(third.recorder).toBe(first.recorder);
    third.release();
    await pass(1000);
    const fourth = leaseRecorder(client);
    expect(fourth.recorder).not.toBe(first.recorder);
    fourth.release();
    await pass(1000);
  });

  it('leaves the client as it was: online, and not looked at', async () => {
    const [recorder, client] = await watched();
    act(() => recorder.setOffline(true));
    await settle();
    expect(client.state).toBe('offline');
    await done();
    await pass(1000);
    expect(client.state).toBe('open');
    const { length } = recorder.entries;
    await cut();
    expect(recorder.entries).toHaveLength(length);
    expect(inspect(client)).toBe(inspect(client));
  });
});
