import { presence } from '@anywire/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  claimsOf,
  createMockServer,
  ManualClock,
  type MockServer,
  type MockServerOptions,
} from '../src/index';
import { jwt, Log } from './same/stage';

let clock: ManualClock;
let server: MockServer;
const begin = (options: MockServerOptions = {}) => {
  server = createMockServer({ clock, ...options });
};

beforeEach(() => {
  clock = new ManualClock();
  begin();
});
afterEach(() => {
  server.close();
  expect(clock.pending).toBe(0);
});

const open = async (token?: string) => {
  const client = server.createClient(token === undefined ? {} : { token });
  await client.connect();
  return client;
};

describe('without a check of one’s own', () => {
  it('takes none for nobody, and plain text for the name of a user', async () => {
    expect((await open()).snapshot.user).toBeUndefined();
    expect((await open('ann')).snapshot.user).toBe('ann');
  });

  it('believes a JWT, whoever signed it', async () => {
    const exp = clock.now() / 1000 + 60;
    const token = jwt({ sub: 'bjørn', exp, channels: ['news'], info: { a: 1 } }, 'any key');
    const client = await open(token);
    await server.settled();
    expect(client.snapshot.user).toBe('bjørn');
    expect(server.connections[0]?.channels).toEqual(['news']);
    await presence(client.channel('room')).enter();
    expect(server.members('room')).toMatchObject([{ user: 'bjørn', info: { a: 1 } }]);
  });

  it.each(['a.b.c', 'x..y', `e30.${btoa('[1').replace('=', '')}.x`, `e30.${btoa('5')}.x`])(
    'refuses %s, which looks like one and is none',
    async (token) => {
      const client = server.createClient({ token });
      await expect(client.connect()).rejects.toMatchObject({ code: 'unauthorized' });
      expect(client.snapshot.lastClose?.code).toBe(4451);
    },
  );

  it('takes no token of more than 8 KiB', async () => {
    expect((await open('x'.repeat(8192))).snapshot.user).toHaveLength(8192);
    await expect(open('x'.repeat(8193))).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('ends with the token', async () => {
    const client = await open(jwt({ sub: 'ann', exp: clock.now() / 1000 + 60 }));
    await clock.advance(59_999);
    expect(client.state).toBe('open');
    await clock.advance(1);
    expect(client.snapshot).toMatchObject({ state: 'failed', lastClose: { code: 4452 } });
  });
});

describe('with a check', () => {
  it('does what the check says', async () => {
    begin({
      token: (token) => {
        if (token === undefined) return 'needed';
        if (token === 'old') return 'expired';
        return token === 'good' ? { user: 'ann' } : undefined;
      },
    });
    const codes: unknown[] = [];
    for (const token of [undefined, 'old', 'bad', 'good']) {
      const client = server.createClient(token === undefined ? {} : { token });
      await client.connect().catch(() => {});
      codes.push(client.snapshot.lastClose?.code ?? client.snapshot.user);
    }
    expect(codes).toEqual([4450, 4452, 4451, 'ann']);
  });

  it('says half a minute before the end that it is near, and takes another', async () => {
    const reasons: string[] = [];
    begin({ token: () => ({ user: 'ann', expires: clock.now() + 90_000 }) });
    const client = server.createClient({
      token: ({ reason }) => {
        reasons.push(reason);
        return `token ${reasons.length}`;
      },
    });
    await client.connect();
    await clock.advance(59_999);
    expect(reasons).toEqual(['connect']);
    await clock.advance(1);
    expect(reasons).toEqual(['connect', 'refresh']);
    await clock.advance(200_000);
    expect(client.snapshot).toMatchObject({ state: 'open', opens: 1 });
    expect(reasons.length).toBe(5);
  });

  it('says it halfway, where the token ends sooner', async () => {
    begin({ token: () => ({ user: 'ann', expires: clock.now() + 10_000 }) });
    await open('x');
    const said = () => server.connections[0]?.frames.map(({ message }) => message.type);
    await clock.advance(4999);
    expect(said()).not.toContain('expiring');
    await clock.advance(1);
    expect(said()).toContain('expiring');
  });

  it('asks for no timer that is longer than there are', async () => {
    const waits: number[] = [];
    const strict = {
      now: () => clock.now(),
      random: () => clock.random(),
      clearTimeout: (id: unknown) => clock.clearTimeout(id),
      setTimeout(run: () => void, ms: number) {
        waits.push(ms);
        return clock.setTimeout(run, ms);
      },
    };
    const year = 365 * 24 * 3600 * 1000;
    begin({ clock: strict, token: () => ({ user: 'ann', expires: clock.now() + year }) });
    await open('x');
    expect(Math.max(...waits)).toBe(2 ** 31 - 1);
  });

  it('waits longer than a timer can', async () => {
    const year = 365 * 24 * 3600 * 1000;
    begin({ token: () => ({ user: 'ann', expires: clock.now() + year }), ping: year * 2 });
    const client = await open('x');
    await clock.advance(year - 30_001);
    expect(client.state).toBe('open');
    const said = () => server.connections[0]?.frames.map(({ message }) => message.type);
    expect(said()).not.toContain('expiring');
    await clock.advance(1);
    expect(said()).toContain('expiring');
  });

  it('is given what a capability allows', async () => {
    begin({
      channels: [{ pattern: 'locked:*', publish: 'capability', subscribe: 'users' }],
      token: (token) => {
        if (token === 'writer') return { user: 'w', capability: { 'locked:a*': ['publish'] } };
        return token === 'reader' ? { user: 'r' } : {};
      },
    });
    const codes: unknown[] = [];
    for (const token of ['writer', 'reader', 'nobody']) {
      const client = await open(token);
      const log = new Log(client, 'locked:a1');
      await server.settled();
      const sent = await client
        .channel('locked:a1')
        .publish(1)
        .catch(({ code }) => code);
      codes.push([log.errors[0] ?? 'subscribed', typeof sent === 'string' ? sent : 'published']);
    }
    expect(codes).toEqual([
      ['subscribed', 'published'],
      ['subscribed', 'forbidden'],
      ['forbidden', 'forbidden'],
    ]);
  });

  it('calls only what a capability allows, where there is one', async () => {
    begin({ token: (token) => ({ capability: { [String(token)]: ['rpc'] } }) });
    server.rpc('math.add', () => 3);
    const { rpc } = await import('@anywire/client');
    expect(await rpc(await open('math.*'), 'math.add')).toBe(3);
    await expect(rpc(await open('text.*'), 'math.add')).rejects.toMatchObject({
      code: 'forbidden',
    });
  });
});

describe('scripted', () => {
  it('denies the next token, and takes the one after it', async () => {
    const reasons: string[] = [];
    server.denyNextToken();
    const client = server.createClient({
      token: ({ reason }) => {
        reasons.push(reason);
        return `t${reasons.length}`;
      },
    });
    client.connect();
    await clock.advance(500);
    expect(client.state).toBe('open');
    expect(reasons).toEqual(['connect', 'denied']);
  });

  it('makes a client fail that has no other token', async () => {
    server.denyNextToken();
    const client = server.createClient({ token: 'only' });
    await expect(client.connect()).rejects.toMatchObject({ code: 'unauthorized' });
    await clock.advance(60_000);
    expect(client.state).toBe('failed');
  });

  it('denies a token that renews another, and the connection lives on', async () => {
    let tokens = 0;
    const client = server.createClient({ token: () => `t${++tokens}` });
    await client.connect();
    server.denyNextToken();
    await expect(client.refreshToken()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(client.state).toBe('open');
  });

  it('ends the tokens of all, who come back with others', async () => {
    let tokens = 0;
    const client = server.createClient({ token: () => `t${++tokens}` });
    await client.connect();
    server.expireToken();
    await server.settled();
    expect(client.snapshot.lastClose?.code).toBe(4452);
    await clock.advance(100);
    expect(client.snapshot).toMatchObject({ state: 'open', opens: 2, user: 't2' });
  });

  it('revokes the tokens of all, who come back with others', async () => {
    const reasons: string[] = [];
    const client = server.createClient({
      token: ({ reason }) => {
        reasons.push(reason);
        return `t${reasons.length}`;
      },
    });
    await client.connect();
    server.revokeToken();
    await server.settled();
    expect(client.snapshot).toMatchObject({
      state: 'waiting',
      error: { code: 'unauthorized', message: 'revoked: the token has been revoked' },
      lastClose: { code: 4453 },
    });
    await clock.advance(100);
    expect(client.snapshot).toMatchObject({ state: 'open', opens: 2, user: 't2' });
    expect(reasons).toEqual(['connect', 'denied']);
  });

  it('stops a client whose only token is revoked', async () => {
    const client = await open('only');
    server.revokeToken();
    await clock.advance(60_000);
    expect(client.snapshot).toMatchObject({ state: 'failed', error: { code: 'unauthorized' } });
  });

  it('says that a token was revoked before it came', async () => {
    begin({ token: () => 'revoked' });
    const client = server.createClient({ token: 'any' });
    await expect(client.connect()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(client.snapshot.lastClose?.code).toBe(4453);
  });

  it('sends clients away as the application does, and they come back', async () => {
    const client = await open('ann');
    server.drop({ code: 4501, reason: 'later' });
    await server.settled();
    expect(client.snapshot).toMatchObject({
      state: 'waiting',
      error: { code: 'network', message: 'later', retry: true },
    });
    await clock.advance(100);
    expect(client.snapshot).toMatchObject({ state: 'open', opens: 2, user: 'ann' });
  });

  it('warns of the end of tokens, so that clients renew them', async () => {
    let tokens = 0;
    const client = server.createClient({
      token: ({ reason }) => (reason === 'refresh' ? `ann ${++tokens}` : 'ann'),
    });
    await client.connect();
    server.warnOfExpiry();
    await clock.advance(10);
    expect(tokens).toBe(1);
  });

  it('leaves alone who has not said who it is', async () => {
    server.hold('commands');
    const client = server.createClient();
    client.connect();
    await server.settled();
    server.expireToken();
    server.revokeToken();
    server.warnOfExpiry();
    server.release();
    await server.settled();
    expect(client.snapshot).toMatchObject({ state: 'open', opens: 1 });
  });
});

describe('claimsOf', () => {
  it('takes what has the right shape, and nothing else', () => {
    const capability = { a: ['publish'] };
    expect(
      claimsOf({ sub: 'a', exp: 2, info: null, channels: ['x'], capability, other: 1 }),
    ).toEqual({ user: 'a', expires: 2000, info: null, channels: ['x'], capability });
    expect(claimsOf({ sub: 5, exp: 'x', channels: 'x', capability: null })).toEqual({});
  });
});
