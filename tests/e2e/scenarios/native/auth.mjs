// Tokens: from the app's own route, refreshed, refused, out of order, and taken away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barrier } from '../../support/browser.mjs';
import { below, numbers, openNative } from '../../support/native.mjs';
import { Peer } from '../../support/peer.mjs';
import { until } from '../../support/poll.mjs';
import { freshName, mintToken } from '../../support/stage.mjs';

const kShortTtlS = 4;
const kSlow = { min: 200, max: 2000 };

/** The app's token route as one test sees it. */
class TokenRoute {
  constructor(stage) {
    this.path = `/api/token?key=${freshName('key')}`;
    this.url = stage.apps.scenarios.url(this.path);
  }

  async answer(script) {
    await fetch(this.url, { method: 'PUT', body: JSON.stringify(script) });
    return this;
  }

  async asked() {
    return (await (await fetch(this.url)).json()).asked;
  }
}

const route = (stage, script) => new TokenRoute(stage).answer(script);

async function opened(t, stage, token, hooks = [], provider = {}) {
  const proxy = await stage.proxy(t, stage.native);
  const channel = `users:${freshName('room')}`;
  const { page, native } = await openNative(t, stage);
  const show = (more) =>
    native.show(
      below(proxy.url('/anywire'), [{ id: 'a', kind: 'channel', channel }, ...hooks], {
        token,
        ...provider,
        ...more,
      }),
    );
  await show();
  return { proxy, channel, page, native, show };
}

const teller = (t, stage) => Peer.join(t, stage.native, { token: mintToken('teller') });

