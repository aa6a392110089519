import { presence } from '@anywire/client';
import { expect, it } from 'vitest';
import { jwt, type Stage } from './stage';

export function access(s: Stage): void {
  const soon = (seconds: number) => Math.floor(s.world.now() / 1000) + seconds;
  const connecting = async (connect: object) => {
    const raw = await s.raw();
    raw.send({ type: 'connect', id: raw.id(), ...connect });
    return raw;
  };

  it('says who one is', async () => {
    const raw = await s.raw();
    const exp = soon(3600);
    const reply = await raw.ask('connect', { token: jwt({ sub: 'ann', exp }) });
    expect(reply).toMatchObject({
      type: 'connected',
      resumed: false,
      user: 'ann',
      expires: exp * 1000,
      ping: 25_000,
      sessionWindow: 120_000,
      messageBytesMax: 1 << 20,
    });
    for (const member of ['client', 'session', 'server']) {
      expect(reply[member]).toEqual(expect.any(String));
    }
  });

  it('says nothing of a user or an end where there is none', async () => {
    const raw = await s.raw();
    const reply = await raw.ask('connect');
    expect(Object.keys(reply)).not.toContain('user');
    expect(Object.keys(reply)).not.toContain('expires');
  });

  it.each([
    ['nonsense', 4451, () => ({ token: 'nonsense' })],
    ['a token of another key', 4451, () => ({ token: s.token({ sub: 'ann' }, 'x'.repeat(32)) })],
    ['a token that has ended', 4452, () => ({ token: jwt({ sub: 'ann', exp: 1 }) })],
    ['a token that has just ended', 4452, () => ({ token: jwt({ sub: 'ann', exp: soon(-1) }) })],
    ['a token that is too large', 4451, () => ({ token: 'x'.repeat(8193) })],
  ])('does not take %s', async (_, code, connect) => {
    const raw = await connecting(connect());
    expect(await raw.end()).toBe(code);
    expect(raw.replies).toBe(0);
  });

  it('grants what rules and capability allow', async () => {
    const capability = {
      'own:a*': ['subscribe', 'publish'],
      'own:b': ['*'],
      'own:c?': ['subscribe'],
    };
    const raw = await s.raw({ token: s.token({ sub: 'ann', capability }) });
    const code = (type: string, channel: string, more = {}) => raw.code(type, { channel, ...more });
    expect(await code('subscribe', 'own:abc')).toBe('subscribed');
    expect(await code('publish', 'own:abc', { data: 1 })).toBe('published');
    expect(await code('history', 'own:abc')).toBe('forbidden');
    expect(await code('enter', 'own:abc')).toBe('forbidden');
    expect(await code('subscribe', 'own:xyz')).toBe('forbidden');
    for (const type of ['subscribe', 'history', 'members']) {
      expect(await code(type, 'own:b')).not.toBe('forbidden');
    }
    expect(await code('subscribe', 'users:1')).toBe('subscribed');
    expect(await raw.code('subscribe', { pattern: 'own:a?' })).toBe('subscribed');
    expect(await raw.code('subscribe', { pattern: 'own:a*' })).toBe('subscribed');
    expect(await raw.code('subscribe', { pattern: 'own:*' })).toBe('forbidden');
    expect(await raw.code('subscribe', { pattern: 'own:c?' })).toBe('subscribed');
    expect(await raw.code('subscribe', { pattern: 'own:c*' })).toBe('forbidden');
  });

  it('has a channel for each user', async () => {
    const ann = await s.raw({ token: s.token({ sub: 'ann' }) });
    const capability = { '*': ['*'] };
    const bob = await s.raw({ token: s.token({ sub: 'bob', capability }) });
    const channel = '$user:ann';
    expect(await ann.code('subscribe', { channel })).toBe('subscribed');
    expect(await ann.code('publish', { channel, data: 1 })).toBe('forbidden');
    expect(await bob.code('subscribe', { channel })).toBe('forbidden');
    expect(await bob.code('history', { channel })).toBe('forbidden');
    expect(await bob.code('subscribe', { pattern: '*' })).toBe('subscribed');
    expect(await bob.code('publish', { channel, data: 'hi' })).toBe('published');
    expect(await ann.next()).toMatchObject({ data: 'hi', user: 'bob' });
    await bob.ask('ping');
    expect(bob.pushes).toEqual([]);
  });

  it('subscribes to the channels that the token names', async () => {
    const name = s.fresh('own');
    const raw = await s.raw({ token: s.token({ sub: 'ann', channels: [name] }) });
    const push = await raw.next();
    expect(push).toMatchObject({ type: 'subscribed', channel: name, offset: 0, top: 0 });
    expect(push.id).toBeUndefined();
    expect(await raw.code('unsubscribe', { channel: name })).toBe('ok');
    expect(await raw.code('subscribe', { channel: name })).toBe('subscribed');
    expect(await raw.code('subscribe', { channel: name })).toBe('already_subscribed');
  });

  it('does not subscribe to what a token may not name', async () => {
    const name = s.fresh();
    const channels = ['$user:bob', name, '$other'];
    const raw = await s.raw({ token: s.token({ sub: 'ann', channels }) });
    const told = [await raw.next(), await raw.next(), await raw.next()];
    expect(told.map(({ type, channel, code }) => [type, channel, code])).toEqual(
      expect.arrayContaining([
        ['unsubscribed', '$user:bob', 'forbidden'],
        ['subscribed', name, undefined],
        ['unsubscribed', '$other', 'forbidden'],
      ]),
    );
    expect(await raw.code('subscribe', { channel: '$user:bob' })).toBe('forbidden');
  });

  it('lets a command make anew what the token made', async () => {
    const name = s.fresh();
    const writer = await s.raw({});
    const token = s.token({ sub: 'ann', channels: [name] });
    const raw = await s.raw({ token });
    const { epoch } = await raw.next();
    for (let i = 1; i <= 3; i++) await writer.ask('publish', { channel: name, data: i });
    for (let i = 1; i <= 3; i++) expect((await raw.next()).offset).toBe(i);
    expect(await raw.ask('subscribe', { channel: name, rewind: 1 })).toMatchObject({ offset: 2 });
    expect(await raw.next()).toMatchObject({ offset: 3 });
    // In the frame of connect: once, and nothing is missing.
    const back = await s.raw();
    const [connect, subscribe] = [back.id(), back.id()];
    back.send(
      { type: 'connect', id: connect, token },
      { type: 'subscribe', id: subscribe, channel: name, since: { epoch, offset: 1 } },
    );
    expect(await back.reply(subscribe)).toMatchObject({ offset: 1, recovered: true });
    expect([(await back.next()).offset, (await back.next()).offset]).toEqual([2, 3]);
    await back.ask('ping');
    expect(back.pushes).toEqual([]);
  });

  it('takes another token, and ends what that one does not allow', async () => {
    const [kept, lost] = [s.fresh(), s.fresh('own')];
    const capability = { 'own:*': ['*'] };
    const raw = await s.raw({ token: s.token({ sub: 'ann', capability }) });
    await raw.ask('subscribe', { channel: kept });
    await raw.ask('subscribe', { channel: lost });
    await raw.ask('subscribe', { pattern: 'own:x*' });
    await raw.ask('enter', { channel: lost });
    const exp = soon(600);
    const reply = await raw.ask('auth', { token: jwt({ sub: 'ann', exp }) });
    expect(reply).toMatchObject({ type: 'ok', expires: exp * 1000 });
    const pushes = [await raw.next(), await raw.next(), await raw.next()];
    const told = pushes.map(({ type, channel, pattern, code }) => [type, channel ?? pattern, code]);
    expect(told).toHaveLength(3);
    expect(told).toEqual(
      expect.arrayContaining([
        ['unsubscribed', lost, 'forbidden'],
        ['unsubscribed', 'own:x*', 'forbidden'],
        ['left', lost, 'forbidden'],
      ]),
    );
    await raw.ask('publish', { channel: kept, data: 1 });
    expect(await raw.next()).toMatchObject({ channel: kept, data: 1 });
  });

  it('refuses the token of another user', async () => {
    const raw = await s.raw({ token: s.token({ sub: 'ann' }) });
    expect(await raw.code('auth', { token: s.token({ sub: 'bob' }) })).toBe('user_mismatch');
    expect(await raw.code('ping')).toBe('pong');
  });

  it('ends a connection with its token', async () => {
    const raw = await s.raw({ token: jwt({ sub: 'ann', exp: soon(2) }) });
    expect(await raw.next()).toMatchObject({ type: 'expiring' });
    expect(await raw.end()).toBe(4452);
  });

  it('lets a client renew its token in time', async () => {
    const reasons: string[] = [];
    const client = await s.open({
      token: ({ reason }) => {
        reasons.push(reason);
        return jwt({ sub: 'ann', exp: soon(reasons.length === 1 ? 2 : 3600) });
      },
    });
    await s.until('another token', () => reasons.length === 2);
    await s.world.pass(2500);
    expect(reasons).toEqual(['connect', 'refresh']);
    expect(client.snapshot).toMatchObject({ state: 'open', opens: 1 });
  });

  it('asks again for a token that was refused, and stops where there is no other', async () => {
    const bad = s.token({ sub: 'ann' }, 'x'.repeat(32));
    const reasons: string[] = [];
    const client = s.client({
      token: ({ reason }) => {
        reasons.push(reason);
        return reason === 'denied' ? s.token({ sub: 'ann' }) : bad;
      },
    });
    await s.done(client.connect());
    expect(reasons).toEqual(['connect', 'denied']);
    const stuck = s.client({ token: bad });
    expect(await s.refused(stuck.connect())).toMatchObject({ code: 'unauthorized' });
    expect(stuck.state).toBe('failed');
  });

  it('resumes a session under its id, and gives it a new secret', async () => {
    const first = await s.raw();
    const one = await first.ask('connect');
    first.leave();
    const second = await s.raw();
    const two = await second.ask('connect', { session: one.session });
    expect(two).toMatchObject({ resumed: true, client: one.client });
    expect(two.session).not.toBe(one.session);
  });

  it('takes a session over from a connection that lives', async () => {
    const first = await s.raw();
    const one = await first.ask('connect');
    const second = await s.raw();
    expect(await second.ask('connect', { session: one.session })).toMatchObject({ resumed: true });
    expect(await first.end()).toBe(4409);
    await second.ask('ping');
    const third = await s.raw();
    expect(await third.ask('connect', { session: one.session })).toMatchObject({ resumed: false });
    expect(await second.code('ping')).toBe('pong');
  });

  it('takes the old secret until the new one is proven', async () => {
    const first = await s.raw();
    const { client, session } = await first.ask('connect');
    first.leave();
    for (let i = 0; i < 3; i++) {
      const lost = await s.raw();
      expect(await lost.ask('connect', { session })).toMatchObject({ resumed: true, client });
      lost.leave();
    }
    const back = await s.raw();
    expect(await back.ask('connect', { session })).toMatchObject({ resumed: true, client });
    await back.ask('ping');
    const late = await s.raw();
    expect(await late.ask('connect', { session })).toMatchObject({ resumed: false });
  });

  it('gives nobody the session of another user, nor one it does not know', async () => {
    const ann = await s.raw();
    const { session } = await ann.ask('connect', { token: s.token({ sub: 'ann' }) });
    for (const connect of [{ session }, { session: 'nonsense' }, { session: '' }]) {
      const raw = await s.raw();
      expect(await raw.ask('connect', connect)).toMatchObject({ resumed: false });
    }
    expect(await ann.code('ping')).toBe('pong');
  });

  it('knows no session after a restart', async () => {
    const name = s.fresh();
    const client = await s.open();
    const { clientId } = client.snapshot;
    await s.done(presence(client.channel(name)).enter('me'));
    await s.world.restart();
    await s.until('it is back', () => client.snapshot.opens === 2 && client.state === 'open');
    expect(client.snapshot.clientId).not.toBe(clientId);
    const raw = await s.raw({});
    const members = async () => {
      await s.world.pass(150);
      return (await raw.ask('members', { channel: name })).members;
    };
    expect(await members()).toEqual([{ client: client.snapshot.clientId, info: 'me' }]);
  });

  it('keeps its subscriptions to itself when a session is resumed', async () => {
    const name = s.fresh();
    const first = await s.raw();
    const { session } = await first.ask('connect');
    await first.ask('subscribe', { channel: name });
    first.leave();
    const second = await s.raw({ session });
    await second.ask('publish', { channel: name, data: 1 });
    await second.ask('ping');
    expect(second.pushes).toEqual([]);
    expect(await second.code('unsubscribe', { channel: name })).toBe('not_subscribed');
  });
}
