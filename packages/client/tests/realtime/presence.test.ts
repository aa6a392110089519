import { describe, expect, it } from 'vitest';
import {
  type AnywireError,
  type Member,
  type PresenceSnapshot,
  presence as presenceOf,
} from '../../src/index';
import { opened, type Realtime, realtime } from '../support/realtime';

const room = 'room:1';
const ids = ({ members }: { members: readonly Member[] }) => members.map(({ client }) => client);

function watch(r: Realtime) {
  const log: string[] = [];
  const changes: PresenceSnapshot[] = [];
  const presence = presenceOf(r.client.channel(room));
  const leaves = [
    presence.on('join', ({ client }) => log.push(`+${client}`)),
    presence.on('leave', ({ client }, reason) => log.push(`-${client} ${reason}`)),
    presence.on('update', (now, before) =>
      log.push(`${now.client} ${JSON.stringify(before.info)}>${JSON.stringify(now.info)}`),
    ),
    presence.on('change', (now) => changes.push(now)),
  ];
  return { presence, log, changes, stop: () => leaves.map((leave) => leave()) };
}

function outcomeOf(promise: Promise<void>) {
  const outcome: { done: boolean; error?: AnywireError } = { done: false };
  promise.then(
    () => {
      outcome.done = true;
    },
    (error: AnywireError) => {
      outcome.error = error;
    },
  );
  return outcome;
}

