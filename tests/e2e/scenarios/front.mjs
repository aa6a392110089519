// Anywire in front of Next.js: one origin without a rewrite, a proxy or a line of the app's. The
// page, its scripts, its hot updates and the messages all come from the binary's port.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newProfile, newTab } from '../support/browser.mjs';
import { below, Native, numbers } from '../support/native.mjs';
import { Peer } from '../support/peer.mjs';
import { freshName, nativeServer } from '../support/stage.mjs';
import { authScenarios } from './native/auth.mjs';
import { routeScenarios } from './native/route.mjs';
import { serverSideScenarios } from './native/server-side.mjs';
import { siteScenarios } from './native/site.mjs';

/** What has to be no different here: tokens, forms, routes, policies, names and hot updates. */
const kSame = {
  dev: [routeScenarios],
  start: [authScenarios, serverSideScenarios, siteScenarios, routeScenarios],
  standalone: [],
};

export function frontScenarios(stage, mode) {
  describe('behind the binary', { concurrency: false }, () => {
    const origin = (server = stage().native) =>
      `http${server.secure ? 's' : ''}://localhost:${server.port}`;

    /** One message in each direction, over one socket of the page's own origin. */
    const talk = async (t, server) => {
      const channel = freshName('front');
      const context = await newProfile(t, stage().browser, { ignoreHTTPSErrors: server.secure });
      const page = await newTab(context, `${origin(server)}/native`);
      const sockets = [];
      page.on('websocket', (socket) => {
        // `next dev` has one of its own, sooner or later.
        if (!new URL(socket.url()).pathname.startsWith('/_next/')) sockets.push(socket.url());
      });
      const native = await new Native(page).ready();
      await native.show(below('/anywire', [{ id: 'a', kind: 'channel', channel }]));
      await native.untilStatus('a', 'live');
      assert.equal((await native.call('a', 'publish', { n: 0 })).ok, true);
      if (!server.secure) await (await Peer.join(t, server)).count(channel, 1, 2);
      else assert.equal((await native.call('a', 'publish', { n: 1 })).ok, true);
      assert.deepEqual(numbers(await native.untilSeen('a', 2)), [0, 1]);
      assert.deepEqual(sockets, [`${origin(server).replace('http', 'ws')}/anywire`]);
      assert.deepEqual(page.complaints, []);
    };

    test('a page hydrates, and its relative URL leads to the server itself', (t) =>
      talk(t, stage().native));

    describe('with its own TLS', { concurrency: false }, () => {
      let secure;
      before(async () => {
        const flags = { 'front.upstream': `http://localhost:${stage().apps.scenarios.port}` };
        secure = await nativeServer({ flags, secure: true });
      });
      after(() => secure?.stop());

      test('scenario 37: that is the page’s as well, and wss follows', (t) => talk(t, secure));
    });

    test('a page that is sent in parts is shown in parts', async (t) => {
      const key = freshName('gate');
      const page = await newTab(await newProfile(t, stage().browser));
      await page.goto(`${origin()}/streamed?key=${key}`, { waitUntil: 'commit' });
      await page.getByRole('heading', { name: 'the beginning' }).waitFor();
      assert.equal(await page.getByText('all of it').count(), 0);
      assert.equal(await page.evaluate(() => document.readyState), 'loading');
      await fetch(`${origin()}/api/gate?key=${key}`, { method: 'PUT' });
      await page.getByText('all of it').waitFor();
      assert.deepEqual(page.complaints, []);
    });

    for (const part of kSame[mode]) part(() => stage().behind(), mode);
  });
}
