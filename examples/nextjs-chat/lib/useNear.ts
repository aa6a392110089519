'use client';

import { type RefObject, useEffect, useRef } from 'react';

/** A page is asked for when the edge that it joins is this near, in pixels. */
const kAheadPx = 600;

export interface Edge {
  /** What is at the edge now; another name once a page has joined it. */
  readonly at: string | undefined;
  /** A page is missing there, could be fetched, and none is on its way. */
  readonly open: boolean;
  /** It can be asked for: a page that did not come may be asked for again afterwards. */
  readonly live: boolean;
  readonly fetch: () => Promise<void>;
}

/**
 * Asks for the page behind an edge of a box that scrolls, whenever that edge comes near.
 *
 * Where things stand is asked of the browser anew after each page. Events alone do not tell: a page
 * moves the edge away, and who scrolls on may be there again before anything was seen of that.
 */
export function useNear(edge: RefObject<HTMLElement | null>, { at, open, live, fetch }: Edge) {
  // A page that did not come is not asked for again until the person comes back, or the connection
  // does: a server in trouble is not to be asked all the time.
  const asked = useRef<string>(undefined);
  useEffect(() => {
    if (!live) asked.current = undefined;
    if (!live || !open || !edge.current) return;
    const near = new IntersectionObserver(
      (seen) => {
        const inView = seen.at(-1)?.isIntersecting;
        if (inView && asked.current !== at) void fetch();
        asked.current = inView ? at : undefined;
      },
      { root: edge.current.closest('.log'), rootMargin: `${kAheadPx}px 0px` },
    );
    near.observe(edge.current);
    return () => near.disconnect();
  }, [edge, at, open, live, fetch]);
}
