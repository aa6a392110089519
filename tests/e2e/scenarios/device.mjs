// The device loses its network and gets it back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshName } from '../support/stage.mjs';
import { openProbe } from './hook.mjs';

const kOfflineMs = 200;
const kOnlineMs = 1000;

export function deviceScenarios(stage) {
  for (const heartbeat of [false, true]) {
    const how = heartbeat ? 'with' : 'without';
    test(`scenario 12: offline in 200 ms and open again in 1 s, ${how} heartbeat`, async (t) => {
      const proxy = await stage().proxy(t);
      const url = proxy.url(`/raw/${freshName('offline')}`);
      const { page, probe } = await openProbe(t, stage(), [
        { id: 'a', url, options: { heartbeat } },
      ]);
      await probe.untilState('a', 'open');
      await page.context().setOffline(true);
      const off = await probe.until(
        'a',
        'offline',
        (seen) => seen.state === 'offline' && seen.network.some(({ event }) => event === 'offline'),
      );
      assert.equal(off.connected, false);
      const offlineMs = off.log.find(({ state }) => state === 'offline').at - when(off, 'offline');
      assert.ok(offlineMs < kOfflineMs, `offline after ${offlineMs} ms`);

      await page.context().setOffline(false);
      const on = await probe.until(
        'a',
        'open',
        (seen) => seen.state === 'open' && seen.network.some(({ event }) => event === 'online'),
      );
      const onlineMs = on.log.findLast(({ state }) => state === 'open').at - when(on, 'online');
      assert.ok(onlineMs < kOnlineMs, `open after ${onlineMs} ms`);
    });
  }
}

const when = (seen, event) => seen.network.findLast((entry) => entry.event === event).at;
