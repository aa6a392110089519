// What was said before, page by page, while more is said.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, offsets, openNative, range } from '../../support/native.mjs';
import { Peer } from '../../support/peer.mjs';
import { freshName } from '../../support/stage.mjs';

const kPage = 20;

export function historyScenarios(stage) {
  test('scenario 26: five pages back while messages arrive: no hole, nothing twice', async (t) => {
    const channel = freshName('pages');
    const peer = await Peer.join(t, stage().native);
    await peer.count(channel, 0, 130);
    const { native } = await openNative(
      t,
      stage(),
      below(stage().native.url('/anywire'), [
        { id: 'h', kind: 'history', channel, pageSize: kPage, list: true },
      ]),
    );
    const first = await native.until('h', 'the newest page', ({ result }) => {
      return result.status === 'live' && result.messages.length >= kPage;
    });
    assert.equal(offsets(first.result.messages).at(-1), 130);
    let top = 130;
    for (let page = 2; page <= 6; page++) {
      // Messages before, during and behind the page.
      await peer.count(channel, top, top + 3);
      const fetched = native.call('h', 'fetchOlder');
      await peer.count(channel, top + 3, top + 8);
      top += 8;
      assert.equal((await fetched).ok, true);
      const seen = await native.until('h', `page ${page} and the live ones`, ({ result }) => {
        const all = offsets(result.messages);
        return all.at(-1) === top && all[0] === Math.max(1, 131 - page * kPage);
      });
      const all = offsets(seen.result.messages);
      assert.deepEqual(all, range(all[0], top + 1));
    }
    const { result } = await native.until('h', 'five more', ({ result: now }) => !now.isFetching);
    assert.deepEqual([result.hasOlder, result.gaps.length], [true, 0]);
    await native.call('h', 'fetchOlder');
    const whole = await native.until('h', 'the beginning', ({ result: now }) => !now.hasOlder);
    assert.deepEqual(offsets(whole.result.messages), range(1, top + 1));
  });

  test('scenario 26: a list that begins in an outage is whole after it', async (t) => {
    const proxy = await stage().proxy(t, stage().native);
    const channel = freshName('broken');
    const peer = await Peer.join(t, stage().native);
    await peer.count(channel, 0, 60);
    const { native } = await openNative(t, stage());
    await native.show(
      below(proxy.url('/anywire'), [{ id: 'h', kind: 'history', channel, pageSize: kPage }]),
    );
    await native.until('h', 'the newest page', ({ result }) => result.messages.length === kPage);
    proxy.refuse();
    proxy.cut();
    await native.untilStatus('h', 'waiting');
    const fetched = native.call('h', 'fetchOlder');
    await peer.count(channel, 60, 90);
    proxy.refuse(false);
    await fetched;
    await native.call('h', 'fetchOlder');
    const seen = await native.until('h', 'everything', ({ result }) => {
      const all = offsets(result.messages);
      return all.at(-1) === 90 && all[0] <= 41 - kPage;
    });
    const all = offsets(seen.result.messages);
    assert.deepEqual(all, range(all[0], 91));
    assert.deepEqual(seen.result.gaps, []);
  });

  test('scenario 17: a hole that history cannot fill is marked in the list', async (t) => {
    const proxy = await stage().proxy(t, stage().native);
    const channel = `short:${freshName('hole')}`;
    const peer = await Peer.join(t, stage().native);
    await peer.count(channel, 0, 5);
    const { native } = await openNative(t, stage());
    await native.show(below(proxy.url('/anywire'), [{ id: 'h', kind: 'history', channel }]));
    await native.until('h', 'the first five', ({ result }) => result.messages.length === 5);
    proxy.refuse();
    proxy.cut();
    await native.untilStatus('h', 'waiting');
    await peer.count(channel, 5, 55);
    proxy.refuse(false);
    const seen = await native.until('h', 'the rest', ({ result }) => result.messages.length === 15);
    assert.deepEqual(offsets(seen.result.messages), [...range(1, 6), ...range(46, 56)]);
    assert.equal(seen.result.gaps.length, 1);
    assert.equal(seen.told.filter(({ what }) => what === 'gap').length, 1);
  });
}
