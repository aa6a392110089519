import { createClient } from '@anywire/client';
import { createMockServer } from '@anywire/testing';
import { expect, it } from 'vitest';

it('hears what is said in the room', async () => {
  const server = createMockServer();
  const client = createClient({ url: server.url, transports: [server.transport()] });
  const heard: unknown[] = [];
  client.channel('room:42').subscribe(({ data }) => heard.push(data));
  await server.settled(); // connected, and subscribed

  server.publish('room:42', { text: 'hello' }, { user: 'bob' });
  await client.channel('room:42').publish({ text: 'hello, Bob' });

  expect(heard).toEqual([{ text: 'hello' }, { text: 'hello, Bob' }]);
  expect(server.messages('room:42')).toHaveLength(2);
  server.close();
});
