'use client';

import { createContext, type ReactNode, useContext } from 'react';
import type { Author } from '../lib/contract';

interface SessionState {
  /** Who is signed in; undefined for guests, whose name is their tab's. */
  readonly account: Author | undefined;
  readonly canSignIn: boolean;
}

const SessionContext = createContext<SessionState>({ account: undefined, canSignIn: false });

export const useSession = (): SessionState => useContext(SessionContext);

/** What the server knows of the person who asked for the page. */
export function Session({ children, ...state }: SessionState & { children: ReactNode }) {
  return <SessionContext value={state}>{children}</SessionContext>;
}
