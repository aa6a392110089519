'use client';

import { useEffect, useRef, useState } from 'react';
import { arrivalText, comingsAndGoings, type Person } from './people';

const kShownMs = 4000;

/**
 * "Grace joined", for a few seconds. `people` are the others, and undefined while the list is not
 * known; who is there when it becomes known for the first time has not joined just now.
 */
export function useArrivals(people: readonly Person[] | undefined): string {
  const [text, setText] = useState('');
  const known = useRef<readonly Person[]>(undefined);
  useEffect(() => {
    if (!people) return;
    const { joined, left } = comingsAndGoings(known.current, people);
    known.current = people;
    if (joined.length > 0 || left.length > 0) setText(arrivalText(joined, left));
  }, [people]);
  useEffect(() => {
    if (text === '') return;
    const timer = setTimeout(() => setText(''), kShownMs);
    return () => clearTimeout(timer);
  }, [text]);
  return text;
}
