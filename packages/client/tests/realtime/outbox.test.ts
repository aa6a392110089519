import { describe, expect, it } from 'vitest';
import { type AnywireError, type PublishOptions, rpc } from '../../src/index';
import type { WireMessage } from '../../src/realtime/wire';
import { opened, type Realtime, realtime } from '../support/realtime';

/** Publishes numbers, and writes down what became of each. */
function publisher(r: Realtime) {
  const outcomes = new Map<unknown, string>();
  const errors = new Map<unknown, AnywireError>();
  const publish = (data: unknown, options: PublishOptions = {}) => {
    r.client
      .channel('a')
      .publish(data, options)
      .then(
        ({ offset }) => outcomes.set(data, `at ${offset}`),
        (error: AnywireError) => {
          outcomes.set(data, error.code);
          errors.set(data, error);
        },
      );
  };
  return { publish, outcomes, errors };
}

const sent = (r: Realtime) => r.server.last.of('publish').map(({ data }) => data);
const refuse = (message: WireMessage, code: string, retry: boolean) => ({
  type: 'error',
  id: message.id,
  code,
  message: 'no',
  retry,
});

describe('a server that wants to be left alone', () => {
  it('is asked again after a pause, ever longer, and by nobody before', async () => {
    const r = await opened();
    const times: number[] = [];
    r.server.script = (conn, message) => {
      if (message.type !== 'publish') return false;
      times.push(r.clock.time);
      conn.say(refuse(message, 'overloaded', true));
      return true;
    };
    const { publish } = publisher(r);
    publish(1);
    await r.pass(8000);
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    expect(gaps.length).toBeGreaterThan(3);
    for (const [i, gap] of gaps.entries()) {
      // Time passes in steps of 250 ms here.
      expect(gap).toBeGreaterThanOrEqual(250 * 2 ** i - 1);
      expect(gap).toBeLessThanOrEqual(250 * 2 ** i + 250);
    }
  });

  it('gets what is newer later as well, in the order of publishing', async () => {
    const r = await opened();
    let refusals = 1;
    r.server.script = (conn, message) => {
      if (message.type !== 'publish' || refusals-- <= 0) return false;
      conn.say(refuse(message, 'rate_limited', true));
      return true;
    };
    const { publish, outcomes } = publisher(r);
    publish(1);
    await r.settle();
    publish(2);
    publish(3);
    await r.settle();
    expect(sent(r)).toEqual([1]);
    await r.pass(500);
    expect(sent(r)).toEqual([1, 1, 2, 3]);
    expect([...outcomes]).toEqual([
      [1, 'at 1'],
      [2, 'at 2'],
      [3, 'at 3'],
    ]);
  });

  it('is left alone as long for many refusals at once as for one', async () => {
    const r = await opened();
    let refusals = 20;
    r.server.script = (conn, message) => {
      if (message.type !== 'publish' || refusals-- <= 0) return false;
      conn.say(refuse(message, 'overloaded', true));
      return true;
    };
    const { publish, outcomes } = publisher(r);
    for (let i = 0; i < 20; i++) publish(i);
    await r.pass(500);
    expect(outcomes.size).toBe(20);
  });

  it('is left alone for as long as it says, for each that it refused', async () => {
    const r = await opened();
    r.clock.chance = 0;
    let refusals = 3;
    const times: number[] = [];
    r.server.script = (conn, message) => {
      if (message.type !== 'publish') return false;
      times.push(r.clock.time);
      if (refusals-- <= 0) return false;
      conn.say({ ...refuse(message, 'rate_limited', true), retryAfter: 1000 });
      return true;
    };
    const { publish, outcomes } = publisher(r);
    for (let i = 0; i < 3; i++) publish(i);
    await r.pass(2500);
    expect(times.length).toBe(3);
    await r.pass(1000);
    expect(times.length).toBe(6);
    expect(outcomes.size).toBe(3);
  });

  it('is not believed for ever', async () => {
    const r = await opened();
    r.clock.chance = 0;
    let refusals = 1;
    r.server.script = (conn, message) => {
      if (message.type !== 'publish' || refusals-- <= 0) return false;
      conn.say({ ...refuse(message, 'rate_limited', true), retryAfter: 3_600_000 });
      return true;
    };
    const { publish, outcomes } = publisher(r);
    publish(1);
    await r.pass(31_000);
    expect(outcomes.get(1)).toBe('at 1');
  });

  it('tells whoever does not try again when to', async () => {
    const r = await opened();
    r.server.script = (conn, message) => {
      if (message.type !== 'rpc') return false;
      conn.say({ ...refuse(message, 'rate_limited', true), retryAfter: 1200 });
      return true;
    };
    let error: AnywireError | undefined;
    rpc(r.client, 'sum').catch((reason: AnywireError) => {
      error = reason;
    });
    await r.settle();
    expect(error).toMatchObject({ code: 'rate_limited', retry: true, retryAfter: 1200 });
  });

  it('does not hold up those who give up meanwhile', async () => {
    const r = await opened();
    r.server.script = (conn, message) => {
      if (message.type !== 'publish') return false;
      conn.say(refuse(message, 'overloaded', true));
      return true;
    };
    const { publish, outcomes, errors } = publisher(r);
    const controller = new AbortController();
    publish(1, { timeout: 400 });
    publish(2, { signal: controller.signal });
    await r.settle();
    controller.abort();
    await r.pass(500);
    expect(Object.fromEntries(outcomes)).toEqual({ 1: 'timeout', 2: 'aborted' });
    expect([...errors.values()].every(({ uncertain }) => uncertain)).toBe(true);
    expect(r.client.queued).toBe(0);
  });

  it('is forgotten when the client closes: no timer is left', async () => {
    const r = await opened();
    r.server.script = (conn, message) => {
      if (message.type !== 'publish') return false;
      conn.say(refuse(message, 'overloaded', true));
      return true;
    };
    const { publish, outcomes } = publisher(r);
    publish(1);
    await r.settle();
    void r.client.close();
    await r.pass(2000);
    expect(outcomes.get(1)).toBe('closed');
    expect(r.clock.pending).toBe(0);
    r.server.script = undefined;
    r.client.connect();
    await r.settle();
    publish(2);
    await r.settle();
    expect(outcomes.get(2)).toBe('at 1');
  });
});

