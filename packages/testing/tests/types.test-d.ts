import type { EventMessage, Member, Message, PlainMessage } from '@anywire/client';
import { define } from '@anywire/client/contract';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { createMockServer, type MockMember, type MockServer } from '../src/index';
import '../src/vitest';

const rt = define({
  channels: {
    'room:{id}': {
      message: v.object({ text: v.string() }),
      presence: v.object({ name: v.string() }),
      events: { typing: v.object({ on: v.boolean() }) },
    },
    log: { message: v.string() },
  },
  rpc: { 'math.add': { input: v.tuple([v.number(), v.number()]), output: v.number() } },
});

describe('without a contract', () => {
  const server = createMockServer({ sessionWindow: 1 });

  it('takes any name and any data', () => {
    expectTypeOf(server).toEqualTypeOf<MockServer>();
    server.publish('anything', { at: 'all' }, { event: 'x' });
    expectTypeOf(server.messages('anything')).toEqualTypeOf<readonly Message<unknown>[]>();
    expectTypeOf(server.members('anything')).toEqualTypeOf<readonly Member<unknown>[]>();
    server.rpc('any', (data) => data);
  });

  it('takes the types of a channel that is given', () => {
    server.publish(rt.channel('room:1'), { text: 'x' });
    // @ts-expect-error: `text` is text
    server.publish(rt.channel('room:1'), { text: 5 });
    expectTypeOf(server.members(rt.channel('room:1'))).toEqualTypeOf<
      readonly Member<{ name: string }>[]
    >();
  });
});

describe('with a contract', () => {
  const server = createMockServer(rt);

  it('types what is published by the name of the channel', () => {
    server.publish('room:1', { text: 'x' });
    server.publish('log', 'line');
    server.publish('room:1', { on: true }, { event: 'typing' });
    // @ts-expect-error: `text` is missing
    server.publish('room:1', {});
    // @ts-expect-error: that is what `typing` takes
    server.publish('room:1', { on: true });
    // @ts-expect-error: there is no such event
    server.publish('room:1', { text: 'x' }, { event: 'other' });
    // @ts-expect-error: there is no such channel
    server.publish('rooms:1', { text: 'x' });
  });

  it('types what was published, and who is there', () => {
    type Told = PlainMessage<{ text: string }> | EventMessage<'typing', { on: boolean }>;
    expectTypeOf(server.messages('room:1')).toEqualTypeOf<readonly Told[]>();
    expectTypeOf(server.messages('log')).toEqualTypeOf<readonly Message<string>[]>();
    expectTypeOf(server.enter('room:1', { name: 'x' })).toEqualTypeOf<
      MockMember<{ name: string }>
    >();
    // @ts-expect-error: `name` is text
    server.enter('room:1', { name: 5 });
  });

  it('types calls', () => {
    server.rpc('math.add', ([a, b]) => {
      expectTypeOf(a).toEqualTypeOf<number>();
      return a + b;
    });
    server.rpc(rt.rpc('math.add'), async ([a]) => a);
    // @ts-expect-error: the answer is a number
    server.rpc('math.add', () => 'three');
    // @ts-expect-error: there is no such method
    server.rpc('math.sub', () => 1);
  });

  it('has matchers', () => {
    expect(server).toHavePublished('room:1', { text: 'x' }, { user: 'ann' });
    expect(server).not.toHaveMember(rt.channel('room:1'), { user: 'ann' });
    // @ts-expect-error: which channel?
    expect(server).toHavePublished();
  });
});
