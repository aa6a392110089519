import type { Channel } from './api';
import type { ChannelFeed } from './channel';
import { AnywireError, reading } from './error';
import { toMessage } from './room';
import type { History, HistoryOptions, HistoryPage, Received } from './types';
import type { WireMessage } from './wire';

/**
 * The past of a channel, asked page by page as it is used: `await` it for the first page,
 * `for await` over it for all messages.
 */
export function history<T, I, In, E>(
  channel: Channel<T, I, In, E>,
  options: HistoryOptions = {},
): History<T, E> {
  const feed = channel as ChannelFeed<T, I, In, E>;
  const { name } = feed;
  const page = async (more: HistoryOptions, epoch?: string): Promise<HistoryPage<T, E>> => {
    feed.judged(() => feed.check?.known?.());
    const query = { ...options, ...more };
    const message = { type: 'history', channel: name, ...query, epoch };
    const reply = await feed.core.ask(message, { again: true, channel: name });
    // Offsets of one life of the stream mean nothing in the next.
    if (epoch !== undefined && reply.epoch !== epoch) {
      const words = 'The stream began anew between two pages';
      throw new AnywireError('epoch_changed', words, { channel: name });
    }
    return reading(name, () => toPage(reply, query));
  };
  const toPage = (reply: WireMessage, query: HistoryOptions): HistoryPage<T, E> => {
    const epoch = String(reply.epoch);
    const items = reply.messages as readonly (Record<string, unknown> & { offset: number })[];
    const last = items.at(-1)?.offset;
    // A page that ends where it was to begin would be followed by itself, for ever.
    const { before, after } = query;
    const more = reply.more === true && last !== undefined && last !== (before ?? after);
    return {
      // What the contract refuses is left out, and told by an event, as in a subscription.
      messages: items.flatMap(
        (item) => (feed.checked(toMessage(item, epoch, name)) ?? []) as Received<T, E>,
      ),
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
  let first: Promise<HistoryPage<T, E>> | undefined;
  const begin = () => (first ??= page({}));
  return {
    // biome-ignore lint/suspicious/noThenProperty: awaiting it is the point.
    then: (done, failed) => begin().then(done, failed),
    async *[Symbol.asyncIterator]() {
      let now: HistoryPage<T, E> | undefined = await begin();
      for (; now; now = await now.next()) yield* now.messages;
    },
  };
}
