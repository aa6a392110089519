// What one or several hooks make of one URL: how many sockets, for how long, and whose messages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barrier, newProfile, newTab, Probe } from '../support/browser.mjs';
import { Member } from '../support/member.mjs';
import { until } from '../support/poll.mjs';
import { freshName } from '../support/stage.mjs';

const kSlowCloseMs = 1500;
const kLingerMs = 250;

const probePage = (app, specs = []) =>
  app.url(`/probe?spec=${encodeURIComponent(JSON.stringify(specs))}`);

export async function openProbe(t, stage, specs = []) {
  const page = await newTab(
    await newProfile(t, stage.browser),
    probePage(stage.apps.scenarios, specs),
  );
  const probe = await new Probe(page).ready();
  return { page, probe };
}

export function hookScenarios(stage) {
  test('scenario 2: a mounted hook is one socket, and the console is silent', async (t) => {
    const proxy = await stage().proxy(t);
    const url = proxy.url(`/raw/${freshName('strict')}`);
    const { page, probe } = await openProbe(t, stage(), [{ id: 'a', url }]);
    await probe.untilState('a', 'open');
    await probe.send('a', { n: 0 });
    await probe.until('a', 'own message', (seen) => seen.seen === 1);
    await barrier(page, url);
    assert.equal(proxy.total, 2, 'the hook’s socket and the barrier’s');
    assert.deepEqual(page.complaints, []);
  });

  test('scenario 40: the server’s HTML shows an idle hook, and nobody was called', async (t) => {
    const proxy = await stage().proxy(t);
    const url = proxy.url(`/raw/${freshName('ssr')}`);
    const answer = await fetch(probePage(stage().apps.scenarios, [{ id: 'a', url }]));
    const html = await answer.text();
    assert.equal(answer.status, 200);
    assert.match(html, /<p data-state="idle">not connected<\/p>/);
    assert.equal(proxy.attempts.length, 0);
  });

  test('scenario 3: two components share a socket; the last one out closes it', async (t) => {
    const proxy = await stage().proxy(t);
    const url = proxy.url(`/raw/${freshName('shared')}`);
    const { page, probe } = await openProbe(t, stage());
    await probe.show({ id: 'a', url }, { id: 'b', url });
    await probe.untilState('a', 'open');
    await probe.untilState('b', 'open');
    await probe.send('a', { n: 0 });
    for (const id of ['a', 'b']) await probe.until(id, 'one message', (seen) => seen.seen === 1);
    await barrier(page, url);
    assert.equal(proxy.total, 2);
    await until('only the shared socket is left', () => proxy.open === 1);

    await probe.show({ id: 'a', url });
    await probe.send('a', { n: 1 });
    await probe.until('a', 'still talking', (seen) => seen.seen === 2);
    assert.equal((await probe.read('b')).seen, 1);

    const leftAt = performance.now();
    await probe.show();
    await until('the socket is closed', () => proxy.open === 0);
    assert.ok(performance.now() - leftAt >= kLingerMs - 50, 'it lingers for whoever comes back');
    assert.equal(proxy.total, 2);
    assert.deepEqual(page.complaints, []);
  });

  test('scenario 3: an unmount and a mount within the linger keep the socket', async (t) => {
    const proxy = await stage().proxy(t);
    const url = proxy.url(`/raw/${freshName('remount')}`);
    const { page, probe } = await openProbe(t, stage());
    const options = { linger: 10_000 };
    await probe.show({ id: 'a', url, options });
    await probe.untilState('a', 'open');
    await probe.show();
    await probe.show({ id: 'b', url, options });
    await probe.untilState('b', 'open');
    await barrier(page, url);
    assert.equal(proxy.total, 2);
  });

  test('scenario 6: from a to b with a slow close, b is connected and shows only b', async (t) => {
    const proxy = await stage().proxy(t);
    const [a, b] = [freshName('a'), freshName('b')].map((name) => proxy.url(`/raw/${name}`));
    const { probe } = await openProbe(t, stage());
    const [inA, inB] = [await Member.join(t, a), await Member.join(t, b)];
    await probe.show({ id: 'x', url: a });
    await probe.untilState('x', 'open');
    inA.say({ from: 'a' });
    await probe.until('x', 'message of a', (seen) => seen.list.length === 1);

    const old = [...proxy.links].at(-1);
    proxy.slowClose(kSlowCloseMs);
    inB.say({ early: true });
    await probe.show({ id: 'x', url: b });
    const switched = await probe.untilState('x', 'open');
    assert.equal(switched.connected, true);
    // Late words in a reach the page's old socket; the list of b must not know.
    inA.say({ late: true });
    inB.say({ from: 'b' });
    await probe.until(
      'x',
      'message of b',
      (seen) => JSON.stringify(seen.list) === '[{"from":"b"}]',
      {
        deadlineMs: 15_000,
      },
    );
    await until('the old socket is gone', () => old.closed && old.client.destroyed, {
      deadlineMs: 20_000,
    });
    const end = await probe.read('x');
    assert.equal(end.connected, true);
    assert.deepEqual(end.list, [{ from: 'b' }]);
    const opened = end.log.findLastIndex((entry) => entry.connected);
    assert.equal(opened, end.log.length - 1, 'never disconnected again');
  });

  test('scenario 7: a null URL means no connection, and an URL again connects again', async (t) => {
    const proxy = await stage().proxy(t);
    const url = proxy.url(`/raw/${freshName('null')}`);
    const { probe } = await openProbe(t, stage());
    await probe.show({ id: 'a', url: null });
    const off = await probe.until('a', 'mounted', (seen) => seen.renders > 0);
    assert.deepEqual([off.state, off.connected, proxy.total], ['idle', false, 0]);
    assert.deepEqual(await probe.send('a', 'nowhere'), [false], 'nothing is lost in silence');
    await probe.show({ id: 'a', url });
    await probe.untilState('a', 'open');
    await probe.show({ id: 'a', url: null });
    await probe.untilState('a', 'idle');
    await until('the socket is closed', () => proxy.open === 0);
    await probe.show({ id: 'a', url });
    await probe.untilState('a', 'open');
    assert.equal(proxy.total, 2);
  });

  test('scenario 8: a bad URL is a failed hook with an error, and the page stays', async (t) => {
    const proxy = await stage().proxy(t);
    const good = { id: 'good', url: proxy.url(`/raw/${freshName('bad')}`) };
    const { page, probe } = await openProbe(t, stage());
    const bad = ['ftp://example.test/', 'ws://[', 'ws://host:99999/', 'ws://127.0.0.1:6000/#x y'];
    await probe.show(good, ...bad.map((url, n) => ({ id: `bad${n}`, url })));
    for (const [n, url] of bad.slice(0, 3).entries()) {
      const seen = await probe.untilState(`bad${n}`, 'failed');
      assert.equal(seen.connected, false, url);
      assert.equal(seen.error?.code, 'bad-url', url);
    }
    await probe.untilState('good', 'open');
    assert.equal(await page.locator('article').count(), 1 + bad.length);
    // And a way out: the right URL, without a reload.
    await probe.show(good, { id: 'bad0', url: good.url });
    await probe.untilState('bad0', 'open');
    assert.deepEqual(
      page.complaints.filter((text) => !/127\.0\.0\.1:6000/.test(text)),
      [],
    );
  });
}
