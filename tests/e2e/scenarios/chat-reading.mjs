// Who reads above while people talk: what is read holds still, whatever comes and whenever.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atEnd, bubble, chatOf, exactly, heldStill, say, topOf } from '../support/chat.mjs';
import { until } from '../support/poll.mjs';
import { freshName } from '../support/stage.mjs';

/** Or to so many pixels below the top. */
const toTop = (log, below = 0) =>
  log.evaluate((box, px) => box.scrollTo({ top: box.clientHeight - box.scrollHeight + px }), below);
const toEnd = (log) => log.evaluate((box) => box.scrollTo({ top: 0 }));

export function chatReadingScenarios(stage, mode) {
  const { visit, join, shoot } = chatOf(stage, mode);

  /** A room in which 40 lines have been said, open at the newest. */
  async function talk(t, name) {
    const here = freshName(name);
    const tab = await visit(t, here);
    const member = await join(t, here);
    const log = tab.getByRole('log');
    for (let n = 0; n < 40; n++) member.say({ msg: `line ${n}` });
    await bubble(tab, 'line 39').waitFor();
    await until('it follows the talk', () => atEnd(log));
    return { tab, member, log, read: exactly(tab, 'line 3') };
  }

  test('chat: who reads above is left there and told how much is new below', async (t) => {
    const { tab, member, log, read } = await talk(t, 'scroll');
    await toTop(log);
    await tab.getByRole('button', { name: 'To the newest' }).waitFor();
    const before = await topOf(read);
    for (let n = 40; n < 43; n++) member.say({ msg: `line ${n}` });
    const jump = tab.getByRole('button', { name: '3 new messages' });
    await jump.waitFor();
    await heldStill(read, before);
    await shoot(tab, 'chat-new-messages');
    await jump.click();
    await until('at the end', () => atEnd(log));
    await jump.waitFor({ state: 'detached' });
    await toTop(log);
    await tab.getByRole('button', { name: 'To the newest' }).waitFor();
    await say(tab, 'my own words');
    await until('own words are shown', () => atEnd(log));
  });

  test('chat: a reader is not moved by a part of a pixel for each of many messages', async (t) => {
    const { tab, member, log, read } = await talk(t, 'crawl');
    await toTop(log, 100); // At the very top the box could not move much.
    await tab.getByRole('button', { name: 'To the newest' }).waitFor();
    const before = await topOf(read);
    // Each is drawn on its own: lines are not whole pixels high, and boxes stand on whole ones.
    for (let n = 40; n < 52; n++) {
      member.say({ msg: `line ${n}` });
      await exactly(tab, `line ${n}`).waitFor({ state: 'attached' });
    }
    await heldStill(read, before);
    // The field grows and takes the room; where that has moved the talk to, it stays.
    await tab.getByLabel(/^Message to/).fill('one\ntwo\nthree');
    await until('the field has grown', async () => (await topOf(read)) < before - 10);
    const moved = await topOf(read);
    member.say({ msg: 'line 52' });
    await exactly(tab, 'line 52').waitFor({ state: 'attached' });
    await heldStill(read, moved);
  });

  test('chat: a scroll counts before the browser tells of it', async (t) => {
    const { tab, member, log, read } = await talk(t, 'untold');
    // A busy browser tells of a scroll with a frame to come, and content may be earlier.
    await tab.evaluate(() => {
      const keep = (event) => event.stopImmediatePropagation();
      window.addEventListener('scroll', keep, { capture: true });
    });
    await toTop(log);
    const before = await topOf(read);
    member.say({ msg: 'line 40' });
    await exactly(tab, 'line 40').waitFor({ state: 'attached' });
    await heldStill(read, before);
    await tab.getByRole('button', { name: '1 new message' }).waitFor();
    await toEnd(log);
    member.say({ msg: 'line 41' });
    await exactly(tab, 'line 41').waitFor();
    assert.ok(await atEnd(log), 'who has come down is not sent up again');
    await tab.locator('.jump').waitFor({ state: 'detached' });
    assert.deepEqual(tab.complaints, []);
  });
}
