// The chat that a newcomer sees first. What it looks like is kept in artifacts/.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newProfile, newTab } from '../support/browser.mjs';
import { Member } from '../support/member.mjs';
import { until } from '../support/poll.mjs';
import { freshName } from '../support/stage.mjs';

const kArtifacts = fileURLToPath(new URL('../artifacts/', import.meta.url));
const kPhone = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true };

export function chatScenarios(stage, mode) {
  const shoot = async (tab, name) => {
    await mkdir(kArtifacts, { recursive: true });
    await tab.screenshot({ path: `${kArtifacts}${name}-${mode}.png`, animations: 'disabled' });
  };
  const room = freshName;
  const enter = async (context, name) => {
    const tab = await newTab(
      context,
      stage().apps.chat.url(name === 'lobby' ? '/' : `/room/${name}`),
    );
    await pill(tab, 'open').waitFor();
    await tab.getByRole('button', { name: /Your name/ }).waitFor();
    return tab;
  };
  const visit = async (t, name, options) =>
    enter(await newProfile(t, stage().browser, options), name);

  test('chat: two tabs of one browser are two people, talk, and stay who they are', async (t) => {
    const context = await newProfile(t, stage().browser, { colorScheme: 'light' });
    const here = 'lobby';
    const [ada, grace] = [await enter(context, here), await enter(context, here)];
    await rename(ada, 'Ada Lovelace');
    await rename(grace, 'Grace Hopper');
    await say(ada, 'Good morning! The new server is up.');
    await say(ada, 'It took me less than a minute from a fresh clone.');
    await say(grace, 'One binary, and the page just connected?');
    await say(grace, 'Let me pull the network cable and see what happens to what I type…');
    await say(
      ada,
      'It says so, keeps your text, and sends it when you are back.\n\nThat is its job, not yours.',
    );
    await bubble(grace, 'That is its job').waitFor();

    // Grouped under one name, own words on the right, the other's on the left.
    const group = grace.locator('.group', { hasText: 'Good morning!' });
    assert.equal(await group.locator('.bubble').count(), 2);
    assert.equal(await group.locator('.byline b').textContent(), 'Ada Lovelace');
    assert.match(await group.locator('time').getAttribute('datetime'), /^\d{4}-\d\d-\d\dT/);
    const [mine, theirs] = await Promise.all(
      ['One binary', 'Good morning!'].map((text) => edges(grace, text)),
    );
    assert.ok(mine.right < 40 && theirs.left < 90, JSON.stringify({ mine, theirs }));
    await shoot(ada, 'chat-light');
    await grace.emulateMedia({ colorScheme: 'dark' });
    await shoot(grace, 'chat-dark');

    await Promise.all([ada.reload(), grace.reload()]);
    for (const [tab, name] of [
      [ada, 'Ada Lovelace'],
      [grace, 'Grace Hopper'],
    ]) {
      await tab.getByRole('button', { name: `Your name: ${name}` }).waitFor();
      assert.deepEqual(tab.complaints, [], 'no hydration mismatch, no error');
    }
  });

  test('chat: rooms are apart, have their own address, and a new one opens by name', async (t) => {
    const here = room('apart');
    const one = await visit(t, here);
    const two = await visit(t, here);
    await say(one, 'only for this room');
    await bubble(two, 'only for this room').waitFor();
    await two.getByLabel('Open another room').fill('  Tea Kitchen ');
    await two.getByRole('button', { name: 'Open room' }).click();
    await two.getByRole('heading', { level: 1, name: 'tea-kitchen' }).waitFor();
    await pill(two, 'open').waitFor();
    assert.equal(new URL(two.url()).pathname, '/room/tea-kitchen');
    assert.equal(await bubble(two, 'only for this room').count(), 0);
    await two.getByRole('link', { name: here }).waitFor();
    await two.goto(stage().apps.chat.url('/room/lobby'));
    await two.getByRole('heading', { level: 1, name: 'lobby' }).waitFor();
    assert.equal(new URL(two.url()).pathname, '/');
    const missing = await two.goto(stage().apps.chat.url('/room/%2F..%2Fetc'));
    assert.equal(missing.status(), 404);
    await two.getByRole('heading', { name: 'No such room' }).waitFor();
  });

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
    assert.equal(await grace.locator('.outgoing[data-status=pending]').count(), 2);
    await grace.getByText('Your 2 messages are kept').waitFor();
    await shoot(grace, 'chat-offline-dark');
    assert.equal(await bubble(ada, 'Is anybody there?').count(), 0);

    await grace.context().setOffline(false);
    await pill(grace, 'open').waitFor();
    await bubble(ada, 'I will just keep writing.').waitFor();
    const texts = await ada.locator('.bubble').allTextContents();
    assert.deepEqual(texts, ['Pull it.', 'Is anybody there?', 'I will just keep writing.']);
    await until('nothing is pending', async () => (await grace.locator('.outgoing').count()) === 0);
    assert.equal(await grace.getByText('You are offline.').count(), 0);
  });

  test('chat: a lost server is shown, tried again, and the hole is marked', async (t) => {
    const { chatProxy } = stage();
    const tab = await visit(t, room('lost'), { colorScheme: 'light' });
    await say(tab, 'before');
    chatProxy.refuse();
    t.after(() => chatProxy.refuse(false));
    chatProxy.cut();
    await tab.getByText('Connection lost.').waitFor();
    await write(tab, 'meanwhile');
    await tab.getByText('Your message is kept').waitFor();
    await shoot(tab, 'chat-reconnecting-light');
    // The waits grow and are drawn at random, so one that lasts seconds comes within a few tries.
    await tab.getByText(/Reconnecting in \d+ s/).first().waitFor({ timeout: 60_000 });
    const tries = chatProxy.attempts.length;
    await tab.getByRole('button', { name: 'Try now' }).click();
    await until('a try', () => chatProxy.attempts.length > tries);
    chatProxy.refuse(false);
    await pill(tab, 'open').waitFor();
    await tab.getByText('may be missing').waitFor();
    await until('sent', async () => (await tab.locator('.outgoing').count()) === 0);
    const order = await tab
      .locator('.bubble, .break')
      .evaluateAll((all) => all.map((item) => item.className));
    assert.deepEqual(order, ['bubble', 'break', 'bubble']);
  });

  test('chat: a message that does not come back says so', async (t) => {
    const { chatProxy } = stage();
    const here = room('unsure');
    const tab = await newTab(await newProfile(t, stage().browser));
    await tab.clock.install();
    await tab.goto(stage().apps.chat.url(`/room/${here}`));
    await pill(tab, 'open').waitFor();
    const links = [...chatProxy.links];
    chatProxy.stall();
    t.after(() => chatProxy.resume());
    await write(tab, 'did you get this?');
    await tab.locator('.outgoing[data-status=pending]').waitFor();
    await until('the message has left', () => links.some((link) => link.toServer.bytes > 0));
    await tab.clock.runFor(6100);
    await tab.getByText('Not confirmed').waitFor();
    chatProxy.resume();
    await until('confirmed after all', async () => (await tab.locator('.outgoing').count()) === 0);
    assert.equal(await bubble(tab, 'did you get this?').count(), 1);
  });

  test('chat: who reads above is left there and told how much is new below', async (t) => {
    const here = room('scroll');
    const tab = await visit(t, here);
    const member = await Member.join(t, stage().lobby.url(`/raw/room-${here}`));
    const log = tab.getByRole('log');
    for (let n = 0; n < 60; n++) member.say({ msg: `line ${n}` });
    await bubble(tab, 'line 59').waitFor();
    await until('it follows the talk', () => atEnd(log));
    await log.evaluate((box) => box.scrollTo(0, 0));
    await until('the page knows', async () => !(await atEnd(log)));
    for (let n = 60; n < 63; n++) member.say({ msg: `line ${n}` });
    const jump = tab.getByRole('button', { name: '3 new messages' });
    await jump.waitFor();
    assert.ok((await log.evaluate((box) => box.scrollTop)) < 50, 'it stays where the person reads');
    await shoot(tab, 'chat-new-messages');
    await jump.click();
    await until('at the end', () => atEnd(log));
    await until('the button is gone', async () => (await jump.count()) === 0);
    await log.evaluate((box) => box.scrollTo(0, 0));
    await until('the page knows', async () => !(await atEnd(log)));
    await say(tab, 'my own words');
    await until('own words are shown', () => atEnd(log));
  });

  test('chat: text is text, nonsense is ignored, and plain clients are welcome', async (t) => {
    const here = room('open');
    const tab = await visit(t, here);
    const member = await Member.join(t, stage().lobby.url(`/raw/room-${here}`));
    const nonsense = [
      'null',
      '[]',
      '{}',
      '{"id":1,"text":[]}',
      '0',
      '{"msg":{}}',
      '   ',
      '{"msg":""}',
      JSON.stringify({ id: 'x', text: 'no author', at: 1 }),
      JSON.stringify({ id: 'y', text: 'odd time', at: 'now', from: { id: 'z' } }),
    ];
    for (const text of nonsense) member.say(text);
    const hostile = '<img src=x onerror="document.title=1"> & <b>bold</b>';
    member.say({
      id: 'h',
      text: hostile,
      at: 8.65e15,
      from: { id: 'm', name: 'n'.repeat(500), hue: 1e9 },
    });
    member.say('typed in a terminal');
    member.say({ msg: 'from the seed' });
    await bubble(tab, 'from the seed').waitFor();
    const texts = await tab.locator('.bubble').allTextContents();
    assert.deepEqual(texts, [hostile, 'typed in a terminal', 'from the seed']);
    assert.equal(await tab.locator('.bubble img').count(), 0);
    assert.equal((await tab.locator('.byline b').first().textContent()).length, 32);
    assert.deepEqual(tab.complaints, []);
  });

  test('chat: where storage and locks are forbidden it still talks', async (t) => {
    const context = await newProfile(t, stage().browser);
    await context.addInitScript(() => {
      const refuse = () => {
        throw new DOMException('forbidden', 'SecurityError');
      };
      Object.defineProperty(window, 'localStorage', { get: refuse });
      Object.defineProperty(window, 'sessionStorage', { get: refuse });
      delete Navigator.prototype.locks;
    });
    const tab = await enter(context, room('private'));
    await rename(tab, 'Nobody');
    await say(tab, 'still here');
    assert.deepEqual(tab.complaints, []);
  });

  test('chat: it fits a phone and speaks to a screen reader', async (t) => {
    const tab = await visit(t, room('phone'), { ...kPhone, colorScheme: 'light' });
    await shoot(tab, 'chat-empty-phone');
    await rename(tab, 'Alan');
    await say(tab, `a-long-word-${'x'.repeat(200)}`);
    await say(tab, 'Writing from my phone.');
    const [scroll, client] = await tab.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return [scrollWidth, clientWidth];
    });
    assert.ok(scroll <= client, `${scroll} wide on ${client}`);
    await shoot(tab, 'chat-phone');
    assert.equal(await tab.getByRole('textbox', { name: /^Message to #/ }).count(), 1);
    assert.equal(await tab.getByRole('status').filter({ hasText: 'Online' }).count(), 1);
    assert.equal(await tab.getByRole('navigation', { name: 'Rooms' }).count(), 1);
    assert.equal(await tab.locator('[aria-current=page]').count(), 1);
    // Nothing that a person can use is without a name.
    const nameless = await tab
      .locator('button, input, textarea, a')
      .evaluateAll(
        (all) =>
          all.filter((item) => !(item.ariaLabel || item.textContent.trim() || item.labels?.length))
            .length,
      );
    assert.equal(nameless, 0);
  });
}

