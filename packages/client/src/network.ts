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
      const undo: (() => void)[] = [];
      const listen = (
        target: Partial<Target> | undefined,
        name: string,
        event: NetworkEvent,
        when?: () => boolean,
      ) => {
        if (!target?.addEventListener) return;
        const run = () => {
          if (!when || when()) listener(event);
        };
        target.addEventListener(name, run);
        undo.push(() => target.removeEventListener?.(name, run));
      };
      const { document } = page;
      listen(page, 'online', 'online');
      listen(page, 'offline', 'offline');
      listen(page, 'focus', 'wake');
      listen(page, 'pagehide', 'suspend');
      listen(page, 'pageshow', 'resume');
      listen(document, 'resume', 'wake');
      listen(document, 'visibilitychange', 'wake', () => document?.visibilityState === 'visible');
      return () => {
        for (const run of undo) run();
      };
    },
  };
}
