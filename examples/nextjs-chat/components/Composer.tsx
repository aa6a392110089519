'use client';

import { type FormEvent, type KeyboardEvent, useId, useState } from 'react';
import { kTextLengthMax } from '../lib/contract';
import { Icon } from './Icon';

interface Props {
  readonly room: string;
  readonly ready: boolean;
  /** What is in the field now. */
  readonly onInput: (text: string) => void;
  readonly submit: (text: string) => void;
}

export function Composer({ room, ready, onInput, submit }: Props) {
  const id = useId();
  const [text, setText] = useState('');
  const left = kTextLengthMax - text.length;

  const send = () => {
    if (!ready || !text.trim()) return;
    submit(text.trim());
    setText('');
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
      <div className="field">
        <label className="unseen" htmlFor={id}>
          Message to #{room}
        </label>
        <textarea
          id={id}
          rows={1}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            onInput(event.target.value);
          }}
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
