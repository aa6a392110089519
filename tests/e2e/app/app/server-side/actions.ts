'use server';

import { createApi } from '@anywire/server';

/** Scenario 28: publishes as the application. The form's id makes a double submit one message. */
export async function publish(form: FormData): Promise<void> {
  const api = createApi({ url: process.env.ANYWIRE_TARGET });
  const idempotencyKey = String(form.get('id'));
  await api.publish(String(form.get('channel')), { n: Number(form.get('n')) }, { idempotencyKey });
}
