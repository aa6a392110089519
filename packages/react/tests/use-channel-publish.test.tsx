import { describe, expect, it } from 'vitest';
import { define } from '../../client/src/contract';
import type { AnywireError } from '../../client/src/index';
import { useChannel } from '../src/index';
import { makeClient, pass, probe, server, settle } from './realtime';
import { textSchema } from './schema';

describe('publish', () => {
  it('resolves with the position, and the message comes back once', async () => {
    const p = probe(() => useChannel('room'));
    await settle();
    const published = p.result.publish({ text: 'hello' }, { event: 'chat' });
    await settle();
    await expect(published).resolves.toEqual({ epoch: 'e1', offset: 1, duplicate: false });
    expect(p.result.messages).toMatchObject([{ data: { text: 'hello' }, event: 'chat' }]);
    expect(p.result.error).toBeUndefined();
  });

  it('waits for the connection, in order', async () => {
    server.sockets = 'hang';
    const p = probe(() => useChannel('room'));
    const all = [1, 2, 3].map((data) => p.result.publish(data));
    await pass(100);
    expect(server.published).toEqual([]);
    server.sockets = 'serve';
    await settle();
    expect((await Promise.all(all)).map(({ offset }) => offset)).toEqual([1, 2, 3]);
  });

  it('is refused by the queue when too much waits, which is an error and no silence', async () => {
    server.sockets = 'hang';
    const p = probe(() => useChannel('room'), { client: makeClient({ queue: { max: 2 } }) });
    const codes: string[] = [];
    for (let i = 0; i < 3; i++) {
      p.result.publish(i).catch((error: AnywireError) => codes.push(error.code));
    }
    await settle();
    expect(codes).toEqual(['queue_full']);
    expect(p.result.error).toMatchObject({ code: 'queue_full', retry: true });
  });

  it('shows a refusal in error, also when nobody looks at the promise', async () => {
    server.script = (conn, { type, id }) => {
      if (type !== 'publish') return false;
      conn.say({ type: 'error', id, code: 'forbidden', message: 'read only', retry: false });
      return true;
    };
    const errors: string[] = [];
    const p = probe(() => useChannel('room', { onError: ({ code }) => errors.push(code) }));
    await settle();
    void p.result.publish('no');
    await settle();
    expect(p.result).toMatchObject({ status: 'live', error: { code: 'forbidden' } });
    expect(errors).toEqual(['forbidden']);
    p.result.clear();
    await settle();
    expect(p.result.error).toBeUndefined();
  });

  it('shows a timeout in error', async () => {
    server.sockets = 'hang';
    const p = probe(() => useChannel('room'));
    const published = p.result.publish('late', { timeout: 500 });
    published.catch(() => {});
    await pass(600);
    await expect(published).rejects.toMatchObject({ code: 'timeout', uncertain: false });
    expect(p.result.error).toMatchObject({ code: 'timeout' });
  });

  it('of what cannot be encoded is refused', async () => {
    const p = probe(() => useChannel('room'));
    await settle();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    await expect(p.result.publish(circle)).rejects.toMatchObject({ code: 'bad_data' });
    await settle();
    expect(p.result.error?.code).toBe('bad_data');
  });

  it('reaches a channel to which one may not subscribe', async () => {
    server.script = (conn, { type, id }) => {
      if (type !== 'subscribe') return false;
      conn.say({ type: 'error', id, code: 'forbidden', message: 'write only', retry: false });
      return true;
    };
    const p = probe(() => useChannel('room'));
    await settle();
    const published = p.result.publish('vote');
    await settle();
    await expect(published).resolves.toMatchObject({ offset: 1 });
    expect(p.result.status).toBe('refused');
  });
});

describe('a contract', () => {
  const rt = define({
    channels: {
      'room:{id}': { message: textSchema, events: { typing: textSchema } },
    },
  });

  it('gives checked messages', async () => {
    const p = probe(() => useChannel(rt.channel('room:1')));
    await settle();
    server.publish('room:1', { data: { text: 'hi', extra: true } });
    server.publish('room:1', { data: { text: 'yes' }, event: 'typing' });
    await settle();
    expect(p.result.messages).toMatchObject([
      { data: { text: 'hi' } },
      { data: { text: 'yes' }, event: 'typing' },
    ]);
  });

  it('keeps out what it refuses: told, counted, and the connection lives', async () => {
    const seen: unknown[] = [];
    const errors: AnywireError[] = [];
    const p = probe(() =>
      useChannel(rt.channel('room:1'), {
        onMessage: ({ data }) => seen.push(data),
        onError: (error) => errors.push(error),
      }),
    );
    await settle();
    server.publish('room:1', { data: { text: 7 } });
    server.publish('room:1', { data: { text: 'fine' } });
    await settle();
    expect(seen).toEqual([{ text: 'fine' }]);
    expect(errors).toMatchObject([{ code: 'schema', channel: 'room:1' }]);
    expect(p.result).toMatchObject({
      status: 'live',
      dropped: 1,
      error: { code: 'schema' },
      messages: [{ data: { text: 'fine' } }],
    });
    expect(server.conns).toHaveLength(1);
  });

  it('keeps in what one may not publish', async () => {
    const p = probe(() => useChannel(rt.channel('room:1')));
    await settle();
    await expect(p.result.publish({ text: 7 } as never)).rejects.toMatchObject({ code: 'schema' });
    await settle();
    expect(server.published).toEqual([]);
    expect(p.result.error).toMatchObject({ code: 'schema' });
  });

  it('refused by thousands of messages renders as seldom as thousands of good ones', async () => {
    const p = probe(() => useChannel(rt.channel('room:1')));
    await settle();
    const before = p.renders();
    for (let i = 0; i < 5000; i++) server.publish('room:1', { data: i });
    await pass(200);
    expect(p.result.dropped).toBe(5000);
    expect(p.renders() - before).toBeLessThan(6);
  });
});
