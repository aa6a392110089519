import type { TransportMemory } from './types';

const prefix = 'anywire.transport ';
/** Where there is no storage, or it may not be used, what is known is known to this page. */
const page = new Map<string, string>();

/** The tab's session storage, where there is one. */
export const tabMemory: TransportMemory = {
  get: (server) => page.get(server) ?? stored((storage) => storage.getItem(prefix + server)),
  set(server, name) {
    page.set(server, name);
    stored((storage) => storage.setItem(prefix + server, name));
  },
};

function stored<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(globalThis.sessionStorage);
  } catch {
    // There is none, or it is forbidden, and throws already when it is looked at.
    return undefined;
  }
}
