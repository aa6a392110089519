import { createMockServer } from '@anywire/testing';
import { expect, it, vi } from 'vitest';
import './vitest.setup';

it('keeps what is typed in a tunnel, and brings back what was said meanwhile', async () => {
  vi.useFakeTimers();
  const server = createMockServer();
  const client = server.createClient({ token: 'ann' }); // ends with the test; signed in as Ann
  const heard: unknown[] = [];
  const room = client.channel('room:42');
  room.subscribe(({ data }) => heard.push(data));
  await server.settled();

  server.refuse({ times: Infinity });
  server.drop();
  const sent = room.publish('from the tunnel');
  server.publish('room:42', 'meanwhile');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(client.state).toBe('waiting');

  server.refuse(0);
  await vi.advanceTimersByTimeAsync(1000);
  await sent;
  expect(heard).toEqual(['meanwhile', 'from the tunnel']);
  expect(server).toHavePublished('room:42', 'from the tunnel', { user: 'ann' });
  vi.useRealTimers();
});
