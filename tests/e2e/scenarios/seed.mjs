// The text the project grew from must work as it was printed.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { newProfile, newTab } from '../support/browser.mjs';
import { apps } from '../support/next.mjs';
import { until } from '../support/poll.mjs';

/** SHA-256 of the two code blocks as printed. A change of one byte in the example fails here. */
const kPrinted = {
  'hooks/useWebSocket.tsx': '9e3c92e8e7b40c2fd12bd5be8a113070f33b517565638232d357b7a43b750a46',
  'components/Chat.tsx': 'cd90438d50c27978963311862c9c25118b9834aec2d9b12208f502265f15398c',
};

export function seedScenarios(stage) {
  test('scenario 1: the files of the seed are unchanged, byte for byte', async () => {
    for (const [file, expected] of Object.entries(kPrinted)) {
      const text = await readFile(path.join(apps.seed, file));
      assert.equal(createHash('sha256').update(text).digest('hex'), expected, file);
    }
  });

  test('scenario 1: the seed’s chat connects, greets and talks between tabs', async (t) => {
    const {
      browser,
      apps: { seed },
    } = stage();
    const context = await newProfile(t, browser);
    const [one, two] = [await newTab(context, seed.url()), await newTab(context, seed.url())];
    for (const tab of [one, two]) {
      await tab.getByText('Status: connected').waitFor();
      await tab.locator('li', { hasText: '{"hello":"world"}' }).first().waitFor();
    }
    await one.locator('input').fill('from the first tab');
    await one.getByRole('button', { name: 'Send' }).click();
    for (const tab of [one, two]) await tab.getByText('{"msg":"from the first tab"}').waitFor();
    await two.locator('input').fill('back');
    await two.getByRole('button', { name: 'Send' }).click();
    await one.getByText('{"msg":"back"}').waitFor();
    assert.equal(await one.locator('li', { hasText: 'from the first tab' }).count(), 1);
  });

  test('scenario 1: against an echoing root the seed’s chat sees the echo', async (t) => {
    const {
      browser,
      apps: { seed },
      lobby,
      echo,
      seedProxy,
    } = stage();
    stage().pointSeedAt(echo);
    t.after(() => stage().pointSeedAt(lobby));
    const before = seedProxy.total;
    const tab = await newTab(await newProfile(t, browser), seed.url());
    await tab.getByText('Status: connected').waitFor();
    await until('the page went through the proxy', () => seedProxy.total > before);
    await tab.locator('li', { hasText: '{"hello":"world"}' }).first().waitFor();
    await tab.locator('input').fill('hi');
    await tab.getByRole('button', { name: 'Send' }).click();
    await tab.getByText('{"echo":{"msg":"hi"}}').waitFor();
  });
}
