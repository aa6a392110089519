import { rewriteToAnywire } from '@anywire/next/proxy';
import type { NextRequest } from 'next/server';

/** A second way to the server, whose address is read at run time. */
export const proxy = (request: NextRequest) => rewriteToAnywire(request, { path: '/runtime' });
export const config = { matcher: ['/runtime', '/runtime/:rest*'] };
