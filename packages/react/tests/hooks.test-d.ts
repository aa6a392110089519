import type {
  AnywireError,
  ChannelRef,
  Client,
  ClientOptions,
  Gap,
  Member,
  Message,
  Published,
  RpcRef,
  State,
  Subscribed,
} from '@anywire/client';
import type { ReactNode } from 'react';
import { describe, expectTypeOf, it } from 'vitest';
import { define } from '../../client/src/contract';
import {
  AnywireProvider,
  type AnywireProviderProps,
  type ChannelStatus,
  type ConnectionState,
  HistoryBoundary,
  type HistoryGap,
  type OptimisticMessage,
  type PreloadedHistory,
  type PresenceState,
  useAnywire,
  useChannel,
  useChannelEvent,
  useConnectionState,
  useHistory,
  useLatest,
  useOptimisticPublish,
  usePresence,
  useRpc,
} from '../src/index';
import { textSchema } from './schema';

interface Chat {
  readonly text: string;
}
interface Info {
  readonly name: string;
}
interface Typing {
  readonly on: boolean;
}
/** As a contract makes them: messages, presence info, what may be published, events. */
declare const room: ChannelRef<Chat, Info, Chat, { typing: Typing }>;
declare const plain: ChannelRef<Chat, Info, { text: string; draft?: boolean }>;
declare const maybe: ChannelRef<Chat, Info> | null;
declare const name: string | null;
declare const add: RpcRef<readonly [number, number], number>;
declare const now: RpcRef<undefined, number>;

describe('AnywireProvider', () => {
  it('takes a client, or options for one', () => {
    expectTypeOf(AnywireProvider).returns.toEqualTypeOf<ReactNode>();
    expectTypeOf<{ client: Client }>().toExtend<AnywireProviderProps>();
    expectTypeOf<{ url: string; token: '/api/token' }>().toExtend<AnywireProviderProps>();
    expectTypeOf<ClientOptions>().toExtend<AnywireProviderProps>();
    expectTypeOf<{ token: string }>().not.toExtend<AnywireProviderProps>();
    expectTypeOf<{ url: number }>().not.toExtend<AnywireProviderProps>();
  });

  it('gives the client', () => {
    expectTypeOf(useAnywire).returns.toEqualTypeOf<Client>();
  });
});

describe('useConnectionState', () => {
  it('gives the state, or what is selected', () => {
    const state = useConnectionState();
    expectTypeOf(state).toEqualTypeOf<ConnectionState>();
    expectTypeOf(state.state).toEqualTypeOf<State>();
    expectTypeOf(state.error).toEqualTypeOf<AnywireError | undefined>();
    expectTypeOf(state.reconnect).toEqualTypeOf<() => void>();
    expectTypeOf(useConnectionState(({ attempt }) => attempt)).toEqualTypeOf<number>();
    expectTypeOf(useConnectionState(({ user }) => ({ user }))).toEqualTypeOf<{
      user: string | undefined;
    }>();
    // @ts-expect-error there is no such thing
    useConnectionState(({ lastMessage }) => lastMessage);
  });
});

