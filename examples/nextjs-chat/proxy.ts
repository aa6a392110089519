import { rewriteToAnywire } from '@anywire/next/proxy';
import type { NextRequest } from 'next/server';

/**
 * Puts the server behind `/anywire` of this site. `ANYWIRE_URL` is read at each request, not frozen
 * into the build, so one image serves every environment, and browsers know one host only.
 */
export const proxy = (request: NextRequest) => rewriteToAnywire(request);

export const config = { matcher: ['/anywire', '/anywire/:rest*'] };
