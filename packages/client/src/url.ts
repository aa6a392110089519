/**
 * Makes an absolute ws: or wss: URL. Relative ones are taken from the page, so the same code works
 * behind TLS, on a phone in the same network and in a container. Throws a TypeError otherwise.
 */
export function resolveUrl(input: string | URL, base: string | undefined = pageUrl()): string {
  const url = new URL(input, base);
  if (url.protocol === 'http:') url.protocol = 'ws:';
  else if (url.protocol === 'https:') url.protocol = 'wss:';
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new TypeError(`${url.protocol} is no WebSocket scheme`);
  }
  // RFC 6455 3: a fragment has no meaning here, and older browsers throw on one.
  url.hash = '';
  return url.href;
}

function pageUrl(): string | undefined {
  return (globalThis as { location?: { href?: string } }).location?.href;
}
