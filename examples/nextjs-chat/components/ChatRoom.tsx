'use client';

import { useConnectionState, useOptimisticPublish, usePresence } from '@anywire/react';
import { useMemo, useState } from 'react';
import { roomChannel } from '../lib/contract';
import { peopleOf } from '../lib/people';
import type { Mark } from '../lib/read-marks';
import { useArrivals } from '../lib/useArrivals';
import { useMe } from '../lib/useMe';
import { useTyping } from '../lib/useTyping';
import { Composer } from './Composer';
import { ConnectionBanner, ConnectionPill } from './Connection';
import { MessageList } from './MessageList';
import { People } from './People';
import { Topic } from './Topic';
import { Whispers } from './Whispers';

/** What is written while there is no connection goes out when it is back, if that is by then. */
const kPublishMs = 10 * 60_000;

interface Props {
  readonly room: string;
  /** Up to where the room went when the page was rendered. */
  readonly top: Mark | undefined;
}

/** One room: what is said in it, who is there, and how the connection is. */
export function ChatRoom({ room: name, top }: Props) {
  const me = useMe();
  const channel = roomChannel(name);
  const [typing, onInput] = useTyping();
  const room = useOptimisticPublish(channel);
  const presence = usePresence(channel, me && { ...me, typing });
  const link = useConnectionState();
  const [wasOpen, setWasOpen] = useState(false);
  if (link.connected && !wasOpen) setWasOpen(true);

  const people = useMemo(() => peopleOf(presence.members), [presence.members]);
  const others = useMemo(
    () => (presence.complete ? people.filter(({ id }) => id !== me?.id) : undefined),
    [people, presence.complete, me?.id],
  );
  const arrivals = useArrivals(others);
  const refused = room.status === 'refused' ? room.error?.message : undefined;

  const say = (text: string) => {
    if (!me) return;
    onInput('');
    // What goes wrong is shown on the message, with what one can do about it.
    room.publish({ text, from: me }, { timeout: kPublishMs }).catch(() => {});
  };

  return (
    <main>
      <header>
        <h1>
          <span aria-hidden="true">#</span>
          {name}
        </h1>
        <Topic room={name} />
        <People people={people} me={me?.id} count={presence.count} />
        <ConnectionPill link={link} wasOpen={wasOpen} />
      </header>
      <ConnectionBanner
        link={link}
        wasOpen={wasOpen}
        refused={refused}
        waiting={room.messages.filter(({ pending }) => pending).length}
      />
      <MessageList room={room} name={name} top={top} me={me} connected={link.connected} />
      <Whispers
        typing={(others ?? []).filter((one) => one.typing).map((one) => one.name)}
        arrivals={arrivals}
      />
      <Composer room={name} ready={me !== undefined} onInput={onInput} submit={say} />
      <i className="whole" hidden />
    </main>
  );
}
