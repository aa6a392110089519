import type { TransportMemory } from './types';

const key = 'anywire.transport';

/** The tab's session storage, where there is one and it may be used. */
export const tabMemory: TransportMemory = {
  get() {
    try {
      return globalThis.sessionStorage?.getItem(key);
    } catch {
      // Storage that is forbidden throws already when it is looked at.
      return undefined;
    }
  },
  set(name) {
    try {
      globalThis.sessionStorage?.setItem(key, name);
    } catch {
      // Without memory the next page merely finds out again.
    }
  },
};
