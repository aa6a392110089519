'use client';

import type { Client } from '@anywire/client';
import { createElement, type ReactNode, useEffect, useRef } from 'react';
import { type Mounted, type MountOptions, mount } from './devtools/mount';
import { useAnywire } from './provider';

/** As bundlers and Node.js know it; the packages are built without the types of Node.js. */
declare const process: { readonly env: { readonly NODE_ENV?: string } };

/** What `AnywireDevtools` may be told. All of it may change at any time. */
export interface AnywireDevtoolsProps {
  /** The corner of the page. Default `bottom-right`. */
  readonly position?: MountOptions['position'];
  /** Default `auto`: as the system has it. */
  readonly theme?: MountOptions['theme'];
  /** Which client to look at. Default: that of the nearest AnywireProvider. */
  readonly client?: Client;
  /** Several clients by name, to choose from in the panel; in place of `client`. */
  readonly clients?: Readonly<Record<string, Client>>;
  /** Of the page's Content-Security-Policy; needed only by browsers without adopted style sheets. */
  readonly nonce?: string;
}

/**
 * A button in a corner of the page, and behind it: state of the connection, the channels in use, a
 * timeline of the newest 500 frames, errors with advice, what was lost, and buttons that take the
 * network away. Frames are shown without `token`, `session` and `stream`.
 *
 * In production builds (`process.env.NODE_ENV`) it is nothing, and bundlers leave all of it out. It
 * renders nothing itself, on the server neither, and never opens a connection.
 */
export function AnywireDevtools(props: AnywireDevtoolsProps): ReactNode {
  // Bundlers write a constant in place of the variable. Where nobody does, and there is no
  // `process` either, this is taken for production.
  try {
    if (process.env.NODE_ENV !== 'production') {
      const { client, clients } = props;
      if (clients) return createElement(Watching, { ...props, clients });
      if (client) return createElement(Watching, { ...props, clients: { client } });
      return createElement(WatchingNearest, props);
    }
  } catch {}
  return null;
}

function WatchingNearest(props: AnywireDevtoolsProps): ReactNode {
  return createElement(Watching, { ...props, clients: { client: useAnywire() } });
}

function Watching(
  props: AnywireDevtoolsProps & { readonly clients: Readonly<Record<string, Client>> },
): ReactNode {
  const { clients, nonce, position = 'bottom-right', theme = 'auto' } = props;
  const mounted = useRef<Mounted>(undefined);
  useEffect(() => {
    mounted.current = mount(nonce);
    return () => mounted.current?.remove();
  }, [nonce]);
  // After the effect above, so that it also runs for what a remount has made.
  useEffect(() => mounted.current?.configure({ clients, position, theme }));
  return null;
}
