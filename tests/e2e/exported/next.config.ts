import type { NextConfig } from 'next';

/** A site without a server of its own: `next build` writes it to `out/`. */
const config: NextConfig = { output: 'export' };

export default config;