describe('useChannel', () => {
  it('is unknown for a name, and what one says it is', () => {
    expectTypeOf(useChannel('room').messages).toEqualTypeOf<readonly Message<unknown>[]>();
    const { messages, status, error, gap, recovered, dropped, clear } = useChannel<Chat>('room');
    expectTypeOf(messages).toEqualTypeOf<readonly Message<Chat>[]>();
    expectTypeOf(status).toEqualTypeOf<ChannelStatus>();
    expectTypeOf(error).toEqualTypeOf<AnywireError | undefined>();
    expectTypeOf(gap).toEqualTypeOf<Gap | undefined>();
    expectTypeOf(recovered).toEqualTypeOf<boolean | undefined>();
    expectTypeOf(dropped).toEqualTypeOf<number>();
    expectTypeOf(clear).toEqualTypeOf<() => void>();
  });

  it('takes null and undefined for "not now", and nothing else', () => {
    expectTypeOf(useChannel(null).messages).toEqualTypeOf<readonly Message<unknown>[]>();
    expectTypeOf(useChannel<Chat>(name).messages).toEqualTypeOf<readonly Message<Chat>[]>();
    expectTypeOf(useChannel(maybe).messages).toEqualTypeOf<readonly Message<Chat>[]>();
    // @ts-expect-error a number is no channel
    useChannel(7);
    // @ts-expect-error nor is a missing one
    useChannel();
  });

  it('learns from a ref', () => {
    const { messages, publish } = useChannel(plain, {
      onMessage: (message) => expectTypeOf(message).toEqualTypeOf<Message<Chat>>(),
      onGap: (gap) => expectTypeOf(gap).toEqualTypeOf<Gap>(),
      onRecovered: (info) => expectTypeOf(info).toEqualTypeOf<Subscribed>(),
      onError: (error) => expectTypeOf(error).toEqualTypeOf<AnywireError>(),
    });
    expectTypeOf(messages).toEqualTypeOf<readonly Message<Chat>[]>();
    expectTypeOf(publish({ text: 'a', draft: true })).toEqualTypeOf<Promise<Published>>();
    // @ts-expect-error not what may be published
    publish({ txt: 'a' });
    // @ts-expect-error nor text
    publish('a');
  });

  it('tells events apart by their names', () => {
    const { messages, publish } = useChannel(room);
    for (const message of messages) {
      if (message.event === 'typing') expectTypeOf(message.data).toEqualTypeOf<Typing>();
      else expectTypeOf(message.data).toEqualTypeOf<Chat>();
    }
    publish({ text: 'a' });
    publish({ on: true }, { event: 'typing' });
    // @ts-expect-error that is no event of the channel
    publish({ on: true }, { event: 'tipping' });
    // @ts-expect-error that is not what the event carries
    publish({ text: 'a' }, { event: 'typing' });
  });

  it('learns the type of the list from select', () => {
    const { messages } = useChannel(plain, { select: ({ data }) => data.text });
    expectTypeOf(messages).toEqualTypeOf<readonly string[]>();
    const some = useChannel(plain, { select: ({ offset }) => (offset > 1 ? offset : undefined) });
    expectTypeOf(some.messages).toEqualTypeOf<readonly number[]>();
    const named = useChannel<Chat, string>('room', { select: ({ data }) => data.text });
    expectTypeOf(named.messages).toEqualTypeOf<readonly string[]>();
  });

  it('gives what nobody may change, and knows its options', () => {
    const { messages } = useChannel(plain);
    // @ts-expect-error the list is shared with the store
    messages.push(messages[0]);
    useChannel('room', { rewind: 5, own: false, filter: { lang: ['en'] }, limit: 10 });
    // @ts-expect-error there is no such option
    useChannel('room', { limt: 10 });
    // @ts-expect-error null is the switch
    useChannel('room', { enabled: false });
  });

  it('has no last message', () => {
    // @ts-expect-error who needs every message has onMessage
    useChannel('room').lastMessage;
  });
});

describe('useChannelEvent', () => {
  it('knows the messages, and those of one event', () => {
    useChannelEvent(room, (message) => {
      if (message.event === 'typing') expectTypeOf(message.data).toEqualTypeOf<Typing>();
    });
    useChannelEvent(room, 'typing', ({ data, event }) => {
      expectTypeOf(data).toEqualTypeOf<Typing>();
      expectTypeOf(event).toEqualTypeOf<'typing'>();
    });
    useChannelEvent(plain, ({ data }) => expectTypeOf(data).toEqualTypeOf<Chat>());
    useChannelEvent<Chat>('room', ({ data }) => expectTypeOf(data).toEqualTypeOf<Chat>());
    useChannelEvent<Chat>(name, 'chat', ({ data }) => expectTypeOf(data).toEqualTypeOf<Chat>());
    useChannelEvent(null, ({ data }) => expectTypeOf(data).toEqualTypeOf<unknown>());
  });

  it('returns nothing, and does not take an event that there is not', () => {
    expectTypeOf(useChannelEvent('room', () => {})).toEqualTypeOf<void>();
    // @ts-expect-error that is no event of the channel
    useChannelEvent(room, 'tipping', () => {});
    // @ts-expect-error a listener is needed
    useChannelEvent(room, 'typing');
  });
});

