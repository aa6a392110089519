/**
 * Who is writing in this tab. Names are kept in localStorage, so they survive a restart; but two
 * tabs of one browser are two people here, or trying the chat alone would look like a monologue.
 * Hence numbered seats: a tab takes the first free one and holds it by a web lock while it lives.
 */

import { type Author, kNameLengthMax } from './contract';

const kSeats = 24;
const kSeatKey = 'anywire-chat:seat';
const personKey = (seat: number): string => `anywire-chat:person:${seat}`;
/**
 * For a script that runs before the page's own: the id of the person this tab was before it was
 * loaded again, most likely the one it will be. Undefined in a tab that is new.
 */
export const kRememberedId = `JSON.parse(localStorage.getItem('anywire-chat:person:'
  + sessionStorage.getItem('${kSeatKey}')))?.id`;
/** The page that has just been left in this tab, and the page that has a seat: a name for each. */
const kLeftKey = 'anywire-chat:left';
const holderKey = (seat: number): string => `anywire-chat:holder:${seat}`;
/** A page that has been left lets go of its seat; this is for a browser in which it does not. */
const kLetGoMs = 20_000;
const kGoldenAngle = 137.5;

const kAdjectives = [
  'Amber',
  'Brave',
  'Calm',
  'Clever',
  'Coral',
  'Dapper',
  'Eager',
  'Gentle',
  'Golden',
  'Jolly',
  'Lucky',
  'Mellow',
  'Misty',
  'Nimble',
  'Quiet',
  'Rapid',
  'Silver',
  'Sunny',
  'Velvet',
  'Witty',
];
const kAnimals = [
  'Badger',
  'Crane',
  'Dolphin',
  'Falcon',
  'Fox',
  'Heron',
  'Koala',
  'Lynx',
  'Marten',
  'Newt',
  'Otter',
  'Owl',
  'Panda',
  'Puffin',
  'Raven',
  'Robin',
  'Seal',
  'Swift',
  'Tiger',
  'Wren',
];

const listeners = new Set<() => void>();
let me: Author | undefined;
let seat = 0;
let claiming = false;

/** For useSyncExternalStore. The first subscriber makes the tab take its seat. */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (!claiming) void claim();
  return () => listeners.delete(listener);
}

export const snapshot = (): Author | undefined => me;
/** The server cannot know the name; the page says so by showing none until it is there. */
export const serverSnapshot = (): undefined => undefined;

/** Takes effect for what is written from now on. */
export function rename(typed: string): void {
  const name = typed.trim().replace(/\s+/g, ' ').slice(0, kNameLengthMax);
  if (me && name) keep({ ...me, name });
}

async function claim(): Promise<void> {
  claiming = true;
  seat = await takeSeat();
  write('sessionStorage', kSeatKey, String(seat));
  const page = newId();
  write('localStorage', holderKey(seat), page);
  write('sessionStorage', kLeftKey, '');
  window.addEventListener('pagehide', () => write('sessionStorage', kLeftKey, page));
  keep(parsePerson(read('localStorage', personKey(seat))) ?? newPerson());
}

function keep(person: Author): void {
  me = person;
  write('localStorage', personKey(seat), JSON.stringify(person));
  for (const listener of listeners) listener();
}

async function takeSeat(): Promise<number> {
  const remembered = Number.parseInt(read('sessionStorage', kSeatKey) ?? '', 10);
  const known = remembered >= 0 && remembered < kSeats ? remembered : undefined;
  // Locks exist on https and localhost only; elsewhere all tabs share a name unless they remember.
  if (!('locks' in navigator)) return known ?? 0;
  if (known !== undefined) {
    // A page asks for its seat before the one that it replaces has quite let go of it, which on a
    // busy machine takes its time. Nobody else is waited for: a tab that was duplicated remembers
    // the seat of a tab that stays.
    const left = read('sessionStorage', kLeftKey);
    const ours = left && left === read('localStorage', holderKey(known));
    if (await hold(known, ours ? AbortSignal.timeout(kLetGoMs) : undefined)) return known;
  }
  for (let free = 0; free < kSeats; free++) if (await hold(free)) return free;
  return kSeats - 1;
}

/** Takes the lock of a seat until the page ends. Without a signal it does not wait for it. */
function hold(wanted: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const forever = (lock: Lock | null): Promise<never> | undefined => {
      resolve(lock !== null);
      return lock ? new Promise<never>(() => undefined) : undefined;
    };
    const how = signal ? { signal } : { ifAvailable: true };
    navigator.locks.request(personKey(wanted), how, forever).catch(() => resolve(false));
  });
}

function newPerson(): Author {
  const pick = (list: readonly string[]): string =>
    list[Math.floor(Math.random() * list.length)] ?? 'Somebody';
  return {
    id: newId(),
    name: `${pick(kAdjectives)} ${pick(kAnimals)}`,
    // Seats next to each other get colours that are far apart.
    hue: Math.floor(seat * kGoldenAngle + Math.random() * 40) % 360,
  };
}

function parsePerson(stored: string | undefined): Author | undefined {
  try {
    const { id, name, hue } = JSON.parse(stored ?? '') as Partial<Author>;
    const usable = typeof id === 'string' && typeof name === 'string' && typeof hue === 'number';
    return usable && id && name ? { id, name: name.slice(0, kNameLengthMax), hue } : undefined;
  } catch {
    return undefined;
  }
}

/** crypto.randomUUID exists on https and localhost only; this works on a phone in the LAN, too. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// Storage may be forbidden or full. The chat then works with a name for this visit only.
function read(kind: 'localStorage' | 'sessionStorage', key: string): string | undefined {
  try {
    return window[kind].getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(kind: 'localStorage' | 'sessionStorage', key: string, value: string): void {
  try {
    window[kind].setItem(key, value);
  } catch {
    // See above.
  }
}
