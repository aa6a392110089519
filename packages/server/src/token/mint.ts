import { AnywireError } from '@anywire/client/contract';
import { importPKCS8, SignJWT } from 'jose';
import { environment } from '../environment';
import { type Claims, mistake, tokenBytesMax, toPayload } from './claims';

/** How the server's `[[keys]]` says that tokens of a key are signed. */
export type Algorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA';

/** How a token is signed. */
export interface SigningOptions {
  /**
   * The secret of the server's key, at least 32 bytes; of an algorithm other than HS..., the private
   * key as PEM (PKCS #8). Default: the variable `ANYWIRE_SECRET`, else `ANYWIRE_AUTH_HS256_SECRET`,
   * which the server reads itself.
   */
  readonly secret?: string | undefined;
  /**
   * The name of the key in the server's `[[keys]]`, which goes into the token as `kid`. Default: the
   * variable `ANYWIRE_KEY`, else none, as for `auth.hs256_secret`.
   */
  readonly key?: string | undefined;
  /** Default `HS256`. */
  readonly algorithm?: Algorithm | undefined;
  /** How long the token is good, seconds, 10 to 86 400. Default 300. */
  readonly ttl?: number | undefined;
  /** What the server expects as `auth.issuer`, if anything. */
  readonly issuer?: string | undefined;
  /** What the server expects as `auth.audience`, if anything. */
  readonly audience?: string | undefined;
}

/** A token, ready for the client's `token` option. */
export interface Minted {
  readonly token: string;
  /** When it ends, Unix milliseconds. */
  readonly expires: number;
}

const secretBytesMin = 32;
const ttlDefault = 300;
/**
 * A client renews its token 30 s before the end, or halfway: below this it would do little else.
 */
const ttlMin = 10;
const ttlMax = 86_400;

/**
 * Signs a token (docs/protocol.md section 8). Rejects with an AnywireError: `bad_secret`, or
 * `bad_claims` for anything that the server would refuse. Uses nothing but web standards, so it
 * runs wherever there is WebCrypto.
 */
export async function mintToken(claims: Claims, options: SigningOptions = {}): Promise<Minted> {
  const { algorithm = 'HS256', issuer, audience } = options;
  const signer = await readKey(options.secret, algorithm);
  const ttl = readTtl(options.ttl);
  const now = Math.floor(Date.now() / 1000);
  const expires = now + ttl;
  const kid = options.key ?? environment('ANYWIRE_KEY');
  const jwt = new SignJWT(toPayload(claims))
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(kid && { kid }) })
    .setIssuedAt(now)
    .setExpirationTime(expires);
  if (issuer !== undefined) jwt.setIssuer(issuer);
  if (audience !== undefined) jwt.setAudience(audience);
  const token = await jwt.sign(signer);
  if (token.length > tokenBytesMax) {
    throw mistake(
      `the token has ${token.length} bytes, and the server reads ${tokenBytesMax}: ` +
        'use fewer or shorter channels and patterns',
    );
  }
  return { token, expires: expires * 1000 };
}

/**
 * Throws the AnywireError that every token with these options would fail with, `bad_secret` or
 * `bad_claims`: for those who would rather not start than fail later.
 */
export function checkSigning({ secret, algorithm = 'HS256', ttl }: SigningOptions): void {
  readTtl(ttl);
  if (algorithm.startsWith('HS')) readSecret(secret);
  else if (!pemOf(secret).includes('PRIVATE KEY')) throw noPrivateKey(algorithm);
}

async function readKey(given: string | undefined, algorithm: Algorithm) {
  if (algorithm.startsWith('HS')) return readSecret(given);
  try {
    return await importPKCS8(pemOf(given), algorithm);
  } catch {
    // What the library says may hold some of the key.
    throw noPrivateKey(algorithm);
  }
}

/** Variables often have `\n` for the line breaks of a file. */
function pemOf(given: string | undefined): string {
  return (given || environment('ANYWIRE_SECRET') || '').replaceAll('\\n', '\n');
}

function noPrivateKey(algorithm: Algorithm): AnywireError {
  return new AnywireError(
    'bad_secret',
    `For ${algorithm} the secret is a private key of that kind as PEM, "-----BEGIN PRIVATE ` +
      'KEY-----", and this is none.',
  );
}

/** The key. Throws an AnywireError `bad_secret` where there is none that the server would take. */
export function readSecret(given?: string): Uint8Array {
  const secret =
    given || environment('ANYWIRE_SECRET') || environment('ANYWIRE_AUTH_HS256_SECRET') || '';
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length >= secretBytesMin) return bytes;
  const what = bytes.length === 0 ? 'there is none' : `it has ${bytes.length}`;
  throw new AnywireError(
    'bad_secret',
    `The secret must have at least ${secretBytesMin} bytes, and ${what}. Put the server's ` +
      'auth.hs256_secret into the variable ANYWIRE_SECRET; "openssl rand -hex 32" prints a new one.',
  );
}

/** The lifetime in seconds. Throws an AnywireError `bad_claims`. */
export function readTtl(ttl: number = ttlDefault): number {
  if (Number.isFinite(ttl) && ttl >= ttlMin && ttl <= ttlMax) return Math.floor(ttl);
  throw mistake(`"ttl" is a number of seconds from ${ttlMin} to ${ttlMax}; it is ${ttl}`);
}
