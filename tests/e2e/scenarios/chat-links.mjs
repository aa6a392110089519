// The chat while its connection is cut, refused, blocked, or was never there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Middlebox } from '../../client-realtime/middlebox.mjs';
import { newProfile, newTab } from '../support/browser.mjs';
import { bubble, chatOf, faces, line, pill, rename, say, write } from '../support/chat.mjs';
import { until } from '../support/poll.mjs';
import { freshName } from '../support/stage.mjs';

export function chatLinkScenarios(stage, mode) {
  const { address, visit, join, shoot } = chatOf(stage, mode);
  const room = freshName;

  test('chat: offline is said at once; words wait visibly and go out later', async (t) => {
    const here = room('cable');
    const ada = await visit(t, here, { colorScheme: 'light' });
    const grace = await visit(t, here, { colorScheme: 'dark' });
    await rename(grace, 'Grace Hopper');
    await say(ada, 'Pull it.');
    await bubble(grace, 'Pull it.').waitFor();
    await grace.context().setOffline(true);
    await grace.getByText('You are offline.').waitFor();
    await pill(grace, 'offline').waitFor();
    for (const text of ['Is anybody there?', 'I will just keep writing.']) await write(grace, text);
    await line(grace, 'pending').nth(1).waitFor();
    await grace.getByText('Your 2 messages are kept').waitFor();
    await shoot(grace, 'chat-offline-dark');
    assert.equal(await bubble(ada, 'Is anybody there?').count(), 0);

    await grace.context().setOffline(false);
    await pill(grace, 'open').waitFor();
    await bubble(ada, 'I will just keep writing.').waitFor();
    const said = ['Pull it.', 'Is anybody there?', 'I will just keep writing.'];
    assert.deepEqual(await ada.locator('.bubble').allTextContents(), said);
    await line(grace, 'pending').first().waitFor({ state: 'detached' });
    assert.deepEqual(await grace.locator('.bubble').allTextContents(), said);
    assert.equal(await grace.getByText('You are offline.').count(), 0);
  });

  test('chat: a lost server is shown and tried again; what was missed is brought back', async (t) => {
    const { chatProxy } = stage();
    const here = room('lost');
    const tab = await visit(t, here, { colorScheme: 'light' });
    const member = await join(t, here);
    await say(tab, 'before');
    chatProxy.refuse();
    t.after(() => chatProxy.refuse(false));
    chatProxy.cut();
    await tab.getByText('Connection lost.').waitFor();
    await write(tab, 'mine');
    await tab.getByText('Your message is kept').waitFor();
    for (const text of ['theirs 1', 'theirs 2']) member.say(text);
    // The waits grow and are drawn at random, so one that lasts seconds comes within a few tries.
    await tab
      .getByText(/Reconnecting in \d+ s/)
      .first()
      .waitFor({ timeout: 60_000 });
    await shoot(tab, 'chat-reconnecting-light');
    const tries = chatProxy.attempts.length;
    await tab.getByRole('button', { name: 'Try now' }).click();
    await until('a try', () => chatProxy.attempts.length > tries);
    chatProxy.refuse(false);
    await pill(tab, 'open').waitFor({ timeout: 30_000 });
    await line(tab, 'pending').waitFor({ state: 'detached' });
    const said = ['before', 'theirs 1', 'theirs 2', 'mine'];
    assert.deepEqual(await tab.locator('.bubble').allTextContents(), said);
    assert.equal(await tab.locator('.gap').count(), 0, 'nothing is missing');
  });

  test('chat: what the server cannot bring back is marked where it is missing', async (t) => {
    const { chatProxy } = stage();
    const here = room('short');
    const tab = await visit(t, here, { colorScheme: 'light' });
    const member = await join(t, here);
    await say(tab, 'before');
    chatProxy.refuse();
    t.after(() => chatProxy.refuse(false));
    chatProxy.cut();
    await tab.getByText('Connection lost.').waitFor();
    for (let n = 1; n <= 12; n++) member.say(`meanwhile ${n}`);
    await member.untilTexts('all of it is said', (texts) => texts.length >= 12);
    chatProxy.refuse(false);
    await pill(tab, 'open').waitFor({ timeout: 30_000 });
    await bubble(tab, 'meanwhile 12').waitFor();
    const order = await tab.locator('.bubble, .gap').allTextContents();
    assert.deepEqual(order.slice(0, 3), ['before', '7 messages are missing here.', 'meanwhile 8']);
    assert.equal(order.length, 7);
    await shoot(tab, 'chat-gap');
  });

  test('chat: a message that cannot go out says so; again means once, discard means gone', async (t) => {
    const { chatProxy } = stage();
    const here = room('unsure');
    const tab = await newTab(await newProfile(t, stage().browser, { colorScheme: 'light' }));
    await tab.clock.install();
    await tab.goto(address(here));
    await pill(tab, 'open').waitFor();
    const other = await visit(t, here);
    chatProxy.refuse();
    t.after(() => chatProxy.refuse(false));
    chatProxy.cut();
    await tab.getByText('Connection lost.').waitFor();
    for (const text of ['did you get this?', 'forget it']) await write(tab, text);
    await line(tab, 'pending').nth(1).waitFor();
    await tab.clock.fastForward(601_000);
    await line(tab, 'failed').nth(1).waitFor();
    assert.equal(await tab.getByText('Not sent').count(), 2);
    await shoot(tab, 'chat-failed');
    await tab.getByRole('button', { name: 'Discard' }).nth(1).click();
    chatProxy.refuse(false);
    await pill(tab, 'open').waitFor({ timeout: 30_000 });
    await tab.getByRole('button', { name: 'Try again' }).click();
    await line(tab, 'failed').waitFor({ state: 'detached' });
    await pill(other, 'open').waitFor({ timeout: 30_000 });
    await bubble(other, 'did you get this?').waitFor();
    for (const one of [tab, other]) {
      assert.deepEqual(await one.locator('.bubble').allTextContents(), ['did you get this?']);
    }
  });

  test('chat: where WebSocket is blocked it talks all the same, and says over what', async (t) => {
    const { chatProxy, lobby } = stage();
    const box = await Middlebox.start({ host: '127.0.0.1', port: lobby.port });
    box.websocket = 'forbidden';
    const open = chatProxy.target;
    chatProxy.target = { host: '127.0.0.1', port: box.port };
    t.after(async () => {
      chatProxy.target = open;
      await box.stop();
    });
    const here = room('blocked');
    const tab = await visit(t, here, { colorScheme: 'dark' });
    await tab.locator('.pill', { hasText: 'event stream' }).waitFor();
    assert.ok(box.upgrades > 0, 'WebSocket was tried');
    const member = await join(t, here);
    await say(tab, 'from behind a proxy');
    member.say('I hear you');
    await bubble(tab, 'I hear you').waitFor();
    await faces(tab, '1 person here');
    await shoot(tab, 'chat-blocked');
    // The proxy is mended: WebSocket takes over, and nothing is lost or said twice.
    box.websocket = 'pass';
    await tab.locator('.pill:not(:has-text("event stream"))').waitFor({ timeout: 40_000 });
    await say(tab, 'still me');
    const said = ['from behind a proxy', 'I hear you', 'still me'];
    assert.deepEqual(await tab.locator('.bubble').allTextContents(), said);
  });

  test('chat: a page without its server is a page, and comes to life with it', async (t) => {
    const { chatProxy } = stage();
    chatProxy.refuse();
    t.after(() => chatProxy.refuse(false));
    const tab = await newTab(await newProfile(t, stage().browser));
    const answer = await tab.goto(address(room('down')));
    assert.equal(answer.status(), 200);
    await tab.getByText('The server does not answer.').waitFor();
    await write(tab, 'for later');
    chatProxy.refuse(false);
    await pill(tab, 'open').waitFor({ timeout: 30_000 });
    await line(tab, 'sent').waitFor();
    assert.equal(await tab.getByText('The server does not answer.').count(), 0);
  });
}
