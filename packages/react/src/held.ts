'use client';

import { useEffect, useInsertionEffect, useState, useSyncExternalStore } from 'react';
import type { Source } from './source';

/** Keeps what `make` made until one of `keys` changes. Nothing of the former is shown with the new. */
export function useHeld<V>(keys: readonly unknown[], make: () => V): V {
  const [held, hold] = useState(() => ({ keys, value: make() }));
  if (keys.every((key, i) => Object.is(key, held.keys[i]))) return held.value;
  const next = { keys, value: make() };
  hold(next);
  return next.value;
}

/** A source whose options are always the newest, attached while the component is mounted. */
export function useAttached<O>(
  source: { update(options: O): void; attach(): () => void },
  options: O,
): void {
  // Before any other effect of this commit, so that all of them find the newest callbacks.
  useInsertionEffect(() => source.update(options));
  useEffect(() => source.attach(), [source]);
}

export function useSnapshot<S>(source: Source<S>): S {
  return useSyncExternalStore(source.subscribe, source.getSnapshot, source.getSnapshot);
}
