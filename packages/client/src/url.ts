const here = globalThis as {
  readonly location?: { readonly href?: string };
  readonly navigator?: { readonly product?: string };
};

/**
 * Makes an absolute ws: or wss: URL. Relative ones are taken from the page, so the same code works
 * behind TLS, on a phone in the same network and in a container. Throws a TypeError otherwise.
 */
export function resolveUrl(
  input: string | URL,
  base: string | undefined = here.location?.href,
): string {
  // It would mean the page itself, and is rather a variable that nobody has set.
  if (!input) throw new TypeError('there is no URL');
  // React Native's own `URL` puts a slash behind whatever it is given, and cannot be changed.
  const native = here.navigator?.product === 'ReactNative';
  const href = native ? `${input}` : new URL(input, base).href;
  // RFC 6455 3: a fragment has no meaning here, and older browsers throw on one.
  const [, rest] = /^(?:ws|http)(s?:[^#]+)/.exec(href) ?? [];
  if (!rest) throw new TypeError(`${href} is no WebSocket URL`);
  return `ws${rest}`;
}
