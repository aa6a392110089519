import type { AnyContract } from '@anywire/client/contract';
import { checkHookSecret, createHookHandler, type HookHandlers } from '@anywire/server/hooks';

/** What a file `route.ts` exports. */
export interface HooksRoute {
  readonly POST: (request: Request) => Promise<Response>;
}

/**
 * A route that the Anywire server asks before it lets clients do things, and tells what has happened
 * (docs/hooks.md); its address is the server's `app.url`:
 *
 *   export const { POST } = anywireHooks({
 *     onSubscribe: async ({ channel, client }) =>
 *       (await isMember(client.user, channel)) || refuse('Members only'),
 *   });
 *
 * Requests that are not signed with `app.secret` (`ANYWIRE_APP_SECRET`) are answered 401. What a
 * handler throws, but for `refuse()`, is answered 500 and logged: clients learn no more than that the
 * application failed. In production it throws an AnywireError `bad_secret` at start when no request
 * could ever be answered, but not in `next build`, which has no secrets. Any runtime of Next.js will do.
 */
export function anywireHooks<const C extends AnyContract = AnyContract>(
  handlers: HookHandlers<C>,
): HooksRoute {
  const { NODE_ENV, NEXT_PHASE } = process.env;
  if (NODE_ENV === 'production' && NEXT_PHASE !== 'phase-production-build') {
    checkHookSecret(handlers);
  }
  return { POST: createHookHandler(handlers) };
}
