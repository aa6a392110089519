import { define } from '@anywire/client/contract';
import * as v from 'valibot';
import { describe, expectTypeOf, it } from 'vitest';
import { createHookHandler, type PublishHook, refuse } from '../src/hooks';
import { createApi, type Minted, mintToken, type Published } from '../src/index';

const rt = define({
  channels: {
    'room:{id}': {
      message: v.object({ text: v.string() }),
      events: { typing: v.object({ on: v.boolean() }) },
    },
    price: {
      message: v.pipe(v.string(), v.transform(Number)),
      presence: v.object({ n: v.number() }),
    },
  },
  rpc: {
    'math.add': { input: v.tuple([v.number(), v.number()]), output: v.number() },
    'text.length': {
      input: v.pipe(
        v.string(),
        v.transform((text) => text.length),
      ),
    },
  },
});
const api = createApi();

describe('the API', () => {
  it('publishes what the channel of a contract takes', () => {
    expectTypeOf(
      api.publish(rt.channel('room:1'), { text: 'hi' }),
    ).resolves.toEqualTypeOf<Published>();
    api.publish(rt.channel('room:1'), { on: true }, { event: 'typing' });
    api.publish(rt.channel('price'), '1.50');
    api.publish('anything', { at: ['all'] });
    // @ts-expect-error Not what it takes.
    api.publish(rt.channel('room:1'), { words: 'hi' });
    // @ts-expect-error What the schema gives, and not what it takes.
    api.publish(rt.channel('price'), 1.5);
    // @ts-expect-error No such event.
    api.publish(rt.channel('room:1'), { on: true }, { event: 'typign' });
  });

  it('reads what its schemas give', async () => {
    const page = await api.history(rt.channel('price'));
    expectTypeOf(page.messages[0]?.data).toEqualTypeOf<number | undefined>();
    const present = await api.presence(rt.channel('price'));
    expectTypeOf(present.members[0]?.info).toEqualTypeOf<{ n: number } | undefined>();
  });

  it('is about a user or a client, and not both', () => {
    api.disconnect({ user: 'ann' });
    api.disconnect({ client: 'c1' }, { reconnect: false });
    // @ts-expect-error One of them.
    api.disconnect({ user: 'ann', client: 'c1' });
    // @ts-expect-error One of them.
    api.disconnect({});
    // @ts-expect-error Whose?
    api.revoke({ issuedBefore: 5 });
  });

  it('makes tokens with what the server knows', () => {
    expectTypeOf(
      mintToken({ user: 'ann' }, { algorithm: 'ES256' }),
    ).resolves.toEqualTypeOf<Minted>();
    // @ts-expect-error No such algorithm.
    mintToken({ user: 'ann' }, { algorithm: 'none' });
  });
});

describe('hooks without a contract', () => {
  it('take data for what it is said to be', () => {
    createHookHandler({
      onPublish: (hook) => {
        expectTypeOf(hook).toEqualTypeOf<PublishHook>();
        expectTypeOf(hook.data).toBeUnknown();
      },
      onRpc: { add: ([a, b]: [number, number]) => a + b, say: (data) => data },
    });
    createHookHandler({ onRpc: ({ method, data }) => [method, data] });
  });

  it('allow and refuse', () => {
    createHookHandler({ onSubscribe: () => undefined });
    createHookHandler({ onSubscribe: async () => true });
    createHookHandler({ onConnect: () => ({ user: 'ann', capability: { 'room:*': ['*'] } }) });
    createHookHandler({ onConnect: () => refuse('No', { reason: 'banned', disconnect: true }) });
    // @ts-expect-error No verdict.
    createHookHandler({ onSubscribe: () => 'no' });
    // @ts-expect-error Only a contract has patterns.
    createHookHandler({ onPublish: { 'room:{id}': () => true } });
  });
});

describe('hooks with a contract', () => {
  it('have methods by its names, with their inputs and outputs', () => {
    createHookHandler({
      contract: rt,
      onRpc: {
        'math.add': ([a, b], { client }) => {
          expectTypeOf(client.user).toEqualTypeOf<string | undefined>();
          return a + b;
        },
        'text.length': async (length) => {
          expectTypeOf(length).toBeNumber();
          return length > 5 ? refuse('Too long') : { anything: true };
        },
      },
    });
    // @ts-expect-error The answer is a number.
    createHookHandler({ contract: rt, onRpc: { 'math.add': () => 'five' } });
    // @ts-expect-error No such method.
    createHookHandler({ contract: rt, onRpc: { 'math.sub': () => 1 } });
  });

  it('have data of channels by its patterns, events told apart', () => {
    createHookHandler({
      contract: rt,
      onPublish: {
        'room:{id}': (hook) => {
          if (hook.event === 'typing') expectTypeOf(hook.data).toEqualTypeOf<{ on: boolean }>();
          else expectTypeOf(hook.data).toEqualTypeOf<{ text: string }>();
          return { data: { text: '***' } };
        },
        price: ({ data }) => {
          expectTypeOf(data).toBeNumber();
          return data > 0 ? { data: '5' } : refuse('No');
        },
      },
      onSubscribe: { price: ({ client }) => client.user !== undefined },
    });
    // @ts-expect-error What the schema gives, and not what it takes.
    createHookHandler({ contract: rt, onPublish: { price: () => ({ data: 5 }) } });
    // @ts-expect-error No such pattern.
    createHookHandler({ contract: rt, onSubscribe: { prize: () => true } });
  });
});
