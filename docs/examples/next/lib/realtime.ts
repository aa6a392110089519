import { define } from '@anywire/client/contract';
import * as v from 'valibot';

export const rt = define({
  channels: {
    'room:{id}': {
      message: v.object({ text: v.pipe(v.string(), v.maxLength(2000)) }),
      presence: v.object({ name: v.string() }),
    },
  },
});
