'use client';

import { useSyncExternalStore } from 'react';
import { useSession } from '../components/Session';
import type { Author } from './contract';
import * as identity from './identity';

/**
 * Who writes in this tab: the account that is signed in, else whoever sits here; undefined on the
 * server and until the tab has taken its seat.
 */
export function useMe(): Author | undefined {
  const { account } = useSession();
  const guest = useSyncExternalStore(
    identity.subscribe,
    identity.snapshot,
    identity.serverSnapshot,
  );
  return account ?? guest;
}

const never = () => () => {};

/** False on the server and in the first render in the browser, which has to be the server's. */
export const useHydrated = (): boolean =>
  useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
