import { anywireHooks } from '@anywire/next';
import { createApi } from '@anywire/server';
import { refuse } from '@anywire/server/hooks';
import { accountOf } from '../../../../lib/accounts';
import { rt, topicChannel } from '../../../../lib/contract';
import { judgeMessage, judgeVisit } from '../../../../lib/moderation';

const kApi = createApi();

/** Anywire asks here before it lets people in, lets them speak, and when they call a method. */
export const { POST } = anywireHooks({
  contract: rt,
  onSubscribe: ({ channel, client }) => judgeVisit(channel, client.user),
  onPublish: {
    'room:{name}': ({ data, client }) => judgeMessage(data, client.user),
  },
  onRpc: {
    'topic.set': async ({ room, topic }, { id, client }) => {
      const account = accountOf(client.user);
      if (!account) return refuse('Sign in to change the topic.', { reason: 'members' });
      const said = { topic, by: account.name };
      // The hook's id: when it is asked again because no answer came, nothing is said twice.
      await kApi.publish(topicChannel(room), said, { idempotencyKey: id });
      return said;
    },
  },
});
