'use client';

import {
  type ChannelRef,
  type EventName,
  type Message,
  type Received,
  safely,
} from '@anywire/client';
import { useEffect, useInsertionEffect, useRef } from 'react';
import { type ChannelTarget, Feed, nameOf } from './feed';
import { useHeld } from './held';
import { useAnywire } from './provider';

/** The messages of one event name. */
export type EventOf<M, Name> = [Extract<M, { readonly event: Name }>] extends [never]
  ? M & { readonly event: Name }
  : Extract<M, { readonly event: Name }>;

/**
 * Calls `listener` for every message of the channel, or for those of one event, in order and in the
 * turn in which they arrive. The component is never rendered because of them; the newest function
 * is called.
 */
export function useChannelEvent<T = unknown>(
  channel: string | null | undefined,
  listener: (message: Message<T>) => void,
): void;
export function useChannelEvent<T = unknown>(
  channel: string | null | undefined,
  event: string,
  listener: (message: Message<T>) => void,
): void;
export function useChannelEvent<T, I, In, E>(
  channel: ChannelTarget<T, I, In, E>,
  listener: (message: Received<T, E>) => void,
): void;
export function useChannelEvent<T, I, In, E, Name extends EventName<E>>(
  channel: ChannelTarget<T, I, In, E>,
  event: Name,
  listener: (message: EventOf<Received<T, E>, Name>) => void,
): void;
export function useChannelEvent(
  target: string | ChannelRef | null | undefined,
  ...args: readonly unknown[]
): void {
  const client = useAnywire();
  const name = nameOf(target);
  const newest = useRef(args);
  const feed = useHeld([client, name], () =>
    target == null ? undefined : new Feed(client, target, {}, undefined),
  );
  useInsertionEffect(() => {
    newest.current = args;
  });
  useEffect(
    () =>
      feed?.attach({
        message: (message) => {
          const [first, second] = newest.current;
          const listener = (second ?? first) as (message: Message) => void;
          if (second === undefined || message.event === first) safely(() => listener(message));
        },
      }),
    [feed],
  );
}
