'use client';
import { useHistory } from '@anywire/react/suspense';
import { Suspense } from 'react';
import { rt } from './contract';

export function LogPage({ id }: { id: string }) {
  return (
    <Suspense fallback={<p>Loading…</p>}>
      <Messages id={id} />
    </Suspense>
  );
}

function Messages({ id }: { id: string }) {
  const { messages } = useHistory(rt.channel('room:{id}', { id }));
  return <p>{messages.length} messages</p>; // never rendered before they are there
}
