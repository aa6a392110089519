import { fromWire, type WireMessage } from '../message';
import type { ConnectHook, EventsHook, PublishHook, RpcHook, SubscribeHook } from './types';
import { HookRefused } from './verify';

/** What the server asks or tells. */
export type Question =
  | ({ readonly type: 'connect' } & ConnectHook)
  | ({ readonly type: 'subscribe' } & SubscribeHook)
  | ({ readonly type: 'publish' } & PublishHook)
  | ({ readonly type: 'rpc' } & RpcHook)
  | ({ readonly type: 'events' } & EventsHook);

const types: readonly unknown[] = ['connect', 'subscribe', 'publish', 'rpc', 'events'];

/**
 * The signature has shown that it is the server's, so its shape is not checked further. A question
 * of a later version is refused with 501, which says that this package does not know it.
 */
export function readQuestion(body: unknown): Question {
  const { type } = (body ?? {}) as { readonly type?: unknown };
  if (!types.includes(type)) {
    throw new HookRefused(501, `This version knows no hook ${JSON.stringify(type)}`);
  }
  if (type !== 'publish') return body as Question;
  const { text: _, binary: __, ...rest } = body as PublishHook & WireMessage;
  const [message] = fromWire(body as WireMessage, undefined);
  return { ...rest, type, data: message?.data };
}
