// Pages that do not read, among others that do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, numbers, openNative, range, told } from '../../support/native.mjs';
import { Peer } from '../../support/peer.mjs';
import { until } from '../../support/poll.mjs';
import { freshName } from '../../support/stage.mjs';

export function slowScenarios(stage) {
  test('scenario 20: a tab that does not read slows nobody, and loses nothing', async (t) => {
    const kMessages = 3000;
    const proxy = await stage().proxy(t, stage().native);
    const channel = freshName('slow');
    const peer = await Peer.join(t, stage().native);
    const hook = { id: 'a', kind: 'channel', channel };
    const slow = await openNative(t, stage(), below(proxy.url('/anywire'), [hook]));
    const fast = await openNative(t, stage(), below(stage().native.url('/anywire'), [hook]));
    for (const { native } of [slow, fast]) await native.untilStatus('a', 'live');

    proxy.stall();
    await peer.count(channel, 0, kMessages, 'x'.repeat(2000));
    const quick = await fast.native.untilSeen('a', kMessages);
    assert.deepEqual(numbers(quick), range(0, kMessages));
    assert.equal((await slow.native.read('a')).seen, 0, 'nothing has reached the slow one');

    proxy.resume();
    const late = await slow.native.untilSeen('a', kMessages, { deadlineMs: 30_000 });
    assert.deepEqual(numbers(late), range(0, kMessages));
    assert.deepEqual(told(late, 'gap'), []);
  });

  test('scenario 20: a tab whose script hangs slows nobody, and catches up', async (t) => {
    const kMessages = 2000;
    const channel = freshName('busy');
    const peer = await Peer.join(t, stage().native);
    const hook = { id: 'a', kind: 'channel', channel };
    const spec = below(stage().native.url('/anywire'), [hook]);
    const [busy, fast] = [await openNative(t, stage(), spec), await openNative(t, stage(), spec)];
    for (const { native } of [busy, fast]) await native.untilStatus('a', 'live');
    // It waits for an answer as scripts must not, and the test has the answer.
    let answer;
    await busy.page.route('**/answer', (route) => {
      answer = () => route.fulfill({ body: 'now' });
    });
    const hanging = busy.page.evaluate(() => {
      const request = new XMLHttpRequest();
      request.open('GET', '/answer', false);
      request.send();
      return window.natives.main.read('a').seen;
    });
    await until('it hangs', () => answer);
    await peer.count(channel, 0, kMessages);
    await fast.native.untilSeen('a', kMessages);
    answer();
    assert.equal(await hanging, 0, 'it saw nothing while it hung');
    const late = await busy.native.untilSeen('a', kMessages);
    assert.deepEqual([numbers(late), told(late, 'gap')], [range(0, kMessages), []]);
  });
}
