import { type AnyContract, define } from '@anywire/client/contract';
import * as v from 'valibot';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createHookHandler, type HookHandlers, refuse, verifyHook } from '../src/hooks';
import { hookRequest, hookSecret } from './support/hook-request';

const client = { id: 'c1', user: 'ann', protocol: 'native', address: '127.0.0.1' };
const connect = { type: 'connect', id: 'd1', client };
const subscribe = { type: 'subscribe', id: 'd2', client, channel: 'room:1' };
const publish = { type: 'publish', id: 'd3', client, channel: 'room:1', data: { text: 'hi' } };
const rpc = { type: 'rpc', id: 'd4', client, method: 'add', data: [1, 2] };
const events = {
  type: 'events',
  id: 'd5',
  events: [{ type: 'join', channel: 'room:1', client: 'c1', time: 5 }],
  lost: 0,
};

async function ask<const C extends AnyContract = AnyContract>(
  question: unknown,
  handlers: HookHandlers<C> = {},
) {
  const answer = await createHookHandler({ secret: hookSecret, ...handlers })(
    hookRequest(question),
  );
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  return answer.json() as Promise<unknown>;
}

/** Status, and what is said; `onError` hears what was thrown. */
async function status(request: Request, handlers: HookHandlers = {}) {
  const onError = vi.fn();
  const answer = await createHookHandler({ secret: hookSecret, onError, ...handlers })(request);
  return { status: answer.status, text: await answer.text(), onError };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a signature', () => {
  const onPublish = vi.fn();

  it.each([
    ['none', { signature: null }],
    ['of another secret', { secret: 'another secret that is also 32 bytes long' }],
    ['of another version', { signature: `v2=${'0'.repeat(64)}` }],
    ['too short', { signature: 'v1=00' }],
    ['no hexadecimal', { signature: `v1=${'x'.repeat(64)}` }],
    ['huge', { signature: `v1=${'0'.repeat(64)},`.repeat(100) }],
    ['from the past', { at: Date.now() - 301_000 }],
    ['from the future', { at: Date.now() + 302_000 }],
  ])('is needed: %s will not do', async (_, more) => {
    const answer = await status(hookRequest(publish, more), { onPublish });
    expect(answer.status).toBe(401);
    expect(answer.text).not.toContain(hookSecret);
    expect(onPublish).not.toHaveBeenCalled();
    expect(answer.onError).not.toHaveBeenCalled();
  });

  it('is of the whole body', async () => {
    const good = hookRequest(publish);
    const forged = new Request(good, { body: JSON.stringify({ ...publish, channel: 'x' }) });
    expect((await status(forged)).status).toBe(401);
  });

  it('may be one of several while a secret is being changed', async () => {
    const old = 'the secret of last year, 32 bytes long..';
    const both = { secret: [hookSecret, old] };
    expect((await status(hookRequest(connect, { secret: old }), both)).status).toBe(200);
    expect((await status(hookRequest(connect), both)).status).toBe(200);
    const header = hookRequest(connect).headers.get('anywire-signature');
    const two = hookRequest(connect, { signature: `v1=${'0'.repeat(64)}, ${header}` });
    expect((await status(two)).status).toBe(200);
  });

  it('is as old as the tolerance says', async () => {
    const request = () => hookRequest(connect, { at: Date.now() - 20_000 });
    expect((await status(request(), { tolerance: 10 })).status).toBe(401);
    expect((await status(request(), { tolerance: 30 })).status).toBe(200);
  });

  it('goes by the environment where no secret is given', async () => {
    vi.stubEnv('ANYWIRE_APP_SECRET', hookSecret);
    expect(await verifyHook(hookRequest(rpc))).toEqual(rpc);
  });

  it.each(['', 'short'])(
    'without a usable secret is our fault, not the caller’s: "%s"',
    async (secret) => {
      vi.stubEnv('ANYWIRE_APP_SECRET', undefined);
      const answer = await status(hookRequest(connect), { secret });
      expect(answer.status).toBe(500);
      expect(answer.text).toBe('The hook failed\n');
      expect(answer.onError.mock.calls[0]?.[0]).toMatchObject({ code: 'bad_secret' });
    },
  );
});

