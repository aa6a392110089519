import { withAnywire } from '@anywire/testing/react';

export const decorators = [
  withAnywire({
    client: { token: 'ann' },
    script(server) {
      server.enter('room:42', { name: 'Bob' });
      let said = 0;
      const timer = setInterval(() => server.publish('room:42', `message ${++said}`), 1000);
      return () => clearInterval(timer);
    },
  }),
];
