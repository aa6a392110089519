import { type ChannelOptions, type Client, safely } from '@anywire/client';
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { ChannelStatus, ChannelTarget } from '../feed';
import type { Source } from '../source';
import { Primer, type PrimerWishes } from './primer';
import { awaited, type Waiting } from './waiting';

/** What a hook holds of a channel: its view, and what was there before the component. */
export interface Held<V, W extends Waiting, M = unknown> {
  readonly view: V;
  readonly primer: W | undefined;
  /** Messages that came before the component was mounted; none once it has been told of them. */
  readonly heard: M[];
}

const never = () => () => {};

/**
 * Whether this component was rendered on a server with this channel, or is being rendered there. It
 * does not suspend then: on the server nothing would ever come, so that a stream would wait until
 * it is given up; and what a page shows already is not taken away again for a fallback.
 */
export function useFromServer(name: string | undefined): boolean {
  const now = useSyncExternalStore(
    never,
    () => false,
    () => true,
  );
  const [first] = useState({ now, name });
  return first.now && first.name === name;
}

/** Waits for a channel: throws what Suspense and error boundaries catch. */
export function primed<T, I, In, E>(
  client: Client,
  target: ChannelTarget<T, I, In, E>,
  options: ChannelOptions,
  wishes: PrimerWishes,
): Primer<T, I, In, E> | undefined {
  if (target == null || client.snapshot.state === 'closed') return undefined;
  return awaited(
    client,
    keyOf('messages', target, { ...options, ...wishes }),
    () => new Primer<T, I, In, E>(client, target, options, wishes),
  );
}

interface Named {
  readonly name: string;
}

/** One subscription for all that ask for the same. A ref checks what a name alone does not. */
export function keyOf(kind: string, target: string | Named, more: object): string {
  const name = typeof target === 'string' ? [target] : { ref: target.name };
  return JSON.stringify([kind, name, more]);
}

/**
 * Reads the snapshots of a view. Before its effects have run they are shown as they are about to
 * be, since the subscription stands already.
 */
export function useOpening<S extends { readonly status: ChannelStatus }, W extends Waiting>(
  { view, primer }: Held<Source<S>, W>,
  opened: (snapshot: S, primer: W) => S,
): () => S {
  const [last] = useState<{ from?: S; to?: S }>({});
  return () => {
    const snapshot = view.getSnapshot();
    if (!primer || snapshot.status !== 'off') return snapshot;
    // The same snapshot is the same object, or React would not find rest.
    if (last.from !== snapshot || !last.to) {
      last.from = snapshot;
      last.to = opened(snapshot, primer);
    }
    return last.to;
  };
}

/** Gives an error that ends the subscription to the error boundary. */
export function orThrow<S extends { readonly status: ChannelStatus; readonly error: unknown }>(
  snapshot: S,
): S {
  const { status, error } = snapshot;
  if ((status === 'refused' || status === 'failed') && error !== undefined) throw error;
  return snapshot;
}

/** Attaches a view while the component is mounted. What had come before it is told first. */
export function useTakeOver<M, W extends Waiting>(
  { view, primer, heard }: Held<{ attach(): () => void }, W, M>,
  hear?: (message: M) => void,
): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: of the render that made the view.
  useEffect(() => {
    for (const message of heard.splice(0)) safely(() => hear?.(message));
    const leave = view.attach();
    primer?.taken();
    return leave;
  }, [view, primer]);
}
