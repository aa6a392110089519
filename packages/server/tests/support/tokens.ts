import { AnywireError } from '@anywire/client/contract';
import { type JWTPayload, jwtVerify } from 'jose';
import { expect } from 'vitest';

export const secret = 'a secret of the tests, of 32 bytes or more';

/** The claims of a token whose signature holds; its time is not looked at. */
export async function claimsOf(token: string, key = secret): Promise<JWTPayload> {
  const { payload, protectedHeader } = await jwtVerify(token, new TextEncoder().encode(key), {
    currentDate: new Date(0),
  });
  expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT' });
  return payload;
}

/** The AnywireError that `run` throws or rejects with. */
export async function errorOf(run: () => unknown): Promise<AnywireError> {
  try {
    await run();
  } catch (error) {
    expect(error).toBeInstanceOf(AnywireError);
    return error as AnywireError;
  }
  throw new Error('it went well');
}
