// What mounted hooks make of channels: how many connections and subscriptions, and whose messages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barrier } from '../../support/browser.mjs';
import { below, numbers, openNative } from '../../support/native.mjs';
import { Peer } from '../../support/peer.mjs';
import { until } from '../../support/poll.mjs';
import { freshName } from '../../support/stage.mjs';

const kSlowCloseMs = 1500;

const subscribers = async (peer, channel) =>
  (await peer.ask({ type: 'occupancy', channel })).subscribers;

/** Every command that the page sends from now on. */
function framesOf(page) {
  const commands = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      if (/\/anywire$/.test(socket.url())) commands.push(...[JSON.parse(payload)].flat());
    }),
  );
  return commands;
}

export function mountScenarios(stage) {
  test('scenario 2: mounted hooks are one session, and the console is silent', async (t) => {
    const proxy = await stage().proxy(t, stage().native);
    const channel = `here:${freshName('strict')}`;
    const peer = await Peer.join(t, stage().native);
    const hooks = [{ id: 'a', kind: 'channel', channel }];
    const { page, native } = await openNative(t, stage(), below(proxy.url('/anywire'), hooks));
    await native.untilStatus('a', 'live');
    assert.equal((await native.call('a', 'publish', { n: 0 })).ok, true);
    await native.untilSeen('a', 1);
    await barrier(page, proxy.url('/raw/barrier'));
    assert.equal(proxy.total, 2, 'the session’s connection and the barrier’s');
    assert.equal(await subscribers(peer, channel), 1);
    assert.deepEqual(page.complaints, []);
  });

  test('scenario 3: hooks share a subscription; the last one out ends it', async (t) => {
    const proxy = await stage().proxy(t, stage().native);
    const url = proxy.url('/anywire');
    const channel = `here:${freshName('shared')}`;
    const peer = await Peer.join(t, stage().native);
    const { page, native } = await openNative(t, stage());
    const kinds = ['channel', 'event', 'latest', 'history'];
    const hooks = [...kinds, 'channel'].map((kind, at) => ({ id: `${kind}${at}`, kind, channel }));
    await native.show(below(url, hooks));
    await native.untilStatus('channel4', 'live');
    await native.untilStatus('history3', 'live');
    await peer.publish(channel, { n: 7 });
    for (const id of ['channel0', 'event1', 'channel4']) await native.untilSeen(id, 1);
    await native.until('latest2', 'the message', ({ result }) => result.latest === 7);
    await native.until('history3', 'the message', ({ result }) => result.messages.length === 1);
    await barrier(page, proxy.url('/raw/barrier'));
    assert.equal(proxy.total, 2);
    assert.equal(await subscribers(peer, channel), 1);

    await native.show(below(url, hooks.slice(0, 1)));
    await peer.publish(channel, { n: 8 });
    await native.untilSeen('channel0', 2);
    assert.equal((await native.read('event1')).seen, 1);
    await native.show(below(url, []));
    await until('nobody listens', async () => (await subscribers(peer, channel)) === 0);
    assert.equal(
      (await native.read('state')).result.state,
      'open',
      'the session outlives channels',
    );
    await native.show({});
    await until('the provider has closed its session', () => proxy.open === 0);
    assert.equal(proxy.total, 2);
    assert.deepEqual(page.complaints, []);
  });

  test('scenario 3: an unmount and a mount within the linger keep the subscription', async (t) => {
    const channel = `here:${freshName('remount')}`;
    const peer = await Peer.join(t, stage().native);
    const { page, native } = await openNative(t, stage());
    const commands = framesOf(page);
    const url = stage().native.url('/anywire');
    const show = (...hooks) => native.show(below(url, hooks, { linger: 10_000 }));
    const hook = (id) => ({ id, kind: 'channel', channel });
    await show(hook('a'));
    await native.untilStatus('a', 'live');
    await show();
    await show(hook('b'));
    await native.untilStatus('b', 'live');
    await peer.count(channel, 0, 3);
    await native.untilSeen('b', 3);
    assert.deepEqual(
      commands.map(({ type }) => type).filter((type) => /subscribe|connect/.test(type)),
      ['connect', 'subscribe'],
    );
  });

  test('scenario 6: from channel a to b, the list holds only b', async (t) => {
    const [a, b] = [freshName('a'), freshName('b')];
    const peer = await Peer.join(t, stage().native);
    const url = stage().native.url('/anywire');
    const { native } = await openNative(t, stage());
    await native.show(below(url, [{ id: 'x', kind: 'channel', channel: a }]));
    await native.untilStatus('x', 'live');
    await peer.publish(a, { n: 1 });
    await native.until('x', 'message of a', ({ result }) => result.messages.length === 1);

    await native.show(below(url, [{ id: 'x', kind: 'channel', channel: b }]));
    await peer.publish(a, { n: 2 });
    const { result } = await native.until('x', 'live in b', ({ result: now }) => {
      for (const { channel } of now.messages) assert.equal(channel, b);
      return now.status === 'live';
    });
    assert.deepEqual(result.messages, []);
    await peer.publish(b, { n: 3 });
    const seen = await native.until('x', 'message of b', (now) => now.result.messages.length > 0);
    assert.deepEqual(
      seen.result.messages.map(({ channel, data }) => [channel, data.n]),
      [[b, 3]],
    );
  });

  test('scenario 6: from server a to b with a slow close, only b counts', async (t) => {
    const proxy = await stage().proxy(t, stage().native);
    const other = await stage().proxy(t, stage().native);
    const [a, b] = [freshName('a'), freshName('b')];
    const peer = await Peer.join(t, stage().native);
    const { native } = await openNative(t, stage());
    await native.show(below(proxy.url('/anywire'), [{ id: 'x', kind: 'channel', channel: a }]));
    await native.untilStatus('x', 'live');
    proxy.slowClose(kSlowCloseMs);
    await native.show(below(other.url('/anywire'), [{ id: 'x', kind: 'channel', channel: b }]));
    await until('the new session', () => other.total === 1);
    await peer.publish(a, { n: 1 });
    await native.untilStatus('x', 'live');
    await peer.publish(b, { n: 2 });
    await native.until('x', 'message of b', (seen) => seen.messages.length > 0);
    await until('the old session is gone', () => proxy.open === 0, { deadlineMs: 20_000 });
    const end = await native.read('x');
    assert.deepEqual(numbers(end), [2]);
    const state = await native.read('state');
    assert.deepEqual([end.result.status, state.result.state, other.total], ['live', 'open', 1]);
  });

  test('scenario 7: null is off, and a name again is on', async (t) => {
    const channel = `here:${freshName('null')}`;
    const url = stage().native.url('/anywire');
    const peer = await Peer.join(t, stage().native);
    const { native } = await openNative(t, stage());
    const show = (name) =>
      native.show(
        below(url, [
          { id: 'a', kind: 'channel', channel: name },
          { id: 'p', kind: 'presence', channel: name, me: { name: 'ann' } },
          { id: 'h', kind: 'history', channel: name },
        ]),
      );
    const every = async (status) => {
      for (const id of ['a', 'p', 'h']) await native.untilStatus(id, status);
    };
    await show(null);
    await every('off');
    const refused = await native.call('a', 'publish', { n: 0 });
    assert.equal(refused.ok, false, 'nothing is lost in silence');
    await show(channel);
    await every('live');
    await show(null);
    await every('off');
    await until('nobody listens', async () => (await subscribers(peer, channel)) === 0);
    await show(channel);
    await every('live');
    assert.equal(await subscribers(peer, channel), 1);
  });

  test('scenario 8: a bad URL is an error value on every hook, and the page stays', async (t) => {
    const channel = `here:${freshName('bad')}`;
    const { page, native } = await openNative(t, stage());
    const bad = ['ftp://example.test/', 'ws://[', 'ws://host:99999/'];
    const kinds = ['channel', 'presence', 'history', 'optimistic', 'event', 'latest'];
    const hooks = (provider) =>
      ['state', ...kinds].map((kind) => ({ id: `${kind}-${provider}`, kind, provider, channel }));
    const providers = (urls) => Object.fromEntries(urls.map((url, at) => [`p${at}`, { url }]));
    const all = bad.flatMap((_, at) => hooks(`p${at}`));
    await native.show({ providers: providers(bad), hooks: all });
    for (const at of bad.keys()) {
      const { result } = await native.untilState(`state-p${at}`, 'failed');
      assert.equal(result.error.code, 'bad_url', bad[at]);
      for (const kind of ['channel', 'presence', 'history']) {
        const seen = await native.untilStatus(`${kind}-p${at}`, 'failed');
        assert.equal(seen.result.error?.code, 'bad_url', `${kind} of ${bad[at]}`);
      }
    }
    assert.equal(await page.locator('article').count(), all.length);
    // And a way out: the right URL, without a reload.
    const good = [stage().native.url('/anywire'), ...bad.slice(1)];
    await native.show({ providers: providers(good), hooks: all });
    await native.untilStatus('channel-p0', 'live');
    assert.deepEqual(page.complaints, []);
  });

  test('scenario 40: the server’s HTML shows hooks that are off; nobody was called', async (t) => {
    const proxy = await stage().proxy(t, stage().native);
    const channel = freshName('ssr');
    const kinds = ['channel', 'presence', 'history', 'event', 'latest', 'optimistic'];
    const spec = below(
      proxy.url('/anywire'),
      kinds.map((kind) => ({ id: kind, kind, channel, list: true })),
    );
    const query = encodeURIComponent(JSON.stringify(spec));
    const answer = await fetch(stage().apps.scenarios.url(`/native?spec=${query}`));
    const html = await answer.text();
    assert.equal(answer.status, 200);
    assert.equal(html.match(/data-status="off"/g)?.length, 3);
    assert.match(html, /data-state="idle"/);
    assert.equal(proxy.attempts.length, 0);
  });
}
