/**
 * What travels in a room, and how it is read back. A room is open to any WebSocket client, so what
 * arrives is anybody's text: it is checked and cut to size here, once, before the page sees it.
 */

export interface Author {
  readonly id: string;
  readonly name: string;
  /** Degrees on the colour wheel. */
  readonly hue: number;
}

export interface Message {
  /** Chosen by the sender. It tells an echo from a new message and a repeat from a second one. */
  readonly id: string;
  readonly from: Author;
  readonly text: string;
  /** By the sender's clock, in ms since 1970. */
  readonly at: number;
}

export const kTextLengthMax = 2000;
export const kNameLengthMax = 32;

type Unknown = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (value: unknown, lengthMax: number): string =>
  typeof value === 'string' ? value.trim().slice(0, lengthMax) : '';

const kTimeMax = 8.64e15;
const time = (value: unknown): number | undefined =>
  typeof value === 'number' && Math.abs(value) <= kTimeMax ? value : undefined;

const kGuest: Author = { id: 'guest', name: 'Guest', hue: 250 };

/**
 * Reads one arrival. Full messages come from this page; a bare string or the seed's `{ msg }` comes
 * from a terminal or another client and shows up as a guest. Everything else is not for this page.
 * `arrival` stands in for the id and the time that a guest's message lacks.
 */
export function parseMessage(
  value: unknown,
  arrival: { id: string; at: number },
): Message | undefined {
  if (!isRecord(value)) return guestMessage(value, arrival);
  if ('msg' in value) return guestMessage(value.msg, arrival);
  const from = isRecord(value.from) ? value.from : undefined;
  const author = {
    id: text(from?.id, 64),
    name: text(from?.name, kNameLengthMax),
    hue: Math.round(time(from?.hue) ?? 0) % 360,
  };
  const message = {
    id: text(value.id, 64),
    from: author,
    text: text(value.text, kTextLengthMax),
    at: time(value.at),
  };
  if (!message.id || !message.text || !author.id || !author.name) return undefined;
  return { ...message, at: message.at ?? arrival.at };
}

function guestMessage(value: unknown, arrival: { id: string; at: number }): Message | undefined {
  const said = text(value, kTextLengthMax);
  return said ? { ...arrival, from: kGuest, text: said } : undefined;
}

/** Messages of one person in a row, shown under one name. */
export interface Group {
  readonly key: string;
  readonly from: Author;
  readonly messages: readonly Message[];
}

/** After a silence this long the name and the time are shown again. */
export const kGroupGapMs = 5 * 60_000;

/** Whether `next` belongs under the same heading as `last`. */
export function continues(last: Message, next: Message): boolean {
  return (
    last.from.id === next.from.id &&
    last.from.name === next.from.name &&
    Math.abs(next.at - last.at) < kGroupGapMs
  );
}
