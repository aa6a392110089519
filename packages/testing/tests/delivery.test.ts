import { createClient } from '@anywire/client';
import { msgpack } from '@anywire/client/msgpack';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createMockServer, type MockServer } from '../src/index';
import { Log } from './same/stage';

let server: MockServer;
afterEach(() => {
  server.close();
  vi.useRealTimers();
});

async function listening() {
  const client = server.createClient();
  const log = new Log(client, 'room');
  await server.settled();
  return { client, log };
}

describe('delivery', () => {
  it('never happens in the turn of the call that causes it', async () => {
    server = createMockServer();
    const { client, log } = await listening();
    let published = false;
    void client
      .channel('room')
      .publish(1)
      .then(() => {
        published = true;
      });
    server.publish('room', 2);
    server.release();
    expect([log.data, published]).toEqual([[], false]);
    await server.settled();
    expect([log.data, published]).toEqual([[2, 1], true]);
  });

  it('needs no timer, so promises alone bring it about', async () => {
    vi.useFakeTimers();
    server = createMockServer();
    const { client, log } = await listening();
    expect(await client.channel('room').publish(1)).toMatchObject({ offset: 1 });
    await server.settled();
    expect(log.data).toEqual([1]);
  });

  it('works on the fake timers of the framework', async () => {
    vi.useFakeTimers();
    server = createMockServer();
    const { client, log } = await listening();
    server.drop();
    server.publish('room', 1);
    await vi.advanceTimersByTimeAsync(5);
    expect(client.state).toBe('waiting');
    await vi.advanceTimersByTimeAsync(100);
    expect(client.state).toBe('open');
    expect(log.data).toEqual([1]);
    expect(server.messages('room')[0]?.time).toBe(Date.now() - 105);
    server.slow(1000);
    server.publish('room', 2);
    await vi.advanceTimersByTimeAsync(999);
    expect(log.data).toEqual([1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(log.data).toEqual([1, 2]);
  });

  it('leaves no timer behind when it is closed', async () => {
    vi.useFakeTimers();
    server = createMockServer({ token: () => ({ user: 'ann', expires: Date.now() + 60_000 }) });
    const { client } = await listening();
    server.enter('room', 1).lose();
    server.slow(100);
    server.publish('room', 1);
    void client
      .channel('room')
      .publish(1)
      .catch(() => {});
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    server.close();
    await server.settled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('puts what is said in one turn into few frames, with 128 messages at most', async () => {
    server = createMockServer();
    const batches: number[] = [];
    const transport = server.transport();
    const client = createClient({
      url: server.url,
      transports: [
        {
          name: 'counting',
          open: (setup, events) =>
            transport.open(setup, {
              ...events,
              messages(batch) {
                batches.push(batch.length);
                events.messages(batch);
              },
            }),
        },
      ],
    });
    const log = new Log(client, 'room');
    await server.settled();
    batches.length = 0;
    for (let i = 0; i < 300; i++) server.publish('room', i);
    await server.settled();
    expect(batches).toEqual([128, 128, 44]);
    expect(log.data).toEqual(Array.from({ length: 300 }, (_, i) => i));
    await client.close();
  });

  it('stands a flood', async () => {
    server = createMockServer();
    const { log } = await listening();
    for (let i = 0; i < 20_000; i++) server.publish('room', { i, text: 'x'.repeat(80) });
    await server.settled();
    expect(log.messages).toHaveLength(20_000);
    expect(log.gaps).toEqual([]);
    expect(log.messages.at(-1)?.offset).toBe(20_000);
    expect(server.connections[0]?.frames).toHaveLength(10_000);
  });

  it('speaks JSON with a client that has another codec', async () => {
    server = createMockServer();
    const client = server.createClient({ codec: msgpack() });
    const log = new Log(client, 'room');
    await server.settled();
    const data = new Uint8Array([0, 1, 255]);
    await client.channel('room').publish(data);
    await server.settled();
    expect(log.data).toEqual([data]);
    const published = server.connections[0]?.frames.find(
      ({ message }) => message.type === 'publish',
    );
    expect(published?.message.binary).toBe('AAH/');
  });

  it('gives the name that it was asked for to what carries the messages', async () => {
    server = createMockServer();
    const transports = [server.transport('websocket')];
    const client = server.createClient({ transports });
    await client.connect();
    expect(client.snapshot.transport).toBe('websocket');
  });
});

describe('several servers', () => {
  it('have no epoch and no session in common', async () => {
    server = createMockServer();
    const other = createMockServer();
    const client = server.createClient();
    const log = new Log(client, 'room');
    server.publish('room', 1);
    await server.settled();
    const secretOf = (mock: MockServer) =>
      mock.connections[0]?.frames.find(({ message }) => message.type === 'connected')?.message
        .session;
    other.publish('room', 1);
    expect(other.messages('room')[0]?.epoch).not.toBe(log.messages[0]?.epoch);
    const moved = other.createClient();
    await moved.connect();
    expect(secretOf(other)).toEqual(expect.any(String));
    expect(secretOf(other)).not.toBe(secretOf(server));
    other.close();
  });
});

describe('the end', () => {
  it('stops clients for good, also those that were made without it', async () => {
    server = createMockServer();
    const own = server.createClient();
    const { url } = server;
    const foreign = createClient({ url, transports: [server.transport()] });
    const late = createClient({ url, transports: [server.transport()] });
    await Promise.all([own.connect(), foreign.connect()]);
    server.publish('room', 'kept');
    server.close();
    server.close();
    await server.settled();
    expect([own.state, foreign.state]).toEqual(['closed', 'failed']);
    await expect(late.connect()).rejects.toMatchObject({ code: 'refused' });
    expect(server.messages('room')).toHaveLength(1);
    expect(server.unused).toEqual([]);
  });

  it('is the end also for those who could not reach it', async () => {
    server = createMockServer();
    server.refuse({ times: Number.POSITIVE_INFINITY });
    const { url } = server;
    const client = createClient({ url, transports: [server.transport()] });
    server.close();
    await expect(client.connect()).rejects.toMatchObject({ code: 'refused' });
  });

  it('comes with the scope, where the language has that', () => {
    server = createMockServer();
    const client = server.createClient();
    server[Symbol.dispose]();
    expect(client.state).toBe('closed');
  });
});
