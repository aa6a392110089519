'use client';

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Author, Group, Message } from '../lib/message';
import { roomPath } from '../lib/rooms';
import type { Break } from '../lib/timeline';
import type { Outgoing, Room } from '../lib/useRoom';
import { Avatar, hueStyle } from './Avatar';
import { Icon, Mark } from './Icon';

/** Closer to the end than this, in pixels, counts as reading along. */
const kFollowDistance = 80;

export function MessageList({
  room,
  name,
  me,
}: {
  room: Room;
  name: string;
  me: Author | undefined;
}) {
  const { messages, outgoing, entries } = room;
  const { box, following, toEnd, onScroll } = useFollow(messages, outgoing);
  const [seen, setSeen] = useState<string>();
  const newest = messages.at(-1)?.id;
  // Reading along means having seen the newest; it is the mark from which unseen ones are counted.
  if (following && seen !== newest) setSeen(newest);
  const unseen = following
    ? 0
    : messages.length - 1 - messages.findLastIndex(({ id }) => id === seen);
  const empty = entries.length === 0 && outgoing.length === 0;

  return (
    <div className="conversation">
      <div
        className="log"
        role="log"
        aria-label={`Messages in #${name}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys must reach a box that scrolls.
        tabIndex={0}
        ref={box}
        onScroll={onScroll}
      >
        {empty && <Welcome name={name} />}
        <ol>
          {entries.map((entry) =>
            entry.kind === 'group' ? (
              <GroupItem key={entry.key} group={entry.group} own={entry.group.from.id === me?.id} />
            ) : (
              <BreakItem key={entry.key} gap={entry.gap} />
            ),
          )}
          {outgoing.length > 0 && <OutgoingItem outgoing={outgoing} room={room} />}
        </ol>
      </div>
      {!following && unseen > 0 && (
        <button className="jump" type="button" onClick={toEnd}>
          {unseen === 1 ? '1 new message' : `${unseen} new messages`}
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

/** Keeps the end in view while the person is there, and leaves them alone when they read above. */
function useFollow(messages: readonly Message[], outgoing: readonly Outgoing[]) {
  const box = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const toEnd = useCallback(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
    setFollowing(true);
  }, []);
  const onScroll = () => {
    const { scrollHeight, scrollTop, clientHeight } = box.current ?? document.documentElement;
    setFollowing(scrollHeight - scrollTop - clientHeight < kFollowDistance);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the content is what moves the end.
  useLayoutEffect(() => {
    if (following) toEnd();
  }, [messages, outgoing, following, toEnd]);

  // Whoever writes wants to see it, wherever they were reading.
  const mine = outgoing.at(-1)?.message.id;
  useLayoutEffect(() => {
    if (mine !== undefined) toEnd();
  }, [mine, toEnd]);

  // A keyboard sliding in or a growing composer must not hide the end.
  useEffect(() => {
    if (!following || !box.current) return;
    const observer = new ResizeObserver(toEnd);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [following, toEnd]);

  return { box, following, toEnd, onScroll };
}

function Welcome({ name }: { name: string }) {
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

function GroupItem({ group, own }: { group: Group; own: boolean }) {
  const { from, messages } = group;
  return (
    <li className={own ? 'group own' : 'group'} style={hueStyle(from.hue)}>
      {!own && <Avatar author={from} />}
      <div className="stack">
        <p className="byline">
          <b>{own ? 'You' : from.name}</b>
          {messages[0] && <Time at={messages[0].at} />}
        </p>
        {messages.map((message) => (
          <p className="bubble" key={message.id} title={fullTime.format(message.at)}>
            {message.text}
          </p>
        ))}
      </div>
    </li>
  );
}

function OutgoingItem({ outgoing, room }: { outgoing: readonly Outgoing[]; room: Room }) {
  return (
    <li className="group own">
      <div className="stack">
        {outgoing.map(({ message, failed }) => (
          <div className="outgoing" data-status={failed ? 'failed' : 'pending'} key={message.id}>
            <p className="bubble">{message.text}</p>
            {failed ? (
              <p className="note">
                <Icon name="alert" />
                Not confirmed
                <button type="button" onClick={() => room.retry(message.id)}>
                  Send again
                </button>
                <button type="button" onClick={() => room.discard(message.id)}>
                  Discard
                </button>
              </p>
            ) : (
              <p className="note">
                <Icon name="clock" />
                {room.link.connected ? 'Sending…' : 'Waiting for the connection'}
              </p>
            )}
          </div>
        ))}
      </div>
    </li>
  );
}

function BreakItem({ gap }: { gap: Break }) {
  return (
    <li className="break">
      <span>
        Reconnected at <Time at={gap.until} />. What others wrote since <Time at={gap.since} /> may
        be missing.
      </span>
    </li>
  );
}

// Only drawn in the browser, after a message arrived: no trace of the server's zone and language.
const shortTime = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

function Time({ at }: { at: number }) {
  return <time dateTime={new Date(at).toISOString()}>{shortTime.format(at)}</time>;
}
