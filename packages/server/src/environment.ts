type Name =
  | 'ANYWIRE_URL'
  | 'ANYWIRE_KEY'
  | 'ANYWIRE_SECRET'
  | 'ANYWIRE_AUTH_HS256_SECRET'
  | 'ANYWIRE_APP_SECRET';

declare const process: { readonly env: Readonly<Record<string, string | undefined>> };

/**
 * A variable of the environment, read when it is needed. Each is spelled out, because bundlers put
 * the values in for runtimes without a `process`; where neither is, there is none.
 */
export function environment(name: Name): string | undefined {
  try {
    switch (name) {
      case 'ANYWIRE_URL':
        return process.env.ANYWIRE_URL;
      case 'ANYWIRE_KEY':
        return process.env.ANYWIRE_KEY;
      case 'ANYWIRE_SECRET':
        return process.env.ANYWIRE_SECRET;
      case 'ANYWIRE_AUTH_HS256_SECRET':
        return process.env.ANYWIRE_AUTH_HS256_SECRET;
      case 'ANYWIRE_APP_SECRET':
        return process.env.ANYWIRE_APP_SECRET;
    }
  } catch {
    return undefined;
  }
}
