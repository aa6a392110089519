// Messages on their way out: without a link, without room, without an answer, in every form.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, numbers, openNative, told } from '../../support/native.mjs';
import { Peer } from '../../support/peer.mjs';
import { until } from '../../support/poll.mjs';
import { freshName, mintToken } from '../../support/stage.mjs';

/** Strings are published as text, which the native protocol has apart from other values. */
const data = (messages) => messages.map((message) => message.data ?? message.text);
const outcomes = (seen) => told(seen, 'outcome').map(({ value }) => value);

async function opened(t, stage, { prefix = '', hook = {}, provider = {}, refuse = false } = {}) {
  const proxy = await stage.proxy(t, stage.native);
  if (refuse) proxy.refuse();
  const channel = `${prefix}${freshName('publish')}`;
  const peer = await Peer.join(t, stage.native);
  const { page, native } = await openNative(t, stage);
  await native.show(
    below(proxy.url('/anywire'), [{ id: 'a', kind: 'channel', channel, ...hook }], provider),
  );
  await native.untilStatus('a', refuse ? 'connecting' : 'live');
  return { proxy, channel, peer, page, native };
}

export function publishScenarios(stage) {
  test('scenario 9: what is published before open or offline arrives once, in order', async (t) => {
    const { proxy, channel, peer, page, native } = await opened(t, stage(), {
      hook: { hello: [1, 2, 3] },
    });
    await native.until('a', 'the first three', (seen) => told(seen, 'published').length === 3);
    await page.context().setOffline(true);
    await native.until('state', 'offline', ({ log }) => log.some((it) => it.status === 'offline'));
    await native.begin('a', 'publish', 4, 5);
    await page.context().setOffline(false);
    await native.until('a', 'what was said offline', (seen) => outcomes(seen).length === 2);

    proxy.refuse();
    proxy.cut();
    await native.untilStatus('a', 'waiting');
    await native.begin('a', 'publish', 6, 7);
    proxy.refuse(false);
    const seen = await native.until('a', 'the rest', (now) => outcomes(now).length === 4);
    assert.ok(outcomes(seen).every(({ ok }) => ok));
    assert.deepEqual(data(await peer.history(channel)), [1, 2, 3, 4, 5, 6, 7]);
    await native.untilSeen('a', 7);
    assert.deepEqual(data((await native.read('a')).messages), [1, 2, 3, 4, 5, 6, 7]);
  });

  for (const [overflow, code, kept] of [
    ['reject', 'queue_full', [1, 2, 3]],
    ['drop-oldest', 'pushed_out', [3, 4, 5]],
  ]) {
    test(`scenario 10: a full queue with ${overflow} says what it did not keep`, async (t) => {
      const { proxy, channel, peer, native } = await opened(t, stage(), {
        refuse: true,
        provider: { queue: { max: 3, overflow } },
      });
      await native.begin('a', 'publish', 1, 2, 3, 4, 5);
      const full = await native.until('a', 'the refusals', (seen) => outcomes(seen).length === 2);
      assert.deepEqual(
        outcomes(full).map(({ error }) => error?.code),
        [code, code],
      );
      await native.until('a', 'the error, too', ({ result }) => result.error?.code === code);
      proxy.refuse(false);
      const seen = await native.until('a', 'the rest', (now) => outcomes(now).length === 5);
      assert.equal(outcomes(seen).filter(({ ok }) => ok).length, 3);
      assert.deepEqual(data(await peer.history(channel)), kept);
    });
  }

  test('scenario 11: a publish without an answer fails, and retry never doubles it', async (t) => {
    const { proxy, channel, peer, native } = await opened(t, stage(), {
      hook: { id: 'a', kind: 'optimistic', list: true },
    });
    const rows = (seen) =>
      seen.result.messages.map(({ data: text, pending, failed }) => [
        text,
        pending ? 'pending' : failed ? failed.code : 'sent',
      ]);
    const untilRows = (expected) =>
      native.until('a', JSON.stringify(expected), (seen) => {
        return JSON.stringify(rows(seen)) === JSON.stringify(expected);
      });
    await native.begin('a', 'publish', 'one');
    await untilRows([['one', 'sent']]);

    // It reaches the server; the answer, and the message itself, do not come back.
    proxy.stall();
    await native.page.evaluate(() => {
      window.outcome = window.natives.main.call('a', 'publish', ['two', { timeout: 400 }]);
    });
    await untilRows([
      ['one', 'sent'],
      ['two', 'pending'],
    ]);
    await until('it is published', async () => (await peer.history(channel)).length === 2);
    const outcome = await native.page.evaluate(() => window.outcome);
    assert.deepEqual([outcome.ok, outcome.error?.code], [false, 'timeout']);
    const failed = await untilRows([
      ['one', 'sent'],
      ['two', 'timeout'],
    ]);
    const { id } = failed.result.messages.at(-1);

    proxy.resume();
    await native.begin('a', 'retry', id);
    await untilRows([
      ['one', 'sent'],
      ['two', 'sent'],
    ]);
    await native.begin('a', 'publish', 'three');
    await untilRows([
      ['one', 'sent'],
      ['two', 'sent'],
      ['three', 'sent'],
    ]);
    assert.deepEqual(data(await peer.history(channel)), ['one', 'two', 'three']);
  });

  test('scenario 34: values and bytes go round through MessagePack and JSON alike', async (t) => {
    const url = stage().native.url('/anywire');
    const channel = freshName('bytes');
    const hook = { kind: 'channel', channel };
    const { native } = await openNative(t, stage());
    await native.show({
      providers: { packed: { url, codec: 'msgpack' }, plain: { url } },
      hooks: [
        { id: 'packed', provider: 'packed', ...hook },
        { id: 'plain', provider: 'plain', ...hook },
      ],
    });
    for (const id of ['packed', 'plain']) await native.untilStatus(id, 'live');
    const values = [
      { deep: [1, -1, 0.5, 2 ** 53 - 1, null, true, { 'ä€😀': 'ä€😀' }], empty: {} },
      'text, not JSON',
      { bytes: Array.from({ length: 256 }, (_, at) => at) },
      { bytes: [] },
    ];
    const expected = [];
    for (const from of ['packed', 'plain']) {
      for (const value of values) {
        assert.equal((await native.call(from, 'publish', value)).ok, true);
        expected.push(value);
      }
    }
    for (const id of ['packed', 'plain']) {
      const { messages } = await native.untilSeen(id, expected.length);
      assert.deepEqual(data(messages), expected, id);
      const kinds = ['json', 'text', 'binary', 'binary'];
      assert.deepEqual(
        messages.map(({ kind }) => kind),
        [...kinds, ...kinds],
        id,
      );
    }
  });

  test('scenario 35: what a schema refuses is told, not delivered, and all goes on', async (t) => {
    const { proxy, channel, peer, native } = await opened(t, stage(), {
      prefix: 'typed:',
      hook: { checked: true },
    });
    await peer.publish(channel, { text: 'good' });
    await peer.publish(channel, { text: 5 });
    await peer.publish(channel, { text: 'also good' });
    const seen = await native.untilSeen('a', 2);
    assert.deepEqual(data(seen.messages), [{ text: 'good' }, { text: 'also good' }]);
    assert.deepEqual(
      told(seen, 'error').map(({ value }) => value.code),
      ['schema'],
    );
    await native.until('a', 'the error, and live', ({ result }) => {
      return result.error?.code === 'schema' && result.status === 'live';
    });

    const before = proxy.bytesToServer;
    const refused = await native.call('a', 'publish', { text: 'longer than twenty letters' });
    assert.deepEqual([refused.ok, refused.error?.code], [false, 'schema']);
    assert.equal(proxy.bytesToServer, before, 'nothing was sent');
    assert.equal((await native.call('a', 'publish', { text: 'short' })).ok, true);
    const end = await native.untilSeen('a', 3);
    assert.equal(numbers(end).length, 3);
    assert.equal(proxy.total, 1);
  });

  test('a method that nobody answers is an error value, and the hook can be reset', async (t) => {
    const { native } = await openNative(t, stage());
    const token = mintToken('ann', { capability: { '*': ['*'] } });
    const hook = { id: 'r', kind: 'rpc', method: 'math.add' };
    await native.show(below(stage().native.url('/anywire'), [hook], { token }));
    const refused = await native.call('r', 'call', [1, 2]);
    assert.deepEqual([refused.ok, refused.error?.code], [false, 'no_handler']);
    await native.until('r', 'the error', ({ result }) => result.error?.code === 'no_handler');
    await native.call('r', 'reset');
    await native.until('r', 'nothing', ({ result }) => !result.error && !result.isPending);
  });
}
