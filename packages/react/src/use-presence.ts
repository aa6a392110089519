'use client';

import { useEffect } from 'react';
import { type ChannelTarget, nameOf } from './feed';
import { useHeld } from './held';
import { type PresenceState, PresenceView } from './presence-view';
import { useAnywire } from './provider';
import { useSelected } from './selected';

/** What `usePresence` takes. */
export interface UsePresenceOptions<I, U> {
  /**
   * The hook then returns what this takes of its result, and the component is rendered only when
   * that changes. May be an inline function.
   */
  readonly select: (presence: PresenceState<I>) => U;
}

/**
 * Who is present in a channel; with `me`, we are, too, with that as info, as long as the component
 * is mounted. `me` is compared by content, so a literal will do. Null for `me` means "not present
 * now", null for the channel "not now".
 */
export function usePresence<I = unknown>(
  channel: string | null | undefined,
  me?: I | null,
): PresenceState<I>;
export function usePresence<I, U>(
  channel: string | null | undefined,
  me: I | null | undefined,
  options: UsePresenceOptions<I, U>,
): U;
export function usePresence<T, I, In, E>(
  channel: ChannelTarget<T, I, In, E>,
  me?: I | null,
): PresenceState<I>;
export function usePresence<T, I, In, E, U>(
  channel: ChannelTarget<T, I, In, E>,
  me: I | null | undefined,
  options: UsePresenceOptions<I, U>,
): U;
export function usePresence<T, I, In, E, U>(
  target: ChannelTarget<T, I, In, E>,
  me?: I | null,
  options?: UsePresenceOptions<I, U>,
): PresenceState<I> | U {
  const client = useAnywire();
  const view = useHeld(
    [client, nameOf(target)],
    () => new PresenceView<T, I, In, E>(client, target ?? undefined),
  );
  useEffect(() => view.want(me));
  useEffect(() => view.attach(), [view]);
  return useSelected(view.subscribe, view.getSnapshot, view.getSnapshot, options?.select);
}
