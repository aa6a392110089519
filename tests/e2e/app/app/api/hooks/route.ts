import { anywireHooks } from '@anywire/next';
import { refuse } from '@anywire/server/hooks';
import { contract } from '../../../components/native/contract';

/** The application that the server of scenarios/native/application.mjs asks. */
export const { POST } = anywireHooks({
  contract,
  onConnect: ({ client }) =>
    client.user === 'mallory' ? refuse('mallory may not come in') : undefined,
  onPublish: {
    'asked:{id}': ({ data }) =>
      data.text === 'rude' ? refuse('Please be kind.', { reason: 'rude' }) : { data: { text: data.text.toUpperCase() } },
  },
  onRpc: {
    'math.add': ([a, b], { client }) =>
      client.user === 'ann' ? a + b : refuse(`no sums for ${client.user}`),
  },
});
