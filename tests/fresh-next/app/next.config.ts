import { withAnywire } from '@anywire/next/config';
import type { NextConfig } from 'next';

// What a strict site sends. Scripts and styles of Next.js are inline; connections are what counts.
const inline = "'self' 'unsafe-inline'";
const policy = `default-src 'self'; script-src ${inline}; style-src ${inline}`;

const config: NextConfig = {
  output: 'standalone',
  headers: async () => [
    {
      source: '/:path*',
      headers: [{ key: 'Content-Security-Policy', value: `${policy}; connect-src 'self'` }],
    },
  ],
  // A catch-all of the application's own, which must not swallow the server's path.
  rewrites: async () => [{ source: '/:anything*/old', destination: '/' }],
};

export default withAnywire(config, { spawn: process.env.SPAWN === 'dev' ? 'dev' : false });
