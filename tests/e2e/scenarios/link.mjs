// Links that break, loudly and in silence.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newProfile, newTab, Probe, setVisibility } from '../support/browser.mjs';
import { Member } from '../support/member.mjs';
import { until, within } from '../support/poll.mjs';
import { freshName, lobbyServer } from '../support/stage.mjs';
import { openProbe } from './hook.mjs';

const kFirstTryMs = 1000;
const kFiveMinutes = '05:00';

export function linkScenarios(stage) {
  test('scenario 4: a killed server is tried within a second and found again', async (t) => {
    let server = await lobbyServer();
    t.after(() => server.stop());
    const listen = `127.0.0.1:${server.port}`;
    const url = `ws://${listen}/raw/${freshName('kill')}`;
    const { probe } = await openProbe(t, stage(), [{ id: 'a', url }]);
    await probe.untilState('a', 'open');

    server.signal('SIGKILL');
    const down = await probe.until('a', 'the loss and a first try', ({ log }) => {
      const lost = log.findIndex((entry) => entry.state === 'waiting');
      return lost >= 0 && log.slice(lost).some((entry) => entry.state === 'connecting');
    });
    const lost = down.log.findIndex((entry) => entry.state === 'waiting');
    const tried = down.log.find((entry, at) => at > lost && entry.state === 'connecting');
    const firstTryMs = tried.at - down.log[lost].at;
    assert.ok(firstTryMs < kFirstTryMs, `first try after ${firstTryMs} ms`);
    assert.equal(down.connected, false);

    await server.finished;
    server = await lobbyServer({ listen: [listen] });
    await probe.untilState('a', 'open', { deadlineMs: 30_000 });
    await probe.send('a', { n: 0 });
    const back = await probe.until('a', 'a message on the new link', (seen) => seen.seen === 1);
    assert.equal(back.gaps.length, 1, 'the hole is reported');
    assert.equal(back.error, undefined);
  });

  test('scenario 4: with the server up, a cut link is open again within a second', async (t) => {
    const proxy = await stage().proxy(t);
    const { page, probe } = await openProbe(t, stage(), [
      { id: 'a', url: proxy.url(`/raw/${freshName('cut')}`) },
    ]);
    await probe.untilState('a', 'open');
    const cutAt = await page.evaluate(() => performance.now());
    proxy.cut();
    const back = await probe.until(
      'a',
      'open again',
      ({ log, state }) =>
        state === 'open' && log.some((entry) => entry.at > cutAt && !entry.connected),
    );
    const ms = back.log.at(-1).at - cutAt;
    assert.ok(ms < kFirstTryMs, `open after ${ms} ms`);
  });

  test('scenario 13: a half-open link is found out within interval and timeout', async (t) => {
    const proxy = await stage().proxy(t);
    const heartbeat = { interval: 300, timeout: 400 };
    const { page, probe } = await openProbe(t, stage(), [
      { id: 'a', url: proxy.url(`/raw/${freshName('half-open')}`), options: { heartbeat } },
    ]);
    await probe.untilState('a', 'open');
    await probe.send('a', { n: 0 });
    await probe.until('a', 'the link works', (seen) => seen.seen === 1);
    // Several heartbeats pass: they keep the link and nobody sees them.
    const bytes = proxy.bytesToServer;
    await until('heartbeats', () => proxy.bytesToServer >= bytes + 3 * 6);
    assert.equal((await probe.read('a')).seen, 1);
    assert.equal(proxy.total, 1);

    proxy.swallow();
    const at = await page.evaluate(() => performance.now());
    const found = await probe.until('a', 'found out', ({ log }) =>
      log.some((entry) => entry.at > at && !entry.connected),
    );
    const ms = found.log.find((entry) => entry.at > at).at - at;
    const allowed = heartbeat.interval + heartbeat.timeout + 300;
    assert.ok(ms < allowed, `found out after ${ms} ms`);
    assert.equal(found.lastClose.by, 'heartbeat');
    await probe.untilState('a', 'open');
    assert.equal(proxy.total, 2);
  });

  for (const fate of ['alive', 'dead']) {
    const outcome = fate === 'alive' ? 'is probed and kept' : 'is probed and replaced';
    test(`scenario 14: after five hidden minutes, a link that is ${fate} ${outcome}`, async (t) => {
      const proxy = await stage().proxy(t);
      const page = await newTab(await newProfile(t, stage().browser));
      await page.clock.install();
      await page.goto(stage().apps.scenarios.url('/probe'));
      const probe = await new Probe(page).ready();
      const url = proxy.url(`/raw/${freshName('hidden')}`);
      await probe.show({ id: 'a', url, options: { heartbeat: true } });
      await probe.untilState('a', 'open');

      const member = await Member.join(t, stage().lobby.url(new URL(url).pathname));
      const link = [...proxy.links][0];
      const totalBefore = proxy.total;
      await setVisibility(page, 'hidden');
      // The late timer of a sleeping tab asks, too. Its answer may not come behind the probe, which
      // it would answer as well; so a message follows it and is awaited.
      const before = { asked: link.toServer.bytes, answered: link.toClient.bytes };
      await page.clock.fastForward(kFiveMinutes);
      await until('a late heartbeat', () => link.toServer.bytes > before.asked);
      await until('its answer', () => link.toClient.bytes > before.answered);
      member.say({ n: 0 });
      await probe.until('a', 'a message after it', (seen) => seen.seen === 1);
      assert.equal((await probe.read('a')).state, 'open');

      if (fate === 'dead') proxy.swallow();
      const asked = link.asks();
      await setVisibility(page, 'visible');
      assert.equal(await within('a probe on the old link', asked), totalBefore, 'asked first');
      if (fate === 'dead') {
        await until('a new link', () => proxy.total === totalBefore + 1);
        await probe.untilState('a', 'open');
        assert.equal((await probe.read('a')).lastClose.by, 'heartbeat');
        return;
      }
      // What arrives after the answer shows that the answer has been read; what arrives after the
      // probe's deadline shows that the link was kept on purpose.
      member.say({ n: 1 });
      await probe.until('a', 'a message after the answer', (seen) => seen.seen === 2);
      await page.clock.fastForward(5000);
      member.say({ n: 2 });
      await probe.until('a', 'a message on the kept link', (seen) => seen.seen === 3);
      assert.equal(proxy.total, totalBefore);
      const { log } = await probe.read('a');
      assert.ok(log.filter((entry) => entry.connected).length === 1, 'connected all the time');
    });
  }
}
