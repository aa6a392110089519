// The browser scenarios: the real binary, Debian's Chromium, Next.js built and in development.
// One process, so that servers, builds and the browser are shared; `--test-name-pattern` picks.
import { after, before, describe } from 'node:test';
import { chatScenarios } from './scenarios/chat.mjs';
import { clientScenarios } from './scenarios/client.mjs';
import { deviceScenarios } from './scenarios/device.mjs';
import { floodScenarios } from './scenarios/flood.mjs';
import { frontScenarios } from './scenarios/front.mjs';
import { exportScenarios } from './scenarios/front-export.mjs';
import { hookScenarios } from './scenarios/hook.mjs';
import { linkScenarios } from './scenarios/link.mjs';
import { applicationScenarios } from './scenarios/native/application.mjs';
import { authScenarios } from './scenarios/native/auth.mjs';
import { bundleScenarios } from './scenarios/native/bundle.mjs';
import { floodScenarios as nativeFloodScenarios } from './scenarios/native/flood.mjs';
import { historyScenarios } from './scenarios/native/history.mjs';
import { linkScenarios as nativeLinkScenarios } from './scenarios/native/link.mjs';
import { mountScenarios } from './scenarios/native/mount.mjs';
import { peopleScenarios } from './scenarios/native/people.mjs';
import { preloadScenarios } from './scenarios/native/preload.mjs';
import { publishScenarios } from './scenarios/native/publish.mjs';
import { routeScenarios as nativeRouteScenarios } from './scenarios/native/route.mjs';
import { serverSideScenarios } from './scenarios/native/server-side.mjs';
import { siteScenarios } from './scenarios/native/site.mjs';
import { slowScenarios } from './scenarios/native/slow.mjs';
import { nodeScenarios } from './scenarios/node.mjs';
import { queueScenarios } from './scenarios/queue.mjs';
import { routeScenarios } from './scenarios/route.mjs';
import { seedScenarios } from './scenarios/seed.mjs';
import { signInScenarios } from './scenarios/sign-in.mjs';
import { kModes, Stage } from './support/stage.mjs';

const kSetUpMs = 240_000;
const modes = kModes.filter((mode) =>
  (process.env.E2E_MODES ?? kModes.join()).split(',').includes(mode),
);

// `E2E_PARTS`: `most` leaves out what measures speed and needs the machine for itself, `speed` is
// that alone, `plain` is what needs no app. See run.mjs, which runs all of them.
const parts = {
  most: [
    seedScenarios,
    mountScenarios,
    nativeLinkScenarios,
    publishScenarios,
    authScenarios,
    peopleScenarios,
    historyScenarios,
    preloadScenarios,
    serverSideScenarios,
    nativeRouteScenarios,
    siteScenarios,
    applicationScenarios,
    slowScenarios,
    frontScenarios,
    exportScenarios,
    bundleScenarios,
    hookScenarios,
    linkScenarios,
    queueScenarios,
    deviceScenarios,
    routeScenarios,
    chatScenarios,
    signInScenarios,
  ],
  speed: [nativeFloodScenarios, floodScenarios],
};
const wanted = (process.env.E2E_PARTS ?? 'most,speed,plain').split(',');
const chosen = wanted.flatMap((name) => parts[name] ?? []);
// Standalone output is that of the scenarios' app only.
const elsewhere = [chatScenarios, signInScenarios];

if (chosen.length > 0) {
  describe('browser', { concurrency: false }, () => {
    const stage = {};
    before(
      async () => {
        stage.now = await Stage.open({ modes, skipBuild: !!process.env.E2E_SKIP_BUILD });
      },
      { timeout: kSetUpMs },
    );
    after(() => stage.now?.close());
    for (const mode of modes) {
      describe(`next ${mode}`, { concurrency: false }, () => {
        before(() => stage.now.startApps(mode), { timeout: kSetUpMs });
        after(() => stage.now.stopApps());
        for (const part of chosen) {
          if (mode !== 'standalone' || !elsewhere.includes(part)) part(() => stage.now, mode);
        }
      });
    }
  });
}

if (wanted.includes('plain')) {
  describe('client', { concurrency: false }, clientScenarios);
  describe('node', { concurrency: false }, nodeScenarios);
}
