import type { Grant } from '@anywire/next';

/** Whoever has a cookie "user" is believed. Only web standards: both runtimes use it. */
export function authorize(request: Request): Grant | null {
  const cookie = request.headers.get('cookie') ?? '';
  const user = /(?:^|; )user=([^;]+)/.exec(cookie)?.[1];
  if (!user) return null;
  return { user, capability: { 'room:*': ['subscribe', 'publish', 'history'] } };
}
