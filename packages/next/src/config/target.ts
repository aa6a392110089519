/** What the server's own native protocol listens at unless it is configured otherwise. */
const nativePath = '/anywire';
const defaultTarget = 'http://127.0.0.1:3001';

/** Where requests go: an http: or https: URL without a slash at its end. */
export interface Target {
  readonly href: string;
  readonly host: string;
  readonly port: number;
  /** A server that `spawn` may start: plain HTTP on this machine. */
  readonly local: boolean;
}

/**
 * Reads the address of the server. Rewrites know http: and https: only, and carry WebSocket
 * upgrades all the same, so ws: and wss: mean these. Throws an Error that says what to write
 * instead.
 */
export function readTarget(given: string | undefined, asker = 'withAnywire'): Target {
  const text = given?.trim() || defaultTarget;
  const url = parse(asker, text);
  if (url.protocol === 'ws:') url.protocol = 'http:';
  else if (url.protocol === 'wss:') url.protocol = 'https:';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw refuse(
      asker,
      text,
      `has the scheme ${url.protocol}, and it must be http, https, ws or wss`,
    );
  }
  if (url.username || url.password) throw refuse(asker, text, 'holds a user name or password');
  if (url.search || url.hash) throw refuse(asker, text, 'holds a query or fragment');
  if (/[:*(){}]/.test(url.pathname))
    throw refuse(asker, text, 'has a path with a special character');
  const path = url.pathname.replace(/\/+$/, '') || nativePath;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    href: `${url.origin}${path}`,
    host,
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    local: url.protocol === 'http:' && ['localhost', '127.0.0.1', '::1'].includes(host),
  };
}

function parse(asker: string, text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw refuse(asker, text, 'is no URL');
  }
}

function refuse(asker: string, text: string, why: string): Error {
  // Without what may be a password; whoever reads a log of a build is not always trusted.
  const shown = JSON.stringify(text.replace(/\/\/[^/@]*@/, '//***@'));
  return new Error(
    `${asker}: the server's address ${shown} ${why}. Give one such as ${defaultTarget} as an ` +
      'option or in the variable ANYWIRE_URL.',
  );
}

/** The path of the site that leads to the server, without a slash at its end. */
export function readPath(path: string): string {
  if (/^(\/[\w.~-]+)+\/?$/.test(path)) return path.replace(/\/$/, '');
  throw new Error(
    `withAnywire: the path ${JSON.stringify(path)} cannot be used. It begins with a slash and ` +
      'has letters, digits and any of ._~- behind it, such as "/anywire".',
  );
}
