'use client';

import type { Client, ClientSnapshot } from '@anywire/client';
import { useCallback, useMemo } from 'react';
import { useAnywire } from './provider';
import { useSelected } from './selected';

/** What `useConnectionState` returns. */
export interface ConnectionState
  extends Pick<
    ClientSnapshot,
    'state' | 'attempt' | 'retryAt' | 'error' | 'lastClose' | 'transport' | 'clientId' | 'user'
  > {
  /** Messages flow. */
  readonly connected: boolean;
  /** False when the device says that it has no network. */
  readonly online: boolean;
  /** Tries now instead of at `retryAt`; also after `closed` and `failed`. */
  readonly reconnect: () => void;
}

/**
 * How the connection is. Given `select`, which may be an inline function, the component is rendered
 * only when what it selects changes. The server shows `idle`.
 */
export function useConnectionState(): ConnectionState;
export function useConnectionState<U>(select: (state: ConnectionState) => U): U;
export function useConnectionState<U>(select?: (state: ConnectionState) => U): ConnectionState | U {
  const client = useAnywire();
  const read = useMemo(() => reader(client), [client]);
  const subscribe = useCallback((changed: () => void) => client.on('state', changed), [client]);
  return useSelected(subscribe, read.now, read.server, select);
}

const idle = {
  state: 'idle',
  attempt: 0,
  retryAt: undefined,
  error: undefined,
  lastClose: undefined,
  transport: undefined,
  clientId: undefined,
  user: undefined,
} as const;

function reader(client: Client) {
  const reconnect = () => void client.connect();
  const make = (from: Omit<ConnectionState, 'connected' | 'online' | 'reconnect'>) => {
    const { state, attempt, retryAt, error, lastClose, transport, clientId, user } = from;
    return {
      state,
      connected: state === 'open',
      attempt,
      retryAt,
      error,
      lastClose,
      transport,
      clientId,
      user,
      online: state !== 'offline',
      reconnect,
    };
  };
  let from: ClientSnapshot | undefined;
  let last: ConnectionState | undefined;
  const server = make(idle);
  return {
    now(): ConnectionState {
      if (from !== client.snapshot) {
        from = client.snapshot;
        last = from.state === 'idle' ? server : make(from);
      }
      return last as ConnectionState;
    },
    server: (): ConnectionState => server,
  };
}
