'use client';

import type { Message, Received } from '@anywire/client';
import { usePreloaded } from './boundary';
import { type ChannelTarget, nameOf } from './feed';
import { useAttached, useHeld, useSnapshot } from './held';
import { type HistoryState, HistoryView, type UseHistoryOptions } from './history-view';
import { useAnywire } from './provider';

/**
 * The messages of a channel as one list that reaches back as far as one asks: live at its end,
 * page by page at its front. Begins with the newest page, or with what a HistoryBoundary gave. Null
 * means "not now".
 */
export function useHistory<T = unknown>(
  channel: string | null | undefined,
  options?: UseHistoryOptions<Message<T>>,
): HistoryState<Message<T>>;
export function useHistory<T, I, In, E>(
  channel: ChannelTarget<T, I, In, E>,
  options?: UseHistoryOptions<Received<T, E>>,
): HistoryState<Received<T, E>>;
export function useHistory<T, I, In, E>(
  target: ChannelTarget<T, I, In, E>,
  options: UseHistoryOptions<Received<T, E>> = {},
): HistoryState<Received<T, E>> {
  const client = useAnywire();
  const name = nameOf(target);
  const preloaded = usePreloaded<Received<T, E>>(name);
  const view = useHeld(
    [client, name],
    () => new HistoryView(client, target ?? undefined, options, options.initial ?? preloaded),
  );
  useAttached(view, options);
  return useSnapshot(view);
}
