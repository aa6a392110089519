// What a form posts to: publishes as the application. The form's id makes a double click one message.
import { ApiError, createApi } from '@anywire/server';

export async function POST(request) {
  const { room, text, form } = await request.json();
  try {
    const { offset, duplicate } = await createApi().publish(
      `room:${room}`, { text }, { event: 'said', idempotencyKey: form });
    return Response.json({ offset, duplicate });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return Response.json({ code: error.code, message: error.message }, { status: 502 });
  }
}
