'use client';

import type { OptimisticState } from '@anywire/react';
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Author, Said } from '../lib/contract';
import type { Mark as ReadMark } from '../lib/read-marks';
import { roomPath } from '../lib/rooms';
import {
  describeGap,
  keyOf,
  type LineEntry,
  localDay,
  type RoomMessage,
  timeline,
  utcDay,
} from '../lib/timeline';
import { useFollow } from '../lib/useFollow';
import { useHydrated } from '../lib/useMe';
import { useNear } from '../lib/useNear';
import { useReading } from '../lib/useUnread';
import { Avatar, hueStyle } from './Avatar';
import { Icon, Mark } from './Icon';
import { OwnLines } from './OwnLines';
import { Day, Time } from './Time';

/** What `useOptimisticPublish` gives of a room. */
export type RoomState = Pick<
  OptimisticState<RoomMessage & { readonly data: Said }>,
  | 'messages'
  | 'gaps'
  | 'hasOlder'
  | 'isFetching'
  | 'fetchOlder'
  | 'fetchNewer'
  | 'toLive'
  | 'atLive'
  | 'status'
  | 'retry'
  | 'discard'
>;

interface Props {
  readonly room: RoomState;
  readonly name: string;
  /** Up to where the room went when the page was rendered. */
  readonly top: ReadMark | undefined;
  readonly me: Author | undefined;
  readonly connected: boolean;
}