describe('useLatest', () => {
  it('gives a message, or what is selected, or nothing', () => {
    expectTypeOf(useLatest('room')).toEqualTypeOf<Message<unknown> | undefined>();
    expectTypeOf(useLatest<Chat>('room')).toEqualTypeOf<Message<Chat> | undefined>();
    expectTypeOf(useLatest(plain)).toEqualTypeOf<Message<Chat> | undefined>();
    expectTypeOf(useLatest(plain, ({ data }) => data.text)).toEqualTypeOf<string | undefined>();
    expectTypeOf(useLatest<Chat, string>(name, ({ data }) => data.text)).toEqualTypeOf<
      string | undefined
    >();
  });

  it('always gives something when there is an initial value', () => {
    const text = useLatest(plain, ({ data }) => data.text, { initial: '' });
    expectTypeOf(text).toEqualTypeOf<string>();
    // @ts-expect-error not the type that is selected
    useLatest<Chat, string>('room', ({ data }) => data.text, { initial: 7 });
  });
});

describe('usePresence', () => {
  it('knows the info, for what comes and what goes', () => {
    const presence = usePresence(room, { name: 'ann' });
    expectTypeOf(presence).toEqualTypeOf<PresenceState<Info>>();
    expectTypeOf(presence.self).toEqualTypeOf<Member<Info> | undefined>();
    expectTypeOf(presence.others).toEqualTypeOf<readonly Member<Info>[]>();
    expectTypeOf(presence.update).toEqualTypeOf<(info: Info) => Promise<void>>();
    // @ts-expect-error not the info of this channel
    usePresence(room, { nom: 'ann' });
    // @ts-expect-error nor here
    presence.update({ nom: 'ann' });
  });

  it('takes a type for a name, and null for "not now"', () => {
    expectTypeOf(usePresence<Info>('room').members).toEqualTypeOf<readonly Member<Info>[]>();
    expectTypeOf(usePresence(maybe, null).members).toEqualTypeOf<readonly Member<Info>[]>();
    usePresence<Info>(null, undefined);
    usePresence<Info>(name, Math.random() > 2 ? { name: 'a' } : null);
  });

  it('gives what is selected', () => {
    const count = usePresence(room, null, { select: (presence) => presence.count });
    expectTypeOf(count).toEqualTypeOf<number>();
    const names = usePresence(
      room,
      { name: 'ann' },
      {
        select: ({ others }) => others.map(({ info }) => info?.name),
      },
    );
    expectTypeOf(names).toEqualTypeOf<(string | undefined)[]>();
  });
});

describe('useHistory', () => {
  it('gives a list and what to do with it', () => {
    const history = useHistory(plain, { pageSize: 10, limit: 100 });
    expectTypeOf(history.messages).toEqualTypeOf<readonly Message<Chat>[]>();
    expectTypeOf(history.fetchOlder).toEqualTypeOf<() => Promise<void>>();
    expectTypeOf(history.gaps).toEqualTypeOf<readonly HistoryGap[]>();
    expectTypeOf(history.hasOlder).toEqualTypeOf<boolean>();
    expectTypeOf(history.isFetching).toEqualTypeOf<boolean>();
    expectTypeOf(history.atLive).toEqualTypeOf<boolean>();
    expectTypeOf(useHistory<Chat>('room').messages).toEqualTypeOf<readonly Message<Chat>[]>();
    expectTypeOf(useHistory(null).messages).toEqualTypeOf<readonly Message<unknown>[]>();
    expectTypeOf(useHistory(maybe).messages).toEqualTypeOf<readonly Message<Chat>[]>();
    // @ts-expect-error there is no such option
    useHistory('room', { pagesize: 10 });
  });

  it('tells events apart by their names', () => {
    const [message] = useHistory(room).messages;
    if (message?.event === 'typing') expectTypeOf(message.data).toEqualTypeOf<Typing>();
    else if (message) expectTypeOf(message.data).toEqualTypeOf<Chat>();
  });

  it('takes preloaded messages of its own type', () => {
    const initial = {} as PreloadedHistory<Message<Chat>>;
    useHistory<Chat>('room', { initial });
    // @ts-expect-error of another type
    useHistory<{ other: true }>('room', { initial });
    expectTypeOf(HistoryBoundary).parameter(0).toExtend<{ readonly children?: ReactNode }>();
  });
});

