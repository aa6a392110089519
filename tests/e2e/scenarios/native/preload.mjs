// Pages that arrive with their history.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newProfile, newTab } from '../../support/browser.mjs';
import { Native, numbers, offsets, range, told } from '../../support/native.mjs';
import { Peer } from '../../support/peer.mjs';
import { until } from '../../support/poll.mjs';
import { freshName } from '../../support/stage.mjs';

const kPage = 20;

const address = (stage, channel, more = '') =>
  stage.apps.scenarios.url(`/preloaded?channel=${channel}${more}`);

/** Run in the page before all else: the fewest items the list ever had once it had any. */
function watchList() {
  window.fewest = undefined;
  new MutationObserver(() => {
    const count = document.querySelectorAll('[data-hook=h] li').length;
    if (window.fewest !== undefined || count > 0) {
      window.fewest = Math.min(window.fewest ?? count, count);
    }
  }).observe(document, { childList: true, subtree: true });
}

export function preloadScenarios(stage) {
  test('scenario 27: a preloaded list hydrates without a warning, a flash or a gap', async (t) => {
    const channel = freshName('preload');
    const peer = await Peer.join(t, stage().native);
    await peer.count(channel, 0, 30);
    const html = await (await fetch(address(stage(), channel))).text();
    for (const n of [11, 30]) assert.ok(html.includes(`&quot;offset&quot;:${n},`), `offset ${n}`);

    const page = await newTab(await newProfile(t, stage().browser));
    await page.addInitScript(watchList);
    // The scripts are late, and meanwhile others talk.
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await page.route(/\/_next\/.*\.js/, (route) => released.then(() => route.continue()));
    await page.goto(address(stage(), channel), { waitUntil: 'commit' });
    const items = page.locator('[data-hook=h] li');
    await until('the server’s list', async () => (await items.count()) === kPage);
    await peer.count(channel, 30, 35);
    release();
    const native = await new Native(page).ready();
    const seen = await native.until('h', 'what was said meanwhile', ({ result }) => {
      return result.messages.length >= kPage + 5;
    });
    assert.deepEqual(offsets(seen.result.messages), range(11, 36));
    assert.deepEqual([seen.result.gaps, seen.result.hasOlder], [[], true]);
    const live = await native.untilSeen('c', 5);
    assert.deepEqual(numbers(live), range(30, 35), 'callbacks see what is new');
    const whole = await native.until('c', 'the list', ({ result }) => {
      return result.messages.length === kPage + 5;
    });
    assert.deepEqual(offsets(whole.result.messages), range(11, 36));
    assert.deepEqual(told(live, 'gap'), []);
    await native.call('h', 'fetchOlder');
    const older = await native.until('h', 'the beginning', ({ result }) => !result.hasOlder);
    assert.deepEqual(offsets(older.result.messages), range(1, 36));
    assert.ok((await page.evaluate(() => window.fewest)) >= kPage, 'never fewer than at first');
    // A browser whose requests a test holds back asks past its cache, which `next dev` remarks on.
    assert.deepEqual(
      page.complaints.filter((text) => !/cache-bypass-in-dev/.test(text)),
      [],
    );
  });

  test('scenario 27: when nothing can be preloaded the page begins live', async (t) => {
    const channel = freshName('down');
    const peer = await Peer.join(t, stage().native);
    await peer.count(channel, 0, 3);
    const page = await newTab(await newProfile(t, stage().browser));
    const answer = await page.goto(address(stage(), channel, '&down=1'));
    assert.equal(answer.status(), 200);
    const native = await new Native(page).ready();
    await native.until('h', 'its history all the same', ({ result }) => {
      return result.messages.length === 3 && result.status === 'live';
    });
    await native.untilStatus('c', 'live');
    await peer.count(channel, 3, 4);
    assert.deepEqual(numbers(await native.untilSeen('c', 1)), [3]);
    // In development the log of Next.js is repeated in the browser, and it has reason to complain.
    assert.deepEqual(
      page.complaints.filter((text) => !/\[anywire\] no history of/.test(text)),
      [],
    );
  });
}
