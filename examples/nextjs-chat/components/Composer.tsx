'use client';

import { type FormEvent, type KeyboardEvent, useId, useState } from 'react';
import { kTextLengthMax } from '../lib/message';
import { Icon } from './Icon';

interface Props {
  readonly room: string;
  readonly ready: boolean;
  /** False when the message was not taken; the text then stays where it is. */
  readonly submit: (text: string) => boolean;
}

export function Composer({ room, ready, submit }: Props) {
  const id = useId();
  const [text, setText] = useState('');
  const [refused, setRefused] = useState(false);
  const left = kTextLengthMax - text.length;

  const send = () => {
    if (!ready || !text.trim()) return;
    const taken = submit(text.trim());
    setRefused(!taken);
    if (taken) setText('');
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    send();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes, Enter picks a word and must not send.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };

  return (
    <form className="composer" onSubmit={onSubmit}>
      {refused && (
        <p className="refused" role="alert">
          Not sent: too much is waiting already. Your text is still here; try again when you are
          online.
        </p>
      )}
      <div className="field">
        <label className="unseen" htmlFor={id}>
          Message to #{room}
        </label>
        <textarea
          id={id}
          rows={1}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          maxLength={kTextLengthMax}
          placeholder={`Message #${room}`}
          enterKeyHint="send"
        />
        {left < 200 && <span className="left">{left}</span>}
        <button className="send" type="submit" disabled={!ready || !text.trim()} aria-label="Send">
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}
