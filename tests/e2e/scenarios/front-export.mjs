// An exported site, served by the binary itself: no Node.js behind it.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { newProfile, newTab } from '../support/browser.mjs';
import { build, exported } from '../support/next.mjs';
import { nativeServer } from '../support/stage.mjs';

const kBuildMs = 180_000;

export function exportScenarios(stage, mode) {
  if (mode !== 'start') return;
  describe('an exported site', { concurrency: false }, () => {
    let server;
    before(
      async () => {
        await build(exported);
        server = await nativeServer({ flags: { 'front.files': path.join(exported, 'out') } });
      },
      { timeout: kBuildMs },
    );
    after(() => server?.stop());
    const url = (where) => `http://localhost:${server.port}${where}`;

    test('hydrates, and talks to who serves it', async (t) => {
      const context = await newProfile(t, stage().browser);
      const one = await newTab(context, url('/'));
      const two = await newTab(context, url('/'));
      for (const page of [one, two]) await page.getByText('live', { exact: true }).waitFor();
      await one.getByRole('button', { name: 'say hello' }).click();
      for (const page of [one, two]) await page.locator('li', { hasText: 'hello' }).waitFor();
      assert.deepEqual([...one.complaints, ...two.complaints], []);
    });

    test('links lead from page to page, and an address leads to each', async (t) => {
      const page = await newTab(await newProfile(t, stage().browser), url('/'));
      await page.getByText('live', { exact: true }).waitFor();
      await page.evaluate(() => (window.born = 'once'));
      await page.getByRole('link', { name: 'to about' }).click();
      await page.getByRole('heading', { name: 'about' }).waitFor();
      assert.equal(await page.evaluate(() => window.born), 'once', 'without loading a page');
      await page.goto(url('/about'));
      await page.getByRole('heading', { name: 'about' }).waitFor();
      assert.deepEqual(page.complaints, []);
    });

    test('its scripts are kept, and its pages are asked for again', async (t) => {
      const page = await newTab(await newProfile(t, stage().browser));
      const answers = new Map();
      page.on('response', (response) => answers.set(new URL(response.url()).pathname, response));
      await page.goto(url('/'));
      await page.getByText('live', { exact: true }).waitFor();
      const script = [...answers.keys()].find((name) => /_next\/static\/.*\.js$/.test(name));
      assert.match(answers.get(script).headers()['cache-control'], /immutable/);
      assert.match(answers.get('/').headers()['cache-control'], /must-revalidate/);
      const missing = await page.goto(url('/nowhere'));
      assert.equal(missing.status(), 404);
    });
  });
}
