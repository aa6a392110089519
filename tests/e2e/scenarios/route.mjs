// Navigation within a Next.js app whose routes are hidden rather than unmounted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barrier, newProfile, newTab, Probe } from '../support/browser.mjs';
import { Member } from '../support/member.mjs';
import { until } from '../support/poll.mjs';
import { freshName } from '../support/stage.mjs';
import { openProbe } from './hook.mjs';

export function routeScenarios(stage) {
  test('scenario 30: a hidden route leaks no socket, and on return tells the hole', async (t) => {
    const proxy = await stage().proxy(t);
    const channel = `/raw/${freshName('hide')}`;
    const { page, probe } = await openProbe(t, stage());
    const member = await Member.join(t, stage().lobby.url(channel));
    await probe.show({ id: 'a', url: proxy.url(channel) });
    await probe.untilState('a', 'open');
    member.say({ n: 0 });
    await probe.until('a', 'a message', (seen) => seen.seen === 1);

    await page.getByRole('link', { name: 'away' }).click();
    await page.getByText('away', { exact: true }).and(page.locator('main')).waitFor();
    await until('the hidden page let go of its socket', () => proxy.open === 0);
    await page.goBack();
    const back = await probe.until(
      'a',
      'open again',
      (seen) => seen.state === 'open' && proxy.open === 1,
    );
    assert.deepEqual(back.list, [{ n: 0 }], 'what was read stays');
    assert.equal(back.gaps.length, 1, 'what may be missing is said');
    member.say({ n: 1 });
    await probe.until('a', 'the next message', (seen) => seen.disordered === 0 && seen.seen === 2);
    assert.equal(proxy.total, 2);
    assert.deepEqual(page.complaints, []);
  });

  test('scenario 30: hidden and back within the linger, nothing is lost', async (t) => {
    const proxy = await stage().proxy(t);
    const channel = `/raw/${freshName('back')}`;
    const { page, probe } = await openProbe(t, stage());
    const member = await Member.join(t, stage().lobby.url(channel));
    await probe.show({ id: 'a', url: proxy.url(channel), options: { linger: 30_000 } });
    await probe.untilState('a', 'open');
    let next = 0;
    const talk = () => {
      for (let count = 0; count < 20; count++) member.say({ n: next++ });
    };
    talk();
    await page.getByRole('link', { name: 'away' }).click();
    talk();
    await page.getByText('away', { exact: true }).and(page.locator('main')).waitFor();
    talk();
    await page.goBack();
    talk();
    const back = await probe.until('a', 'everything', (seen) => seen.seen >= next);
    assert.deepEqual([back.seen, back.disordered, back.gaps.length], [next, 0, 0]);
    assert.equal(proxy.total, 1);
    assert.deepEqual(page.complaints, []);
  });

  test('scenario 30: a hook in a layout keeps its socket across its pages', async (t) => {
    const proxy = await stage().proxy(t);
    const channel = `/raw/${freshName('layout')}`;
    const url = proxy.url(channel);
    const page = await newTab(
      await newProfile(t, stage().browser),
      stage().apps.scenarios.url('/kept/a'),
    );
    const probe = await new Probe(page, 'layout').ready();
    const member = await Member.join(t, stage().lobby.url(channel));
    await probe.show({ id: 'a', url });
    await probe.untilState('a', 'open');
    let next = 0;
    for (const name of ['b', 'a', 'b', 'a']) {
      member.say({ n: next++ });
      await page.getByRole('link', { name: `to ${name}` }).click();
      member.say({ n: next++ });
      await page.getByRole('heading', { name: `page ${name}` }).waitFor();
    }
    const seen = await probe.until('a', 'everything', (now) => now.seen >= next);
    assert.deepEqual([seen.seen, seen.disordered], [next, 0]);
    await barrier(page, url);
    assert.equal(proxy.total, 2);
    assert.deepEqual(page.complaints, []);
  });
}
