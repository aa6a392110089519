import { mintToken, preloadHistory } from '@anywire/next';

export const runtime = 'edge';

/** Asks the server from the edge runtime; not a thing to copy, as anybody may read it. */
export async function GET() {
  const { token } = await mintToken({ user: 'edge', capability: { 'room:*': ['history'] } });
  return Response.json(await preloadHistory('room:1', { token }));
}
