import { describe, expectTypeOf, it } from 'vitest';
import type { WebSocket as WsWebSocket } from 'ws';
import {
  type AnywireError,
  createClient,
  createSocket,
  type Data,
  type Drop,
  type HistoryPage,
  history,
  type Member,
  type Message,
  MessageStore,
  type Published,
  pattern,
  presence as presenceOf,
  rpc,
  type SendResult,
  type Snapshot,
  Socket,
  type SocketOptions,
  type State,
  type WebSocketConstructor,
} from '../src/index';

describe('types', () => {
  it('gives events their arguments', () => {
    const socket = new Socket({ url: 'ws://a.test/' });
    socket.on('message', (data) => expectTypeOf(data).toEqualTypeOf<Data>());
    socket.on('state', (now, before) => {
      expectTypeOf(now).toEqualTypeOf<Snapshot>();
      expectTypeOf(before).toEqualTypeOf<Snapshot>();
    });
    socket.on('drop', (drop) => expectTypeOf(drop).toEqualTypeOf<Drop>());
    // @ts-expect-error there is no such event
    socket.on('mesage', () => {});
  });

  it('takes every kind of URL and token', () => {
    expectTypeOf<string>().toExtend<SocketOptions['url']>();
    expectTypeOf<URL>().toExtend<SocketOptions['url']>();
    expectTypeOf<() => Promise<string>>().toExtend<SocketOptions['url']>();
    expectTypeOf<(context: { signal: AbortSignal }) => string>().toExtend<SocketOptions['token']>();
    // @ts-expect-error a socket needs to know where to go
    createSocket({});
  });

  it('takes the WebSocket of browsers and that of npm ws', () => {
    expectTypeOf<typeof WebSocket>().toExtend<WebSocketConstructor>();
    expectTypeOf<typeof WsWebSocket>().toExtend<WebSocketConstructor>();
  });

  it('tells a refusal from success', () => {
    const result = {} as SendResult;
    if (result.ok) expectTypeOf(result.status).toEqualTypeOf<'sent' | 'queued'>();
    else expectTypeOf(result.reason).toEqualTypeOf<Drop['reason']>();
  });

  it('has closed unions and read-only snapshots', () => {
    expectTypeOf<State>().toEqualTypeOf<
      'idle' | 'connecting' | 'open' | 'waiting' | 'offline' | 'closed' | 'failed'
    >();
    const snapshot = {} as Snapshot;
    // @ts-expect-error a snapshot is never changed
    snapshot.state = 'open';
    expectTypeOf(new MessageStore<number>().snapshot).toEqualTypeOf<readonly number[]>();
  });

  it('does not send what is neither text nor binary', () => {
    const socket = new Socket({ url: 'ws://a.test/' });
    // @ts-expect-error objects are the caller's to encode
    socket.send({ hello: 1 });
  });
});

describe('types of the realtime client', () => {
  interface Chat {
    readonly text: string;
  }
  const client = createClient({ url: '/anywire' });
  const channel = client.channel<Chat, { name: string }>('room:1');

  it('carry the type of a channel to listeners, publishers and history', () => {
    channel.subscribe((message) => expectTypeOf(message).toEqualTypeOf<Message<Chat>>());
    expectTypeOf(channel.publish).parameter(0).toEqualTypeOf<Chat>();
    expectTypeOf(channel.publish({ text: 'hi' })).resolves.toEqualTypeOf<Published>();
    const past = () => history(channel);
    expectTypeOf<Awaited<ReturnType<typeof past>>>().toEqualTypeOf<HistoryPage<Chat>>();
    // @ts-expect-error that is no chat message
    void channel.publish({ txt: 'hi' }).catch(() => {});
  });

  it('carry the type of info to presence', () => {
    presenceOf(channel).on('join', (member) =>
      expectTypeOf(member).toEqualTypeOf<Member<{ name: string }>>(),
    );
    expectTypeOf(presenceOf(channel).members).toEqualTypeOf<readonly Member<{ name: string }>[]>();
    const ours = presenceOf(channel);
    // @ts-expect-error info has a name
    void ours.enter({ nam: 'Ann' }).catch(() => {});
  });

  it('are unknown unless given, never any', () => {
    client.channel('a').subscribe(({ data }) => expectTypeOf(data).toBeUnknown());
    pattern(client, '*').subscribe(({ data }) => expectTypeOf(data).toBeUnknown());
    expectTypeOf(rpc(client, 'm')).resolves.toBeUnknown();
    expectTypeOf(rpc<number>(client, 'm')).resolves.toEqualTypeOf<number>();
    client.on('error', (error) => expectTypeOf(error).toEqualTypeOf<AnywireError>());
    // @ts-expect-error a pattern cannot be published to
    pattern(client, '*').publish;
  });
});
