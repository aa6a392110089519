/** The states of a connection in words a person understands. */

import type { ConnectionState } from '@anywire/react';

type Link = Pick<ConnectionState, 'state' | 'attempt' | 'transport'>;

/** It was there before, or has been tried for: so this is not the first moment of a page. */
export const isBack = (link: Pick<Link, 'attempt'>, wasOpen: boolean): boolean =>
  wasOpen || link.attempt > 0;

export function describeState(link: Link, wasOpen: boolean): string {
  switch (link.state) {
    case 'open':
      return 'Online';
    case 'waiting':
      return 'Reconnecting';
    case 'offline':
      return 'Offline';
    case 'closed':
      return 'Disconnected';
    case 'failed':
      return 'Cannot connect';
    default:
      return isBack(link, wasOpen) ? 'Reconnecting' : 'Joining';
  }
}

/** Worth a word only where WebSocket is blocked; everything works all the same. */
export function describeTransport(transport: string | undefined): string {
  if (transport === 'sse') return 'event stream';
  return transport === 'poll' ? 'long polling' : '';
}

/** What becomes of what is written while there is no connection. */
export function keptText(waiting: number): string {
  if (waiting === 0) return 'What you write is kept and sent as soon as you are back.';
  return waiting === 1
    ? 'Your message is kept and goes out as soon as you are back.'
    : `Your ${waiting} messages are kept and go out as soon as you are back.`;
}
