import {
  AnywireError,
  type ClientOptions,
  type TokenAnswer,
  type TokenRequest,
} from '@anywire/client';

/**
 * What `token="..."` of the provider means. A string that begins with `/` or `http` is the address
 * of a route that hands out tokens (`anywireToken` of @anywire/next makes one); any other is the
 * token itself. One that holds a slash is neither, as tokens have none: an address in the making.
 */
export function tokenSource(token: string, send: typeof fetch | undefined): ClientOptions['token'] {
  if (/^(\/|https?:)/.test(token)) return (request) => fetchToken(token, request, send);
  if (!token.includes('/')) return token;
  return () => {
    throw new AnywireError('token', `"${token}" is no token, and as an address begins with "/"`);
  };
}

/**
 * `POST {reason}`, with the cookies of the page's own origin, answered by `{token}`. 401 and 403
 * mean that this page gets none, so there is no use in trying again; anything else that is no token
 * is trouble that may pass. Rejects with what the route says of it: `{code, message}`.
 */
async function fetchToken(
  url: string,
  { reason, signal }: TokenRequest,
  send: typeof fetch = fetch,
): Promise<TokenAnswer> {
  const answer = await send(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason }),
    signal,
  });
  const { ok, status } = answer;
  const said: {
    readonly token?: TokenAnswer;
    readonly code?: unknown;
    readonly message?: unknown;
  } = (await answer.json().catch(() => ({ message: 'the answer is no JSON' }))) ?? {};
  if (ok && said.token !== undefined) return said.token;
  const why = [status, said.code, said.message].filter((one) => one !== undefined).join(': ');
  throw new AnywireError('token', `no token from ${url}: ${why}`, {
    retry: status !== 401 && status !== 403,
  });
}
