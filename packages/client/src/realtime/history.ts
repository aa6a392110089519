import { AnywireError } from './error';
import type { Outbox } from './outbox';
import { toMessage } from './room';
import type { History, HistoryOptions, HistoryPage, Message } from './types';
import type { WireMessage } from './wire';

/** A question about the past of a channel, asked page by page as it is used. */
export function makeHistory<T>(
  ask: Outbox['add'],
  channel: string,
  options: HistoryOptions,
): History<T> {
  const page = async (more: HistoryOptions, epoch?: string): Promise<HistoryPage<T>> => {
    const query = { ...options, ...more };
    const reply = await ask({ type: 'history', channel, ...query } as WireMessage, {
      again: true,
      channel,
    });
    // Offsets of one life of the stream mean nothing in the next.
    if (epoch !== undefined && reply.epoch !== epoch) {
      throw new AnywireError('epoch_changed', 'The stream began anew between two pages', {
        channel,
      });
    }
    return toPage(reply, query);
  };
  const toPage = (reply: WireMessage, query: HistoryOptions): HistoryPage<T> => {
    const epoch = String(reply.epoch);
    const messages = (reply.messages as readonly Record<string, unknown>[]).map(
      (item) => toMessage(item, epoch, channel) as Message<T>,
    );
    const last = messages.at(-1)?.offset;
    const more = reply.more === true && last !== undefined;
    return {
      messages,
      epoch,
      top: Number(reply.top),
      oldest: Number(reply.oldest),
      more,
      next: async () =>
        more
          ? page(query.order === 'backward' ? { before: last } : { after: last }, epoch)
          : undefined,
    };
  };
  let first: Promise<HistoryPage<T>> | undefined;
  const begin = () => (first ??= page({}));
  return {
    // biome-ignore lint/suspicious/noThenProperty: awaiting it is the point.
    then: (done, failed) => begin().then(done, failed),
    async *[Symbol.asyncIterator]() {
      let now: HistoryPage<T> | undefined = await begin();
      for (; now; now = await now.next()) yield* now.messages;
    },
  };
}