export function authScenarios(stage) {
  test('scenario 21: a token that ends is refreshed without a reconnect', async (t) => {
    const tokens = await route(stage(), { ttl: kShortTtlS });
    const peer = await teller(t, stage());
    const { proxy, channel, native } = await opened(t, stage(), tokens.path);
    await native.untilStatus('a', 'live');
    await native.until('state', 'ann', ({ result }) => result.user === 'ann');
    const asked = await until('two refreshes', async () => {
      const all = await tokens.asked();
      return all.length >= 3 && all;
    });
    assert.deepEqual(
      asked.slice(0, 3).map(({ reason }) => reason),
      ['connect', 'refresh', 'refresh'],
    );
    // The first token is over by now, and the session goes on.
    await until('the end of the first token', () => Date.now() > asked[0].at + kShortTtlS * 1000);
    await peer.count(channel, 0, 2);
    await native.untilSeen('a', 2);
    const { log } = await native.read('state');
    assert.equal(log.filter(({ status }) => status === 'open').length, 1);
    assert.equal(proxy.total, 1);
  });

  test('scenario 22: a token that is refused is `failed` at once, and asks no more', async (t) => {
    const { proxy, page, native, show } = await opened(t, stage(), 'not.a.token', [
      { id: 'p', kind: 'presence', channel: 'here:denied', me: { name: 'x' } },
      { id: 'h', kind: 'history', channel: 'users:denied' },
    ]);
    const { result } = await native.untilState('state', 'failed');
    assert.equal(result.error.code, 'unauthorized');
    for (const id of ['a', 'p', 'h']) {
      const seen = await native.untilStatus(id, 'failed');
      assert.equal(seen.result.error?.code, 'unauthorized', id);
    }
    const { total } = proxy;
    assert.ok(total <= 2, `${total} attempts`);
    await barrier(page, proxy.url('/raw/barrier'));
    assert.equal(proxy.total, total + 1, 'only the barrier');
    // Another token is another chance, without a reload.
    await show({ token: mintToken('ann') });
    await native.untilStatus('a', 'live');
    assert.deepEqual(page.complaints, []);
  });

  test('scenario 22: a route whose tokens are refused is asked with back-off', async (t) => {
    const tokens = await route(stage(), { mode: 'wrong' });
    const { proxy, native } = await opened(t, stage(), tokens.path, [], { backoff: kSlow });
    const seen = await native.until(
      'state',
      'several attempts',
      ({ result }) => result.attempt >= 4,
    );
    assert.equal(seen.result.error.code, 'unauthorized');
    const asked = await tokens.asked();
    assert.ok(
      asked.slice(1).every(({ reason }) => reason === 'denied'),
      JSON.stringify(asked),
    );
    // Each attempt is one connection and one token, no more.
    assert.ok(proxy.total <= asked.length + 1, `${proxy.total} for ${asked.length}`);
    const { result } = await native.read('state');
    assert.ok(asked.length <= result.attempt + 2, `${asked.length} tokens`);
    await tokens.answer({ mode: 'ok' });
    await native.untilStatus('a', 'live', { deadlineMs: 15_000 });
  });

  test('scenario 23: a route that fails is asked with back-off, until it works', async (t) => {
    const tokens = await route(stage(), { mode: 'error' });
    const { proxy, native } = await opened(t, stage(), tokens.path);
    const seen = await native.until(
      'state',
      'several attempts',
      ({ result }) => result.attempt >= 4,
    );
    assert.equal(seen.result.error.code, 'token');
    assert.equal((await native.read('a')).result.status, 'connecting');
    const { length } = await tokens.asked();
    const { result } = await native.read('state');
    assert.ok(length <= result.attempt + 2, `${length} tokens`);
    assert.equal(proxy.total, 0, 'without a token there is no use in connecting');
    await tokens.answer({ mode: 'ok' });
    await native.untilStatus('a', 'live', { deadlineMs: 15_000 });
    await native.until('state', 'no error', (now) => now.result.error === undefined);
  });

  test('scenario 24: whoever signs out is out in every hook; another signs in', async (t) => {
    const tokens = await route(stage(), { ttl: kShortTtlS });
    const peer = await teller(t, stage());
    const { proxy, channel, page, native } = await opened(t, stage(), tokens.path, [
      { id: 'h', kind: 'history', channel: 'users:signed-out' },
      { id: 'p', kind: 'presence', channel: 'here:signed-out', me: { name: 'ann' } },
    ]);
    const hooks = ['a', 'h', 'p'];
    for (const id of hooks) await native.untilStatus(id, 'live');
    await tokens.answer({ mode: 'signed-out' });
    // The route says so when the token is to be refreshed; the server ends it at the latest.
    await native.untilState('state', 'failed', { deadlineMs: 15_000 });
    for (const id of hooks) {
      const seen = await native.untilStatus(id, 'failed');
      assert.ok(seen.result.error?.code, `${id} says why`);
    }
    await until('no connection is left', () => proxy.open === 0);
    const { total } = proxy;
    await barrier(page, proxy.url('/raw/barrier'));
    assert.equal(proxy.total, total + 1, 'nobody knocks any more');

    await tokens.answer({ mode: 'ok', user: 'bob', ttl: 300 });
    await native.call('state', 'reconnect');
    await native.untilStatus('a', 'live');
    await native.until('state', 'bob', ({ result }) => result.user === 'bob');
    await peer.count(channel, 0, 1);
    assert.deepEqual(numbers(await native.untilSeen('a', 1)), [0]);
  });

  test('scenario 24: a client that the app closes is closed for every hook', async (t) => {
    const { proxy, native } = await opened(t, stage(), mintToken('ann'), [
      { id: 'h', kind: 'history', channel: 'users:closed' },
    ]);
    for (const id of ['a', 'h']) await native.untilStatus(id, 'live');
    await native.call('state', 'close');
    await native.untilState('state', 'closed');
    await until('no connection is left', () => proxy.open === 0);
    for (const id of ['a', 'h']) {
      await native.until(id, 'not live', ({ result }) => result.status !== 'live');
    }
    const refused = await native.call('a', 'publish', { n: 0 });
    assert.deepEqual([refused.ok, refused.error?.code], [false, 'closed']);
  });

  test('a channel that the token does not allow is `refused`, and others work', async (t) => {
    const { native, page } = await opened(t, stage(), mintToken('ann'), [
      { id: 'c', kind: 'channel', channel: 'closed:room' },
      { id: 'h', kind: 'history', channel: 'closed:room' },
      { id: 'p', kind: 'presence', channel: 'closed:room', me: { name: 'ann' } },
    ]);
    await native.untilStatus('a', 'live');
    for (const id of ['c', 'h', 'p']) {
      const seen = await native.untilStatus(id, 'refused');
      assert.equal(seen.result.error?.code, 'forbidden', id);
    }
    assert.equal((await native.read('state')).result.state, 'open');
    const refused = await native.call('c', 'publish', { n: 0 });
    assert.deepEqual([refused.ok, refused.error?.code], [false, 'forbidden']);
    assert.deepEqual(page.complaints, []);
  });
}
