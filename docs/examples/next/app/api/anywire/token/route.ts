import { anywireToken } from '@anywire/next';
import { currentUser } from '@/lib/session';

export const { POST } = anywireToken({
  async authorize() {
    const name = await currentUser();
    if (!name) return null; // 401: nobody is signed in
    return {
      user: name,
      info: { name },
      capability: { 'room:*': ['subscribe', 'publish', 'presence', 'history'] },
    };
  },
});
