// What is in the page's scripts, and what is not.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { newProfile, newTab } from '../../support/browser.mjs';
import { Native, openNative } from '../../support/native.mjs';
import { staticOf } from '../../support/next.mjs';
import { freshName } from '../../support/stage.mjs';

/** Words that only the devtools say; in development they are all in the page. */
const kDevtoolsWords = ['anywire-devtools', 'Nothing has gone wrong', 'Frames, newest last'];
/** Words of the client itself, to know that the search would find something. */
const kClientWords = ['anywire.v1.json'];

async function scriptsOf(mode) {
  const dir = staticOf(mode);
  const files = (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('.js'));
  const texts = await Promise.all(files.map((name) => readFile(path.join(dir, name), 'utf8')));
  return texts.join('\n');
}

export function bundleScenarios(stage, mode) {
  test('scenario 39: devtools are in the page in development, and nowhere else', async (t) => {
    const page = await newTab(
      await newProfile(t, stage().browser),
      stage().apps.scenarios.url('/devtools'),
    );
    const native = await new Native(page).ready();
    await native.untilStatus('a', 'live');
    const button = page.getByRole('button', { name: /Anywire devtools: open/ });
    if (mode === 'dev') {
      await button.click();
      await page.getByRole('button', { name: /offline/i }).click();
      await native.untilState('s', 'offline');
      await page.getByRole('button', { name: /online|offline/i }).click();
      await native.untilState('s', 'open');
      await native.untilStatus('a', 'live');
    } else {
      assert.equal(await button.count(), 0);
      assert.equal(await page.locator('anywire-devtools').count(), 0);
      const scripts = await scriptsOf(mode);
      for (const word of kClientWords) assert.ok(scripts.includes(word), word);
      for (const word of kDevtoolsWords) assert.ok(!scripts.includes(word), word);
    }
    assert.deepEqual(page.complaints, []);
  });

  test('a suspending channel shows fallback, then list; a refused one its error', async (t) => {
    const { page, native } = await openNative(t, stage(), {
      providers: { main: { url: stage().native.url('/anywire') } },
      hooks: [
        { id: 'good', kind: 'suspense', provider: 'main', channel: freshName('suspense') },
        { id: 'bad', kind: 'suspense', provider: 'main', channel: 'closed:suspense' },
      ],
    });
    await native.untilStatus('good', 'live');
    assert.equal((await native.call('good', 'publish', { n: 0 })).ok, true);
    await native.untilSeen('good', 1);
    await page.locator('[data-hook=bad] [role=alert]', { hasText: 'forbidden' }).waitFor();
    assert.equal(await page.locator('[data-hook=good] p').count(), 1, 'its neighbour stands');
  });
}
