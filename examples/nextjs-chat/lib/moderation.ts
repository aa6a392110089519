/** What the application has to say about messages and rooms: the answers to the server's hooks. */

import { refuse, type PublishAnswer, type Refusal } from '@anywire/server/hooks';
import { accountOf } from './accounts';
import { kGuest, type Said } from './contract';
import { kMembersRoom } from './rooms';

/** Short, because this is an example; a real one would not be a list of words. */
const kRude = /\b(darn|heck|blasted)\b/i;

/** Rooms are open to everybody, but for one. */
export function judgeVisit(channel: string, user: string | undefined): Refusal | undefined {
  if (channel !== `room:${kMembersRoom}` || accountOf(user)) return undefined;
  return refuse('This room is for people who have signed in.', { reason: 'members' });
}

/**
 * Rude words are not published. Whoever has signed in speaks under their own name, and nobody else
 * does, whatever a page may send.
 */
export function judgeMessage(
  { text, from }: Said,
  user: string | undefined,
): Refusal | PublishAnswer<Said> | undefined {
  if (kRude.test(text)) return refuse('Please be kind.', { reason: 'rude' });
  const account = accountOf(user);
  if (account) return { data: { text, from: account } };
  return accountOf(from.id) ? { data: { text, from: kGuest } } : undefined;
}
