import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  type AnyContract,
  type ChannelNamed,
  type ChannelNames,
  type ChannelRef,
  type Contract,
  define,
  type EventsOf,
  type InfoOf,
  type InputOf,
  type MessageOf,
  type RpcInput,
  type RpcOutput,
  type RpcRef,
  type StandardSchema,
} from '../src/contract';
import type {
  Channel,
  EventMessage,
  Message,
  NoEvents,
  PlainMessage,
  Publishable,
  Received,
  Transformed,
} from '../src/index';
import { createClient } from '../src/index';

const rt = define({
  channels: {
    'room:{id}': {
      message: v.object({ text: v.string() }),
      presence: v.object({ name: v.string() }),
      events: {
        typing: v.object({ on: v.boolean() }),
        seen: v.pipe(v.string(), v.transform(Number)),
      },
    },
    'room:lobby': { message: z.object({ news: z.string() }) },
    'room:{id}:moves': { message: type({ x: 'number' }) },
    'dm:{a}-{b}': { message: v.string() },
    'time:{zone}': { message: v.pipe(v.string(), v.transform(Number)) },
    '{{raw}}': {},
    only: { events: { ping: v.null() } },
  },
  rpc: {
    'math.add': { input: v.tuple([v.number(), v.number()]), output: v.number() },
    parse: { input: v.pipe(v.string(), v.transform(Number)), output: z.coerce.date() },
    anything: {},
  },
});
interface Chat {
  text: string;
}
interface Events {
  typing: { on: boolean };
  seen: Transformed<number, string>;
}

describe('a name of the contract', () => {
  it('gives the types of its schemas', () => {
    const ref = rt.channel('room:42');
    expectTypeOf(ref).toEqualTypeOf<ChannelRef<Chat, { name: string }, Chat, Events>>();
    expectTypeOf<InputOf<typeof ref>>().toEqualTypeOf<Chat>();
    expectTypeOf<InfoOf<typeof ref>>().toEqualTypeOf<{ name: string }>();
    expectTypeOf<EventsOf<typeof ref>>().toEqualTypeOf<Events>();
  });

  it('may come from Valibot, Zod or ArkType', () => {
    const lobby = rt.channel('room:lobby');
    expectTypeOf(lobby).toEqualTypeOf<ChannelRef<{ news: string }>>();
    expectTypeOf<MessageOf<typeof lobby>>().toEqualTypeOf<Message<{ news: string }>>();
    const moves = rt.channel('room:42:moves');
    expectTypeOf<InputOf<typeof moves>>().toEqualTypeOf<{ x: number }>();
    expectTypeOf(v.string()).toExtend<StandardSchema<string>>();
    expectTypeOf(z.string()).toExtend<StandardSchema<string>>();
    expectTypeOf(type('string')).toExtend<StandardSchema<string>>();
  });

  it('belongs to the most specific pattern', () => {
    expectTypeOf(rt.channel('room:lobby')).toEqualTypeOf<ChannelRef<{ news: string }>>();
    expectTypeOf<InputOf<ChannelNamed<typeof rt.channels, 'room:1'>>>().toEqualTypeOf<Chat>();
    expectTypeOf<InputOf<ChannelNamed<typeof rt.channels, 'room:1:moves'>>>().toEqualTypeOf<{
      x: number;
    }>();
    expectTypeOf<InputOf<ChannelNamed<typeof rt.channels, 'room:moves'>>>().toEqualTypeOf<Chat>();
  });

  it('is either of two patterns that are equally specific', () => {
    const two = define({
      channels: { 'a{x}b{y}': { message: v.string() }, 'a{x}-c{y}': { message: v.number() } },
    });
    const ref = two.channel('a1b-c2');
    expectTypeOf<InputOf<typeof ref>>().toEqualTypeOf<string | number>();
  });

  it('may be a template', () => {
    const id = '42' as string;
    expectTypeOf<InputOf<typeof ref>>().toEqualTypeOf<Chat>();
    const ref = rt.channel(`room:${id}`);
  });

  it('is written without the second brace of a pair', () => {
    expectTypeOf(rt.channel('{raw}')).toEqualTypeOf<ChannelRef<unknown, unknown, unknown>>();
    // @ts-expect-error that is how it is written in the contract only
    rt.channel('{{raw}}');
  });

  it('must be in the contract', () => {
    // @ts-expect-error no such channel
    rt.channel('rom:42');
    // @ts-expect-error a string may be anything
    rt.channel('room:42' as string);
    // @ts-expect-error no such method
    rt.rpc('math.sub');
    // @ts-expect-error a contract without channels has none
    define({ rpc: {} }).channel('a');
  });

  it('takes its parts by name', () => {
    const ref = rt.channel('room:{id}', { id: 42 });
    expectTypeOf(ref).toEqualTypeOf(rt.channel('room:1'));
    rt.channel('dm:{a}-{b}', { a: 'x', b: 'y' });
    // @ts-expect-error parts are wanted
    rt.channel('room:{id}');
    // @ts-expect-error b is missing
    rt.channel('dm:{a}-{b}', { a: 'x' });
    // @ts-expect-error there is no c
    rt.channel('dm:{a}-{b}', { a: 'x', b: 'y', c: 'z' });
    // @ts-expect-error text or a number
    rt.channel('room:{id}', { id: undefined });
    // @ts-expect-error a whole name has no parts
    rt.channel('room:lobby', { id: 1 });
  });

  it('can be taken as a type', () => {
    expectTypeOf<'room:1'>().toExtend<ChannelNames<typeof rt.channels>>();
    expectTypeOf<'rom:1'>().not.toExtend<ChannelNames<typeof rt.channels>>();
  });
});

