'use client';
import { useOptimisticPublish } from '@anywire/react';
import { useState } from 'react';
import { rt } from './contract';

export function Chat({ id }: { id: string }) {
  const [text, setText] = useState('');
  const { messages, publish, retry, discard } = useOptimisticPublish(
    rt.channel('room:{id}', { id }),
  );
  return (
    <>
      <ol>
        {messages.map((message) => (
          <li key={message.key} aria-busy={message.pending === true}>
            {message.data.text}
            {message.failed && (
              <>
                <em> not sent: {message.failed.message} </em>
                <button type="button" onClick={() => retry(message.key)}>
                  Try again
                </button>
                <button type="button" onClick={() => discard(message.key)}>
                  Discard
                </button>
              </>
            )}
          </li>
        ))}
      </ol>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          publish({ text });
          setText('');
        }}
      >
        <input aria-label="Message" value={text} onChange={(e) => setText(e.target.value)} />
      </form>
    </>
  );
}
