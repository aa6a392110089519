'use client';
import { useHistory } from '@anywire/react';
import { rt } from './contract';

export function Log({ id }: { id: string }) {
  const { messages, fetchOlder, hasOlder, isFetching, gaps } = useHistory(
    rt.channel('room:{id}', { id }),
    { pageSize: 20 },
  );
  return (
    <>
      {hasOlder && (
        <button type="button" disabled={isFetching} onClick={() => fetchOlder()}>
          Older messages
        </button>
      )}
      <ol>
        {messages.map((message) => (
          <li key={`${message.epoch}:${message.offset}`}>{message.data.text}</li>
        ))}
      </ol>
      {gaps.length > 0 && <p>Some messages could not be recovered.</p>}
    </>
  );
}
