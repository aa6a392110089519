'use client';

import type { StandardSchema as Schema, SchemaOutput } from '@anywire/client/contract';
import { useEffect, useInsertionEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { WsOptions, WsResult } from './types';
import { idleSnapshot, View } from './view';

/**
 * Where `useWebSocket` connects to; a path means this page's host, null and undefined "not now".
 */
export type WsUrl = string | URL | null | undefined;

/**
 * Connects to `url` while the component is mounted and gives what it needs to draw: the newest
 * messages, whether it is connected, and how to send. A null URL means "not now".
 *
 * The connection is shared, comes back by itself and survives remounts; see WsOptions for the rest.
 * On the server it is idle and touches nothing.
 */
export function useWebSocket<S extends Schema, U = SchemaOutput<S>>(
  url: WsUrl,
  options: Omit<WsOptions<SchemaOutput<S>, U>, 'schema'> & { readonly schema: S },
): WsResult<U>;
// biome-ignore lint/suspicious/noExplicitAny: as the hooks it replaces; name T or pass a schema.
export function useWebSocket<T = any, U = T>(url: WsUrl, options?: WsOptions<T, U>): WsResult<U>;
export function useWebSocket<T, U>(url: WsUrl, options: WsOptions<T, U> = {}): WsResult<U> {
  const href = url === null || url === undefined ? undefined : String(url);
  const { protocols = [], token, share = true } = options;
  const identity = JSON.stringify([href, protocols, typeof token === 'string' ? token : '', share]);
  const [held, hold] = useState(() => ({ identity, view: new View(href, options) }));
  let { view } = held;
  if (held.identity !== identity) {
    view = new View(href, options);
    hold({ identity, view });
  }
  // Before any other effect of this commit, so that all of them find the newest callbacks.
  useInsertionEffect(() => view.update(options));
  useEffect(() => view.attach(), [view]);
  const snapshot = useSyncExternalStore(view.subscribe, view.getSnapshot, serverSnapshot);
  return useMemo(() => ({ ...snapshot, ...view.actions }), [snapshot, view]);
}

function serverSnapshot(): typeof idleSnapshot {
  return idleSnapshot;
}
