import { Socket } from './socket';
import type { SocketOptions } from './types';

/** A share in a connection. The last one to be released closes it. */
export interface Lease {
  readonly socket: Socket;
  /**
   * Gives the share back; harmless when called again. The `socket` is not to be used afterwards.
   */
  release(): void;
}

interface Entry {
  readonly socket: Socket;
  leases: number;
}

// On globalThis, not in the module: after a hot update, or with two copies of this package in one
// page, there must still be one connection for each URL. Nothing is created at import.
const slot = Symbol.for('anywire.sockets.v1');

function entries(): Map<string, Entry> {
  const place = globalThis as { [slot]?: Map<string, Entry> };
  place[slot] ??= new Map();
  return place[slot];
}

/**
 * Takes a share in the connection named `key`, making and starting it when there is none. The
 * options of the first taker hold for all; whatever must not be shared belongs into the key.
 */
export function leaseSocket(key: string, options: SocketOptions): Lease {
  const map = entries();
  let entry = map.get(key);
  if (!entry) {
    entry = { socket: new Socket(options), leases: 0 };
    map.set(key, entry);
  }
  // A new user is a new wish to be connected, also where another has closed it or it has failed.
  const { state } = entry.socket;
  if (state === 'idle' || state === 'closed' || state === 'failed') entry.socket.connect();
  entry.leases++;
  return lease(entry, () => {
    if (map.get(key) === entry) map.delete(key);
  });
}

/** The same face for a connection that nobody else can have. */
export function privateSocket(options: SocketOptions): Lease {
  const socket = new Socket(options);
  socket.connect();
  return lease({ socket, leases: 1 }, () => {});
}

function lease(entry: Entry, forget: () => void): Lease {
  let held = true;
  return {
    socket: entry.socket,
    release() {
      if (!held) return;
      held = false;
      if (--entry.leases > 0) return;
      forget();
      void entry.socket.close();
    },
  };
}
