import { withAnywire } from '@anywire/next/config';
import type { NextConfig } from 'next';

const config: NextConfig = {
  // Hidden routes stay alive under <Activity> only with this on; scenario 30 is about that.
  cacheComponents: true,
  partialPrefetching: true,
  // Scenario 32: a name other than localhost, which the browser of the tests resolves.
  allowedDevOrigins: ['app.anywire.test'],
  headers: async () => [
    {
      source: '/strict-policy',
      headers: [{ key: 'Content-Security-Policy', value: "connect-src 'self'" }],
    },
  ],
  ...(process.env.E2E_STANDALONE && { distDir: '.next-standalone', output: 'standalone' }),
};

// Rewrites are part of a build, so the stage decides where the server is before it builds.
export default withAnywire(config, { target: process.env.ANYWIRE_TARGET });
