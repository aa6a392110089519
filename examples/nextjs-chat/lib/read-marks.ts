/**
 * How far this person has read in each room, for useSyncExternalStore. Two tabs of one browser are
 * two people, so the marks are kept under the person's id.
 */

export interface Mark {
  readonly epoch: string;
  readonly offset: number;
}
export type Marks = Readonly<Record<string, Mark>>;

const kRoomsMax = 64;
const kNone: Marks = {};
const keyOf = (person: string): string => `anywire-chat:read:${person}`;

const listeners = new Set<() => void>();
let owner: string | undefined;
let marks: Marks = kNone;

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const serverSnapshot = (): Marks => kNone;

/** The marks of this person; nobody's are empty. */
export function snapshot(person: string | undefined): Marks {
  if (person === undefined) return kNone;
  if (owner !== person) {
    owner = person;
    marks = load(person);
  }
  return marks;
}

/** Everything in `room` up to here has been read. Never goes back within one life of the stream. */
export function markRead(person: string, room: string, { epoch, offset }: Mark): void {
  const before = snapshot(person)[room];
  if (before?.epoch === epoch && before.offset >= offset) return;
  const { [room]: _, ...rest } = marks;
  // The newest are last, so those that make room are the ones nobody has been to for longest.
  marks = Object.fromEntries(
    [...Object.entries(rest), [room, { epoch, offset }]].slice(-kRoomsMax),
  );
  try {
    localStorage.setItem(keyOf(person), JSON.stringify(marks));
  } catch {
    // Forbidden or full: the marks live as long as the page.
  }
  for (const listener of listeners) listener();
}

/** How many messages are above the mark. Of a stream that began anew, all of them. */
export function unreadOf(mark: Mark | undefined, newest: Mark | undefined): number {
  if (!mark || !newest) return 0;
  if (mark.epoch !== newest.epoch) return newest.offset;
  return Math.max(0, newest.offset - mark.offset);
}

function load(person: string): Marks {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(keyOf(person)) ?? '{}');
    if (typeof stored !== 'object' || stored === null) return kNone;
    return Object.fromEntries(Object.entries(stored).filter(([, mark]) => isMark(mark)));
  } catch {
    return kNone;
  }
}

function isMark(value: unknown): value is Mark {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, offset } = value as Partial<Mark>;
  return typeof epoch === 'string' && Number.isSafeInteger(offset);
}
