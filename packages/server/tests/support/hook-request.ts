import { createHmac } from 'node:crypto';

export const hookSecret = 'the secret that both sides share, 32+';

/** A request as the Anywire server sends it, signed by another implementation than ours. */
export function hookRequest(
  body: unknown,
  more: {
    readonly secret?: string;
    readonly at?: number;
    readonly signature?: string | null;
    readonly text?: string;
    readonly method?: string;
  } = {},
): Request {
  const text = more.text ?? JSON.stringify(body);
  const timestamp = String(Math.floor((more.at ?? Date.now()) / 1000));
  const mac = createHmac('sha256', more.secret ?? hookSecret).update(`${timestamp}.${text}`);
  const signature = more.signature === undefined ? `v1=${mac.digest('hex')}` : more.signature;
  const method = more.method ?? 'POST';
  return new Request('http://app.example/api/anywire', {
    method,
    headers: {
      'content-type': 'application/json',
      'anywire-timestamp': timestamp,
      ...(signature !== null && { 'anywire-signature': signature }),
    },
    ...(method === 'POST' && { body: text }),
  });
}
