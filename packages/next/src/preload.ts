import type { ChannelRef, ClientOptions, NoEvents, Received } from '@anywire/client';
import type { PreloadedHistory } from '@anywire/react';
import type { Api } from '@anywire/server';
import { checkMessages, loadByApi, loadNewest } from './load';
import { perRequest, waitForRequest } from './request';

export type { PreloadedHistory } from '@anywire/react';

/** What `preloadHistory` takes. */
export interface PreloadOptions {
  /**
   * The server's address as this Next.js server sees it, not the site's. Default: the variable
   * `ANYWIRE_URL`, else `http://127.0.0.1:3001`.
   */
  readonly url?: string | undefined;
  /**
   * Asks by the HTTP API: one request in the place of a session, and all that its key may read. So
   * whoever gets the page is for you to decide. Make it once, outside of the component:
   * `const api = createApi({ retries: 1 })` of @anywire/server. `url`, `token` and `cached: true` do not go with it.
   */
  readonly api?: Api | undefined;
  /** For whom: what `mintToken` resolved to, a token, or a function that gets one. */
  readonly token?: ClientOptions['token'] | { readonly token: string } | undefined;
  /** Most messages, 1 to 1000. Default 50. */
  readonly limit?: number | undefined;
  /** The longest that a page waits for it, ms. Default 3000. */
  readonly timeout?: number | undefined;
  /**
   * `true`: the page may be rendered ahead of requests, or within `'use cache'`; what has been said
   * since comes with the browser's first connection. Default `false`: once for each request.
   */
  readonly cached?: boolean | undefined;
}

const limitDefault = 50;
const limitMax = 1000;
const timeoutDefault = 3000;

/**
 * The newest messages of a channel, for a server component to pass to `<HistoryBoundary>`: plain
 * data, oldest message first, checked by the contract if the channel is one of it (what its schema
 * refuses is left out).
 *
 * It never rejects because of the server: when that is down, slow, refuses the token, or its
 * address is wrong, `error` says so, the rest is empty, and the page is rendered without; the
 * browser begins live. A server that cannot be reached is not waited for. Rejects only with
 * Next.js's own signals, and with a TypeError for options that make no sense.
 *
 * It takes two round trips to the server by `fetch`, with `api` one, in any runtime of Next.js, and
 * within one request the same question is asked once.
 */
export async function preloadHistory<T = unknown, I = unknown, In = T, E = NoEvents>(
  channel: string | ChannelRef<T, I, In, E>,
  options: PreloadOptions = {},
): Promise<PreloadedHistory<Received<T, E>>> {
  const { limit = limitDefault, timeout = timeoutDefault } = options;
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= limitMax)) {
    throw new TypeError(`preloadHistory: "limit" must be 1 to ${limitMax}; it is ${limit}`);
  }
  if (!(timeout > 0)) throw new TypeError('preloadHistory: "timeout" must be above 0 ms');
  if (options.api && (options.cached || options.token !== undefined || options.url !== undefined)) {
    throw new TypeError('preloadHistory: "url", "token" and "cached" do not go with "api"');
  }
  if (!options.cached) await waitForRequest();
  const { token, cached = false } = options;
  const plain = typeof token === 'object' && token !== null ? token.token : token;
  const [name, check] =
    typeof channel === 'string' ? [channel, undefined] : [channel.name, channel.check];
  const address = options.url ?? process.env.ANYWIRE_URL;
  const page = options.api
    ? await askOnce(options.api, name, limit, timeout)
    : await loadOnce(address, name, plain, limit, timeout, cached);
  const messages = check
    ? checkMessages(page.messages, (data, event) => check.message(data, event))
    : page.messages;
  // The types are those that the contract has just checked, or promises of the caller's.
  return { ...page, messages } as unknown as PreloadedHistory<Received<T, E>>;
}

const loadOnce: typeof loadNewest = perRequest(loadNewest);
const askOnce: typeof loadByApi = perRequest(loadByApi);
