/** Room names: they are part of the page's URL and of the channel's name, so both stay readable. */

export const kLobby = 'lobby';
/** For people who have signed in. */
export const kMembersRoom = 'members';
/** Rooms offered to everybody; any other name works as well. */
export const kSuggestedRooms: readonly string[] = [kLobby, 'design', 'random'];

const kNameLengthMax = 32;
const kName = /^[\p{Letter}\p{Number}][\p{Letter}\p{Number}-]*$/u;

/** What a person typed as a room's name, made usable; undefined when nothing is left of it. */
export function roomName(typed: string): string | undefined {
  const name = typed
    .normalize('NFC')
    .trim()
    .toLowerCase()
    .replace(/[\s_]+/g, '-')
    .replace(/^[-#]+|-+$/g, '')
    .slice(0, kNameLengthMax);
  return kName.test(name) ? name : undefined;
}

/** The room that a path segment names; undefined when no room can have that name. */
export function roomFromSegment(segment: string): string | undefined {
  try {
    const name = decodeURIComponent(segment);
    return roomName(name) === name ? name : undefined;
  } catch {
    return undefined;
  }
}

export const roomPath = (room: string): string =>
  room === kLobby ? '/' : `/room/${encodeURIComponent(room)}`;

/** The room that a page's path shows; the lobby unless it names another. */
export function roomFromPath(pathname: string): string {
  const segment = /^\/room\/([^/]+)\/?$/.exec(pathname)?.[1];
  return (segment && roomFromSegment(segment)) || kLobby;
}
