import { act } from '@testing-library/react';
import type { Message } from '../../client/src/index';
import type { OptimisticMessage, OptimisticState } from '../src/index';
import { server } from './realtime';

// Vocabulary of the tests of `useOptimisticPublish`.
type State = OptimisticState<Message>;

/** The list, as short as can be: data, and how it stands. */
export function rows({ messages }: State): readonly unknown[] {
  return messages.map(({ data, pending, failed }) =>
    failed ? [data, failed.code] : pending ? [data, 'pending'] : data,
  );
}

/** The last message of the list. */
export function own({ messages }: State): OptimisticMessage<Message> {
  return messages.at(-1) as OptimisticMessage<Message>;
}

/** All commands to publish that have reached the server. */
export function published() {
  return server.conns.flatMap((conn) => conn.of('publish'));
}

/** The server takes commands of these types only when they are released; then all others. */
export function hold(...types: string[]) {
  const held: (() => void)[] = [];
  server.script = (conn, message) => {
    if (!types.includes(message.type)) return false;
    held.push(() => {
      server.script = undefined;
      server.take(conn, message);
    });
    return true;
  };
  return { release: () => act(async () => held.shift()?.()) };
}

/** The server refuses whatever is to be published. */
export function refuse(code: string, retry = false): void {
  server.script = (conn, { type, id, channel }) => {
    if (type !== 'publish') return false;
    conn.say({ type: 'error', id, channel, code, message: 'no', retry });
    return true;
  };
}

/** Publishes, and does not wait for what becomes of it. */
export function say(p: { readonly result: State }, data: unknown, options = {}): void {
  act(() => void p.result.publish(data, options));
}