describe('being present', () => {
  it('enters, updates and leaves without being subscribed', async () => {
    const r = await opened();
    const presence = presenceOf(r.client.channel(room));
    const entered = outcomeOf(presence.enter({ name: 'Ann' }));
    await r.settle();
    expect(entered.done).toBe(true);
    expect(r.server.channel(room).members.get('c1')).toEqual({
      client: 'c1',
      info: { name: 'Ann' },
    });
    void presence.update({ name: 'Bea' });
    await r.settle();
    expect(r.server.channel(room).members.get('c1')?.info).toEqual({ name: 'Bea' });
    const left = outcomeOf(presence.leave());
    await r.settle();
    expect(left.done).toBe(true);
    expect(r.server.channel(room).members.size).toBe(0);
    expect(r.server.last.of('subscribe')).toEqual([]);
  });

  it('waits for a connection, and conflates what was wished meanwhile', async () => {
    const r = realtime();
    const presence = presenceOf(r.client.channel(room));
    const outcomes = [1, 2, 3].map((n) => outcomeOf(presence.enter({ n })));
    await r.settle();
    expect(outcomes.every(({ done }) => done)).toBe(true);
    expect(r.server.last.of('enter')).toMatchObject([{ info: { n: 3 } }]);
  });

  it('sends one wish at a time, the last one last', async () => {
    const r = await opened();
    const presence = presenceOf(r.client.channel(room));
    for (let n = 0; n < 50; n++) void presence.enter({ n });
    await r.settle();
    expect(r.server.last.of('enter').map(({ info }) => (info as { n: number }).n)).toEqual([0, 49]);
  });

  it('leaves out info that is not given, so that the token\u2019s is used', async () => {
    const r = await opened();
    void presenceOf(r.client.channel(room)).enter();
    await r.settle();
    expect(r.server.last.of('enter')[0]).not.toHaveProperty('info');
  });

  it('is entered again by a session that was not resumed', async () => {
    const r = await opened();
    void presenceOf(r.client.channel(room)).enter({ name: 'Ann' });
    await r.settle();
    r.server.sessions.clear();
    await r.cut();
    await r.pass(500);
    expect(r.client.snapshot.clientId).not.toBe('c1');
    expect(r.server.last.of('enter')).toMatchObject([{ info: { name: 'Ann' } }]);
  });

  it('may be ended by the server, which is told and not undone', async () => {
    const r = await opened();
    const presence = presenceOf(r.client.channel(room));
    void presence.enter();
    await r.settle();
    const left = { type: 'left', channel: room, code: 'forbidden', message: 'another token' };
    r.server.last.say(left, { ...left, channel: 'elsewhere' });
    await r.settle();
    expect(r.errors).toMatchObject([{ code: 'forbidden', channel: room }]);
    await r.cut();
    await r.pass(20_000);
    expect(r.client.state).toBe('open');
    expect(r.server.last.of('enter')).toEqual([]);
    await presence.leave();
    void presence.enter({ again: true });
    r.server.last.say(left);
    await r.settle();
    expect(r.server.last.of('enter')).toHaveLength(1);
    expect(r.errors).toHaveLength(1);
  });

  it('is not entered again by one that was resumed soon', async () => {
    const r = await opened();
    void presenceOf(r.client.channel(room)).enter();
    await r.settle();
    await r.cut();
    await r.pass(500);
    expect(r.client.state).toBe('open');
    expect(r.server.last.of('enter')).toEqual([]);
  });

  it('is entered again when the grace may be over', async () => {
    const r = await opened();
    void presenceOf(r.client.channel(room)).enter();
    await r.settle();
    r.server.sockets = 'refuse';
    await r.cut();
    await r.pass(9000);
    r.server.sockets = 'serve';
    await r.pass(20_000);
    expect(r.server.last.of('enter')).toHaveLength(1);
  });

  it('counts the grace from the first loss, whatever tries have failed since', async () => {
    const r = await opened();
    void presenceOf(r.client.channel(room)).enter();
    r.client.channel(room).subscribe(() => {});
    await r.settle();
    // The handshake works, and nothing behind it: each try takes a subscription along in vain.
    r.server.script = () => true;
    await r.cut();
    await r.pass(9000);
    r.server.script = undefined;
    await r.pass(20_000);
    expect(r.client.state).toBe('open');
    expect(r.server.last.of('enter')).toHaveLength(1);
  });

  it('is entered again when the list shows that we are missing', async () => {
    const r = await opened();
    void presenceOf(r.client.channel(room)).enter();
    await r.settle();
    r.server.channel(room).members.clear();
    watch(r);
    await r.settle();
    expect(r.server.last.of('enter')).toHaveLength(2);
    expect(r.server.channel(room).members.has('c1')).toBe(true);
  });

  it('sends again what the broken link did not answer', async () => {
    const r = await opened();
    r.server.script = (_, { type }) => type === 'enter';
    const entered = outcomeOf(presenceOf(r.client.channel(room)).enter());
    await r.settle();
    await r.cut();
    r.server.script = undefined;
    await r.pass(500);
    expect(entered.done).toBe(true);
    expect(r.server.last.of('enter')).toHaveLength(1);
  });

  it('tells the caller of a refusal and does not insist', async () => {
    const r = await opened();
    r.server.script = (conn, { type, id }) => {
      if (type !== 'enter') return false;
      conn.say({ type: 'error', id, code: 'too_many_members', message: 'full', retry: true });
      return true;
    };
    const entered = outcomeOf(presenceOf(r.client.channel(room)).enter());
    await r.settle();
    expect(entered.error).toMatchObject({ code: 'too_many_members', retry: true });
    r.server.sessions.clear();
    await r.cut();
    await r.pass(500);
    expect(r.server.last.of('enter')).toEqual([]);
  });

  it('insists where nobody waits, as long as the server says that it may', async () => {
    const r = await opened();
    void presenceOf(r.client.channel(room)).enter();
    await r.settle();
    r.server.script = (conn, { type, id }) => {
      if (type !== 'enter') return false;
      conn.say({ type: 'error', id, code: 'overloaded', message: 'later', retry: true });
      return true;
    };
    r.server.sessions.clear();
    await r.cut();
    await r.pass(2000);
    r.server.script = undefined;
    await r.pass(10_000);
    expect(r.server.channel(room).members.has(r.client.snapshot.clientId ?? '')).toBe(true);
  });

  it('reports a refusal for which nobody waits', async () => {
    const r = await opened();
    void presenceOf(r.client.channel(room)).enter();
    await r.settle();
    r.server.script = (conn, { type, id }) => {
      if (type !== 'enter') return false;
      conn.say({ type: 'error', id, code: 'forbidden', message: 'no', retry: false });
      return true;
    };
    r.server.sessions.clear();
    await r.cut();
    await r.pass(500);
    expect(r.errors.map(({ code }) => code)).toEqual(['forbidden']);
  });

  it('rejects what cannot be encoded and what waits at the end', async () => {
    const r = await opened();
    const bad = outcomeOf(presenceOf(r.client.channel(room)).enter(1n));
    r.server.sockets = 'hang';
    await r.cut();
    const waiting = outcomeOf(presenceOf(r.client.channel(room)).enter());
    void r.client.close();
    await r.settle();
    expect(bad.error?.code).toBe('bad_data');
    expect(waiting.error?.code).toBe('closed');
  });

  it('takes leaving twice, or without being present, for done', async () => {
    const r = await opened();
    const presence = presenceOf(r.client.channel(room));
    const first = outcomeOf(presence.leave());
    void presence.enter();
    await r.settle();
    r.server.channel(room).members.clear();
    const second = outcomeOf(presence.leave());
    await r.settle();
    expect([first, second]).toEqual([{ done: true }, { done: true }]);
  });
});

/** Something changes of which this client is not told, and then something of which it is. */
function jump(r: Realtime) {
  r.server.channel(room).version += 5;
  r.server.presence(room, { join: [{ client: 'jumper' }] });
}

