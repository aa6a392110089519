import { AnywireError } from '@anywire/client/contract';
import { environment } from '../environment';

/** How a hook's request is known to come from one's own Anywire server. */
export interface VerifyOptions {
  /**
   * The server's `app.secret`; several while it is being changed. Default: the variable
   * `ANYWIRE_APP_SECRET`.
   */
  readonly secret?: string | readonly string[] | undefined;
  /** How far the clocks of both machines may differ, seconds. Default 300. */
  readonly tolerance?: number | undefined;
  /** The longest body that is read, bytes. Default 4 MiB. */
  readonly bodyBytesMax?: number | undefined;
}

/** Why a request is none of Anywire's, with the status to answer it with. */
export class HookRefused extends Error {
  override readonly name = 'HookRefused';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const toleranceS = 300;
const bodyBytesMax = 4 * 1024 * 1024;
const secretBytesMin = 32;

/**
 * Reads the body of a request that the Anywire server has signed (docs/hooks.md): its JSON. Rejects
 * with a HookRefused where it is not signed, not by that secret, or too long ago; with an
 * AnywireError `bad_secret` where there is no secret to go by.
 */
export async function verifyHook(request: Request, options: VerifyOptions = {}): Promise<unknown> {
  const keys = await Promise.all(secretsOf(options).map(importKey));
  const timestamp = request.headers.get('anywire-timestamp') ?? '';
  const signatures = readSignatures(request.headers.get('anywire-signature') ?? '');
  if (!/^\d{1,12}$/.test(timestamp) || signatures.length === 0) {
    throw new HookRefused(401, 'This is not signed as Anywire signs its hooks');
  }
  const body = await readBody(request, options.bodyBytesMax ?? bodyBytesMax);
  const signed = new TextEncoder().encode(`${timestamp}.`);
  const input = new Uint8Array(signed.length + body.length);
  input.set(signed);
  input.set(body, signed.length);
  // WebCrypto compares in time that does not tell where the difference is.
  const verdicts = await Promise.all(
    keys.flatMap((key) => signatures.map((one) => crypto.subtle.verify('HMAC', key, one, input))),
  );
  if (!verdicts.includes(true)) {
    throw new HookRefused(401, "The signature does not fit: is this the server's app.secret?");
  }
  const age = Date.now() / 1000 - Number(timestamp);
  if (Math.abs(age) > (options.tolerance ?? toleranceS)) {
    throw new HookRefused(401, `The signature is of ${Math.round(age)} seconds ago`);
  }
  try {
    return JSON.parse(new TextDecoder().decode(body)) as unknown;
  } catch {
    throw new HookRefused(400, 'The body is no JSON');
  }
}

/** Throws an AnywireError `bad_secret` where there is none that the server would take. */
export function secretsOf({ secret }: VerifyOptions): readonly string[] {
  const given = secret ?? environment('ANYWIRE_APP_SECRET') ?? [];
  const secrets = (typeof given === 'string' ? [given] : given).filter((one) => one !== '');
  const short = secrets.some((one) => new TextEncoder().encode(one).length < secretBytesMin);
  if (secrets.length > 0 && !short) return secrets;
  throw new AnywireError(
    'bad_secret',
    `The hooks' secret must have at least ${secretBytesMin} bytes, and ` +
      `${short ? 'this has fewer' : 'there is none'}. Put the server's app.secret into the ` +
      'variable ANYWIRE_APP_SECRET.',
  );
}

function importKey(secret: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(secret);
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'verify',
  ]);
}

/** `v1=<hex>`, perhaps several with commas between; other versions are left alone. */
function readSignatures(header: string): Uint8Array<ArrayBuffer>[] {
  if (header.length > 1024) return [];
  return header
    .split(',')
    .map((one) => /^\s*v1=([0-9a-f]{64})\s*$/i.exec(one)?.[1])
    .filter((hex) => hex !== undefined)
    .map((hex) =>
      Uint8Array.from({ length: 32 }, (_, n) => parseInt(hex.slice(2 * n, 2 * n + 2), 16)),
    );
}

async function readBody(request: Request, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done || !value) break;
    size += value.length;
    if (size > most) {
      await reader?.cancel();
      throw new HookRefused(413, `The body has more than ${most} bytes`);
    }
    parts.push(value);
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}
