// Asked by the server about every message, private rooms and calls.
import { anywireHooks } from '@anywire/next';
import { refuse } from '@anywire/server/hooks';

export const { POST } = anywireHooks({
  onSubscribe: ({ channel, client }) =>
    channel === `private:${client.user}` || refuse('Members only', { reason: 'members' }),
  onPublish: ({ data }) => {
    if (data.text === 'crash') throw new Error('a bug of the application');
    if (data.text.includes('darn')) return refuse('Please be kind', { reason: 'rude' });
    return { data: { text: data.text.trim() } };
  },
  onRpc: {
    greet: (name, { client }) => ({ hello: name, from: client.user }),
  },
});
