'use client';

import { useState, useSyncExternalStore } from 'react';

/**
 * What `select` takes of a snapshot; the component is rendered only when that changes, compared
 * member by member. `select` may be another function in every render.
 */
export function useSelected<S, U>(
  subscribe: (changed: () => void) => () => void,
  read: () => S,
  readServer: () => S,
  select: ((snapshot: S) => U) | undefined,
): S | U {
  const [selected] = useState(() => selector<S, U>());
  return useSyncExternalStore(
    subscribe,
    () => selected(read(), select),
    () => selected(readServer(), select),
  );
}

/**
 * Remembers one answer: the same snapshot and function give the same object, however deep it is,
 * so that React finds rest; and one that is equal to the last is the last.
 */
function selector<S, U>() {
  let last: { snapshot: S; select: ((snapshot: S) => U) | undefined; value: S | U } | undefined;
  return (snapshot: S, select: ((snapshot: S) => U) | undefined): S | U => {
    if (last && last.snapshot === snapshot && last.select === select) return last.value;
    const next = select ? select(snapshot) : snapshot;
    const value = last && shallowEqual(last.value, next) ? last.value : next;
    last = { snapshot, select, value };
    return value;
  };
}

export function shallowEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(
      (key) => Object.hasOwn(b, key) && Object.is(a[key as keyof object], b[key as keyof object]),
    )
  );
}
