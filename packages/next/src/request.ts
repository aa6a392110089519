import { connection } from 'next/server.js';
import * as React from 'react';

/**
 * Tells Next.js that what follows is for one request: where it renders ahead of requests it stops
 * here, in its own way. In scripts, tests and the Pages Router there is nothing to tell.
 */
export async function waitForRequest(): Promise<void> {
  try {
    await connection();
  } catch (error) {
    const outside = error instanceof Error && error.message.includes('outside a request scope');
    if (!outside) throw error;
  }
}

/**
 * The function, with its answers kept for the request that is being rendered: by the `cache` of
 * React, which exists in server components only. Elsewhere the function itself.
 */
export function perRequest<A extends unknown[], R>(ask: (...args: A) => R): (...args: A) => R {
  const { cache } = React as { cache?: (ask: (...args: A) => R) => (...args: A) => R };
  return cache ? cache(ask) : ask;
}