export function MessageList({ room, name, top, me, connected }: Props) {
  const { messages, gaps, retry, discard } = room;
  const dayOf = useHydrated() ? localDay : utcDay;
  const entries = useMemo(() => timeline(messages, gaps, dayOf), [messages, gaps, dayOf]);
  // Far above, the newest have made room for older ones.
  const behind = room.status === 'live' && !room.atLive;
  const { box, following, seesEnd, toEnd, onScroll } = useFollow(entries, behind);
  const atNewest = following && !behind;
  const unseen = useUnseen(messages, atNewest, seesEnd);
  const newest = messages.findLast(({ offset }) => Number.isFinite(offset));
  // In a room where nothing has been said, what is read is nothing, and that is remembered, too.
  const mark = newest?.epoch === undefined ? top : { ...newest, epoch: newest.epoch };
  useReading(name, me?.id, mark, atNewest ? seesEnd : undefined);
  // Whoever writes wants to see it, wherever they were reading.
  const mine = messages.at(-1)?.pending && keyOf(messages.at(-1) as RoomMessage);
  useEffect(() => {
    if (mine) toEnd();
  }, [mine, toEnd]);

  const jump = () => {
    void room.toLive().then(toEnd);
    toEnd();
  };

  return (
    <div className="conversation">
      <div
        className="log"
        role="log"
        aria-label={`Messages in #${name}`}
        aria-busy={room.isFetching}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys must reach a box that scrolls.
        tabIndex={0}
        ref={box}
        onScroll={onScroll}
      >
        <div className="talk">
          {entries.length === 0 ? (
            <Welcome name={name} status={room.status} />
          ) : (
            <Top room={room} name={name} first={entries[0]?.key} />
          )}
          <ol>
            {entries.map((entry) => {
              if (entry.kind === 'day') return <DayItem key={entry.key} at={entry.time} />;
              if (entry.kind === 'gap') return <GapItem key={entry.key} {...entry.gap} />;
              const own = entry.from.id === me?.id;
              return <LineItem key={entry.key} {...{ entry, own, connected, retry, discard }} />;
            })}
          </ol>
          {behind && <Bottom room={room} last={newest && keyOf(newest)} />}
          <OwnLines me={me?.id} />
        </div>
      </div>
      {!atNewest && (
        <button className="jump" type="button" onClick={jump} data-new={unseen > 0 || undefined}>
          {unseen > 0
            ? unseen === 1
              ? '1 new message'
              : `${unseen} new messages`
            : 'To the newest'}
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

/**
 * Messages below the newest one that was in view. `sees`: who has just scrolled away has not seen
 * what came at the same time, though `atNewest` will only tell with the next render.
 */
function useUnseen(
  messages: readonly RoomMessage[],
  atNewest: boolean,
  sees: () => boolean,
): number {
  const inView = useRef<string>(undefined);
  const [seen, setSeen] = useState<string>();
  const last = messages.at(-1);
  const newest = last && keyOf(last);
  useLayoutEffect(() => {
    if (!atNewest) setSeen(inView.current);
    else if (sees()) inView.current = newest;
  }, [newest, atNewest, sees]);
  if (atNewest) return 0;
  const at = messages.findLastIndex((message) => keyOf(message) === seen);
  // Far above, what was seen last is not in the list any more; how many came since is unknown.
  return at < 0 ? 0 : messages.length - 1 - at;
}

/** The way back in time: asks for the page before whenever the top comes near. */
function Top({ room, name, first }: { room: RoomState; name: string; first: string | undefined }) {
  const { hasOlder, isFetching, fetchOlder, status } = room;
  const edge = useRef<HTMLDivElement>(null);
  const open = hasOlder && !isFetching;
  useNear(edge, { at: first, open, live: status === 'live', fetch: fetchOlder });

  return (
    <div className="top" ref={edge}>
      {hasOlder ? (
        <button type="button" onClick={() => void fetchOlder()} disabled={status !== 'live'}>
          {room.isFetching ? 'Loading older messages…' : 'Older messages'}
        </button>
      ) : (
        <p>This is where #{name} begins.</p>
      )}
    </div>
  );
}

/** The way down again from far above, where the newest have made room for older ones. */
function Bottom({ room, last }: { room: RoomState; last: string | undefined }) {
  const { isFetching, fetchNewer, status } = room;
  const edge = useRef<HTMLDivElement>(null);
  useNear(edge, { at: last, open: !isFetching, live: status === 'live', fetch: fetchNewer });
  return <div ref={edge} />;
}

function Welcome({ name, status }: { name: string; status: RoomState['status'] }) {
  if (status === 'off' || status === 'connecting') return <div className="welcome" />;
  return (
    <div className="welcome">
      <Mark />
      <h2>It is quiet in #{name}</h2>
      <p>
        Say hello, or{' '}
        <a href={roomPath(name)} target="_blank" rel="noopener">
          open a second tab
        </a>{' '}
        and talk to yourself: each tab is a person of its own.
      </p>
    </div>
  );
}

function DayItem({ at }: { at: number }) {
  return (
    <li className="day">
      <Day at={at} />
    </li>
  );
}

function GapItem(gap: Parameters<typeof describeGap>[0]) {
  return (
    <li className="gap">
      <span>{describeGap(gap)}</span>
    </li>
  );
}

interface LineProps extends Pick<RoomState, 'retry' | 'discard'> {
  readonly entry: LineEntry;
  readonly own: boolean;
  readonly connected: boolean;
}

/** Drawn again only when it has changed: there may be a thousand of them. */
const LineItem = memo(function LineItem(props: LineProps) {
  const { entry, own, connected, retry, discard } = props;
  const { from, line, starts, ends } = entry;
  const { id, status } = line;
  return (
    <li
      className={own ? 'line own' : 'line'}
      style={hueStyle(from.hue)}
      data-from={from.id}
      data-starts={starts || undefined}
      data-ends={ends || undefined}
      data-status={status}
      suppressHydrationWarning // of the class: see OwnLines
    >
      {starts && (
        <>
          <Avatar author={from} />
          <p className="byline">
            <b className="name">{from.name}</b>
            <b className="you">You</b>
            <Time at={line.time} />
          </p>
        </>
      )}
      <p className="bubble" data-line={entry.key}>
        {line.text}
      </p>
      {status === 'pending' && (
        <p className="note">
          <Icon name="clock" />
          {connected ? 'Sending…' : 'Waiting for the connection'}
        </p>
      )}
      {status === 'failed' && id !== undefined && (
        <p className="note" role="alert">
          <Icon name="alert" />
          {line.refusal ? `Not sent: ${line.refusal}` : 'Not sent'}
          <button type="button" onClick={() => void retry(id).catch(() => {})}>
            Try again
          </button>
          <button type="button" onClick={() => discard(id)}>
            Discard
          </button>
        </p>
      )}
    </li>
  );
});
