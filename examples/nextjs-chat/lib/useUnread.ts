'use client';

import { history } from '@anywire/client';
import { useAnywire, useChannelEvent } from '@anywire/react';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { roomChannel } from './contract';
import * as marks from './read-marks';

/**
 * How many messages of a room this person has not seen. The room that is open counts itself read
 * (see `useReading`), so it needs no counting: `away` is false for it.
 */
export function useUnread(room: string, person: string | undefined, away: boolean): number {
  const client = useAnywire();
  const [newest, setNewest] = useState<marks.Mark>();
  const mark = useMark(room, person);

  useChannelEvent(away ? roomChannel(room) : null, ({ epoch, offset }) => {
    if (epoch !== undefined) setNewest({ epoch, offset });
  });

  // What came before this page was opened.
  useEffect(() => {
    if (!away || person === undefined) return;
    let wanted = true;
    const asked = history(client.channel(roomChannel(room)), { order: 'backward', limit: 1 });
    asked.then(
      ({ epoch, top }) => {
        if (!wanted) return;
        setNewest((now) =>
          now?.epoch === epoch && now.offset > top ? now : { epoch, offset: top },
        );
        // In a room where one has never been, everything so far is none of one's business.
        if (!marks.snapshot(person)[room]) marks.markRead(person, room, { epoch, offset: top });
      },
      () => {
        // The connection says what is wrong; the number comes with the next message.
      },
    );
    return () => {
      wanted = false;
    };
  }, [client, room, person, away]);

  return away ? marks.unreadOf(mark, newest) : 0;
}

/**
 * Marks a room as read up to its newest message while the person looks at it: `looking` is asked
 * when it matters, as they may have scrolled away just now, and undefined while they do not.
 */
export function useReading(
  room: string,
  person: string | undefined,
  newest: marks.Mark | undefined,
  looking: (() => boolean) | undefined,
): void {
  const { epoch, offset } = newest ?? {};
  useEffect(() => {
    if (person === undefined || epoch === undefined || offset === undefined || !looking) return;
    const mark = () => {
      if (document.visibilityState !== 'visible' || !looking()) return;
      marks.markRead(person, room, { epoch, offset });
    };
    mark();
    document.addEventListener('visibilitychange', mark);
    return () => document.removeEventListener('visibilitychange', mark);
  }, [room, person, epoch, offset, looking]);
}

function useMark(room: string, person: string | undefined): marks.Mark | undefined {
  const read = () => marks.snapshot(person)[room];
  return useSyncExternalStore(marks.subscribe, read, () => undefined);
}
