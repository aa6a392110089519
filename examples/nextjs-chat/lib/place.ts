/**
 * Where the reader of a box is, whose content is laid out from its end (`column-reverse`): scrollTop
 * is 0 there and negative above, and stays what it is while content comes and goes. So what is read
 * holds still when scrollTop follows what is added below it.
 *
 * Nothing here asks when an event came. A page may scroll, and content arrive, before the browser
 * tells of either; what the box says is true at any time.
 */

/** Closer to the end than this, in pixels, counts as reading along. */
const kFollowDistance = 80;

/** What is asked of a box; all of it in pixels. */
export type Box = Pick<HTMLElement, 'scrollTop' | 'scrollHeight' | 'clientHeight'>;

export interface Place {
  /** What the box said. */
  readonly scrollTop: number;
  /**
   * What it would have said if it could stand between pixels. Lines are not whole pixels high, so
   * without this a reader would be moved by a part of one with every message, always the same way.
   */
  readonly exact: number;
  /** The first line in view; undefined when there is none. */
  readonly line: Line | undefined;
}

/** A line, and how far its top is from the end of all content. */
export interface Line {
  readonly key: string;
  readonly fromEnd: number;
}

export const isAtEnd = ({ scrollTop }: Pick<Box, 'scrollTop'>): boolean =>
  -scrollTop < kFollowDistance;

/** Where the reader stood when content changed; `place` is where they were known to be last. */
export function stood({ scrollTop, scrollHeight, clientHeight }: Box, place?: Place): number {
  if (!place) return scrollTop;
  if (scrollTop === place.scrollTop) return place.exact;
  // A box that has become too short for its place is cut to the farthest there is: nobody scrolled.
  const farthest = clientHeight - scrollHeight;
  const cut = place.scrollTop < scrollTop && scrollTop <= farthest + 1;
  return cut ? place.exact : scrollTop;
}

/** The place at which the box was put, wanting `exact`. It may not reach as far. */
export function placeAt({ scrollTop }: Box, exact: number, line: Line | undefined): Place {
  return { scrollTop, exact: Math.abs(scrollTop - exact) < 1 ? exact : scrollTop, line };
}