describe('useOptimisticPublish', () => {
  it('is useHistory with messages that may be pending or have failed', () => {
    const { messages, publish, retry, discard, fetchOlder } = useOptimisticPublish(plain);
    expectTypeOf(messages).toEqualTypeOf<readonly OptimisticMessage<Message<Chat>>[]>();
    expectTypeOf(messages[0]?.pending).toEqualTypeOf<true | undefined>();
    expectTypeOf(messages[0]?.failed).toEqualTypeOf<AnywireError | undefined>();
    expectTypeOf(publish({ text: 'a' })).toEqualTypeOf<Promise<Published>>();
    expectTypeOf(retry).toEqualTypeOf<(id: string) => Promise<Published | undefined>>();
    expectTypeOf(discard).toEqualTypeOf<(id: string) => void>();
    expectTypeOf(fetchOlder).toEqualTypeOf<() => Promise<void>>();
    // @ts-expect-error not what may be published
    publish({ txt: 'a' });
  });

  it('knows events, names and null', () => {
    const { publish, messages } = useOptimisticPublish(room);
    publish({ on: true }, { event: 'typing' });
    // @ts-expect-error that is not what the event carries
    publish({ text: 'a' }, { event: 'typing' });
    const [message] = messages;
    if (message?.event === 'typing') expectTypeOf(message.data).toEqualTypeOf<Typing>();
    useOptimisticPublish<Chat>(name).publish({ text: 'a' });
    // @ts-expect-error not a Chat
    useOptimisticPublish<Chat>('room').publish('a');
  });
});

describe('useRpc', () => {
  it('knows what goes in and what comes out', () => {
    const { call, data, error, isPending, reset } = useRpc(add);
    expectTypeOf(call([1, 2])).toEqualTypeOf<Promise<number>>();
    expectTypeOf(call([1, 2], { timeout: 5 })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(data).toEqualTypeOf<number | undefined>();
    expectTypeOf(error).toEqualTypeOf<AnywireError | undefined>();
    expectTypeOf(isPending).toEqualTypeOf<boolean>();
    expectTypeOf(reset).toEqualTypeOf<() => void>();
    // @ts-expect-error two numbers
    call([1]);
    // @ts-expect-error an argument is needed
    call();
  });

  it('needs no argument where the method needs none', () => {
    expectTypeOf(useRpc(now).call()).toEqualTypeOf<Promise<number>>();
    expectTypeOf(useRpc('anything').call()).toEqualTypeOf<Promise<unknown>>();
    expectTypeOf(useRpc<number, string>('length').call('abc')).toEqualTypeOf<Promise<number>>();
    expectTypeOf(useRpc<number>(null).data).toEqualTypeOf<number | undefined>();
    // @ts-expect-error not the type that was named
    useRpc<number, string>('length').call(7);
  });
});

describe('a contract', () => {
  const rt = define({
    channels: {
      'room:{id}': { message: textSchema, presence: textSchema, events: { typing: textSchema } },
      lobby: { message: textSchema },
    },
    rpc: { echo: { input: textSchema, output: textSchema } },
  });

  it('types every hook', () => {
    const ref = rt.channel('room:42');
    const { messages, publish } = useChannel(ref);
    expectTypeOf(messages[0]?.data.text).toEqualTypeOf<string | undefined>();
    publish({ text: 'a' });
    // @ts-expect-error not what the schema takes
    publish({ text: 7 });
    useChannelEvent(ref, 'typing', ({ data }) =>
      expectTypeOf(data).toEqualTypeOf<{ text: string }>(),
    );
    expectTypeOf(useLatest(ref, ({ data }) => data.text)).toEqualTypeOf<string | undefined>();
    expectTypeOf(usePresence(ref).self?.info?.text).toEqualTypeOf<string | undefined>();
    expectTypeOf(useHistory(rt.channel('lobby')).messages[0]?.data).toEqualTypeOf<
      { text: string } | undefined
    >();
    useOptimisticPublish(ref).publish({ text: 'a' });
    expectTypeOf(useRpc(rt.rpc('echo')).call({ text: 'a' })).toEqualTypeOf<
      Promise<{ text: string }>
    >();
  });

  it('refuses names that it does not have', () => {
    // @ts-expect-error no channel of the contract fits
    rt.channel('hall:1');
    // @ts-expect-error there is no such method
    useRpc(rt.rpc('ecko'));
  });
});
