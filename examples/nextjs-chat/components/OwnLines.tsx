'use client';

import { useEffect } from 'react';
import { kRememberedId } from '../lib/identity';
import { useHydrated } from '../lib/useMe';

/** Marks the lines of the person who is most likely looking. Errors mean that nobody is known. */
const kScript = `try {
  const id = ${kRememberedId};
  for (const line of id ? document.querySelectorAll('[data-from]') : [])
    if (line.dataset.from === id) line.classList.add('own');
} catch {}`;

/**
 * The server does not know whose page it is, so it draws all lines as those of others. This runs
 * before the page is shown for the first time, so that one's own do not jump to the other side
 * later; what it could only guess is corrected when the tab knows who it is.
 */
export function OwnLines({ me }: { me: string | undefined }) {
  const hydrated = useHydrated();
  useEffect(() => {
    if (me === undefined) return;
    for (const line of document.querySelectorAll<HTMLElement>('[data-from]')) {
      line.classList.toggle('own', line.dataset.from === me);
    }
  }, [me]);
  if (hydrated) return null;
  return <script dangerouslySetInnerHTML={{ __html: kScript }} />;
}
