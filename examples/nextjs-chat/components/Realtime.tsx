'use client';

import { websocket } from '@anywire/client';
import { poll, sse } from '@anywire/client/fallbacks';
import { AnywireProvider } from '@anywire/react';
import dynamic from 'next/dynamic';
import type { ReactNode } from 'react';
import { useSession } from './Session';

/** In order of preference; the others are for networks that let no WebSocket through. */
const kTransports = [websocket(), sse(), poll()];

/** A timeline of frames, and buttons that take the network away. Not part of production builds. */
const Devtools =
  process.env.NODE_ENV === 'development'
    ? dynamic(() => import('@anywire/react/devtools').then((entry) => entry.AnywireDevtools), {
        ssr: false,
      })
    : undefined;

export function Realtime({ children }: { children: ReactNode }) {
  const { account, canSignIn } = useSession();
  return (
    // Another person is another client: nothing of the one before is left in it.
    <AnywireProvider
      key={account?.id}
      url="/anywire"
      agent="nextjs-chat"
      transports={kTransports}
      {...(canSignIn && { token: '/api/anywire/token' })}
    >
      {children}
      {Devtools && <Devtools position="bottom-right" />}
    </AnywireProvider>
  );
}
