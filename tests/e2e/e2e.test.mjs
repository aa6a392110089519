// The browser scenarios: the real binary, Debian's Chromium, Next.js built and in development.
// One process, so that servers, builds and the browser are shared; `--test-name-pattern` picks.
import { after, before, describe } from 'node:test';
import { chatScenarios } from './scenarios/chat.mjs';
import { deviceScenarios } from './scenarios/device.mjs';
import { floodScenarios } from './scenarios/flood.mjs';
import { hookScenarios } from './scenarios/hook.mjs';
import { linkScenarios } from './scenarios/link.mjs';
import { nodeScenarios } from './scenarios/node.mjs';
import { queueScenarios } from './scenarios/queue.mjs';
import { routeScenarios } from './scenarios/route.mjs';
import { seedScenarios } from './scenarios/seed.mjs';
import { kModes, Stage } from './support/stage.mjs';

const kSetUpMs = 240_000;
const modes = kModes.filter((mode) =>
  (process.env.E2E_MODES ?? kModes.join()).split(',').includes(mode),
);

describe('browser', { concurrency: false }, () => {
  const stage = {};
  before(
    async () => {
      stage.now = await Stage.open();
      if (modes.includes('start') && !process.env.E2E_SKIP_BUILD) await stage.now.build();
    },
    { timeout: kSetUpMs },
  );
  after(() => stage.now?.close());
  for (const mode of modes) {
    describe(`next ${mode}`, { concurrency: false }, () => {
      before(() => stage.now.startApps(mode), { timeout: kSetUpMs });
      after(() => stage.now.stopApps());
      const parts = [
        seedScenarios,
        hookScenarios,
        linkScenarios,
        queueScenarios,
        deviceScenarios,
        floodScenarios,
        routeScenarios,
        chatScenarios,
      ];
      for (const part of parts) part(() => stage.now, mode);
    });
  }
});

describe('node', { concurrency: false }, nodeScenarios);
