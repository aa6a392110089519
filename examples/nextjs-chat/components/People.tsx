'use client';

import { useEffect, useRef } from 'react';
import type { Person } from '../lib/people';
import { Avatar } from './Avatar';

const kFacesMax = 4;

/** Who is here: a few faces, and all names on demand. */
export function People({
  people,
  me,
  count,
}: {
  people: readonly Person[];
  me: string | undefined;
  /** All who are present, also where the list is too long to be sent. */
  count: number;
}) {
  const all = Math.max(people.length, people.length === 0 ? count : 0);
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      const { current } = box;
      if (!current?.open) return;
      const dismissed = event instanceof KeyboardEvent && event.key === 'Escape';
      const elsewhere = event.type === 'pointerdown' && !current.contains(event.target as Node);
      if (!dismissed && !elsewhere) return;
      current.open = false;
      if (dismissed) current.querySelector('summary')?.focus();
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('keydown', close);
    };
  }, []);

  return (
    <details className="people" ref={box} data-empty={all === 0 || undefined}>
      <summary>
        <span className="unseen">{all === 1 ? '1 person' : `${all} people`} here</span>
        <span className="faces" aria-hidden="true">
          {people.slice(0, kFacesMax).map((person) => (
            <Avatar key={person.id} author={person} small />
          ))}
        </span>
        <span className="number" aria-hidden="true">
          {all}
        </span>
      </summary>
      <div className="card">
        <h2>In this room</h2>
        <ul>
          {people.map((person) => (
            <li key={person.id} data-typing={person.typing || undefined}>
              <Avatar author={person} small />
              <span className="text">{person.name}</span>
              {person.id === me && <small>you</small>}
              {person.typing && person.id !== me && <small>typing…</small>}
            </li>
          ))}
        </ul>
      </div>
    </details>
  );
}
