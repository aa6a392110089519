import { type NextRequest, NextResponse } from 'next/server.js';
import { readPath, readTarget } from './config/target';

/** What `rewriteToAnywire` takes. */
export interface AnywireProxyOptions {
  /**
   * The path of this site under which the server is reached, without `basePath`. Default
   * `/anywire`.
   */
  readonly path?: string;
  /**
   * The server's address. Default: the variable `ANYWIRE_URL`, as it is at the time of the request.
   */
  readonly target?: string | undefined;
}

/**
 * For `proxy.ts` (`middleware.ts` before Next.js 16): the answer that leads a request for `path` to
 * the server, WebSocket upgrades included; undefined for any other request.
 *
 *   export const proxy = (request: NextRequest) => rewriteToAnywire(request);
 *   export const config = { matcher: ['/anywire', '/anywire/:rest*'] };
 *
 * In place of `withAnywire` where one build runs in several places: rewrites of the configuration
 * are written down by `next build`, and this reads `ANYWIRE_URL` when it runs. Throws an Error
 * when path or target cannot be used.
 */
export function rewriteToAnywire(
  request: NextRequest,
  options: AnywireProxyOptions = {},
): NextResponse | undefined {
  const path = readPath(options.path ?? '/anywire');
  const { pathname, search } = request.nextUrl;
  const rest = pathname.replace(/\/$/, '').slice(path.length);
  if (!pathname.startsWith(path) || (rest !== '' && !rest.startsWith('/'))) return undefined;
  const { href } = readTarget(options.target ?? process.env.ANYWIRE_URL, 'rewriteToAnywire');
  return NextResponse.rewrite(new URL(`${href}${rest}${search}`));
}