describe('the messages of a channel', () => {
  const channel = createClient({ url: '/anywire' }).channel(rt.channel('room:42'));

  it('are told apart by their event', () => {
    expectTypeOf(channel).toEqualTypeOf<Channel<Chat, { name: string }, Chat, Events>>();
    channel.subscribe((message) => {
      expectTypeOf(message).toEqualTypeOf<
        PlainMessage<Chat> | EventMessage<'typing', { on: boolean }> | EventMessage<'seen', number>
      >();
      expectTypeOf(message).toEqualTypeOf<MessageOf<typeof ref>>();
      if (message.event === 'typing') expectTypeOf(message.data).toEqualTypeOf<{ on: boolean }>();
      else if (message.event === 'seen') expectTypeOf(message.data).toEqualTypeOf<number>();
      else expectTypeOf(message.data).toEqualTypeOf<Chat>();
      // @ts-expect-error no such event
      void (message.event === 'other');
    });
    const ref = rt.channel('room:42');
  });

  it('are messages like all others to who does not look', () => {
    expectTypeOf<Received<Chat, Events>>().toExtend<Message<unknown>>();
    expectTypeOf<Received<Chat>>().toEqualTypeOf<Message<Chat>>();
    expectTypeOf<Received<Chat, NoEvents>>().toEqualTypeOf<Message<Chat>>();
  });

  it('are published as what the schema takes', () => {
    void channel.publish({ text: 'hi' });
    void channel.publish({ text: 'hi' }, { timeout: 100 });
    void channel.publish({ on: true }, { event: 'typing' });
    void channel.publish('17', { event: 'seen', timeout: 100 });
    // @ts-expect-error that is what comes out
    void channel.publish(17, { event: 'seen' });
    // @ts-expect-error that is no chat message
    void channel.publish({ txt: 'hi' });
    // @ts-expect-error that is another event's
    void channel.publish({ text: 'hi' }, { event: 'typing' });
    // @ts-expect-error no such event
    void channel.publish({ on: true }, { event: 'typng' });
    const time = createClient({ url: '/' }).channel(rt.channel('time:cet'));
    expectTypeOf(time).toEqualTypeOf<Channel<number, unknown, string>>();
    void time.publish('1', { event: 'whatever' });
    time.subscribe(({ data }) => expectTypeOf(data).toEqualTypeOf<number>());
    // @ts-expect-error a number comes out of it, it does not go in
    void time.publish(1);
  });

  it('may have event names only', () => {
    const only = rt.channel('only');
    expectTypeOf<MessageOf<typeof only>>().toEqualTypeOf<
      PlainMessage<unknown> | EventMessage<'ping', null>
    >();
    expectTypeOf<Publishable<unknown, { ping: null }, 'ping'>>().toEqualTypeOf<null>();
  });
});

describe('a method of the contract', () => {
  it('gives the types of its schemas', () => {
    const add = rt.rpc('math.add');
    expectTypeOf(add).toEqualTypeOf<RpcRef<[number, number], number>>();
    expectTypeOf<RpcInput<typeof add>>().toEqualTypeOf<[number, number]>();
    expectTypeOf<RpcOutput<typeof add>>().toEqualTypeOf<number>();
  });

  it('takes what its schema takes and answers what its schema gives', () => {
    const parse = rt.rpc('parse');
    expectTypeOf<RpcInput<typeof parse>>().toEqualTypeOf<string>();
    expectTypeOf<RpcOutput<typeof parse>>().toEqualTypeOf<Date>();
    expectTypeOf(rt.rpc('anything')).toEqualTypeOf<RpcRef<unknown, unknown>>();
  });
});

describe('a mistake in a contract', () => {
  it('is shown at the channel or method', () => {
    // @ts-expect-error a "{" is not closed
    define({ channels: { 'room:{id': {} } });
    // @ts-expect-error a "}" alone
    define({ channels: { 'room:}': {} } });
    // @ts-expect-error a part without a name
    define({ channels: { 'room:{}': {} } });
    // @ts-expect-error two parts of one name
    define({ channels: { '{a}:{a}': {} } });
    // @ts-expect-error `mesage` is no member
    define({ channels: { a: { mesage: v.string() } } });
    // @ts-expect-error `presense` is no member, though `message` is
    define({ channels: { a: { message: v.string(), presense: v.string() } } });
    // @ts-expect-error `result` is no member
    define({ rpc: { a: { input: v.string(), result: v.string() } } });
    // @ts-expect-error no schema
    define({ channels: { a: { message: 'string' } } });
    // @ts-expect-error what one reads of a member could not be entered again
    define({ channels: { a: { presence: v.pipe(v.string(), v.transform(Number)) } } });
    // A default is no such mistake.
    define({ channels: { a: { presence: v.optional(v.string(), 'Ann') } } });
  });
});

describe('any contract', () => {
  it('can be taken where its names do not matter', () => {
    expectTypeOf(rt).toExtend<AnyContract>();
    expectTypeOf<Contract>().toExtend<AnyContract>();
    expectTypeOf(rt.find('x')).toEqualTypeOf<ChannelRef | undefined>();
    expectTypeOf(rt.findRpc('x')).toEqualTypeOf<RpcRef | undefined>();
    const loose = rt as unknown as Contract;
    expectTypeOf(loose.channel('x')).toExtend<ChannelRef>();
  });
});