describe('a request that is none', () => {
  it('is refused by its method, its size, its text and its type', async () => {
    const got = await createHookHandler({ secret: hookSecret })(hookRequest({}, { method: 'GET' }));
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
    const large = await status(hookRequest(publish), { bodyBytesMax: 10 });
    expect(large.status).toBe(413);
    expect((await status(hookRequest(0, { text: '{' }))).status).toBe(400);
    for (const body of [null, 5, [], {}, { type: 'toString' }, { type: 'later' }]) {
      expect((await status(hookRequest(body))).status).toBe(501);
    }
  });
});

describe('a verdict', () => {
  it('of nobody is yes', async () => {
    for (const question of [connect, subscribe, publish, events]) {
      expect(await ask(question)).toEqual({});
    }
  });

  it.each([
    ['nothing', undefined, {}],
    ['true', true, {}],
    ['false', false, { allow: false }],
    [
      'words',
      refuse('Members only', { reason: 'members', retry: true, disconnect: true }),
      { allow: false, message: 'Members only', reason: 'members', retry: true, disconnect: true },
    ],
  ])('may be %s', async (_, verdict, expected) => {
    expect(await ask(subscribe, { onSubscribe: () => verdict })).toEqual(expected);
    expect(await ask(connect, { onConnect: async () => verdict })).toEqual(expected);
  });

  it('may be thrown', async () => {
    const onSubscribe = () => {
      throw refuse('No');
    };
    expect(await ask(subscribe, { onSubscribe })).toEqual({ allow: false, message: 'No' });
  });

  it('is never what was thrown by mistake', async () => {
    const onSubscribe = () => {
      throw new Error('password is hunter2');
    };
    const answer = await status(hookRequest(subscribe), { onSubscribe });
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('hunter2');
    expect(answer.onError).toHaveBeenCalledOnce();
  });

  it('may say who somebody is', async () => {
    const said = {
      user: 'bob',
      info: { n: 1 },
      capability: { 'a:*': ['subscribe' as const] },
      channels: ['a:1'],
      expires: 5,
    };
    expect(await ask(connect, { onConnect: () => said })).toEqual(said);
  });

  it('may rewrite, in data and in bytes, and drop', async () => {
    const onPublish = vi.fn(() => ({ data: { text: '***' }, event: 'e', tags: { a: 'b' } }));
    expect(await ask(publish, { onPublish })).toEqual({
      data: { text: '***' },
      event: 'e',
      tags: { a: 'b' },
    });
    expect(onPublish).toHaveBeenCalledWith(publish);
    const bytes = { data: new Uint8Array([255, 1]) };
    expect(await ask(publish, { onPublish: () => bytes })).toEqual({ binary: '/wE=' });
    expect(await ask(publish, { onPublish: () => ({ drop: true }) })).toEqual({ drop: true });
  });

  it('is about text and bytes as well', async () => {
    const seen: unknown[] = [];
    const onPublish = ({ data }: { data: unknown }) => void seen.push(data);
    const { data: _, ...rest } = publish;
    await ask({ ...rest, text: 'plain' }, { onPublish });
    await ask({ ...rest, binary: '/wE=' }, { onPublish });
    expect(seen).toEqual(['plain', new Uint8Array([255, 1])]);
  });

  it('may have more done', async () => {
    const actions = [
      { do: 'publish', channel: 'log', data: { a: 1 } },
      { do: 'publish', user: 'ann', data: new Uint8Array([1]) },
      { do: 'subscribe', channel: 'b' },
      { do: 'disconnect', user: 'eve', reason: 'bye', reconnect: false },
    ] as const;
    expect(await ask(subscribe, { onSubscribe: () => ({ actions }) })).toEqual({
      actions: [actions[0], { do: 'publish', user: 'ann', binary: 'AQ==' }, actions[2], actions[3]],
    });
    const onSubscribe = () => refuse('No', { actions: [actions[2]] });
    expect(await ask(subscribe, { onSubscribe })).toEqual({
      allow: false,
      message: 'No',
      actions: [actions[2]],
    });
  });
});

