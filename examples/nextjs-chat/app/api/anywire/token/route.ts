import { anywireToken } from '@anywire/next';
import { currentAccount } from '../../../../lib/session';

/**
 * Rooms are open to everybody by the rules of anywire.toml, so tokens say who somebody is, and which
 * methods they may call. Guests get one, too, without a name in it.
 */
export const { POST } = anywireToken({
  authorize: async () => {
    const account = await currentAccount();
    if (!account) return { user: null };
    return {
      user: account.id,
      info: { name: account.name, hue: account.hue },
      capability: { 'topic.set': ['rpc'] },
    };
  },
});
