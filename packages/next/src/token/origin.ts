/** Whose requests are answered. */
export interface OriginOptions {
  /** Other origins whose pages may ask, such as `https://admin.example.com`. Default none. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * Believe `X-Forwarded-Host`: only behind a proxy that sets it itself, and where the browser says
   * no more than its origin (plain HTTP in a local network). Default `false`.
   */
  readonly trustForwardedHost?: boolean | undefined;
}

/**
 * Why a request may not be answered, or undefined. A page of another site could have the browser
 * send one, cookies included; the browser says where it comes from. Programs say nothing, and have
 * nobody's cookies but their own.
 */
export function refuseOrigin(request: Request, options: OriginOptions = {}): string | undefined {
  const { headers } = request;
  const origin = headers.get('origin');
  if (origin !== null && options.allowedOrigins?.includes(origin)) return undefined;
  const site = headers.get('sec-fetch-site');
  if (site !== null) {
    if (site === 'same-origin') return undefined;
    return `the browser calls the request ${JSON.stringify(site)}, not "same-origin"`;
  }
  if (origin === null) return undefined;
  const host = hostOf(request, options);
  if (hostOfOrigin(origin) === host) return undefined;
  return `it comes from ${JSON.stringify(origin)}, and this site is ${JSON.stringify(host)}`;
}

/** By what name the browser knows this site. */
function hostOf({ headers, url }: Request, { trustForwardedHost }: OriginOptions): string {
  const forwarded = trustForwardedHost ? headers.get('x-forwarded-host')?.split(',')[0] : undefined;
  return (forwarded?.trim() || headers.get('host') || new URL(url).host).toLowerCase();
}

function hostOfOrigin(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    // "null": a sandboxed frame, a file, a redirect from elsewhere.
    return undefined;
  }
}
