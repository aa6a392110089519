import type { Clock } from '@anywire/client';
import type { Capability, Identity } from './rules';

/** What a token says; docs/protocol.md section 8. */
export interface Claims {
  readonly user?: string;
  /** Presence info, unless the client enters with its own. */
  readonly info?: unknown;
  /** When the token ends, Unix milliseconds. */
  readonly expires?: number;
  /** Channels to be subscribed to at once. */
  readonly channels?: readonly string[];
  readonly capability?: Capability;
}

/**
 * What is thought of a token; `undefined` stands for none. `refused` (4451), `expired` (4452) and
 * `revoked` (4453) make the client get another one, `needed` (4450) says that it has to have one.
 */
export type TokenCheck = (
  token: string | undefined,
) => Claims | 'refused' | 'expired' | 'revoked' | 'needed' | undefined;

export interface TokenRefused {
  readonly code: 4450 | 4451 | 4452 | 4453;
  readonly reason: string;
}

const tokenBytesMax = 8192;

const refused = {
  refused: { code: 4451, reason: 'bad_signature: the token is not accepted' },
  expired: { code: 4452, reason: 'expired: the token has expired' },
  revoked: { code: 4453, reason: 'revoked: the token has been revoked' },
  needed: { code: 4450, reason: 'connect needs a token' },
} as const satisfies Record<string, TokenRefused>;

/**
 * The check unless the test has its own: no token is an anonymous client, a JWT is believed
 * without looking at its signature, and any other text is the name of a user.
 */
export const trustingCheck: TokenCheck = (token) => {
  if (token === undefined) return {};
  const parts = token.split('.');
  return parts.length === 3 ? readJwt(parts[1] as string) : { user: token };
};

function readJwt(payload: string): Claims | 'refused' {
  let claims: unknown;
  try {
    const bytes = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    const text = new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
    claims = JSON.parse(text);
  } catch {
    return 'refused';
  }
  return typeof claims === 'object' && claims ? claimsOf(claims) : 'refused';
}

/** The claims of a JWT's payload, for checks that verify the signature themselves. */
export function claimsOf(payload: object): Claims {
  const { sub, exp, info, channels, capability } = payload as Record<string, unknown>;
  return {
    ...(typeof sub === 'string' && { user: sub }),
    ...(info !== undefined && { info }),
    ...(typeof exp === 'number' && { expires: exp * 1000 }),
    ...(Array.isArray(channels) && { channels: channels.map(String) }),
    ...(typeof capability === 'object' && capability && { capability: capability as Capability }),
  };
}

/** Decides about tokens, as the test's check and script say. */
export class TokenDesk {
  readonly #check: TokenCheck;
  readonly #clock: Clock;
  /** So many of the next tokens are refused, whatever they are. */
  denials = 0;

  constructor(check: TokenCheck, clock: Clock) {
    this.#check = check;
    this.#clock = clock;
  }

  verify(token: string | undefined): Identity | TokenRefused {
    if (token !== undefined && token.length > tokenBytesMax) {
      return { code: 4451, reason: `too_large: a token has at most ${tokenBytesMax} bytes` };
    }
    if (this.denials > 0) {
      this.denials--;
      return refused.refused;
    }
    const answer = this.#check(token) ?? 'refused';
    if (typeof answer === 'string') return refused[answer];
    const { user, info, expires, channels = [], capability } = answer;
    if (expires !== undefined && expires <= this.#clock.now()) return refused.expired;
    return { user, info, expires, channels, capability };
  }
}
