'use client';

import type { ChannelRef, Client, Message, Received } from '@anywire/client';
import { useEffect } from 'react';
import { type PreloadedHistory, usePreloaded } from './boundary';
import { behind } from './channel-view';
import { type ChannelTarget, Feed, nameOf } from './feed';
import { useHeld } from './held';
import { useAnywire } from './provider';
import { useSelected } from './selected';
import { Source } from './source';

/** What `useLatest` takes. */
export interface UseLatestOptions<U> {
  /** The value as long as there was no message. */
  readonly initial?: U;
}

/**
 * The newest message of a channel, or what `select` takes of it: for prices, positions and the
 * like, of which only the present value counts. It begins with the last message, where the channel
 * has history. The component is rendered when that value changes,
 * at most once a frame; there is no list, and values in between are not shown. Whoever has to see
 * every message uses `useChannelEvent`.
 */
export function useLatest<T = unknown, U = Message<T>>(
  channel: string | null | undefined,
  select?: (message: Message<T>) => U,
  options?: UseLatestOptions<undefined>,
): U | undefined;
export function useLatest<T = unknown, U = Message<T>>(
  channel: string | null | undefined,
  select: ((message: Message<T>) => U) | undefined,
  options: UseLatestOptions<U> & { readonly initial: U },
): U;
export function useLatest<T, I, In, E, U = Received<T, E>>(
  channel: ChannelTarget<T, I, In, E>,
  select?: (message: Received<T, E>) => U,
  options?: UseLatestOptions<undefined>,
): U | undefined;
export function useLatest<T, I, In, E, U = Received<T, E>>(
  channel: ChannelTarget<T, I, In, E>,
  select: ((message: Received<T, E>) => U) | undefined,
  options: UseLatestOptions<U> & { readonly initial: U },
): U;
export function useLatest<T, I, In, E, U>(
  target: ChannelTarget<T, I, In, E>,
  select?: (message: Received<T, E>) => U,
  options: UseLatestOptions<U> = {},
): U | undefined {
  const client = useAnywire();
  const name = nameOf(target);
  const preloaded = usePreloaded<Received<T, E>>(name);
  const view = useHeld(
    [client, name],
    () => new LatestView(client, target ?? undefined, preloaded),
  );
  useEffect(() => view.attach(), [view]);
  const { initial } = options;
  return useSelected(view.subscribe, view.getSnapshot, view.getSnapshot, (message) =>
    message === undefined ? initial : select ? select(message) : (message as unknown as U),
  ) as U | undefined;
}

/** What one `useLatest` sees of one channel. */
export class LatestView<T, I, In, E> extends Source<Received<T, E> | undefined> {
  readonly #feed: Feed<T, I, In, E> | undefined;
  #last: Received<T, E> | undefined;

  constructor(
    client: Client,
    target: string | ChannelRef<T, I, In, E> | undefined,
    preloaded: PreloadedHistory<Received<T, E>> | undefined,
  ) {
    super();
    this.#last = preloaded?.messages.at(-1);
    const since = behind(preloaded as PreloadedHistory | undefined);
    if (target !== undefined) this.#feed = new Feed(client, target, { rewind: 1 }, since);
  }

  attach(): () => void {
    return (
      this.#feed?.attach({
        message: (message) => {
          this.#last = message;
          this.changedSoon();
        },
      }) ?? (() => {})
    );
  }

  protected take(): Received<T, E> | undefined {
    return this.#last;
  }
}