describe('the window of commands under way', () => {
  it('is filled again as answers come, whatever their order', async () => {
    const r = await opened();
    const held: WireMessage[] = [];
    r.server.script = (_, message) => {
      if (message.type !== 'publish') return false;
      held.push(message);
      return true;
    };
    const { publish, outcomes } = publisher(r);
    for (let i = 0; i < 140; i++) publish(i);
    await r.settle();
    expect(held).toHaveLength(128);
    for (const at of [5, 100, 127]) {
      r.server.last.say({ type: 'published', id: held[at]?.id, epoch: 'e1', offset: at });
    }
    await r.settle();
    expect(held).toHaveLength(131);
    expect(outcomes.size).toBe(3);
    expect(held.map(({ data }) => data)).toEqual(Array.from({ length: 131 }, (_, i) => i));
  });

  it('has room again for what waits when one is not answered in time', async () => {
    const r = await opened();
    const held: unknown[] = [];
    r.server.script = (_, message) => {
      if (message.type !== 'publish') return false;
      held.push(message.data);
      return true;
    };
    const { publish, outcomes } = publisher(r);
    for (let i = 0; i < 130; i++) publish(i, { timeout: i === 0 ? 1000 : 60_000 });
    await r.pass(1000);
    expect(outcomes.get(0)).toBe('timeout');
    expect(held.at(-1)).toBe(128);
  });

  it('ignores an answer that comes after its command was given up', async () => {
    const r = await opened();
    let late: WireMessage | undefined;
    r.server.script = (_, message) => {
      if (message.type === 'publish') late ??= message;
      return message.type === 'publish' && late === message;
    };
    const { publish, outcomes } = publisher(r);
    publish(1, { timeout: 500 });
    await r.pass(500);
    r.server.last.say({ type: 'published', id: late?.id, epoch: 'e1', offset: 7 });
    publish(2);
    await r.settle();
    expect(Object.fromEntries(outcomes)).toEqual({ 1: 'timeout', 2: 'at 1' });
  });
});

describe('the bounds of what waits', () => {
  it('take the oldest of several until there is room, each with its own end', async () => {
    const r = realtime({ queue: { bytes: 700, overflow: 'drop-oldest' } });
    r.server.sockets = 'hang';
    const { publish, outcomes } = publisher(r);
    for (const name of ['a', 'b', 'c']) publish(name.repeat(100));
    publish('d'.repeat(550));
    await r.settle();
    expect([...outcomes.values()]).toEqual(['pushed_out', 'pushed_out', 'pushed_out']);
    expect(r.client.queued).toBe(1);
  });

  it('refuse all where nothing may wait', async () => {
    const r = realtime({ queue: { max: 0, overflow: 'drop-oldest' } });
    const { publish, outcomes } = publisher(r);
    publish(1);
    await r.settle();
    expect(outcomes.get(1)).toBe('queue_full');
  });

  it('are free again when something has ended, however it did', async () => {
    const r = realtime({ queue: { max: 1 } });
    r.server.sockets = 'hang';
    const { publish, outcomes } = publisher(r);
    const controller = new AbortController();
    publish(1, { signal: controller.signal });
    publish(2);
    controller.abort();
    publish(3, { timeout: 100 });
    await r.pass(250);
    publish(4);
    await r.settle();
    expect(Object.fromEntries(outcomes)).toEqual({ 1: 'aborted', 2: 'queue_full', 3: 'timeout' });
    expect(r.client.queued).toBe(1);
  });

  it('keep nothing of the signal when all is over', async () => {
    const r = await opened();
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: unknown[]) => {
      listeners++;
      addEventListener.apply(signal, args as never);
    };
    signal.removeEventListener = (...args: unknown[]) => {
      listeners--;
      removeEventListener.apply(signal, args as never);
    };
    const { publish } = publisher(r);
    publish(1, { signal });
    await r.settle();
    expect(listeners).toBe(0);
  });
});
