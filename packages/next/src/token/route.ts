import { type Claims, checkSigning, mintToken, type SigningOptions } from '@anywire/server';
import { type OriginOptions, refuseOrigin } from './origin';

/** Whom a request is from and what that one may do. */
export interface Grant extends Claims {
  /** Seconds this token is good, instead of those of the route. */
  readonly ttl?: number | undefined;
}

/** What `anywireToken` takes. */
export interface TokenRouteOptions extends SigningOptions, OriginOptions {
  /**
   * Says whom the request is from, by its cookies or headers: `null` when nobody is signed in. Its
   * body is `{"reason":"connect"|"refresh"|"denied"}` and has not been read.
   */
  readonly authorize: (request: Request) => Grant | null | Promise<Grant | null>;
}

/** What a file `route.ts` exports. */
export interface TokenRoute {
  readonly POST: (request: Request) => Promise<Response>;
}

/**
 * A route that hands out tokens to the pages of its own site:
 *
 *   export const { POST } = anywireToken({ authorize: async () => ({ user: await userId() }) });
 *
 * `<AnywireProvider token="/api/anywire/token">` posts to it. It answers
 *
 * - 200 `{ token, expires }`
 * - 401 when `authorize` says that nobody is signed in: the client does not try again
 * - 403 to pages of other sites
 * - 500 when `authorize` throws or its answer cannot be used: the client tries again, ever more
 *   rarely. The reason is in the log of the server, and outside of production in the answer.
 *
 * In production it throws an AnywireError at start (`bad_secret`, `bad_claims`) when no token could
 * ever be made, but not in `next build`, which has no secrets. In development every request is
 * answered so, and the page shows why. Only web standards: any runtime of Next.js will do.
 */
export function anywireToken(options: TokenRouteOptions): TokenRoute {
  const flaw = findFlaw(options);
  if (flaw && inProduction()) throw flaw;
  return {
    POST: async (request) => {
      const foreign = refuseOrigin(request, options);
      if (foreign !== undefined) return refuseForeign(foreign);
      if (flaw) return failed(flaw);
      try {
        const grant = await options.authorize(request);
        if (grant === null) return refuse(401, 'signed_out', 'Nobody is signed in');
        const ttl = grant.ttl ?? options.ttl;
        return answer(200, { ...(await mintToken(grant, { ...options, ttl })) });
      } catch (error) {
        if (isControlFlow(error)) throw error;
        return failed(error);
      }
    },
  };
}

/** Why no token could ever be made. */
function findFlaw(options: TokenRouteOptions): unknown {
  try {
    // Where it is built there is no secret, and need not be.
    if (process.env.NEXT_PHASE !== 'phase-production-build') checkSigning(options);
    return undefined;
  } catch (error) {
    return error;
  }
}

function refuseForeign(why: string): Response {
  return refuse(
    403,
    'foreign_origin',
    inProduction()
      ? 'Only pages of this site may ask'
      : `Only pages of this site may ask: ${why}. "allowedOrigins" of anywireToken admits others.`,
  );
}

function failed(error: unknown): Response {
  console.error('[anywire] no token could be made:', error);
  const message = inProduction() ? 'No token could be made' : `No token could be made: ${error}`;
  return refuse(500, 'token_failed', message);
}

function refuse(status: number, code: string, message: string): Response {
  return answer(status, { code, message });
}

function answer(status: number, body: object): Response {
  return Response.json(body, {
    status,
    headers: { 'cache-control': 'no-store', vary: 'Cookie, Origin, Sec-Fetch-Site' },
  });
}

/** Next.js throws to redirect, to say that there is no such page, and when it renders ahead. */
function isControlFlow(error: unknown): boolean {
  const { digest } = (error ?? {}) as { digest?: unknown };
  return typeof digest === 'string';
}

function inProduction(): boolean {
  return process.env.NODE_ENV === 'production';
}
