// Who is signed in is told by a header here; a cookie is read the same way.
import { anywireToken } from '@anywire/next';

export const { POST } = anywireToken({
  authorize: (request) => {
    const user = request.headers.get('x-user');
    if (!user) return null;
    return { user, capability: { 'room:*': ['subscribe', 'publish'], '*': ['rpc'] } };
  },
});
