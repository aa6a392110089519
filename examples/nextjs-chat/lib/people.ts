/** Who is in a room, from presence: a person is one, in however many windows. */

import type { Author } from './contract';

export interface Person extends Author {
  readonly typing: boolean;
}

interface PresentMember {
  readonly client: string;
  readonly info?: Person | undefined;
}

/**
 * One entry for each person, by name. Members of whom nothing is known are left out, as others may
 * enter a room with whatever info they like.
 */
export function peopleOf(members: readonly PresentMember[]): readonly Person[] {
  const people = new Map<string, Person>();
  for (const { info } of members) {
    if (!info?.id || !info.name) continue;
    const typing = info.typing || (people.get(info.id)?.typing ?? false);
    people.set(info.id, { ...info, typing });
  }
  return [...people.values()].sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

/** The line below the conversation; empty when nobody writes. */
export function typingText(names: readonly string[]): string {
  const [one, two] = names;
  if (one === undefined) return '';
  if (two === undefined) return `${one} is typing`;
  return names.length === 2 ? `${one} and ${two} are typing` : `${names.length} people are typing`;
}

/** Who has come and who has gone between two moments; nothing before the first is known. */
export function comingsAndGoings(
  before: readonly Person[] | undefined,
  now: readonly Person[],
): { readonly joined: readonly Person[]; readonly left: readonly Person[] } {
  if (!before) return { joined: [], left: [] };
  const ids = (people: readonly Person[]) => new Set(people.map(({ id }) => id));
  const [was, is] = [ids(before), ids(now)];
  return {
    joined: now.filter(({ id }) => !was.has(id)),
    left: before.filter(({ id }) => !is.has(id)),
  };
}

/** The same in words, short enough for one line. */
export function arrivalText(joined: readonly Person[], left: readonly Person[]): string {
  const names = (people: readonly Person[], verb: string) => {
    if (people.length === 0) return '';
    return people.length === 1 ? `${people[0]?.name} ${verb}` : `${people.length} people ${verb}`;
  };
  return [names(joined, 'joined'), names(left, 'left')].filter(Boolean).join(', ');
}
