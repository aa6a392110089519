import { withAnywire } from '@anywire/next/config';
import type { NextConfig } from 'next';

const config: NextConfig = {};

export default withAnywire(config, { spawn: 'dev' });
