/** The rooms this browser has been to, newest first, for useSyncExternalStore. */

import { kSuggestedRooms, roomName } from './rooms';

const kKey = 'anywire-chat:rooms';
const kRoomsMax = 8;
const kNone: readonly string[] = [];

const listeners = new Set<() => void>();
let rooms: readonly string[] | undefined;

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const serverSnapshot = (): readonly string[] => kNone;

export function snapshot(): readonly string[] {
  rooms ??= load();
  return rooms;
}

export function visit(room: string): void {
  if (kSuggestedRooms.includes(room) || snapshot().includes(room)) return;
  rooms = [room, ...snapshot()].slice(0, kRoomsMax);
  try {
    localStorage.setItem(kKey, JSON.stringify(rooms));
  } catch {
    // Forbidden or full: the list lives as long as the page.
  }
  for (const listener of listeners) listener();
}

function load(): readonly string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(kKey) ?? '[]');
    if (!Array.isArray(stored)) return kNone;
    return stored
      .filter((room) => typeof room === 'string' && roomName(room) === room)
      .slice(0, kRoomsMax);
  } catch {
    return kNone;
  }
}
