import { type Client, type PresenceSnapshot, presence } from '@anywire/client';
import { expect, it } from 'vitest';
import type { Stage } from './stage';

/** Watches a channel's presence and writes down what it is told. */
function watch(client: Client, name: string) {
  const events: unknown[] = [];
  let now: PresenceSnapshot | undefined;
  const there = presence(client.channel(name));
  there.on('join', ({ user }) => events.push(['join', user]));
  there.on('update', ({ user, info }) => events.push(['update', user, info]));
  there.on('leave', ({ user }, reason) => events.push(['leave', user, reason]));
  there.on('change', (snapshot) => {
    now = snapshot;
  });
  return {
    events,
    get now() {
      return now;
    },
    get users() {
      return now?.complete ? now.members.map(({ user }) => user).sort() : undefined;
    },
  };
}

export function attendance(s: Stage): void {
  const as = (sub: string, more: object = {}) => s.open({ token: s.token({ sub, ...more }) });
  const watching = async (name: string) => {
    const log = watch(await s.open(), name);
    await s.until('the list', () => log.now?.complete === true);
    return log;
  };

  it('tells who comes, changes and goes', async () => {
    const name = s.fresh();
    const log = await watching(name);
    const ann = await as('ann');
    const there = presence(ann.channel(name));
    await s.done(there.enter({ name: 'Ann' }));
    await s.until('join', () => log.events.length === 1);
    await s.done(there.enter({ name: 'Anne' }));
    await s.until('update', () => log.events.length === 2);
    await s.done(there.leave());
    await s.until('leave', () => log.events.length === 3);
    expect(log.events).toEqual([
      ['join', 'ann'],
      ['update', 'ann', { name: 'Anne' }],
      ['leave', 'ann', 'left'],
    ]);
    expect(log.now).toMatchObject({ members: [], count: 0, users: 0, complete: true });
  });

  it('says nothing when one enters again with the same info', async () => {
    const name = s.fresh();
    const log = await watching(name);
    const raw = await s.raw({ token: s.token({ sub: 'ann' }) });
    for (const info of [{ n: 1 }, { n: 1 }, { n: 2 }]) {
      expect(await raw.code('enter', { channel: name, info })).toBe('ok');
      await s.world.pass(150);
    }
    await s.until('update', () => log.events.length >= 2);
    expect(log.events).toEqual([
      ['join', 'ann'],
      ['update', 'ann', { n: 2 }],
    ]);
  });

  it('shows who was there before to who comes later', async () => {
    const name = s.fresh();
    for (const sub of ['ann', 'bob'])
      await s.done(presence((await as(sub)).channel(name)).enter(1));
    const log = await watching(name);
    await s.until('both', () => log.users?.length === 2);
    expect(log.users).toEqual(['ann', 'bob']);
    expect(log.now).toMatchObject({ count: 2, users: 2 });
  });

  it('begins with a push of everybody', async () => {
    const name = s.fresh();
    const ann = await s.raw({ token: s.token({ sub: 'ann' }) });
    await ann.ask('enter', { channel: name, info: { name: 'Ann' } });
    await s.world.pass(150);
    const raw = await s.raw({});
    await raw.ask('subscribe', { channel: name, presence: true });
    const push = await raw.next();
    expect(push).toMatchObject({ type: 'presence', channel: name, all: true, count: 1, users: 1 });
    expect(push.join).toEqual([{ client: expect.any(String), user: 'ann', info: { name: 'Ann' } }]);
    expect([typeof push.epoch, typeof push.version]).toEqual(['string', 'number']);
  });

  it('counts users, and anonymous members only as members', async () => {
    const name = s.fresh();
    for (const token of [s.token({ sub: 'ann' }), s.token({ sub: 'ann' }), undefined, undefined]) {
      const raw = await s.raw(token ? { token } : {});
      await raw.ask('enter', { channel: name });
    }
    await s.world.pass(150);
    const raw = await s.raw({});
    const members = await raw.ask('members', { channel: name });
    expect(members).toMatchObject({ count: 4, users: 1, more: false });
  });

  it('takes the info of the token unless another is given', async () => {
    const name = s.fresh();
    const token = s.token({ sub: 'ann', info: { from: 'token' } });
    const raw = await s.raw({ token });
    const info = async () => {
      await s.world.pass(150);
      const { members } = await raw.ask('members', { channel: name });
      return (members as { info: unknown }[]).map((member) => member.info);
    };
    await raw.ask('enter', { channel: name });
    expect(await info()).toEqual([{ from: 'token' }]);
    await raw.ask('enter', { channel: name, info: null });
    expect(await info()).toEqual([null]);
    await raw.ask('enter', { channel: name });
    expect(await info()).toEqual([{ from: 'token' }]);
  });

  it('pages members in the order of their ids', async () => {
    const name = s.fresh();
    const clients: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      const raw = await s.raw();
      const { client } = await raw.ask('connect');
      clients.push(client);
      await raw.ask('enter', { channel: name, info: i });
    }
    await s.world.pass(150);
    const raw = await s.raw({});
    const seen: { client: string }[] = [];
    let more: unknown = true;
    while (more) {
      const after = seen.at(-1)?.client;
      const page = await raw.ask('members', { channel: name, limit: 2, ...(after && { after }) });
      seen.push(...(page.members as { client: string }[]));
      more = page.more;
      expect(page).toMatchObject({ count: 5, users: 0 });
    }
    expect(seen.map(({ client }) => client)).toEqual([...clients].sort());
  });

  it('keeps who is back within the grace', async () => {
    const name = s.fresh();
    const log = await watching(name);
    const ann = await as('ann');
    await s.done(presence(ann.channel(name)).enter(1));
    await s.until('join', () => log.events.length === 1);
    s.cut(ann, true);
    await s.world.pass(300);
    await s.back(ann);
    await s.world.pass(1500);
    expect(log.events).toEqual([['join', 'ann']]);
    expect(log.users).toEqual(['ann']);
  });

  it('lets go who is not, and takes it in again when its session comes back', async () => {
    const name = s.fresh();
    const log = await watching(name);
    const ann = await as('ann');
    await s.done(presence(ann.channel(name)).enter({ n: 1 }));
    await s.until('join', () => log.events.length === 1);
    s.cut(ann, true);
    await s.until('leave', () => log.events.length === 2);
    await s.back(ann);
    await s.until('join', () => log.events.length === 3);
    expect(log.events).toEqual([
      ['join', 'ann'],
      ['leave', 'ann', 'lost'],
      ['join', 'ann'],
    ]);
    expect(log.now?.members).toEqual([
      { client: ann.snapshot.clientId, user: 'ann', info: { n: 1 } },
    ]);
  });

  it('lets another client of the same user take the place', async () => {
    const name = s.fresh();
    const log = await watching(name);
    const first = await as('ann');
    await s.done(presence(first.channel(name)).enter(1));
    await s.until('join', () => log.events.length === 1);
    s.cut(first, true);
    await s.world.pass(100);
    const second = await as('ann');
    await s.done(presence(second.channel(name)).enter(1));
    await s.until('join', () => log.events.length === 3);
    expect(log.events).toEqual([
      ['join', 'ann'],
      ['leave', 'ann', 'replaced'],
      ['join', 'ann'],
    ]);
    await s.world.pass(1500);
    expect(log.users).toEqual(['ann']);
  });

  it('is left at once by who says so', async () => {
    const name = s.fresh();
    const log = await watching(name);
    const ann = await as('ann');
    await s.done(presence(ann.channel(name)).enter(1));
    await s.until('join', () => log.events.length === 1);
    await ann.close();
    await s.until('leave', () => log.events.length === 2);
    expect(log.events[1]).toEqual(['leave', 'ann', 'left']);
  });

  it('refuses who has no place', async () => {
    const name = s.fresh('crowd');
    const raws = [await s.raw({}), await s.raw({}), await s.raw({})];
    const codes = [];
    for (const raw of raws) codes.push(await raw.code('enter', { channel: name }));
    expect(codes).toEqual(['ok', 'ok', 'too_many_members']);
    const refused = await (raws[2] as (typeof raws)[0]).ask('enter', { channel: name });
    expect(refused.retry).toBe(true);
    expect(await raws[2]?.code('leave', { channel: name })).toBe('not_present');
    await raws[0]?.ask('leave', { channel: name });
    expect(await raws[2]?.code('enter', { channel: name })).toBe('ok');
  });

  it('ends at once where there is no grace', async () => {
    const name = s.fresh('crowd');
    const log = await watching(name);
    const ann = await as('ann');
    await s.done(presence(ann.channel(name)).enter(1));
    await s.until('join', () => log.events.length === 1);
    s.cut(ann, true);
    await s.until('leave', () => log.events.length === 2);
    expect(log.events[1]).toEqual(['leave', 'ann', 'lost']);
  });

  it('refuses to leave where one is not, and presence where there is none', async () => {
    const raw = await s.raw({});
    expect(await raw.code('leave', { channel: s.fresh() })).toBe('not_present');
    const bare = s.fresh('short');
    expect(await raw.code('enter', { channel: bare })).toBe('no_presence');
    expect(await raw.code('members', { channel: bare })).toBe('no_presence');
    expect(await raw.code('subscribe', { channel: bare, presence: true })).toBe('no_presence');
  });

  it('ends where a token that resumes the session does not allow it', async () => {
    const name = s.fresh('own');
    const capability = { 'own:*': ['*'] };
    const first = await s.raw();
    const token = s.token({ sub: 'ann', capability });
    const { session } = await first.ask('connect', { token });
    expect(await first.code('enter', { channel: name, info: 1 })).toBe('ok');
    first.leave();
    const second = await s.raw();
    const reply = await second.ask('connect', { token: s.token({ sub: 'ann' }), session });
    expect(reply.resumed).toBe(true);
    expect(await second.next()).toMatchObject({ type: 'left', channel: name, code: 'forbidden' });
    await s.world.pass(150);
    const other = await s.raw({ token: s.token({ sub: 'bob', capability }) });
    expect(await other.ask('members', { channel: name })).toMatchObject({ count: 0 });
    expect(await second.code('leave', { channel: name })).toBe('not_present');
  });

  it('ends where its place was taken meanwhile', async () => {
    const name = s.fresh('crowd');
    const first = await s.raw();
    const { session } = await first.ask('connect');
    expect(await first.code('enter', { channel: name })).toBe('ok');
    first.leave();
    // Without a grace it is gone at once.
    for (let i = 0; i < 2; i++) {
      const raw = await s.raw({});
      let code: unknown;
      while (code !== 'ok') code = await raw.code('enter', { channel: name });
    }
    const second = await s.raw();
    expect((await second.ask('connect', { session })).resumed).toBe(true);
    const left = await second.next();
    expect(left).toMatchObject({ type: 'left', channel: name, code: 'too_many_members' });
  });

  it('holds in several channels at once, each for itself', async () => {
    const names = [s.fresh(), s.fresh(), s.fresh()];
    const ann = await as('ann');
    for (const name of names) await s.done(presence(ann.channel(name)).enter(name));
    await s.done(presence(ann.channel(names[1] as string)).leave());
    await s.world.pass(150);
    const raw = await s.raw({});
    const infos: unknown[] = [];
    for (const name of names) {
      const { members } = await raw.ask('members', { channel: name });
      infos.push((members as { info: unknown }[]).map(({ info }) => info));
    }
    expect(infos).toEqual([[names[0]], [], [names[2]]]);
  });

  it('is entered by who does not listen, and seen only by who asks to see it', async () => {
    const name = s.fresh();
    const deaf = await s.raw({});
    const plain = await s.raw({});
    await plain.ask('subscribe', { channel: name });
    expect(await deaf.code('enter', { channel: name })).toBe('ok');
    await s.world.pass(250);
    await plain.ask('ping');
    await deaf.ask('ping');
    expect([plain.pushes, deaf.pushes]).toEqual([[], []]);
  });

  it('goes on from the list that begins it, version by version', async () => {
    const name = s.fresh();
    const watcher = await s.raw({});
    await watcher.ask('subscribe', { channel: name, presence: true });
    let { epoch, version } = await watcher.next();
    const ann = await s.raw({ token: s.token({ sub: 'ann' }) });
    for (const info of [1, 2, 3]) {
      await ann.ask('enter', { channel: name, info });
      const push = await watcher.next();
      expect([push.epoch, push.from]).toEqual([epoch, version]);
      expect(Number(push.version)).toBeGreaterThan(Number(version));
      expect(push.all ?? push.partial).toBeUndefined();
      ({ epoch, version } = push);
    }
    const page = await ann.ask('members', { channel: name });
    expect([page.epoch, page.version]).toEqual([epoch, version]);
  });
}
