'use client';

import type { Received } from '@anywire/client';
import { useEffect, useInsertionEffect, useSyncExternalStore } from 'react';
import { usePreloaded } from '../boundary';
import { ChannelView, type UseChannelOptions, type UseChannelResult } from '../channel-view';
import { type ChannelTarget, nameOf } from '../feed';
import { useHeld } from '../held';
import { type HistoryState, HistoryView, type UseHistoryOptions } from '../history-view';
import type * as plain from '../index';
import { type PresenceState, PresenceView } from '../presence-view';
import { useAnywire } from '../provider';
import { useSelected } from '../selected';
import { LatestView, type UseLatestOptions } from '../use-latest';
import type { UsePresenceOptions } from '../use-presence';
import { PresencePrimer } from './presence-primer';
import { keyOf, orThrow, primed, useFromServer, useOpening, useTakeOver } from './use-primed';
import { awaited } from './waiting';

/**
 * `useChannel` of @anywire/react, which suspends until the subscription stands, and throws to the
 * error boundary what would make it `refused` or `failed`; when the boundary is reset there is
 * another try. Messages that come while it is suspended are in the first list, and `onMessage` is
 * told of them when the component is mounted.
 *
 * @function
 */
export const useChannel: typeof plain.useChannel = useSuspendingChannel as typeof plain.useChannel;

function useSuspendingChannel<T, I, In, E, U>(
  target: ChannelTarget<T, I, In, E>,
  options: UseChannelOptions<Received<T, E>, U> = {},
): UseChannelResult<U, In, E> {
  const client = useAnywire();
  const name = nameOf(target);
  const preloaded = usePreloaded<Received<T, E>>(name);
  const fromServer = useFromServer(name);
  const { rewind, own, filter, initial = preloaded } = options;
  const held = useHeld([client, name, JSON.stringify([rewind, own, filter])], () => {
    const wishes = { ...(rewind && { rewind }), ...(own === false && { own }) };
    const primer =
      initial || fromServer
        ? undefined
        : primed(client, target, { ...wishes, ...(filter && { filter }) }, {});
    const begin = initial ?? primer?.initial;
    return {
      view: new ChannelView(primer?.client ?? client, target ?? undefined, options, begin),
      primer,
      heard: [...(primer?.heard ?? [])],
    };
  });
  const { view } = held;
  useInsertionEffect(() => view.update(options));
  useTakeOver(held, options.onMessage);
  const read = useOpening(held, (snapshot) => ({ ...snapshot, status: 'live' }));
  return orThrow(useSyncExternalStore(view.subscribe, read, read));
}

/**
 * `useHistory` of @anywire/react, which suspends until the newest page is there, and throws to the
 * error boundary what would make it `refused` or `failed`.
 *
 * @function
 */
export const useHistory: typeof plain.useHistory = useSuspendingHistory as typeof plain.useHistory;

function useSuspendingHistory<T, I, In, E>(
  target: ChannelTarget<T, I, In, E>,
  options: UseHistoryOptions<Received<T, E>> = {},
): HistoryState<Received<T, E>> {
  const client = useAnywire();
  const name = nameOf(target);
  const preloaded = usePreloaded<Received<T, E>>(name);
  const fromServer = useFromServer(name);
  const { initial = preloaded, limit = 1000, pageSize = 50 } = options;
  const held = useHeld([client, name], () => {
    const page = Math.max(1, Math.min(pageSize, limit, 1000));
    const primer = initial || fromServer ? undefined : primed(client, target, {}, { page });
    const begin = initial ?? primer?.initial;
    return {
      view: new HistoryView(primer?.client ?? client, target ?? undefined, options, begin),
      primer,
      heard: [...(primer?.heard ?? [])],
    };
  });
  const { view } = held;
  useInsertionEffect(() => view.update(options));
  useEffect(() => {
    const { problem } = held.primer ?? {};
    if (problem) view.fail(problem);
  }, [held, view]);
  useTakeOver(held, options.onMessage);
  const read = useOpening(held, (snapshot) => ({ ...snapshot, status: 'live', atLive: true }));
  return orThrow(useSyncExternalStore(view.subscribe, read, read));
}

/**
 * `useLatest` of @anywire/react, which suspends until there is a message: the last one that
 * the channel has had, or the first that comes. It does not suspend when it is given an `initial`.
 *
 * @function
 */
export const useLatest: typeof plain.useLatest = useSuspendingLatest as typeof plain.useLatest;

function useSuspendingLatest<T, I, In, E, U>(
  target: ChannelTarget<T, I, In, E>,
  select?: (message: Received<T, E>) => U,
  { initial }: UseLatestOptions<U> = {},
): U | undefined {
  const client = useAnywire();
  const name = nameOf(target);
  const preloaded = usePreloaded<Received<T, E>>(name);
  const fromServer = useFromServer(name);
  const held = useHeld([client, name], () => {
    const there = initial !== undefined || preloaded || fromServer;
    const primer = there ? undefined : primed(client, target, { rewind: 1 }, { first: true });
    const begin = preloaded ?? primer?.initial;
    return {
      view: new LatestView(primer?.client ?? client, target ?? undefined, begin),
      primer,
      heard: [],
    };
  });
  const { view } = held;
  useTakeOver(held);
  return useSelected(view.subscribe, view.getSnapshot, view.getSnapshot, (message) =>
    message === undefined ? initial : select ? select(message) : (message as unknown as U),
  ) as U | undefined;
}

/**
 * `usePresence` of @anywire/react, which suspends until it is known who is present, and throws to
 * the error boundary what would make it `refused` or `failed`. We become present when the component
 * is mounted, not before.
 *
 * @function
 */
export const usePresence: typeof plain.usePresence =
  useSuspendingPresence as typeof plain.usePresence;

function useSuspendingPresence<T, I, In, E, U>(
  target: ChannelTarget<T, I, In, E>,
  me?: I | null,
  options?: UsePresenceOptions<I, U>,
): PresenceState<I> | U {
  const client = useAnywire();
  const name = nameOf(target);
  const fromServer = useFromServer(name);
  const held = useHeld([client, name], () => {
    const off = target == null || fromServer || client.snapshot.state === 'closed';
    const primer = off
      ? undefined
      : awaited(
          client,
          keyOf('presence', target, {}),
          () => new PresencePrimer<T, I, In, E>(client, target),
        );
    const view = new PresenceView<T, I, In, E>(client, target ?? undefined);
    return { view, primer, heard: [] };
  });
  const { view } = held;
  useEffect(() => view.want(me));
  useTakeOver(held);
  const read = useOpening(held, ({ update }, primer) => ({ ...primer.state, update }));
  return useSelected(view.subscribe, () => orThrow(read()), read, options?.select);
}
