import { define } from '@anywire/client/contract';
import * as v from 'valibot';

const note = v.object({ text: v.pipe(v.string(), v.maxLength(20)) });

/** What the scenarios about schemas and hooks agree on: pages, the server and the hook route. */
export const contract = define({
  channels: {
    'typed:{id}': { message: note, presence: v.object({ name: v.string() }) },
    'asked:{id}': { message: note },
  },
  rpc: {
    'math.add': { input: v.tuple([v.number(), v.number()]), output: v.number() },
  },
});
