/**
 * Who is signed in, kept in a signed cookie that scripts cannot read. For servers only.
 *
 * Its secret is not Anywire's: with that a cookie would be a token, and a token a cookie.
 */

import { jwtVerify, SignJWT } from 'jose';
import { cookies, headers } from 'next/headers';
import { accountOf } from './accounts';
import type { Author } from './contract';

const kCookie = 'chat-session';
const kDays = 7;
const kAudience = 'nextjs-chat';

/** Without secrets everybody is a guest, and there is nothing to set up. */
export const canSignIn = (): boolean =>
  Boolean(process.env.SESSION_SECRET && process.env.ANYWIRE_SECRET);

export async function currentAccount(): Promise<Author | undefined> {
  if (!canSignIn()) return undefined;
  return await readSession((await cookies()).get(kCookie)?.value);
}

/** To be called where cookies may be set: in server actions and route handlers. */
export async function setSession(account: Author): Promise<void> {
  (await cookies()).set(kCookie, await sealSession(account.id), {
    httpOnly: true,
    sameSite: 'lax',
    secure: (await headers()).get('x-forwarded-proto') === 'https',
    maxAge: kDays * 86_400,
    path: '/',
  });
}

export async function clearSession(): Promise<void> {
  (await cookies()).delete(kCookie);
}

export function sealSession(id: string): Promise<string> {
  return new SignJWT({ sub: id })
    .setProtectedHeader({ alg: 'HS256' })
    .setAudience(kAudience)
    .setIssuedAt()
    .setExpirationTime(`${kDays}d`)
    .sign(key());
}

/** Whose cookie it is; nobody's if it was made by somebody else, or has expired. */
export async function readSession(sealed: string | undefined): Promise<Author | undefined> {
  if (!sealed) return undefined;
  try {
    const options = { audience: kAudience, algorithms: ['HS256'] };
    return accountOf((await jwtVerify(sealed, key(), options)).payload.sub);
  } catch {
    return undefined;
  }
}

const key = (): Uint8Array => new TextEncoder().encode(process.env.SESSION_SECRET);
