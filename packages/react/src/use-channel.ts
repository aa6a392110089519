'use client';

import type { Message, Received } from '@anywire/client';
import { usePreloaded } from './boundary';
import { ChannelView, type UseChannelOptions, type UseChannelResult } from './channel-view';
import { type ChannelTarget, nameOf } from './feed';
import { useAttached, useHeld, useSnapshot } from './held';
import { useAnywire } from './provider';

/**
 * The messages of a channel while the component is mounted. `onMessage` sees every one of them;
 * `messages` holds the newest for drawing. Null means "not now".
 *
 * A break is bridged: what was missed comes in order, or `gap` says what is lost. Another channel
 * is another list. On the server, and in the first render of a page that was rendered there, it
 * holds what a HistoryBoundary gave, or nothing.
 */
export function useChannel<T = unknown, U = Message<T>>(
  channel: string | null | undefined,
  options?: UseChannelOptions<Message<T>, U>,
): UseChannelResult<U, T>;
export function useChannel<T, I, In, E, U = Received<T, E>>(
  channel: ChannelTarget<T, I, In, E>,
  options?: UseChannelOptions<Received<T, E>, U>,
): UseChannelResult<U, In, E>;
export function useChannel<T, I, In, E, U>(
  target: ChannelTarget<T, I, In, E>,
  options: UseChannelOptions<Received<T, E>, U> = {},
): UseChannelResult<U, In, E> {
  const client = useAnywire();
  const name = nameOf(target);
  const preloaded = usePreloaded<Received<T, E>>(name);
  const { rewind, own, filter, initial = preloaded } = options;
  const view = useHeld(
    [client, name, JSON.stringify([rewind, own, filter])],
    () => new ChannelView(client, target ?? undefined, options, initial),
  );
  useAttached(view, options);
  return useSnapshot(view);
}
