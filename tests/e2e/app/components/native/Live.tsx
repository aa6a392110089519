'use client';

import { AnywireProvider } from '@anywire/react';
import type { ReactNode } from 'react';

/** The page's own origin: next.config.ts leads it to the server. */
export function Live({ children }: { children: ReactNode }) {
  return <AnywireProvider url="/anywire">{children}</AnywireProvider>;
}
