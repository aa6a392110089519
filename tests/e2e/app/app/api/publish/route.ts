import { ApiError, createApi } from '@anywire/server';

/** Scenario 29: publishes as the application, and says what became of it. */
export async function POST(request: Request): Promise<Response> {
  const { channel, data, id } = (await request.json()) as Record<'channel' | 'data' | 'id', string>;
  const api = createApi({ url: process.env.ANYWIRE_TARGET });
  try {
    return Response.json(await api.publish(channel, data, { idempotencyKey: id }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { code, status } = error;
    return Response.json({ code, status }, { status: 502 });
  }
}