const pill = (tab, state) => tab.locator(`.pill[data-state=${state}]`);
const bubble = (tab, text) => tab.locator('.bubble', { hasText: text });
const atEnd = (log) =>
  log.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight < 5);

async function rename(tab, name) {
  await tab.getByRole('button', { name: /Your name/ }).click();
  await tab.getByLabel('Your name').fill(name);
  await tab.keyboard.press('Enter');
  await tab.getByRole('button', { name: `Your name: ${name}` }).waitFor();
}

/** Types and sends; whether it arrives is another matter. */
async function write(tab, text) {
  const field = tab.getByLabel(/^Message to/);
  await field.fill(text);
  await field.press('Enter');
  await until('the field is free again', async () => (await field.inputValue()) === '');
}

/** Writes and waits until the room has given it back. */
async function say(tab, text) {
  await write(tab, text);
  await tab
    .locator('.group:not(:has(.outgoing)) .bubble', { hasText: text.split('\n')[0] })
    .last()
    .waitFor();
}

/** Distances of a bubble from the sides of the conversation. */
async function edges(tab, text) {
  return await bubble(tab, text).evaluate((item) => {
    const [box, own] = [item.closest('.log'), item].map((node) => node.getBoundingClientRect());
    return { left: own.left - box.left, right: box.right - own.right };
  });
}
