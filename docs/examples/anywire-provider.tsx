'use client';
import { AnywireProvider } from '@anywire/react';
import type { ReactNode } from 'react';

export function Providers({ children }: { children: ReactNode }) {
  return (
    <AnywireProvider url="/anywire" token="/api/anywire/token">
      {children}
    </AnywireProvider>
  );
}
