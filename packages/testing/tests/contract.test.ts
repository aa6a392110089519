import { history, presence, rpc } from '@anywire/client';
import { define } from '@anywire/client/contract';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMockServer, type MockServer } from '../src/index';

const rt = define({
  channels: {
    'room:{id}': {
      message: v.object({ text: v.string() }),
      presence: v.object({ name: v.string() }),
      events: { typing: v.object({ on: v.boolean() }) },
    },
    log: { message: v.string() },
  },
  rpc: {
    'math.add': { input: v.tuple([v.number(), v.number()]), output: v.number() },
  },
});

let server: MockServer<typeof rt.channels, typeof rt.rpcs>;
beforeEach(() => {
  server = createMockServer(rt);
});
afterEach(() => server.close());

describe('the contract is enforced', () => {
  it('on what clients publish', async () => {
    const client = server.createClient();
    // By its name alone the client knows nothing of the contract; the server does.
    const room = client.channel('room:1');
    await expect(room.publish({ text: 5 })).rejects.toMatchObject({ code: 'schema', retry: false });
    await expect(room.publish({ on: 1 }, { event: 'typing' })).rejects.toMatchObject({
      code: 'schema',
    });
    await expect(room.publish({ text: 'x' }, { event: 'other' })).rejects.toMatchObject({
      code: 'schema',
    });
    await room.publish({ text: 'hi' });
    await room.publish({ on: true }, { event: 'typing' });
    await client.channel('log').publish('line');
    await expect(client.channel('log').publish({ line: 1 })).rejects.toMatchObject({
      code: 'schema',
    });
    expect(server.messages('room:1').map(({ data }) => data)).toEqual([
      { text: 'hi' },
      { on: true },
    ]);
  });

  it('on presence info, of the token as well', async () => {
    const client = server.createClient();
    const there = presence(client.channel('room:1'));
    await expect(there.enter({ name: 5 })).rejects.toMatchObject({ code: 'schema' });
    await there.enter({ name: 'Ann' });
    await there.enter();
    expect(server.members('room:1')).toHaveLength(1);
  });

  it('on names: a channel that it does not have is misspelt', async () => {
    const client = server.createClient();
    const codes: string[] = [];
    client.on('error', ({ code }) => codes.push(code));
    client.channel('rooms:1').subscribe(() => {});
    await server.settled();
    expect(codes).toEqual(['unknown_channel']);
    await expect(client.channel('rooms:1').publish(1)).rejects.toMatchObject({
      code: 'unknown_channel',
    });
    await expect(history(client.channel('rooms:1'))).rejects.toMatchObject({
      code: 'unknown_channel',
    });
    await expect(presence(client.channel('rooms:1')).enter(1)).rejects.toMatchObject({
      code: 'unknown_channel',
    });
    expect(client.state).toBe('open');
  });

  it('not on personal channels', async () => {
    const client = server.createClient({ token: 'ann' });
    const codes: string[] = [];
    client.on('error', ({ code }) => codes.push(code));
    client.channel('$user:ann').subscribe(() => {});
    await server.settled();
    expect(codes).toEqual([]);
  });

  it('on calls, and on their answers', async () => {
    const client = server.createClient();
    server.rpc('math.add', ([a, b]) => a + b);
    expect(await rpc(client, rt.rpc('math.add'), [1, 2])).toBe(3);
    await expect(rpc(client, 'math.add', ['1', 2])).rejects.toMatchObject({ code: 'schema' });
    server.rpc('math.add', () => 'three' as never);
    await expect(rpc(client, 'math.add', [1, 2])).rejects.toMatchObject({ code: 'schema' });
  });

  it('on the test itself, which hears of it at once', () => {
    const wrong = { text: 5 } as never;
    expect(() => server.publish('room:1', wrong)).toThrow(
      expect.objectContaining({ code: 'schema', channel: 'room:1' }),
    );
    expect(() => server.publish('rooms:1' as never, { text: 'x' } as never)).toThrow(
      expect.objectContaining({ code: 'unknown_channel' }),
    );
    expect(() => server.enter('room:1', { name: 5 } as never)).toThrow(
      expect.objectContaining({ code: 'schema' }),
    );
    expect(server.messages('room:1')).toEqual([]);
    expect(server.members('room:1')).toEqual([]);
  });
});

describe('names and refs are the same', () => {
  it('wherever a channel is given', async () => {
    const ref = rt.channel('room:{id}', { id: 'a b' });
    server.publish(ref, { text: 'one' });
    server.publish('room:a%20b', { text: 'two' });
    server.publish(ref, { on: true }, { event: 'typing' });
    expect(server.messages(ref)).toEqual(server.messages('room:a%20b'));
    const member = server.enter(ref, { name: 'Bob' });
    expect(server.members('room:a%20b')).toHaveLength(1);
    member.leave();
    const client = server.createClient();
    const seen: unknown[] = [];
    const room = client.channel(ref, { rewind: 10 });
    room.subscribe((message) => seen.push(message.event ?? message.data.text));
    room.on('gap', ({ reason }) => seen.push(reason));
    await server.settled();
    expect(server.subscribers(ref)).toBe(1);
    server.gap(ref);
    server.newEpoch(ref);
    server.forget(ref);
    await server.settled();
    expect(seen).toEqual(['one', 'two', 'typing', 'slow', 'epoch']);
  });
});
