import type { NextConfig } from 'next';

// Hidden routes stay alive under <Activity> only with this on; scenario 30 is about that.
const config: NextConfig = { cacheComponents: true, partialPrefetching: true };

export default config;
