import { describe } from './describe';
import type { Entry } from './recorder';

/** What of the timeline is shown; empty strings mean "all". */
export interface Filter {
  readonly direction: '' | Entry['direction'];
  readonly type: string;
  readonly channel: string;
  /** Anywhere in the frame as it is shown, so secrets cannot be found. */
  readonly text: string;
}

export const everything: Filter = { direction: '', type: '', channel: '', text: '' };

const summaryMax = 240;
const searchMax = 4000;
/** Made when asked for, since most frames are never looked at; gone with their frame. */
const searchable = new WeakMap<Entry, string>();

export function matches(entry: Entry, filter: Filter): boolean {
  const { direction, type, channel, text } = filter;
  if (direction !== '' && entry.direction !== direction) return false;
  if (type !== '' && entry.type !== type) return false;
  if (channel !== '' && entry.channel !== channel) return false;
  return text === '' || searchText(entry).includes(text.toLowerCase());
}

export function filtered(entries: readonly Entry[], filter: Filter): readonly Entry[] {
  return filter === everything ? entries : entries.filter((entry) => matches(entry, filter));
}

/** The values that occur, in alphabetical order. */
export function choices(entries: readonly Entry[], member: 'type' | 'channel'): readonly string[] {
  const values = new Set<string>();
  for (const entry of entries) {
    const value = entry[member];
    if (value !== undefined) values.add(value);
  }
  return [...values].sort();
}

/** One line that says what a frame is about, without what other columns say. */
export function summary(entry: Entry): string {
  if (entry.direction === 'here') {
    const { from, to, error } = entry.message;
    return `${String(from)} → ${String(to)}${error === undefined ? '' : `: ${String(error)}`}`;
  }
  const { type, channel, pattern, data, text, binary, id, ...rest } = entry.message;
  const payload = { ...(data !== undefined && { data }), ...(text !== undefined && { text }) };
  const first = { ...payload, ...(binary !== undefined && { binary }) };
  // Whoever looks for an answer looks for its number, but after what it says.
  return describe({ ...first, ...rest, ...(id !== undefined && { id }) }, { max: summaryMax });
}

function searchText(entry: Entry): string {
  const known = searchable.get(entry);
  if (known !== undefined) return known;
  const text = describe(entry.message, { max: searchMax }).toLowerCase();
  searchable.set(entry, text);
  return text;
}
