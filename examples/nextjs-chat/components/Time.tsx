'use client';

import { useHydrated } from '../lib/useMe';

// The server knows neither zone nor language of the person, so the words are filled in by the
// browser; until then their place is kept.
let shortTime: Intl.DateTimeFormat | undefined;
let fullTime: Intl.DateTimeFormat | undefined;
let longDay: Intl.DateTimeFormat | undefined;

const formatShort = (at: number): string => {
  shortTime ??= new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
  return shortTime.format(at);
};

const formatFull = (at: number): string => {
  fullTime ??= new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
  return fullTime.format(at);
};

/** The hour and minute of a moment, and all of it on hovering. */
export function Time({ at }: { at: number }) {
  const known = useHydrated();
  return (
    <time dateTime={new Date(at).toISOString()} title={known ? formatFull(at) : undefined}>
      {known ? formatShort(at) : <span className="kept">00:00</span>}
    </time>
  );
}

/** The day of a moment, in words where there are some. */
export function Day({ at }: { at: number }) {
  const known = useHydrated();
  return (
    <time dateTime={new Date(at).toISOString().slice(0, 10)}>
      {known ? dayName(at, Date.now()) : <span className="kept">Today</span>}
    </time>
  );
}

function dayName(at: number, now: number): string {
  const midnight = (time: number, days = 0) => {
    const date = new Date(time);
    return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days).getTime();
  };
  const day = midnight(at);
  if (day === midnight(now)) return 'Today';
  if (day === midnight(now, -1)) return 'Yesterday';
  longDay ??= new Intl.DateTimeFormat(undefined, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
  });
  return longDay.format(at);
}
