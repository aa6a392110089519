import { describe, expect, it } from 'vitest';
import { type Claims, toPayload } from '../src/token/claims';
import { errorOf } from './support/tokens';

const refused = async (claims: object): Promise<string> => {
  const error = await errorOf(() => toPayload({ user: 'ann', ...claims } as Claims));
  expect(error.code).toBe('bad_claims');
  expect(error.retry).toBe(false);
  return error.message;
};

describe('the claims of a token', () => {
  it('have the names of the protocol', () => {
    const claims: Claims = {
      user: 'ann',
      info: { name: 'Ann' },
      channels: ['news'],
      capability: { 'room:*': ['subscribe', 'publish'], news: ['*'] },
    };
    expect(toPayload(claims)).toEqual({
      sub: 'ann',
      info: { name: 'Ann' },
      channels: ['news'],
      capability: { 'room:*': ['subscribe', 'publish'], news: ['*'] },
    });
  });

  it('leave out what was not said', () => {
    expect(toPayload({ user: 'ann' })).toEqual({ sub: 'ann' });
  });

  it('of a guest have no user', () => {
    expect(toPayload({ user: null })).toEqual({});
  });

  it('keep an info that is nothing, false or empty', () => {
    expect(toPayload({ user: 'ann', info: null })).toEqual({ sub: 'ann', info: null });
    expect(toPayload({ user: 'ann', info: false })).toEqual({ sub: 'ann', info: false });
    expect(toPayload({ user: 'ann', info: '' })).toEqual({ sub: 'ann', info: '' });
  });

  it('leave out what is not theirs', () => {
    const claims = { user: 'ann', ttl: 60, admin: true } as Claims;
    expect(toPayload(claims)).toEqual({ sub: 'ann' });
  });

  it('may say that nothing is allowed anywhere', () => {
    expect(toPayload({ user: 'ann', capability: {} })).toEqual({ sub: 'ann', capability: {} });
    expect(toPayload({ user: 'ann', capability: { news: [] } })).toEqual({
      sub: 'ann',
      capability: { news: [] },
    });
  });
});

describe('a user', () => {
  it('has 1 to 255 bytes, not characters', async () => {
    expect(toPayload({ user: 'x'.repeat(255) })).toEqual({ sub: 'x'.repeat(255) });
    expect(await refused({ user: 'x'.repeat(256) })).toContain('it has 256');
    expect(await refused({ user: 'ü'.repeat(128) })).toContain('it has 256');
    expect(await refused({ user: '' })).toContain('it has 0');
  });

  it.each([undefined, 7, {}, true])('is not %j', async (user) => {
    expect(await refused({ user })).toContain('"user" must be a string, or null for a guest');
  });
});

describe('an info', () => {
  it('has at most 4096 bytes of JSON', async () => {
    const fits = 'x'.repeat(4094);
    expect(toPayload({ user: 'ann', info: fits })).toEqual({ sub: 'ann', info: fits });
    expect(await refused({ info: `${fits}x` })).toContain('it has 4097');
    expect(await refused({ info: 'ü'.repeat(2048) })).toContain('it has 4098');
  });

  it('is something that JSON can say', async () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect(await refused({ info: loop })).toContain('cannot be written as JSON');
    expect(await refused({ info: () => 1 })).toContain('cannot be written as JSON');
    expect(await refused({ info: 1n })).toContain('cannot be written as JSON');
  });
});

describe('channels', () => {
  it('are at most 128', async () => {
    const names = Array.from({ length: 128 }, (_, i) => `room:${i}`);
    expect(toPayload({ user: 'ann', channels: names })).toEqual({ sub: 'ann', channels: names });
    expect(await refused({ channels: [...names, 'one more'] })).toContain('at most 128');
  });

  it('are a list', async () => {
    expect(await refused({ channels: 'news' })).toContain('must be a list');
  });

  it.each(['', 'x'.repeat(256), 'ü'.repeat(128), 'a\nb', 'a\u0000', 'a\u007f', 7, null])(
    '%j is no name of one',
    async (name) => {
      expect(await refused({ channels: ['news', name] })).toContain('in "channels" is no name');
    },
  );

  it('may have any other name', () => {
    const channels = ['x'.repeat(255), 'räume:größe', '$user:ann', 'a b', '💬'];
    expect(toPayload({ user: 'ann', channels })).toEqual({ sub: 'ann', channels });
  });

  it('of great length are shortened in the message', async () => {
    const message = await refused({ channels: ['x'.repeat(10_000)] });
    expect(message.length).toBeLessThan(300);
  });
});

describe('a capability', () => {
  it('has at most 256 patterns', async () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`room:${i}`, ['subscribe']]));
    expect(toPayload({ user: 'ann', capability: many(256) as never })).toBeDefined();
    expect(await refused({ capability: many(257) })).toContain('at most 256');
  });

  it('is an object of lists', async () => {
    expect(await refused({ capability: ['room:*'] })).toContain('must be an object');
    const single = await refused({ capability: { 'room:*': 'subscribe' } });
    expect(single).toContain('"room:*" must be a list of subscribe, publish');
    expect(await refused({ capability: { 'room:*': undefined } })).toContain('must be a list');
    expect(await refused({ capability: { 'room:*': null } })).toContain('it has null');
  });

  it.each(['subscribe', 'publish', 'presence', 'history', 'rpc', '*'] as const)(
    'may allow %s',
    (operation) => {
      const capability = { 'room:*': [operation] };
      expect(toPayload({ user: 'ann', capability })).toEqual({ sub: 'ann', capability });
    },
  );

  it.each(['sub', 'Publish', 'write', '', 7, null])('does not know %j', async (operation) => {
    const message = await refused({ capability: { 'room:*': ['subscribe', operation] } });
    expect(message).toContain(`it has ${JSON.stringify(operation)}`);
  });

  it('is about names of channels', async () => {
    expect(await refused({ capability: { '': ['*'] } })).toContain('in "capability" is no name');
    expect(await refused({ capability: { 'a\nb': ['*'] } })).toContain('"a\\nb"');
  });
});