describe('a call', () => {
  it('is answered by the method of that name', async () => {
    const add = vi.fn(([a, b]: [number, number]) => a + b);
    expect(await ask(rpc, { onRpc: { add } })).toEqual({ data: 3 });
    expect(add).toHaveBeenCalledWith([1, 2], rpc);
    expect(await ask(rpc, { onRpc: { add: () => undefined } })).toEqual({ data: null });
  });

  it('is answered by one function for all', async () => {
    const onRpc = ({ method, data }: { method: string; data: unknown }) => [method, data];
    expect(await ask(rpc, { onRpc })).toEqual({ data: ['add', [1, 2]] });
  });

  it('of a method that is not there has no handler, whatever its name', async () => {
    for (const method of ['sub', 'toString', '__proto__', 'constructor']) {
      const answer = await ask({ ...rpc, method }, { onRpc: { add: () => 1 } });
      expect(answer).toMatchObject({ error: { code: 'no_handler' } });
    }
    expect(await ask(rpc)).toMatchObject({ error: { code: 'no_handler' } });
  });

  it('may be refused, returned or thrown', async () => {
    const expected = { error: { code: 'busy', message: 'Later', retry: true } };
    const no = refuse('Later', { reason: 'busy', retry: true });
    expect(await ask(rpc, { onRpc: { add: () => no } })).toEqual(expected);
    const add = () => {
      throw no;
    };
    expect(await ask(rpc, { onRpc: { add } })).toEqual(expected);
  });
});

describe('events', () => {
  it('are told, and what fails is tried again by the server', async () => {
    const onEvents = vi.fn();
    expect(await ask(events, { onEvents })).toEqual({});
    expect(onEvents).toHaveBeenCalledWith(events);
    onEvents.mockRejectedValue(refuse('not now'));
    expect((await status(hookRequest(events), { onEvents })).status).toBe(500);
  });
});

describe('a contract', () => {
  const contract = define({
    channels: {
      'room:{id}': { message: v.object({ text: v.pipe(v.string(), v.maxLength(5)) }) },
    },
    rpc: {
      add: {
        input: v.pipe(
          v.tuple([v.number(), v.number()]),
          v.transform(([a, b]) => ({ a, b })),
        ),
      },
    },
  });

  it('refuses what its schema refuses, before a handler sees it', async () => {
    const onPublish = vi.fn();
    const long = { ...publish, data: { text: 'too long' } };
    const answer = await ask(long, { contract, onPublish });
    expect(answer).toMatchObject({ allow: false, reason: 'schema' });
    expect(onPublish).not.toHaveBeenCalled();
    expect(
      await ask({ ...rpc, data: ['1', 2] }, { contract, onRpc: { add: () => 0 } }),
    ).toMatchObject({
      error: { code: 'schema' },
    });
  });

  it('hands on what its schemas give', async () => {
    const add = vi.fn();
    await ask(rpc, { contract, onRpc: { add } });
    expect(add).toHaveBeenCalledWith({ a: 1, b: 2 }, expect.anything());
  });

  it('says nothing of channels that it does not have', async () => {
    const onPublish = vi.fn();
    const other = { ...publish, channel: 'elsewhere', data: 5 };
    expect(await ask(other, { contract, onPublish })).toEqual({});
    expect(onPublish).toHaveBeenCalledWith(other);
  });

  const two = define({
    channels: {
      'room:{id}': { message: v.object({ text: v.string() }) },
      'room:private:{id}': { message: v.object({ text: v.string() }) },
      lobby: {},
    },
  });

  it('has a handler for each of its patterns, the most specific for each name', async () => {
    const seen: string[] = [];
    const handlers = {
      contract: two,
      onPublish: {
        'room:{id}': ({ channel }: { channel: string }) => void seen.push(`room ${channel}`),
        'room:private:{id}': ({ channel }: { channel: string }) =>
          void seen.push(`private ${channel}`),
      },
      onSubscribe: { 'room:private:{id}': () => refuse('Members only') },
    };
    await ask({ ...publish, channel: 'room:1' }, handlers);
    await ask({ ...publish, channel: 'room:private:1' }, handlers);
    expect(seen).toEqual(['room room:1', 'private room:private:1']);
    const members = await ask({ ...subscribe, channel: 'room:private:1' }, handlers);
    expect(members).toEqual({ allow: false, message: 'Members only' });
  });

  it('allows what has no handler, in the contract or not', async () => {
    const handlers = {
      contract: two,
      onPublish: { 'room:{id}': () => false },
      onSubscribe: { 'room:{id}': () => false },
    };
    for (const channel of ['lobby', 'elsewhere', 'toString', '__proto__']) {
      expect(await ask({ ...subscribe, channel }, handlers)).toEqual({});
      expect(await ask({ ...publish, channel }, handlers)).toEqual({});
    }
  });
});
