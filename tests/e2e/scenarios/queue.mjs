// Messages written while there is no link.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Member } from '../support/member.mjs';
import { freshName } from '../support/stage.mjs';
import { openProbe } from './hook.mjs';

export function queueScenarios(stage) {
  test('scenario 9: what is sent before open or offline arrives once, in order', async (t) => {
    const proxy = await stage().proxy(t);
    const channel = `/raw/${freshName('queue')}`;
    const member = await Member.join(t, stage().lobby.url(channel));
    const hello = ['"1"', '"2"', '"3"'];
    const { page, probe } = await openProbe(t, stage(), [
      { id: 'a', url: proxy.url(channel), hello },
    ]);
    const { sends } = await probe.untilState('a', 'open');
    assert.deepEqual(sends, [true, true, true], 'taken before any link could be open');
    await member.untilTexts('the first three', (texts) => texts.length === 3);

    await page.context().setOffline(true);
    // Seen in the log: on a busy machine the state may have moved on by the time it is read.
    await probe.until('a', 'offline', ({ log }) => log.some(({ state }) => state === 'offline'));
    assert.deepEqual(await probe.send('a', '"4"', '"5"'), [true, true]);
    await page.context().setOffline(false);
    await member.untilTexts('what was written offline', (texts) => texts.length >= 5);
    await probe.untilState('a', 'open');

    proxy.refuse();
    proxy.cut();
    await probe.untilState('a', 'waiting');
    assert.deepEqual(await probe.send('a', '"6"', '"7"'), [true, true]);
    proxy.refuse(false);
    await probe.untilState('a', 'open');
    await probe.send('a', '"end"');
    const texts = await member.untilTexts('the end', (all) => all.includes('"end"'));
    assert.deepEqual(texts, [...hello, '"4"', '"5"', '"6"', '"7"', '"end"']);
    assert.deepEqual((await probe.read('a')).drops, []);
  });

  test('scenario 10: a full queue refuses and says so, and keeps what it had taken', async (t) => {
    const proxy = await stage().proxy(t);
    const channel = `/raw/${freshName('overflow')}`;
    const member = await Member.join(t, stage().lobby.url(channel));
    proxy.refuse();
    const { probe } = await openProbe(t, stage());
    await probe.show({ id: 'a', url: proxy.url(channel), options: { queue: { max: 3 } } });
    await probe.untilState('a', 'waiting');
    assert.deepEqual(await probe.send('a', '1', '2', '3', '4', '5'), [
      true,
      true,
      true,
      false,
      false,
    ]);
    const full = await probe.read('a');
    assert.equal(full.dropped, 2);
    assert.equal(
      full.drops.reduce((sum, drop) => sum + drop.count, 0),
      2,
    );
    assert.ok(full.drops.every((drop) => drop.reason === 'overflow'));
    proxy.refuse(false);
    await probe.untilState('a', 'open');
    await probe.send('a', 'end');
    const texts = await member.untilTexts('the end', (all) => all.includes('end'));
    assert.deepEqual(texts, ['1', '2', '3', 'end']);
  });

  test('scenario 10: drop-oldest keeps the newest and reports the rest', async (t) => {
    const proxy = await stage().proxy(t);
    const channel = `/raw/${freshName('oldest')}`;
    const member = await Member.join(t, stage().lobby.url(channel));
    proxy.refuse();
    const { probe } = await openProbe(t, stage());
    const queue = { max: 2, overflow: 'drop-oldest' };
    await probe.show({ id: 'a', url: proxy.url(channel), options: { queue } });
    await probe.untilState('a', 'waiting');
    assert.deepEqual(await probe.send('a', '1', '2', '3'), [true, true, true]);
    const { drops, dropped } = await probe.read('a');
    assert.deepEqual([drops, dropped], [[{ reason: 'oldest', count: 1 }], 1]);
    proxy.refuse(false);
    await probe.untilState('a', 'open');
    assert.deepEqual(await member.untilTexts('the newest two', (all) => all.length === 2), [
      '2',
      '3',
    ]);
  });
}
