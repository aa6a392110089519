import type { Data, SocketError, State } from '@anywire/client';
import { describe, expectTypeOf, it } from 'vitest';
import { type MessageError, type Schema, useWebSocket, type WsResult } from '../src/index';

interface Message {
  readonly text: string;
}
declare const schema: Schema<unknown, Message>;

describe('useWebSocket', () => {
  it('is any without a type, as the hooks it replaces', () => {
    const { messages, send, connected, state, error } = useWebSocket('ws://a.test/');
    // biome-ignore lint/suspicious/noExplicitAny: that is what is tested
    expectTypeOf(messages).toEqualTypeOf<readonly any[]>();
    expectTypeOf(send).toEqualTypeOf<(data: unknown) => boolean>();
    expectTypeOf(connected).toEqualTypeOf<boolean>();
    expectTypeOf(state).toEqualTypeOf<State>();
    expectTypeOf(error).toEqualTypeOf<SocketError | MessageError | undefined>();
  });

  it('takes a type for messages and callback', () => {
    const { messages } = useWebSocket<Message>('ws://a.test/', {
      onMessage: (message, data) => {
        expectTypeOf(message).toEqualTypeOf<Message>();
        expectTypeOf(data).toEqualTypeOf<Data>();
      },
    });
    expectTypeOf(messages).toEqualTypeOf<readonly Message[]>();
  });

  it('learns the type from the schema', () => {
    const result = useWebSocket('ws://a.test/', {
      schema,
      onMessage: (message) => expectTypeOf(message).toEqualTypeOf<Message>(),
    });
    expectTypeOf(result).toEqualTypeOf<WsResult<Message>>();
  });

  it('learns the type of the list from select', () => {
    const { messages } = useWebSocket('ws://a.test/', { schema, select: (m) => m.text.length });
    expectTypeOf(messages).toEqualTypeOf<readonly number[]>();
    const named = useWebSocket<Message, string>('ws://a.test/', { select: (m) => m.text });
    expectTypeOf(named.messages).toEqualTypeOf<readonly string[]>();
  });

  it('takes URLs, and null and undefined for "not now"', () => {
    useWebSocket(new URL('ws://a.test/'));
    useWebSocket(null);
    useWebSocket(undefined);
    // @ts-expect-error a number is no URL
    useWebSocket(7);
    // @ts-expect-error there is no such option
    useWebSocket('ws://a.test/', { limt: 5 });
  });

  it('gives a list that nobody may change', () => {
    const { messages } = useWebSocket<Message>('ws://a.test/');
    // @ts-expect-error it is shared with the store
    messages.push({ text: '' });
  });
});