describe('watching', () => {
  it('fetches the list and keeps it up to date', async () => {
    const r = await opened();
    r.server.presence(room, { join: [{ client: 'a' }, { client: 'b', info: 1 }] });
    const { presence, log, changes } = watch(r);
    await r.settle();
    expect(r.server.last.of('subscribe')[0]).toMatchObject({ presence: true });
    expect(log).toEqual(['+a', '+b']);
    expect(presence.snapshot).toMatchObject({ count: 2, users: 2, complete: true });
    r.server.presence(room, { join: [{ client: 'c' }, { client: 'b', info: 2 }] });
    r.server.presence(room, { leave: [{ client: 'a', reason: 'lost' }] });
    expect(log.slice(2)).toEqual(['+c', 'b 1>2', '-a lost']);
    expect(ids(presence).sort()).toEqual(['b', 'c']);
    expect(presence.get('b')).toEqual({ client: 'b', info: 2 });
    expect(changes.at(-1)).toBe(presence.snapshot);
    expect(changes.at(-1)?.count).toBe(2);
    expect(r.server.last.of('members')).toHaveLength(0);
  });

  it('gives the same snapshot until something changes, and an empty one unwatched', async () => {
    const r = await opened();
    const presence = presenceOf(r.client.channel(room));
    expect(presence.snapshot).toEqual({ members: [], count: 0, users: 0, complete: false });
    const { stop } = watch(r);
    await r.settle();
    expect(presence.snapshot).toBe(presence.snapshot);
    expect(Object.isFrozen(presence.snapshot)).toBe(true);
    stop();
    expect(presence.snapshot.complete).toBe(false);
    await r.pass(1000);
    expect(r.server.last.of('unsubscribe')).toHaveLength(1);
  });

  it('subscribes anew, without losing a message, where there was a subscription', async () => {
    const r = await opened();
    const got: unknown[] = [];
    r.client.channel(room).subscribe(({ data }) => got.push(data));
    await r.settle();
    r.server.publish(room, { data: 1 });
    const { presence } = watch(r);
    r.server.publish(room, { data: 2 });
    await r.settle();
    r.server.publish(room, { data: 3 });
    expect(got).toEqual([1, 2, 3]);
    expect(presence.snapshot.complete).toBe(true);
    expect(r.server.last.of('subscribe').at(-1)).toMatchObject({
      presence: true,
      since: { offset: 1 },
    });
  });

  it('drops old pushes and fetches again after a jump or a new epoch', async () => {
    const r = await opened();
    const push = r.server.presence(room, { join: [{ client: 'a' }] });
    const { presence, log } = watch(r);
    await r.settle();
    r.server.last.say(push);
    expect(log).toEqual(['+a']);
    const channel = r.server.channel(room);
    channel.version += 5;
    channel.members.set('b', { client: 'b' });
    r.server.presence(room, { join: [{ client: 'c' }] });
    await r.settle();
    expect(log).toEqual(['+a', '+b', '+c']);
    channel.presenceEpoch = 'p2';
    channel.version = 0;
    channel.members.delete('a');
    r.server.presence(room, { leave: [{ client: 'b', reason: 'left' }] });
    await r.pass(500);
    expect(log.slice(3)).toEqual(['-a gone', '-b gone']);
    expect(ids(presence)).toEqual(['c']);
  });

  it('is told what became of the list during a break', async () => {
    const r = await opened();
    r.server.presence(room, { join: [{ client: 'a', info: 1 }, { client: 'b' }] });
    const { presence, log, changes } = watch(r);
    await r.settle();
    await r.cut();
    expect(presence.snapshot.complete).toBe(false);
    expect(ids(presence)).toEqual(['a', 'b']);
    r.server.presence(room, { leave: [{ client: 'b', reason: 'lost' }] });
    r.server.presence(room, { join: [{ client: 'a', info: 2 }, { client: 'z' }] });
    await r.pass(500);
    expect(log.slice(2)).toEqual(['-b gone', 'a 1>2', '+z']);
    expect(changes.at(-1)?.complete).toBe(true);
  });

  it('puts pages together while members come and go between them', async () => {
    const r = await opened();
    const name = (i: number) => `m${String(i).padStart(4, '0')}`;
    const { presence } = watch(r);
    await r.settle();
    for (let i = 0; i < 2500; i++) r.server.channel(room).members.set(name(i), { client: name(i) });
    let pages = 0;
    r.server.script = (_, { type }) => {
      if (type !== 'members' || pages++ === 0) return false;
      // Within a page already had, and in one that is still to come.
      r.server.presence(room, {
        leave: [{ client: name(pages), reason: 'left' }],
        join: [{ client: `${name(pages)}x` }, { client: `${name(2490)}${pages}` }],
      });
      return false;
    };
    jump(r);
    await r.settle();
    expect(pages).toBe(3);
    expect(presence.snapshot.complete).toBe(true);
    const expected = [...r.server.channel(room).members.keys()].sort();
    expect(ids(presence).sort()).toEqual(expected);
    r.server.presence(room, { join: [{ client: 'zz' }] });
    expect(presence.get('zz')).toBeDefined();
    expect(pages).toBe(3);
  });

  it('begins again when the pages do not fit together, ever more slowly', async () => {
    const r = await opened();
    const { presence } = watch(r);
    await r.settle();
    for (let i = 0; i < 1500; i++) r.server.channel(room).members.set(`m${i}`, { client: `m${i}` });
    let pages = 0;
    r.server.script = (_, { type }) => {
      if (type === 'members') r.server.channel(room).version += pages++ < 40 ? 1 : 0;
      return false;
    };
    jump(r);
    await r.pass(10_000);
    expect(pages).toBeGreaterThan(4);
    expect(pages).toBeLessThan(20);
    pages = 40;
    await r.pass(30_000);
    expect(presence.members).toHaveLength(1501);
  });

  it('only counts where the channel is too large for lists', async () => {
    const r = await opened();
    r.server.presence(room, { join: [{ client: 'a' }] });
    const { presence, changes } = watch(r);
    await r.settle();
    r.server.presence(room, { join: [{ client: 'b' }] }, { partial: true, join: undefined });
    expect(presence.snapshot).toMatchObject({ count: 2, complete: false });
    expect(changes.at(-1)?.count).toBe(2);
    await r.pass(5000);
    expect(r.server.last.of('members')).toHaveLength(0);
    r.server.presence(room, { join: [{ client: 'c' }] });
    await r.settle();
    expect(r.server.last.of('members')).toHaveLength(1);
    expect(presence.snapshot).toMatchObject({ count: 3, complete: true });
  });

  it('keeps no more members than it may', async () => {
    const r = await opened({ membersMax: 3 });
    r.server.presence(room, { join: [1, 2, 3, 4].map((n) => ({ client: `${n}` })) });
    const { presence } = watch(r);
    await r.settle();
    expect(presence.snapshot).toMatchObject({ count: 4, members: [], complete: false });
  });

  it('has counts even where it may not have the list', async () => {
    const r = await opened();
    r.server.large = true;
    r.server.presence(room, { join: [{ client: 'a' }] });
    r.server.script = (conn, { type, id }) => {
      if (type !== 'members') return false;
      conn.say({ type: 'error', id, code: 'forbidden', message: 'no', retry: false });
      return true;
    };
    const { presence } = watch(r);
    await r.settle();
    expect(presence.snapshot).toMatchObject({ count: 1, complete: false });
    r.server.presence(room, { join: [{ client: 'b' }] });
    await r.settle();
    expect(r.server.last.of('members')).toHaveLength(1);
    expect(presence.snapshot.complete).toBe(false);
  });

  it('asks for the list where the subscription with presence is older than the watching', async () => {
    const r = await opened();
    r.client.channel(room).subscribe(() => {});
    const first = watch(r);
    await r.settle();
    first.stop();
    r.server.presence(room, { join: [{ client: 'a' }] });
    const second = watch(r);
    await r.settle();
    expect(r.server.last.of('members')).toHaveLength(1);
    expect(ids(second.presence)).toEqual(['a']);
  });

  it('takes a push of everybody at any time, whatever it had', async () => {
    const r = await opened();
    r.server.presence(room, { join: [{ client: 'a' }] });
    const { presence, log } = watch(r);
    await r.settle();
    Object.assign(r.server.channel(room), { presenceEpoch: 'p7', version: 1 });
    r.server.channel(room).members.delete('a');
    r.server.channel(room).members.set('b', { client: 'b' });
    r.server.last.say(r.server.everybody(room));
    expect(log).toEqual(['+a', '-a gone', '+b']);
    r.server.presence(room, { join: [{ client: 'c' }] });
    expect(ids(presence)).toEqual(['b', 'c']);
    expect(r.server.last.of('members')).toEqual([]);
  });

  it('tries again when the server is in trouble', async () => {
    const r = await opened();
    let refusals = 2;
    r.server.presence(room, { join: [{ client: 'a' }] });
    r.server.script = (conn, { type, id }) => {
      if (type !== 'members' || refusals-- <= 0) return false;
      conn.say({ type: 'error', id, code: 'overloaded', message: 'later', retry: true });
      return true;
    };
    const { presence } = watch(r);
    await r.settle();
    jump(r);
    await r.settle();
    expect(presence.snapshot.complete).toBe(false);
    await r.pass(3000);
    expect(refusals).toBeLessThan(0);
    expect(presence.snapshot.complete).toBe(true);
  });
});
