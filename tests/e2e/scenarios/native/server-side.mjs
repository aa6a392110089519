// Publishing from the application's own server: a server action, a route handler.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newProfile, newTab } from '../../support/browser.mjs';
import { below, Native, numbers, openNative } from '../../support/native.mjs';
import { until } from '../../support/poll.mjs';
import { freshName } from '../../support/stage.mjs';

/** Two people in browsers of their own who listen to a channel. */
async function listeners(t, stage, channel) {
  const open = async () => {
    const { native } = await openNative(t, stage);
    const url = stage.native.url('/anywire');
    await native.show(below(url, [{ id: 'a', kind: 'channel', channel }]));
    await native.untilStatus('a', 'live');
    return native;
  };
  return [await open(), await open()];
}

const post = (page, body) =>
  page.evaluate(async (what) => {
    const answer = await fetch('/api/publish', { method: 'POST', body: JSON.stringify(what) });
    return [answer.status, await answer.json()];
  }, body);

export function serverSideScenarios(stage) {
  test('scenario 28: a server action publishes to two browsers, once per form', async (t) => {
    const channel = freshName('action');
    const all = await listeners(t, stage(), channel);
    const page = await newTab(await newProfile(t, stage().browser));
    const fill = (n) =>
      page.goto(
        stage().apps.scenarios.url(`/server-side?channel=${channel}&n=${n}&id=${channel}-${n}`),
      );
    await fill(0);
    let answered = 0;
    page.on('response', (answer) => {
      if (answer.request().method() === 'POST') answered += 1;
    });
    // An impatient person: twice before there is an answer. Without its scripts the page would be
    // left by the first of them, and only one of them would get out.
    await new Native(page).ready();
    await page.evaluate(() => {
      const form = document.querySelector('form');
      form.requestSubmit();
      form.requestSubmit();
    });
    await until('both answers', () => answered === 2, { deadlineMs: 15_000 });
    for (const native of all) await native.untilSeen('a', 1);
    await fill(1);
    await page.getByRole('button', { name: 'Publish' }).click();
    for (const native of all) {
      assert.deepEqual(numbers(await native.untilSeen('a', 2)), [0, 1]);
    }
  });

  test('scenario 29: a route handler publishes to two browsers, once per key', async (t) => {
    const channel = freshName('handler');
    const all = await listeners(t, stage(), channel);
    const page = await newTab(await newProfile(t, stage().browser));
    await page.goto(stage().apps.scenarios.url('/away'));
    const both = await Promise.all(
      [0, 1].map(() => post(page, { channel, data: { n: 0 }, id: 'twice' })),
    );
    assert.deepEqual(both.map(([status]) => status), [200, 200]);
    assert.deepEqual(both.map(([, { duplicate }]) => duplicate).sort(), [false, true]);
    assert.equal(both[0][1].offset, both[1][1].offset);
    const [status, other] = await post(page, { channel, data: { n: 1 }, id: 'twice' });
    assert.deepEqual([status, other], [502, { code: 'idempotency_conflict', status: 409 }]);
    await post(page, { channel, data: { n: 1 }, id: 'once' });
    for (const native of all) {
      assert.deepEqual(numbers(await native.untilSeen('a', 2)), [0, 1]);
    }
  });
}
