// Links that break, loudly and in silence, and what is brought back after it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newProfile, newTab, setVisibility } from '../../support/browser.mjs';
import { below, Native, numbers, openNative, range, told } from '../../support/native.mjs';
import { Peer } from '../../support/peer.mjs';
import { until, within } from '../../support/poll.mjs';
import { freshName, nativeServer } from '../../support/stage.mjs';

const kFirstTryMs = 1000;
const kOfflineMs = 200;
const kOnlineMs = 1000;
/** What `connected` says, and docs/protocol.md section 1. */
const kPingMs = 25_000;
const kSilenceMs = 10_000;

const statuses = (seen) => seen.log.map(({ status }) => status);

/** A page with one channel behind a proxy of its own, live; and a peer that is not behind it. */
async function linked(t, stage, prefix, more = {}) {
  const proxy = await stage.proxy(t, stage.native);
  const channel = `${prefix}${freshName('link')}`;
  const peer = await Peer.join(t, stage.native);
  const spec = below(
    proxy.url('/anywire'),
    [{ id: 'a', kind: 'channel', channel, list: true, ...more.hook }],
    more.provider,
  );
  const { page, native } = await openNative(t, stage, spec);
  await native.untilStatus('a', 'live');
  return { proxy, channel, peer, page, native };
}

/** Cuts the link, lets `meanwhile` happen, and lets it come back. */
async function outage({ proxy, native }, meanwhile) {
  proxy.refuse();
  proxy.cut();
  await native.untilStatus('a', 'waiting');
  await meanwhile();
  proxy.refuse(false);
  return await native.untilStatus('a', 'live', { deadlineMs: 15_000 });
}

