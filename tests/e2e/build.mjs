// Builds the apps for the modes that need it: `node build.mjs start standalone`.
import { randomInt } from 'node:crypto';
import { FaultProxy } from './support/proxy.mjs';
import { buildApps } from './support/stage.mjs';

/** Below the ports that systems give to outgoing connections, so they stay free for later. */
const kPorts = [20_000, 32_000];
const kTries = 20;

async function onFreePort() {
  for (let left = kTries; ; left--) {
    try {
      const nowhere = { host: '127.0.0.1', port: 9 };
      return await FaultProxy.start(nowhere, { port: randomInt(...kPorts) });
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || left === 0) throw error;
    }
  }
}

// Two modes may be run at the same time, and their rewrites lead to a server each. Whoever runs
// them listens where the build points; all that is done here is to find ports that are free.
for (const mode of process.argv.slice(2)) {
  const proxy = await onFreePort();
  await buildApps([mode], proxy);
  await proxy.stop();
}
