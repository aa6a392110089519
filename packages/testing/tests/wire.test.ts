import type { CloseInfo, TransportSetup, Wire, WireMessage } from '@anywire/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMockServer, ManualClock, type MockServer } from '../src/index';
import { worldOf } from './same/memory';
import { type Raw, Stage } from './same/stage';

let clock: ManualClock;
let server: MockServer;
let stage: Stage;

beforeEach(() => {
  clock = new ManualClock();
  server = createMockServer({ clock });
  stage = new Stage();
  stage.world = worldOf(server, clock);
});
afterEach(async () => {
  await stage.clear();
  server.close();
  expect(clock.pending).toBe(0);
});

/** A connection of which everything is written down. */
function open() {
  const log: string[] = [];
  const json = {
    protocol: 'json',
    encode: (message: WireMessage) => JSON.stringify(message),
    join: ([piece]: readonly unknown[]) => piece as string,
    decode: () => [],
  };
  const setup = { url: server.url, codec: json, json, clock } as unknown as TransportSetup;
  let close: CloseInfo | undefined;
  const wire: Wire = server.transport().open(setup, {
    opened: () => log.push('opened'),
    messages: (batch) => log.push(...batch.map(({ type }) => type)),
    lost(how) {
      close = how;
      log.push('lost');
    },
  });
  const say = (message: object) => wire.send([JSON.stringify(message)]);
  return { wire, log, say, how: () => close };
}

describe('a wire', () => {
  it('says nothing before open has returned', async () => {
    const { log } = open();
    expect(log).toEqual([]);
    await server.settled();
    expect(log).toEqual(['opened']);
  });

  it('says nothing after end, whatever is under way', async () => {
    const reasons: (() => void)[] = [
      () => server.drop(),
      () => server.connections[0]?.send({ type: 'news' }),
      () => server.expireToken(),
      () => server.close(),
    ];
    for (const act of reasons) {
      const { wire, log, say } = open();
      say({ type: 'connect', id: 1, token: 'ann' });
      await server.settled();
      expect(log.splice(0)).toEqual(['opened', 'connected']);
      act();
      await wire.end();
      await server.settled();
      expect(log).toEqual([]);
    }
  });

  it('is ended only once, from whichever side', async () => {
    const { wire, log, say } = open();
    say({ type: 'connect', id: 1 });
    await server.settled();
    const [connection] = server.connections;
    connection?.drop({ code: 4409, reason: 'one' });
    connection?.drop({ code: 4403, reason: 'two' });
    server.drop();
    await server.settled();
    expect(log).toEqual(['opened', 'connected', 'lost']);
    await wire.end();
    say({ type: 'ping', id: 2 });
    await server.settled();
    expect(log).toEqual(['opened', 'connected', 'lost']);
  });

  it('can be ended before it is open', async () => {
    const { wire, log } = open();
    await wire.end(1000, 'no');
    await server.settled();
    expect([log, server.connections]).toEqual([[], []]);
  });

  it('can be cut before it is open', async () => {
    const { log, how } = open();
    server.drop();
    await server.settled();
    expect(log).toEqual(['lost']);
    expect(how()).toEqual({ code: 1006, reason: '', wasClean: false, by: 'peer' });
  });

  it('hears all that the server has said before it closes', async () => {
    const { log, say, how } = open();
    say({ type: 'connect', id: 1, token: 'ann' });
    await server.settled();
    server.connections[0]?.send({ type: 'last words' });
    server.expireToken();
    await server.settled();
    expect(log).toEqual(['opened', 'connected', 'last words', 'lost']);
    expect(how()).toMatchObject({ code: 4452, wasClean: true, by: 'peer' });
  });

  it('tells the server that its client has gone only behind what it said before', async () => {
    const { wire, say } = open();
    say({ type: 'connect', id: 1 });
    await server.settled();
    say({ type: 'publish', channel: 'room', data: 'goodbye' });
    await wire.end();
    await server.settled();
    expect(server.messages('room')).toHaveLength(1);
    expect(server.connections).toEqual([]);
  });
});

describe('commands that take their time', () => {
  const pending = async (): Promise<[Raw, (value: unknown) => void]> => {
    let answer: (value: unknown) => void = () => {};
    server.rpc(
      'slow',
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const raw = await stage.raw({});
    raw.send({ type: 'rpc', id: 100, method: 'slow' });
    await server.settled();
    return [raw, (value) => answer(value)];
  };

  it('have an id that no other may have meanwhile', async () => {
    const [raw, answer] = await pending();
    raw.send({ type: 'ping', id: 100 });
    expect(await raw.reply(100)).toMatchObject({ type: 'error', code: 'id_in_use', retry: false });
    answer('done');
    await server.settled();
    expect(await raw.reply(100)).toMatchObject({ type: 'result', data: 'done' });
    raw.send({ type: 'ping', id: 100 });
    await server.settled();
    expect(await raw.reply(100)).toMatchObject({ type: 'pong' });
  });

  it('may be so many', async () => {
    const [raw] = await pending();
    for (let id = 101; id < 356; id++) raw.send({ type: 'rpc', id, method: 'slow' });
    expect(await raw.ask('ping')).toMatchObject({ code: 'too_many_pending', retry: true });
  });

  it('are answered to nobody who has gone', async () => {
    const [raw, answer] = await pending();
    const [connection] = server.connections;
    raw.leave();
    await server.settled();
    answer('late');
    await server.settled();
    expect(connection?.frames.at(-1)?.message.type).toBe('rpc');
    await expect(stage.raw({})).resolves.toBeDefined();
  });
});
