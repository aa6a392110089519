/** Turns the messages of a room into what is drawn: days, lines under one name, gaps. */

import type { HistoryGap, OptimisticMessage } from '@anywire/react';
import type { Author, Said } from './contract';

/** What the timeline needs of a message; those of `useOptimisticPublish` have it. */
export type RoomMessage = OptimisticMessage<{
  readonly id?: string;
  readonly epoch: string | undefined;
  readonly offset: number;
  readonly time: number;
  readonly data: Said;
}>;

export type LineStatus = 'sent' | 'pending' | 'failed';

/** One message as it is drawn. Its entry's key is the same before and after it is confirmed. */
export interface Line {
  /** What `retry` and `discard` take; undefined for messages of plain clients. */
  readonly id: string | undefined;
  readonly text: string;
  /** Unix milliseconds, by the server's clock once it is sent. */
  readonly time: number;
  readonly status: LineStatus;
  /** Why the application does not want it, in words for the person who wrote it. */
  readonly refusal: string | undefined;
}

export type Entry =
  | { readonly kind: 'day'; readonly key: string; readonly time: number }
  | { readonly kind: 'gap'; readonly key: string; readonly gap: HistoryGap }
  | LineEntry;

export interface LineEntry {
  readonly kind: 'line';
  readonly key: string;
  readonly from: Author;
  readonly line: Line;
  /** The first of a run of one person, and the last: name above, space below. */
  readonly starts: boolean;
  readonly ends: boolean;
}

/** After a silence this long the name and the time are shown again. */
export const kGroupGapMs = 5 * 60_000;

/** Names the day of a moment; another name, another day. */
export type DayOf = (time: number) => string;

/** For the server and the first render in the browser, which must agree on what a day is. */
export const utcDay: DayOf = (time) => new Date(time).toISOString().slice(0, 10);

export const localDay: DayOf = (time) => {
  const date = new Date(time);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
};

export const keyOf = (message: RoomMessage): string =>
  message.id ?? `${message.epoch}:${message.offset}`;

/**
 * The entries of a room, oldest first. A repeated id is left out: it is the same message, sent again
 * by somebody who could not know that it had arrived.
 */
export function timeline(
  messages: readonly RoomMessage[],
  gaps: readonly HistoryGap[],
  dayOf: DayOf,
): Entry[] {
  const entries: Entry[] = [];
  const seen = new Set<string>();
  const missing = new Map<number, HistoryGap[]>();
  for (const gap of gaps) missing.set(gap.index, [...(missing.get(gap.index) ?? []), gap]);
  let day: string | undefined;
  /** The newest line, which has its place as soon as it is known whether its run goes on. */
  let open: { readonly message: RoomMessage; readonly starts: boolean } | undefined;
  const close = (ends: boolean): void => {
    if (open) entries.push(lineEntry(open.message, open.starts, ends));
    open = undefined;
  };
  const placeGaps = (index: number): void => {
    for (const gap of missing.get(index) ?? []) {
      close(true);
      entries.push({ kind: 'gap', key: `gap:${gap.from}:${gap.to}:${gap.reason}`, gap });
    }
    missing.delete(index);
  };

  messages.forEach((message, index) => {
    placeGaps(index);
    const key = keyOf(message);
    if (seen.has(key)) return;
    seen.add(key);
    const today = dayOf(message.time);
    const anew = today !== day;
    const goesOn = open !== undefined && !anew && continues(open.message, message);
    close(!goesOn);
    if (anew) entries.push({ kind: 'day', key: `day:${today}:${key}`, time: message.time });
    day = today;
    open = { message, starts: !goesOn };
  });
  close(true);
  for (const index of missing.keys()) placeGaps(index);
  return entries;
}

const known = new WeakMap<RoomMessage, LineEntry>();

/** The same object for the same line, so that only what has changed is drawn again. */
function lineEntry(message: RoomMessage, starts: boolean, ends: boolean): LineEntry {
  const before = known.get(message);
  if (before?.starts === starts && before.ends === ends) return before;
  const { id, time, data } = message;
  const refusal = message.failed?.code === 'refused' ? message.failed.message : undefined;
  const line: Line = { id, text: data.text, time, status: statusOf(message), refusal };
  const entry = { kind: 'line', key: keyOf(message), from: data.from, line, starts, ends } as const;
  known.set(message, entry);
  return entry;
}

function continues({ data, time }: RoomMessage, next: RoomMessage): boolean {
  const [from, to] = [data.from, next.data.from];
  const close = Math.abs(next.time - time) < kGroupGapMs;
  return close && from.id === to.id && from.name === to.name;
}

function statusOf({ pending, failed }: RoomMessage): LineStatus {
  if (failed) return 'failed';
  return pending ? 'pending' : 'sent';
}

/** What a gap means to the person who reads. */
export function describeGap({
  from,
  to,
  reason,
}: Pick<HistoryGap, 'from' | 'to' | 'reason'>): string {
  if (reason === 'epoch')
    return 'The server started anew. What was said in between is missing here.';
  const count = from !== undefined && to !== undefined ? to - from + 1 : 0;
  if (count === 1) return 'One message is missing here.';
  return count > 1 ? `${count} messages are missing here.` : 'Messages are missing here.';
}
