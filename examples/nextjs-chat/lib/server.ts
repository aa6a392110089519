import { connection } from 'next/server';

/**
 * Where the browser finds Anywire. Read at each request, not frozen into the build as NEXT_PUBLIC_
 * values are, so one image serves every environment.
 */
export async function serverUrl(): Promise<string> {
  await connection();
  return process.env.ANYWIRE_URL || 'ws://localhost:3001';
}
