// One origin for pages and messages, as most sites have it: through the app's rewrites, behind TLS,
// under a policy, under another name, and where WebSocket is blocked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Middlebox } from '../../../client-realtime/middlebox.mjs';
import { newProfile, newTab } from '../../support/browser.mjs';
import { startTlsEdge } from '../../support/edge.mjs';
import { below, Native, numbers, openNative, range, told } from '../../support/native.mjs';
import { Peer } from '../../support/peer.mjs';
import { until } from '../../support/poll.mjs';
import { freshName, nativeServer } from '../../support/stage.mjs';

const kFallbackMs = 3000;
const kTransports = ['websocket', 'sse', 'poll'];

/** One message in each direction. */
async function talk(native, peer, channel) {
  await native.untilStatus('a', 'live', { deadlineMs: 20_000 });
  assert.equal((await native.call('a', 'publish', { n: 0 })).ok, true);
  await peer.count(channel, 1, 2);
  assert.deepEqual(numbers(await native.untilSeen('a', 2)), [0, 1]);
}

async function visit(t, stage, url, options) {
  const page = await newTab(await newProfile(t, stage.browser, options), url);
  return { page, native: await new Native(page).ready() };
}

/** A middlebox between browsers and `port`, which ends with the test. */
async function boxed(t, port) {
  const box = await Middlebox.start({ host: 'localhost', port });
  t.after(() => box.stop());
  return box;
}

export function siteScenarios(stage, mode) {
  const room = (channel = freshName('site')) => ({ id: 'a', kind: 'channel', channel });

  test('one origin: a relative URL leads through the app’s rewrites to the server', async (t) => {
    const hook = room();
    const peer = await Peer.join(t, stage().native);
    const { page, native } = await openNative(t, stage(), below('/anywire', [hook]));
    await talk(native, peer, hook.channel);
    assert.equal((await native.read('state')).result.transport, 'websocket');
    assert.deepEqual(page.complaints, []);
  });

  test('scenario 37: on an https page a relative URL is wss', async (t) => {
    const hook = room();
    const peer = await Peer.join(t, stage().native);
    const origin = await startTlsEdge(t, stage().apps.scenarios.port);
    const { page, native } = await visit(t, stage(), `${origin}/native`, {
      ignoreHTTPSErrors: true,
    });
    const sockets = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await native.show(below('/anywire', [hook]));
    await talk(native, peer, hook.channel);
    assert.deepEqual(sockets, [`${origin.replace('https:', 'wss:')}/anywire`]);
    assert.deepEqual(page.complaints, []);
  });

  test('scenario 37: an https page talks to the server’s own TLS, and not to ws', async (t) => {
    const hook = room();
    const server = await nativeServer({ secure: true });
    t.after(() => server.stop());
    const origin = await startTlsEdge(t, stage().apps.scenarios.port);
    const { native } = await visit(t, stage(), `${origin}/native`, { ignoreHTTPSErrors: true });
    await native.show(below(server.url('/anywire'), [hook]));
    await native.untilStatus('a', 'live');
    assert.equal((await native.call('a', 'publish', { n: 0 })).ok, true);
    await native.untilSeen('a', 1);
    // Not even tried by a browser, and told like any other trouble.
    await native.show(below('ws://not-secure.anywire.test/anywire', [hook]));
    await native.until('state', 'an error', ({ result }) => result.error);
    assert.equal(await native.page.locator('article').count(), 2, 'the tree stands');
  });

  test('scenario 38: under `connect-src self` every transport works', async (t) => {
    const peer = await Peer.join(t, stage().native);
    const { page, native } = await visit(t, stage(), stage().apps.scenarios.url('/strict-policy'));
    for (const transport of kTransports) {
      const hook = room();
      await native.show({});
      await native.show({
        providers: { [transport]: { url: '/anywire', transports: [transport] } },
        hooks: [
          { ...hook, id: `a-${transport}`, provider: transport },
          { id: `s-${transport}`, kind: 'state', provider: transport },
        ],
      });
      await native.untilStatus(`a-${transport}`, 'live');
      await peer.count(hook.channel, 0, 1);
      await native.untilSeen(`a-${transport}`, 1);
      assert.equal((await native.read(`s-${transport}`)).result.transport, transport);
    }
    assert.deepEqual(page.complaints, []);
    // The policy is in force: another origin is refused by the browser, and that is a value, too.
    await native.show({
      providers: { other: { url: stage().native.url('/anywire') } },
      hooks: [
        { ...room(), id: 'other', provider: 'other' },
        { id: 'o', kind: 'state', provider: 'other' },
      ],
    });
    const seen = await native.until('o', 'an error', ({ result }) => result.error);
    assert.notEqual(seen.result.state, 'open');
    assert.equal(await page.locator('article').count(), 2, 'the tree stands');
  });

  test('scenario 33: with WebSocket refused messages flow in 3 s; it is tried again', async (t) => {
    const channel = freshName('blocked');
    const peer = await Peer.join(t, stage().native);
    // `next dev` does not hydrate a page without its own WebSocket, so there only ours is blocked.
    const port = mode === 'dev' ? stage().native.port : stage().apps.scenarios.port;
    const box = await boxed(t, port);
    box.websocket = 'forbidden';
    const origin = `http://localhost:${box.port}`;
    const page = mode === 'dev' ? stage().apps.scenarios.url('/native') : `${origin}/native`;
    const url = mode === 'dev' ? `${origin}/anywire` : '/anywire';
    const { native } = await visit(t, stage(), page);
    const begun = await native.page.evaluate(() => performance.now());
    const provider = { transports: kTransports, upgradeAfter: 1000 };
    await native.show(below(url, [{ id: 'a', kind: 'channel', channel }], provider));
    const live = await native.untilStatus('a', 'live');
    const ms = live.log.find(({ status }) => status === 'live').at - begun;
    t.diagnostic(`next ${mode}: live without WebSocket after ${Math.round(ms)} ms`);
    assert.ok(ms < kFallbackMs, `${ms} ms`);
    assert.equal((await native.read('state')).result.transport, 'sse');

    let next = 0;
    const some = () => {
      next += 10;
      return peer.count(channel, next - 10, next);
    };
    await some();
    await native.untilSeen('a', next);
    const { upgrades } = box;
    await until('WebSocket is tried again', () => box.upgrades > upgrades);
    assert.equal((await native.read('state')).result.state, 'open', 'in the background');
    box.websocket = 'pass';
    await until(
      'it takes over',
      async () => {
        await some();
        return (await native.read('state')).result.transport === 'websocket';
      },
      { deadlineMs: 20_000, everyMs: 50 },
    );
    await some();
    const seen = await native.untilSeen('a', next);
    assert.deepEqual(numbers(seen), range(0, next));
    assert.deepEqual(told(seen, 'gap'), []);
  });

  test('scenario 32: under a host that is allowed, the page hydrates and talks', async (t) => {
    const hook = room();
    const peer = await Peer.join(t, stage().native);
    const { port } = stage().apps.scenarios;
    const { page, native } = await visit(t, stage(), `http://app.anywire.test:${port}/native`);
    await native.show(below('/anywire', [hook]));
    await talk(native, peer, hook.channel);
    assert.deepEqual(page.complaints, []);
  });
}
