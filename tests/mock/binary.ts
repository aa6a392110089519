// The binary as a world of the cases in packages/testing/tests/same.
import { websocket } from '@anywire/client';
import { expect } from 'vitest';
import WebSocket from 'ws';
import { channels, secret, type World } from '../../packages/testing/tests/same/stage';
import { pause, until } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';

const flags = {
  'auth.hs256_secret': secret,
  'auth.anonymous': true,
  'auth.leeway': '0s',
  'auth.expiry_grace': '0s',
  'auth.expiry_required': false,
  channels: JSON.stringify(channels),
};

export async function binary(): Promise<World> {
  const start = () => startServer({ conformance: false, loops: 2, flags });
  let server = await start();
  const stop = async () => {
    const { code } = await server.stop();
    expect(code, server.output).toBe(0);
  };
  return {
    get url() {
      return server.url('/anywire');
    },
    options: { WebSocket: WebSocket as never },
    transport: () => websocket(),
    now: () => Date.now(),
    pass: pause,
    async until(what, probe) {
      await until(what, probe, { deadlineMs: 5000, everyMs: 2 });
    },
    async restart() {
      await stop();
      server = await start();
    },
    close: stop,
  };
}
