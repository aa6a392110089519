'use client';

import { type FormEvent, type KeyboardEvent, useId, useRef, useState } from 'react';
import { type Author, kNameLengthMax } from '../lib/contract';
import Link from 'next/link';
import { signOut } from '../lib/actions';
import { rename } from '../lib/identity';
import { Avatar } from './Avatar';
import { Icon } from './Icon';
import { useSession } from './Session';

/** Who am I here, and a way to change it. Empty on the server, which cannot know. */
export function Profile({ me }: { me: Author | undefined }) {
  const [editing, setEditing] = useState(false);
  const { account, canSignIn } = useSession();
  const guest = canSignIn && !account;
  if (!me) return <div className="profile" data-guest={guest || undefined} aria-hidden="true" />;
  if (account) {
    return (
      <form className="profile" action={signOut}>
        <Avatar author={account} />
        <b className="name">{account.name}</b>
        <button className="button" type="submit">
          Sign out
        </button>
      </form>
    );
  }
  return (
    <div className="profile">
      <Avatar author={me} />
      {editing ? (
        <NameForm name={me.name} done={() => setEditing(false)} />
      ) : (
        <button
          className="name"
          type="button"
          onClick={() => setEditing(true)}
          title="Change your name"
        >
          <span className="unseen">Your name: </span>
          <span className="text">{me.name}</span>
          <Icon name="edit" />
        </button>
      )}
      {guest && !editing && (
        <Link className="button" href="/sign-in">
          Sign in
        </Link>
      )}
    </div>
  );
}

function NameForm({ name, done }: { name: string; done: () => void }) {
  const id = useId();
  const [typed, setTyped] = useState(name);
  const cancelled = useRef(false);

  const save = (event?: FormEvent) => {
    event?.preventDefault();
    if (!cancelled.current) rename(typed);
    done();
  };
  const cancel = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    cancelled.current = true;
    done();
  };

  return (
    <form onSubmit={save}>
      <label className="unseen" htmlFor={id}>
        Your name
      </label>
      <input
        id={id}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={() => save()}
        onKeyDown={cancel}
        onFocus={(event) => event.target.select()}
        maxLength={kNameLengthMax}
        autoComplete="nickname"
        // The person just pressed "change": the field is where they expect to be.
        ref={(input) => input?.focus()}
      />
    </form>
  );
}
