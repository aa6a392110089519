'use client';
import { usePresence } from '@anywire/react';
import { rt } from './contract';

export function WhoIsHere({ id, name }: { id: string; name: string }) {
  const { others, count, update } = usePresence(rt.channel('room:{id}', { id }), { name });
  return (
    <aside>
      <p>{count} here</p>
      <ul>
        {others.map((member) => (
          <li key={member.client}>
            {member.info?.name}
            {member.info?.typing && ' is typing…'}
          </li>
        ))}
      </ul>
      <input
        aria-label="Message"
        onChange={(event) => update({ name, typing: event.target.value !== '' })}
      />
    </aside>
  );
}