export function linkScenarios(stage) {
  test('scenarios 4 and 18: a killed server is found again; its new epoch is a gap', async (t) => {
    let server = await nativeServer();
    t.after(() => server.stop());
    const listen = `127.0.0.1:${server.port}`;
    const channel = freshName('kill');
    let peer = await Peer.join(t, server);
    const spec = below(server.url('/anywire'), [{ id: 'a', kind: 'channel', channel }]);
    const { native } = await openNative(t, stage(), spec);
    await native.untilStatus('a', 'live');
    await peer.count(channel, 0, 5);
    const before = await native.untilSeen('a', 5);

    server.signal('SIGKILL');
    const down = await native.until('state', 'the loss and a first try', (seen) => {
      const at = statuses(seen).indexOf('waiting');
      return at >= 0 && statuses(seen).indexOf('connecting', at) > at;
    });
    const lost = statuses(down).indexOf('waiting');
    const tried = statuses(down).indexOf('connecting', lost);
    const firstTryMs = down.log[tried].at - down.log[lost].at;
    assert.ok(firstTryMs < kFirstTryMs, `first try after ${firstTryMs} ms`);

    await server.finished;
    server = await nativeServer({ listen: [listen] });
    const back = await native.until(
      'a',
      'live, and the loss is told',
      ({ result }) => result.status === 'live' && result.recovered === false,
      { deadlineMs: 30_000 },
    );
    const [gap] = told(back, 'gap');
    const epoch = before.messages[0].epoch;
    assert.equal(gap.value.reason, 'epoch');
    assert.equal(gap.value.from, 6, 'the first message of the old epoch that is lost');
    assert.notEqual(gap.value.position.epoch, epoch);
    assert.equal(back.result.error, undefined);
    peer = await Peer.join(t, server);
    await peer.count(channel, 5, 8);
    const after = await native.untilSeen('a', 8);
    assert.deepEqual(numbers(after), range(0, 8));
    assert.notEqual(after.messages.at(-1).epoch, epoch);
    assert.equal(told(after, 'gap').length, 1);
  });

  test('scenario 12: offline in 200 ms, open again in 1 s, and nothing is missed', async (t) => {
    const { channel, peer, page, native } = await linked(t, stage(), '');
    await page.context().setOffline(true);
    const off = await native.until(
      'state',
      'offline',
      ({ result, network }) =>
        result.state === 'offline' && network.some(({ event }) => event === 'offline'),
    );
    const when = (seen, event) => seen.network.findLast((entry) => entry.event === event).at;
    const offlineMs = off.log.find(({ status }) => status === 'offline').at - when(off, 'offline');
    assert.ok(offlineMs < kOfflineMs, `offline after ${offlineMs} ms`);
    assert.equal(off.result.online, false);
    await peer.count(channel, 0, 3);

    await page.context().setOffline(false);
    const on = await native.until(
      'state',
      'open',
      ({ result, network }) =>
        result.state === 'open' && network.some(({ event }) => event === 'online'),
    );
    const onlineMs = on.log.findLast(({ status }) => status === 'open').at - when(on, 'online');
    assert.ok(onlineMs < kOnlineMs, `open after ${onlineMs} ms`);
    const seen = await native.untilSeen('a', 3);
    assert.deepEqual([numbers(seen), told(seen, 'gap')], [[0, 1, 2], []]);
  });

  for (const fate of ['alive', 'dead']) {
    const outcome = fate === 'alive' ? 'is probed and kept' : 'is probed and replaced';
    test(`scenario 14: after five hidden minutes, a ${fate} session ${outcome}`, async (t) => {
      const asleep = await sleeping(t, stage());
      const { proxy, native, page, peer, channel } = asleep;
      await setVisibility(page, 'hidden');
      const link = [...proxy.links].at(-1);
      const total = proxy.total;
      // The late timer of a sleeping tab asks, too. Its answer may not come behind the probe, which
      // it would answer as well; so a message follows it and is awaited.
      const before = { asked: link.toServer.bytes, answered: link.toClient.bytes };
      await page.clock.fastForward('05:00');
      await until('a late ping', () => link.toServer.bytes > before.asked);
      await until('its answer', () => link.toClient.bytes > before.answered);
      await peer.count(channel, 0, 1);
      await native.untilSeen('a', 1);
      assert.equal((await native.read('state')).result.state, 'open');

      if (fate === 'dead') proxy.swallow();
      const asked = link.asks();
      await setVisibility(page, 'visible');
      assert.equal(await within('a probe on the old link', asked), total, 'asked first');
      if (fate === 'dead') {
        await peer.count(channel, 1, 3);
        await until('a new link', () => proxy.total === total + 1, { deadlineMs: 20_000 });
        const seen = await native.untilSeen('a', 3);
        assert.deepEqual([numbers(seen), told(seen, 'gap')], [[0, 1, 2], []]);
        return;
      }
      // What comes behind the answer shows that the answer has been read; what comes after the
      // probe's deadline shows that the link was kept on purpose.
      await peer.count(channel, 1, 2);
      await native.untilSeen('a', 2);
      await page.clock.fastForward(kSilenceMs);
      await peer.count(channel, 2, 3);
      await native.untilSeen('a', 3);
      assert.equal(proxy.total, total);
    });
  }

  test('scenario 13: a link that swallows everything is found out in time', async (t) => {
    const { proxy, native, page, peer, channel } = await sleeping(t, stage());
    const link = [...proxy.links].at(-1);
    const total = proxy.total;
    proxy.swallow();
    const before = link.toServer.bytes;
    await page.clock.fastForward(kPingMs);
    await until('a ping into the void', () => link.toServer.bytes > before);
    assert.equal((await native.read('state')).result.state, 'open', 'silence alone proves nothing');
    await peer.count(channel, 0, 2);
    await page.clock.fastForward(kSilenceMs);
    await until('a new link', () => proxy.total === total + 1);
    const seen = await native.untilSeen('a', 2);
    assert.deepEqual([numbers(seen), told(seen, 'gap')], [[0, 1], []]);
    const { log } = await native.read('state');
    assert.ok(log.some(({ status }) => status === 'waiting' || status === 'connecting'));
  });

  test('scenario 16: what was published during an outage comes once, in order', async (t) => {
    const link = await linked(t, stage(), '');
    const { peer, channel, native } = link;
    await peer.count(channel, 0, 10);
    await native.untilSeen('a', 10);
    await outage(link, () => peer.count(channel, 10, 110));
    await peer.count(channel, 110, 120);
    const seen = await native.untilSeen('a', 120);
    assert.deepEqual(numbers(seen), range(0, 120));
    assert.equal(told(seen, 'recovered').length, 1);
    assert.deepEqual(told(seen, 'gap'), []);
    await native.until('a', 'the list, recovered', ({ result }) => {
      return result.messages.length === 120 && result.recovered === true;
    });
  });

  test('scenario 17: an outage longer than history is a gap with positions', async (t) => {
    const link = await linked(t, stage(), 'short:');
    const { peer, channel, native } = link;
    await peer.count(channel, 0, 5);
    await native.untilSeen('a', 5);
    await outage(link, () => peer.count(channel, 5, 55));
    const seen = await native.untilSeen('a', 15);
    assert.deepEqual(numbers(seen), [...range(0, 5), ...range(45, 55)]);
    const gaps = told(seen, 'gap').map(({ value }) => value);
    assert.deepEqual(
      gaps.map(({ from, to, reason }) => [from, to, reason]),
      [[6, 45, 'evicted']],
    );
    assert.equal(gaps[0].position.offset, 45);
    await native.until('a', 'the gap, for whoever draws it', ({ result }) => {
      return result.recovered === false && result.gap?.from === 6 && result.gap?.to === 45;
    });
  });
}

/** As `linked`, in a page whose clock is the test's. */
async function sleeping(t, stage) {
  const proxy = await stage.proxy(t, stage.native);
  const channel = freshName('asleep');
  const peer = await Peer.join(t, stage.native);
  const page = await newTab(await newProfile(t, stage.browser));
  await page.clock.install();
  await page.goto(stage.apps.scenarios.url('/native'));
  const native = await new Native(page).ready();
  await native.show(below(proxy.url('/anywire'), [{ id: 'a', kind: 'channel', channel }]));
  await native.untilStatus('a', 'live');
  return { proxy, channel, peer, page, native };
}
