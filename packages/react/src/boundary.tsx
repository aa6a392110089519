'use client';

import type { AnywireError, Message } from '@anywire/client';
import { createContext, type ReactNode, useContext, useMemo } from 'react';

/** What `preloadHistory` of @anywire/next returns: plain data that a server component may pass. */
export interface PreloadedHistory<M = Message> {
  readonly channel: string;
  readonly epoch: string;
  /** Oldest first. */
  readonly messages: readonly M[];
  /** The last offset there was. */
  readonly top: number;
  /** The first offset that history had. */
  readonly oldest: number;
  /** There are older messages than these. */
  readonly more: boolean;
  /** Set when nothing could be loaded; the rest is then empty, and the hooks begin without it. */
  readonly error?: Pick<AnywireError, 'code' | 'message'> | undefined;
}

const BoundaryContext = createContext<ReadonlyMap<unknown, PreloadedHistory>>(new Map());

/**
 * The hooks below it begin with what the server has loaded: the first render in the browser is the
 * server's, and the subscription goes on behind the newest message, without a hole and without a
 * message twice. Boundaries may be nested; the innermost of a channel counts.
 */
export function HistoryBoundary({
  state,
  children,
}: {
  readonly state: PreloadedHistory | readonly PreloadedHistory[];
  readonly children?: ReactNode;
}): ReactNode {
  const outer = useContext(BoundaryContext);
  const all = useMemo(() => {
    const own = ([state].flat() as PreloadedHistory[]).filter(({ error }) => !error);
    return new Map([...outer, ...own.map((one) => [one.channel, one] as const)]);
  }, [outer, state]);
  return <BoundaryContext.Provider value={all}>{children}</BoundaryContext.Provider>;
}

/** What was loaded of this channel, if anything. */
export function usePreloaded<M>(channel: string | undefined): PreloadedHistory<M> | undefined {
  return useContext(BoundaryContext).get(channel) as PreloadedHistory<M> | undefined;
}
