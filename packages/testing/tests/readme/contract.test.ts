import { define } from '@anywire/client/contract';
import { createMockServer } from '@anywire/testing';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import './vitest.setup';

const rt = define({
  channels: { 'room:{id}': { message: v.object({ text: v.string() }) } },
  rpc: { 'math.add': { input: v.tuple([v.number(), v.number()]), output: v.number() } },
});

it('refuses what the contract does not allow', async () => {
  const server = createMockServer(rt);
  server.publish('room:42', { text: 'typed' }); // anything else is a type error, and throws
  server.rpc('math.add', ([a, b]) => a + b);

  const room = server.createClient().channel('room:42');
  await expect(room.publish({ txet: 'hi' })).rejects.toMatchObject({ code: 'schema' });
});
