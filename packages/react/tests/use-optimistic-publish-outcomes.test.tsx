import { act } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { useOptimisticPublish } from '../src/index';
import { hold, own, published, refuse, rows, say } from './optimistic';
import { makeClient, pass, probe, publish, server, settle, start } from './realtime';

describe('a message that fails', () => {
  it('stays in the list with the reason', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    refuse('forbidden');
    say(p, 'no');
    await settle();
    expect(rows(p.result)).toEqual([['no', 'forbidden']]);
    expect(own(p.result)).not.toHaveProperty('pending');
    expect(p.result.status).toBe('live');
  });

  it('is published by retry, under the same key', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    refuse('forbidden');
    say(p, 'again');
    await settle();
    server.script = undefined;
    const id = own(p.result).id as string;
    const retried = start(() => p.result.retry(id));
    expect(rows(p.result)).toEqual([['again', 'pending']]);
    await settle();
    expect(rows(p.result)).toEqual(['again']);
    await expect(retried).resolves.toMatchObject({ offset: 1 });
    expect(new Set(published().map(({ idempotencyKey }) => idempotencyKey))).toEqual(new Set([id]));
  });

  it('is never published twice, though nobody knew that it had arrived', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    // It is published, but neither the answer nor the message comes through.
    server.script = (conn, message) => {
      if (message.type !== 'publish') return false;
      const { peer } = conn;
      Object.assign(conn, { peer: { ...peer, send: () => {} } });
      server.script = undefined;
      server.take(conn, message);
      Object.assign(conn, { peer });
      return true;
    };
    say(p, 'once', { timeout: 1000 });
    await pass(1100);
    expect(rows(p.result)).toEqual([['once', 'timeout']]);
    expect(own(p.result).failed?.uncertain).toBe(true);
    const retried = start(() => p.result.retry(own(p.result).id as string));
    await settle();
    await expect(retried).resolves.toMatchObject({ duplicate: true });
    await publish('room', 'next');
    expect(rows(p.result)).toEqual(['once', 'next']);
    expect(server.published).toHaveLength(2);
  });

  it('is in its place when it had arrived after all', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    const { release } = hold('publish');
    say(p, 'late', { timeout: 500 });
    await pass(600);
    expect(rows(p.result)).toEqual([['late', 'timeout']]);
    await release();
    await settle();
    expect(rows(p.result)).toEqual(['late']);
    expect(own(p.result)).not.toHaveProperty('failed');
  });

  it('is gone when it is discarded', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    refuse('forbidden');
    say(p, 'no');
    await settle();
    act(() => p.result.discard(own(p.result).id as string));
    expect(p.result.messages).toEqual([]);
    act(() => p.result.discard('unknown'));
  });

  it('that was discarded while pending comes as any other, if it was published', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    const { release } = hold('publish');
    say(p, 'oh');
    await settle();
    act(() => p.result.discard(own(p.result).id as string));
    expect(p.result.messages).toEqual([]);
    await release();
    await settle();
    expect(rows(p.result)).toEqual(['oh']);
  });

  it('that is pending or unknown is not retried', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    hold('publish');
    say(p, 'x');
    await settle();
    const pending = start(() => p.result.retry(own(p.result).id as string));
    const unknown = start(() => p.result.retry('unknown'));
    await expect(Promise.all([pending, unknown])).resolves.toEqual([undefined, undefined]);
    expect(published()).toHaveLength(1);
  });

  it('by a signal is retried without it', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    hold('publish');
    const abort = new AbortController();
    say(p, 'x', { signal: abort.signal });
    abort.abort();
    await settle();
    expect(rows(p.result)).toEqual([['x', 'aborted']]);
    server.script = undefined;
    act(() => void p.result.retry(own(p.result).id as string));
    await settle();
    expect(rows(p.result)).toEqual(['x']);
  });

  it('for want of room in the queue says so', async () => {
    server.sockets = 'hang';
    const p = probe(() => useOptimisticPublish('room'), {
      client: makeClient({ queue: { max: 1 } }),
    });
    say(p, 'a');
    say(p, 'b');
    await settle();
    expect(rows(p.result)).toEqual([
      ['a', 'pending'],
      ['b', 'queue_full'],
    ]);
  });

  it('in great number is no longer taken, and nothing is dropped', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    refuse('forbidden');
    act(() => {
      for (let i = 0; i < 1001; i++) void p.result.publish(i);
    });
    await settle();
    expect(p.result.messages).toHaveLength(1000);
    expect(p.result.error?.code).toBe('queue_full');
    act(() => p.result.discard(own(p.result).id as string));
    say(p, 'room again');
    expect(rows(p.result).at(-1)).toEqual(['room again', 'pending']);
  });

  it('for want of a channel says so', async () => {
    const p = probe(() => useOptimisticPublish(null));
    say(p, 'x');
    await settle();
    expect(rows(p.result)).toEqual([['x', 'no_channel']]);
  });

  it('because the client is closed can be retried when it is open', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    void p.client.close();
    await settle();
    say(p, 'x');
    await settle();
    expect(rows(p.result)).toEqual([['x', 'closed']]);
    void p.client.connect();
    await settle();
    act(() => void p.result.retry(own(p.result).id as string));
    await settle();
    expect(rows(p.result)).toEqual(['x']);
  });
});

describe('a message that the application takes without publishing it', () => {
  /** From now on; commands of the `silent` types are not answered. */
  const drop = (...silent: string[]) => {
    server.script = (conn, { type, id }) => {
      if (silent.includes(type)) return true;
      if (type !== 'publish') return false;
      conn.say({ type: 'published', id, epoch: '0000000000000000', offset: 0 });
      return true;
    };
  };

  it('is taken off the list when that is known, and publish resolves', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    drop();
    const done = start(() => p.result.publish('into the void'));
    expect(rows(p.result)).toEqual([['into the void', 'pending']]);
    await settle();
    await expect(done).resolves.toMatchObject({ offset: 0, duplicate: false });
    expect(p.result.messages).toEqual([]);
    expect(p.result).toMatchObject({ status: 'live', error: undefined, gaps: [] });
  });

  it('leaves those around it where they are', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    say(p, 'before');
    await settle();
    drop();
    say(p, 'between');
    await settle();
    server.script = undefined;
    say(p, 'after');
    await settle();
    expect(rows(p.result)).toEqual(['before', 'after']);
    expect(new Set(p.result.messages.map(({ key }) => key)).size).toBe(2);
  });

  it('is taken off before the channel is live, too', async () => {
    drop('subscribe');
    const p = probe(() => useOptimisticPublish('room'));
    say(p, 'early');
    expect(rows(p.result)).toEqual([['early', 'pending']]);
    await settle();
    expect(p.result.status).toBe('connecting');
    expect(published()).toHaveLength(1);
    expect(p.result.messages).toEqual([]);
  });

  it('is taken off when it is the retry of one that failed', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    refuse('refused');
    say(p, 'again');
    await settle();
    expect(rows(p.result)).toEqual([['again', 'refused']]);
    drop();
    act(() => void p.result.retry(own(p.result).key));
    await settle();
    expect(p.result.messages).toEqual([]);
  });
});
