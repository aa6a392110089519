import { define } from '@anywire/client/contract';
import * as v from 'valibot';

/** What is said in which channel. Shared by pages, server code and tests. */
export const rt = define({
  channels: {
    'room:{id}': {
      message: v.object({ text: v.string() }),
      presence: v.object({ name: v.string(), typing: v.optional(v.boolean()) }),
    },
    'ticker:{symbol}': { message: v.object({ price: v.number() }) },
  },
  rpc: {
    'math.add': { input: v.tuple([v.number(), v.number()]), output: v.number() },
  },
});
