'use client';
import { AnywireProvider } from '@anywire/react';
import { AnywireDevtools } from '@anywire/react/devtools';
import type { ReactNode } from 'react';

export function Providers({ children }: { children: ReactNode }) {
  return (
    <AnywireProvider url="/anywire">
      {children}
      <AnywireDevtools />
    </AnywireProvider>
  );
}
