import { describe, expect, it } from 'vitest';
import { type Box, isAtEnd, type Place, placeAt, stood } from '../lib/place';

const line = { key: 'a', fromEnd: 900 };
/** A box of 500 pixels with `content` pixels in it, which stands at `scrollTop`. */
const box = (scrollTop: number, content = 2000): Box => ({
  scrollTop,
  scrollHeight: content,
  clientHeight: 500,
});
/** Known to be there by an event. */
const seenAt = (scrollTop: number): Place => placeAt(box(scrollTop), scrollTop, line);

/** Stands on whole pixels, as a browser's box does. */
const put = (exact: number): Place => placeAt(box(Math.round(exact)), exact, line);

describe('where a reader stood', () => {
  it('is what the box says when nothing is known of it', () => {
    expect(stood(box(-300), undefined)).toBe(-300);
  });

  it('is what it was as long as nobody scrolls', () => {
    expect(stood(box(-300), seenAt(-300))).toBe(-300);
  });

  it('is where they have scrolled to, though no event has told of that yet', () => {
    expect(stood(box(-1200), seenAt(0))).toBe(-1200);
    expect(stood(box(0), seenAt(-1200))).toBe(0);
    expect(stood(box(-700), seenAt(-1200))).toBe(-700);
  });

  it('is the very top, too, when they have just scrolled there', () => {
    expect(stood(box(-1500), seenAt(0))).toBe(-1500);
  });

  it('is above what is left when content shrinks below them and the box is cut', () => {
    expect(stood(box(-1400, 1900), seenAt(-1500))).toBe(-1500);
    // Half a pixel may be lost where heights are rounded.
    expect(stood({ ...box(-1399.5), scrollHeight: 1900 }, seenAt(-1500))).toBe(-1500);
  });

  it('is where they went when content has shrunk but would still reach further', () => {
    expect(stood(box(-1300, 1900), seenAt(-1500))).toBe(-1300);
  });

  it('is the end when everything has gone and nothing can be scrolled', () => {
    expect(stood(box(0, 500), seenAt(0))).toBe(0);
  });
});

describe('where a reader is put', () => {
  it('is remembered between pixels, so that many lines move nobody', () => {
    let place = seenAt(-1000);
    for (let n = 0; n < 400; n++) {
      place = put(stood(box(place.scrollTop, 40_000), place) - 40.75);
    }
    expect(place.exact).toBe(-1000 - 400 * 40.75);
    expect(Math.abs(place.scrollTop - place.exact)).toBeLessThanOrEqual(0.5);
  });

  it('is forgotten between pixels once they scroll', () => {
    const place = put(-1000.25);
    expect(stood(box(place.scrollTop), place)).toBe(-1000.25);
    expect(stood(box(place.scrollTop - 10), place)).toBe(-1010);
  });

  it('is as far as the box goes, and not beyond', () => {
    const place = placeAt(box(-1500), -1540, line);
    expect(place).toEqual({ scrollTop: -1500, exact: -1500, line });
    expect(stood(box(-1500, 4000), place)).toBe(-1500);
  });
});

describe('the end', () => {
  it('is in view for who is near it', () => {
    expect([0, -79].map((scrollTop) => isAtEnd({ scrollTop }))).toEqual([true, true]);
    expect([-80, -1500].map((scrollTop) => isAtEnd({ scrollTop }))).toEqual([false, false]);
  });

  it('is in view for who is pulled past it by a finger', () => {
    expect(isAtEnd({ scrollTop: 30 })).toBe(true);
  });
});
