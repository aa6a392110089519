import type { NetworkAdapter, NetworkEvent } from './types';

type Target = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
interface Page extends Target {
  readonly document?: Target & { readonly visibilityState?: string };
  readonly navigator?: { readonly onLine?: boolean };
}

/**
 * The browser's view of the network and the page. Touches no global before it is asked, so it may
 * be made anywhere; outside a browser it says "online" and never speaks.
 */
export function browserNetwork(page: Partial<Page> = globalThis as Partial<Page>): NetworkAdapter {
  return {
    get online() {
      return page.navigator?.onLine !== false;
    },
    subscribe(listener) {
      const { document } = page;
      const watched: readonly [Partial<Target> | undefined, string, NetworkEvent?][] = [
        [page, 'online'],
        [page, 'offline'],
        [page, 'focus', 'wake'],
        [page, 'pagehide', 'suspend'],
        [page, 'pageshow', 'resume'],
        [document, 'resume', 'wake'],
        [document, 'visibilitychange', 'wake'],
      ];
      const undo = watched.map(([target, name, event = name as NetworkEvent]) => {
        const run = () => {
          if (target !== document || name === 'resume' || document?.visibilityState === 'visible') {
            listener(event);
          }
        };
        target?.addEventListener?.(name, run);
        return () => target?.removeEventListener?.(name, run);
      });
      return () => {
        for (const run of undo) run();
      };
    },
  };
}
