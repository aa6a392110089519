'use client';

import type { Message, Received } from '@anywire/client';
import { usePreloaded } from './boundary';
import { type ChannelTarget, nameOf } from './feed';
import { useAttached, useHeld, useSnapshot } from './held';
import type { UseHistoryOptions } from './history-view';
import { type OptimisticState, OptimisticView } from './optimistic-view';
import { useAnywire } from './provider';

/**
 * `useHistory` with a `publish` whose message is in the list at once, `pending`; the server's own
 * takes its place, under the same `id`. Use that as React's key, and epoch and offset for messages
 * that have none.
 */
export function useOptimisticPublish<T = unknown>(
  channel: string | null | undefined,
  options?: UseHistoryOptions<Message<T>>,
): OptimisticState<Message<T>, T>;
export function useOptimisticPublish<T, I, In, E>(
  channel: ChannelTarget<T, I, In, E>,
  options?: UseHistoryOptions<Received<T, E>>,
): OptimisticState<Received<T, E>, In, E>;
export function useOptimisticPublish<T, I, In, E>(
  target: ChannelTarget<T, I, In, E>,
  options: UseHistoryOptions<Received<T, E>> = {},
): OptimisticState<Received<T, E>, In, E> {
  const client = useAnywire();
  const name = nameOf(target);
  const preloaded = usePreloaded<Received<T, E>>(name);
  const view = useHeld(
    [client, name],
    () => new OptimisticView(client, target ?? undefined, options, options.initial ?? preloaded),
  );
  useAttached(view, options);
  return useSnapshot(view);
}
