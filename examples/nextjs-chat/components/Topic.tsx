'use client';

import { useLatest, useRpc } from '@anywire/react';
import { type FormEvent, useId, useState } from 'react';
import { kTopicLengthMax, rt, topicChannel } from '../lib/contract';
import { Icon } from './Icon';
import { useSession } from './Session';

/**
 * What a room is about. It is set by a method of the application, which decides who may and tells
 * everybody: a page that asked the channel directly would be refused by its rule.
 */
export function Topic({ room }: { room: string }) {
  const { account, canSignIn } = useSession();
  const topic = useLatest(canSignIn ? topicChannel(room) : null, ({ data }) => data.topic);
  const set = useRpc(rt.rpc('topic.set'));
  const [typed, setTyped] = useState<string>();
  const id = useId();
  if (!canSignIn || !(topic || account)) return null;

  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (!typed?.trim()) return setTyped(undefined);
    try {
      await set.call({ room, topic: typed.trim() });
      setTyped(undefined);
    } catch {
      // Shown below; what was typed stays.
    }
  };

  if (typed === undefined) {
    return (
      <p className="topic">
        {topic ? <span title={topic}>{topic}</span> : <span aria-hidden="true">No topic yet</span>}
        {account && (
          <button type="button" onClick={() => setTyped(topic ?? '')} title="Change the topic">
            <span className="unseen">Change the topic</span>
            <Icon name="edit" />
          </button>
        )}
      </p>
    );
  }
  return (
    <form className="topic" onSubmit={(event) => void save(event)}>
      <label className="unseen" htmlFor={id}>
        Topic of this room
      </label>
      <input
        id={id}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && setTyped(undefined)}
        maxLength={kTopicLengthMax}
        disabled={set.isPending}
        // The person just pressed "change": the field is where they expect to be.
        ref={(input) => input?.focus()}
      />
      {set.error && <span role="alert">{set.error.message}</span>}
    </form>
  );
}
