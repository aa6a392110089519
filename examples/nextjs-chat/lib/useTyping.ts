'use client';

import { useCallback, useEffect, useRef, useState } from 'react';

/** Who has stopped for so long is thinking, or has gone for coffee. */
const kIdleMs = 3000;

/** Whether this person is typing, to be told to the others by presence; nothing of it is stored. */
export function useTyping(): readonly [typing: boolean, onInput: (text: string) => void] {
  const [typing, setTyping] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const onInput = useCallback((text: string) => {
    clearTimeout(timer.current);
    setTyping(text !== '');
    if (text !== '') timer.current = setTimeout(() => setTyping(false), kIdleMs);
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);
  return [typing, onInput];
}
