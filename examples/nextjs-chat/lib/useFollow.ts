'use client';

import { type RefObject, useCallback, useLayoutEffect, useRef, useState } from 'react';
import { isAtEnd, type Line, type Place, placeAt, stood } from './place';

export interface Follow {
  readonly box: RefObject<HTMLDivElement | null>;
  /** The end is in view, and stays so. */
  readonly following: boolean;
  /** Asks the box itself, which knows of scrolling before `following` does. For effects. */
  readonly seesEnd: () => boolean;
  readonly toEnd: () => void;
  readonly onScroll: () => void;
}

/**
 * Keeps the end in view while the person is there, and leaves them alone when they read above.
 *
 * The box is laid out from its end; see place.ts. That shows the newest messages before any script
 * runs, and nothing moves when older ones are put in front. What is left to do is to hold still what
 * a reader sees while more is added at the end: a line's text, `[data-line]`, stays as far from the
 * lower edge of the box as it was (its text, as a name above it may come and go).
 *
 * `behind`: the content ends before the newest there is, so its end is a place to go on reading from.
 */
export function useFollow(content: unknown, behind: boolean): Follow {
  const box = useRef<HTMLDivElement>(null);
  const place = useRef<Place>(undefined);
  const wasBehind = useRef(behind);
  const [following, setFollowing] = useState(true);

  const seesEnd = useCallback(() => box.current !== null && isAtEnd(box.current), []);
  const onScroll = useCallback(() => {
    const { current } = box;
    if (!current) return;
    setFollowing(isAtEnd(current));
    // An event also tells of what has been put right below.
    if (current.scrollTop === place.current?.scrollTop) return;
    place.current = placeAt(current, current.scrollTop, firstInView(current));
  }, []);
  const toEnd = useCallback(() => {
    wasBehind.current = false;
    box.current?.scrollTo({ top: 0 });
    setFollowing(true);
  }, []);

  // `content` is what moves lines.
  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return;
    const from = stood(current, place.current);
    const reading = wasBehind.current || !isAtEnd({ scrollTop: from });
    wasBehind.current = behind;
    const to = reading ? from - grownBelow(current, place.current?.line) : 0;
    // It stands on whole pixels only, and to put it where it is would end a scroll under way.
    if (Math.round(to) !== Math.round(current.scrollTop)) current.scrollTop = Math.round(to);
    place.current = placeAt(current, to, firstInView(current));
    setFollowing(isAtEnd(current));
  }, [content, behind]);

  return { box, following, seesEnd, toEnd, onScroll };
}

/** How much has come between the line and the end since it was measured. */
function grownBelow(box: HTMLElement, line: Line | undefined): number {
  const now = line && box.querySelector(`[data-line="${CSS.escape(line.key)}"]`);
  return now ? fromEnd(box, now) - line.fromEnd : 0;
}

function firstInView(box: HTMLElement): Line | undefined {
  const { top: edge } = box.getBoundingClientRect();
  const lines = box.querySelectorAll<HTMLElement>('[data-line]');
  // Lines stand in order, so the first that reaches into view is found by halving.
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle] as HTMLElement).getBoundingClientRect().bottom > edge) high = middle;
    else low = middle + 1;
  }
  const line = lines[low];
  return line && { key: line.dataset.line ?? '', fromEnd: fromEnd(box, line) };
}

/** Of a line, in pixels and parts of them. The box's only child is all of its content. */
function fromEnd(box: HTMLElement, line: Element): number {
  const end = box.firstElementChild?.getBoundingClientRect().bottom ?? 0;
  return end - line.getBoundingClientRect().top;
}
