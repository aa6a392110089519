// Who is there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newProfile } from '../../support/browser.mjs';
import { below, openNative } from '../../support/native.mjs';
import { Peer } from '../../support/peer.mjs';
import { until } from '../../support/poll.mjs';
import { freshName } from '../../support/stage.mjs';

const kGraceMs = 1000;

const names = (members = []) => members.map(({ info }) => info.name).sort();
const others = (seen) => names(seen.result.others);

function tab(t, stage, channel, name, context) {
  const spec = below(stage.native.url('/anywire'), [
    { id: 'p', kind: 'presence', channel, me: { name } },
  ]);
  return openNative(t, stage, spec, { context });
}

export function peopleScenarios(stage) {
  test('scenario 25: three tabs see each other once each, and a crash of one', async (t) => {
    const channel = `here:${freshName('tabs')}`;
    const peer = await Peer.join(t, stage().native);
    await peer.subscribe(channel, { presence: true });
    const context = await newProfile(t, stage().browser);
    const tabs = {};
    for (const name of ['ann', 'bob', 'cy']) {
      tabs[name] = await tab(t, stage(), channel, name, context);
    }
    for (const [name, { native }] of Object.entries(tabs)) {
      const rest = Object.keys(tabs).filter((other) => other !== name);
      const seen = await native.until('p', 'three', ({ result }) => {
        return result.count === 3 && result.self?.info?.name === name;
      });
      assert.deepEqual(others(seen), rest);
    }
    // The most there ever were: StrictMode mounts twice, and shows nobody twice.
    const counts = peer.pushes.filter(({ type }) => type === 'presence').map(({ count }) => count);
    assert.equal(Math.max(...counts), 3);
    const joined = peer.pushes.flatMap(({ join = [] }) => join.map(({ info }) => info.name));
    assert.deepEqual(joined.sort(), ['ann', 'bob', 'cy']);

    const crashedAt = performance.now();
    const session = await context.newCDPSession(tabs.cy.page);
    session.send('Page.crash').catch(() => undefined);
    for (const name of ['ann', 'bob']) {
      await tabs[name].native.until('p', 'two are left', ({ result }) => result.count === 2);
    }
    const ms = performance.now() - crashedAt;
    assert.ok(ms > kGraceMs / 2 && ms < kGraceMs + 4000, `gone after ${ms} ms`);
    const left = peer.pushes.flatMap(({ leave = [] }) => leave);
    assert.deepEqual(
      left.map(({ reason }) => reason),
      ['lost'],
    );
  });

  test('scenario 25: a hook that is unmounted leaves at once, not after the grace', async (t) => {
    const channel = `here:${freshName('leave')}`;
    const peer = await Peer.join(t, stage().native);
    await peer.subscribe(channel, { presence: true });
    const { page, native } = await tab(t, stage(), channel, 'ann');
    await native.untilStatus('p', 'live');
    const present = () => peer.pushes.findLast(({ type }) => type === 'presence')?.count;
    await until('ann is there', () => present() === 1);
    await native.show(below(stage().native.url('/anywire'), []));
    const goneAt = performance.now();
    await until('ann has left', () => present() === 0);
    assert.ok(performance.now() - goneAt < kGraceMs + 500);
    assert.deepEqual(
      peer.pushes.flatMap(({ leave = [] }) => leave.map(({ reason }) => reason)),
      ['left'],
    );
    assert.deepEqual(page.complaints, []);
  });

  test('scenario 25: an info that is a new object in each render is told once', async (t) => {
    const channel = `here:${freshName('literal')}`;
    const peer = await Peer.join(t, stage().native);
    await peer.subscribe(channel, { presence: true });
    const url = stage().native.url('/anywire');
    const { native } = await openNative(t, stage());
    const show = (name) =>
      native.show(
        below(url, [
          { id: 'p', kind: 'presence', channel, me: { name, likes: ['a', { deep: 1 }] } },
          { id: 'c', kind: 'channel', channel },
        ]),
      );
    await show('ann');
    await native.untilStatus('p', 'live');
    await native.until('p', 'herself', ({ result }) => result.count === 1);
    await native.untilStatus('c', 'live');
    const updates = () =>
      peer.pushes.flatMap(({ update = [] }) => update.map(({ info }) => info.name));
    // Renders of the same content: no word to the server, no render of its own.
    for (let n = 0; n < 5; n++) await show('ann');
    const { renders } = await native.read('p');
    await peer.publish(channel, { n: 0 });
    await native.untilSeen('c', 1);
    assert.equal((await native.read('p')).renders, renders, 'at rest');
    assert.deepEqual(updates(), []);
    await show('anna');
    await until('the change', () => updates().includes('anna'));
    await native.call('p', 'update', { name: 'anne' });
    await until('the update', () => updates().includes('anne'));
    assert.deepEqual(updates(), ['anna', 'anne']);
  });
}
