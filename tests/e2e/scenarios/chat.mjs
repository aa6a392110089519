// The chat that a newcomer sees first. What it looks like is kept in artifacts/.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newProfile } from '../support/browser.mjs';
import {
  atEnd,
  bubble,
  chatOf,
  edges,
  exactly,
  faces,
  heldStill,
  pill,
  rename,
  say,
  topOf,
} from '../support/chat.mjs';
import { until } from '../support/poll.mjs';
import { freshName } from '../support/stage.mjs';
import { chatLinkScenarios } from './chat-links.mjs';
import { chatReadingScenarios } from './chat-reading.mjs';

const kPhone = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true };
/** Messages in a page of history. */
const kPage = 50;
/** A deadline for more than twenty pages, one behind the other, drawn by a busy machine. */
const kLongWayMs = 60_000;
const numberOf = (text) => Number(text.replace('line ', ''));

export function chatScenarios(stage, mode) {
  const { address, enter, visit, join, shoot } = chatOf(stage, mode);
  const room = freshName;

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

    // Grouped under one name, own words on the right, the other's on the left, the day above.
    const names = grace.locator('.byline b:visible');
    assert.deepEqual(await names.allTextContents(), ['Ada Lovelace', 'You', 'Ada Lovelace']);
    const when = await grace.locator('.line time').first().getAttribute('datetime');
    assert.match(when, /^\d{4}-\d\d-\d\dT/);
    assert.equal(await grace.locator('.day').first().textContent(), 'Today');
    const [mine, theirs] = await Promise.all(
      ['One binary', 'Good morning!'].map((text) => edges(grace, text)),
    );
    assert.ok(mine.right < 40 && theirs.left < 90, JSON.stringify({ mine, theirs }));
    await grace.getByLabel(/^Message to/).pressSequentially('Wait');
    await ada.getByText('Grace Hopper is typing').waitFor();
    await shoot(ada, 'chat-light');
    await grace.emulateMedia({ colorScheme: 'dark' });
    await shoot(grace, 'chat-dark');

    // The page comes with what was said, so it can be read before any script has run.
    assert.match(await (await fetch(address(here))).text(), /Let me pull the network cable/);
    await Promise.all([ada.reload(), grace.reload()]);
    for (const [tab, name] of [
      [ada, 'Ada Lovelace'],
      [grace, 'Grace Hopper'],
    ]) {
      await tab.getByRole('button', { name: `Your name: ${name}` }).waitFor();
      await pill(tab, 'open').waitFor();
      assert.equal(await bubble(tab, 'One binary').count(), 1);
      assert.deepEqual(tab.complaints, [], 'no hydration mismatch, no error');
    }
  });

  test('chat: who is here is seen; people come, type, change their name and go', async (t) => {
    const here = room('present');
    const ada = await visit(t, here, { colorScheme: 'light' });
    await rename(ada, 'Ada');
    await faces(ada, '1 person here');
    // What shows for some seconds only is waited for before it begins.
    const [grace] = await Promise.all([
      visit(t, here),
      faces(ada, '2 people here'),
      ada.locator('.whispers', { hasText: / joined$/ }).waitFor(),
    ]);
    await rename(grace, 'Grace');
    await ada.locator('.people summary').click();
    await ada.locator('.card li', { hasText: 'Grace' }).waitFor();
    assert.equal(await ada.locator('.card li', { hasText: 'Ada' }).textContent(), 'AAdayou');
    await Promise.all([
      ada.locator('.card li', { hasText: 'typing…' }).waitFor(),
      ada.getByText('Grace is typing').waitFor(),
      grace.getByLabel(/^Message to/).pressSequentially('hm'),
    ]);
    await shoot(ada, 'chat-people');
    await ada.keyboard.press('Escape');
    await ada.locator('.people:not([open])').waitFor();
    // Nobody is typing for ever, and nothing of it is a message.
    await ada.getByText('Grace is typing').waitFor({ state: 'detached' });
    assert.equal(await ada.locator('.bubble').count(), 0);
    await grace.close();
    await ada.locator('.whispers', { hasText: 'Grace left' }).waitFor();
    await faces(ada, '1 person here');
    assert.deepEqual(ada.complaints, []);
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

  test('chat: rooms tell how much is unread and who is there, over one connection', async (t) => {
    const [here, there] = [room('here'), room('there')];
    const tab = await visit(t, there);
    await tab.goto(address(here));
    await pill(tab, 'open').waitFor();
    const links = [];
    tab.on('websocket', (link) => links.push(link.url()));
    const link = tab.getByRole('link', { name: there });
    const member = await join(t, there);
    for (const text of ['one', 'two', 'three']) member.say(text);
    await tab.getByRole('link', { name: `${there} 3 unread` }).waitFor();
    await shoot(tab, 'chat-unread');
    await link.click();
    await tab.getByRole('heading', { level: 1, name: there }).waitFor();
    await bubble(tab, 'three').waitFor();
    await tab.getByRole('link', { name: `${there} 1 here` }).waitFor();
    assert.deepEqual(await tab.locator('.bubble').allTextContents(), ['one', 'two', 'three']);
    await tab.getByRole('link', { name: here }).click();
    await tab.getByRole('heading', { level: 1, name: here }).waitFor();
    member.say('four');
    await tab.getByRole('link', { name: `${there} 1 unread` }).waitFor();
    assert.deepEqual(links, [], 'going from room to room needs no other connection');
    // What was not read is remembered, as is what was.
    await tab.reload();
    await tab.getByRole('link', { name: `${there} 1 unread` }).waitFor();
    assert.deepEqual(tab.complaints, []);
  });

  test('chat: five pages back while people talk: nothing twice, no hole, nothing moves', async (t) => {
    const here = room('past');
    const member = await join(t, here);
    const past = 6 * kPage;
    for (let n = 0; n < past; n++) member.say(`line ${n}`);
    await member.untilTexts('all of it is said', (texts) => texts.length >= past);
    const tab = await visit(t, here);
    const log = tab.getByRole('log');
    await bubble(tab, `line ${past - 1}`).waitFor();
    assert.ok(await atEnd(log), 'it opens at the newest');
    let said = past;
    for (let page = 1; page < 6; page++) {
      const first = past - page * kPage;
      // On the edge of what is there: the page before it is on its way now.
      await log.evaluate((box) => box.scrollTo({ top: -box.scrollHeight }));
      const mark = exactly(tab, `line ${first}`);
      const before = await topOf(mark);
      member.say(`line ${said++}`);
      await exactly(tab, `line ${first - kPage}`).waitFor({ state: 'attached' });
      await exactly(tab, `line ${said - 1}`).waitFor({ state: 'attached' });
      await heldStill(mark, before);
    }
    await log.evaluate((box) => box.scrollTo({ top: -box.scrollHeight }));
    await tab.getByText(`This is where #${here} begins.`).waitFor();
    const all = await tab.locator('.bubble').allTextContents();
    assert.deepEqual(
      all,
      Array.from({ length: said }, (_, n) => `line ${n}`),
    );
    await tab.getByRole('button', { name: /new messages/ }).click();
    await until('at the end', () => atEnd(log));
    assert.deepEqual(tab.complaints, []);
  });

  test('chat: a room with more than a page can hold is read to its beginning, and back', async (t) => {
    const here = room('long');
    const member = await join(t, here);
    const [all, kept] = [1150, 1000];
    for (let n = 0; n < all; n++) member.say(`line ${n}`);
    await member.untilTexts('all of it is said', (texts) => texts.length >= all);
    const tab = await visit(t, here);
    const log = tab.getByRole('log');
    const numbers = async () => (await tab.locator('.bubble').allTextContents()).map(numberOf);
    const reach = (line, toward) =>
      until(
        `line ${line} is there`,
        async () => {
          await log.evaluate((box, way) => box.scrollBy({ top: way * box.scrollHeight }), toward);
          return (await exactly(tab, `line ${line}`).count()) > 0;
        },
        { deadlineMs: kLongWayMs },
      );
    const whole = (list, from) => list.every((number, at) => number === from + at);

    await reach(0, -1);
    const above = await numbers();
    assert.equal(above.length, kept, 'the newest have made room');
    assert.ok(whole(above, 0));
    member.say(`line ${all}`);
    await reach(all, 1);
    const below = await numbers();
    assert.ok(whole(below, all + 1 - below.length) && below.length <= kept, `${below}`);
    await reach(0, -1);
    await tab.getByRole('button', { name: 'To the newest' }).click();
    await exactly(tab, `line ${all}`).waitFor();
    await until('at the end', () => atEnd(log));
    assert.deepEqual(tab.complaints, []);
  });

  test('chat: who scrolls down without a pause comes from the beginning to the newest', async (t) => {
    const here = room('down');
    const member = await join(t, here);
    const all = 1150;
    for (let n = 0; n < all; n++) member.say(`line ${n}`);
    await member.untilTexts('all of it is said', (texts) => texts.length >= all);
    const tab = await visit(t, here);
    const log = tab.getByRole('log');
    await until(
      'the beginning is there',
      async () => {
        await log.evaluate((box) => box.scrollTo({ top: -box.scrollHeight }));
        return (await exactly(tab, 'line 0').count()) > 0;
      },
      { deadlineMs: kLongWayMs },
    );
    // A page that comes moves what is read up, and the box is at its end again before the browser
    // tells of that: no event says that it was anywhere else, and none comes afterwards.
    await log.evaluate((box) => {
      const down = () => box.scrollTo({ top: 0 });
      new MutationObserver(down).observe(box, { childList: true, subtree: true });
      down();
    });
    await exactly(tab, `line ${all - 1}`).waitFor();
    await until('at the end', () => atEnd(log));
    await tab.getByRole('button', { name: 'To the newest' }).waitFor({ state: 'detached' });
    assert.deepEqual(tab.complaints, []);
  });

  test('chat: text is text, nonsense is ignored, and plain clients are welcome', async (t) => {
    const here = room('open');
    const tab = await visit(t, here);
    const member = await join(t, here);
    const nonsense = [
      '[]',
      '{}',
      '{"id":1,"text":[]}',
      '{"msg":{}}',
      '   ',
      '{"msg":""}',
      JSON.stringify({ id: 'x', text: 'no author', at: 1 }),
      JSON.stringify({ id: 'y', text: 'odd author', from: { id: 'z' } }),
    ];
    for (const text of nonsense) member.say(text);
    const hostile = '<img src=x onerror="document.title=1"> & <b>bold</b>';
    member.say({ text: hostile, from: { id: 'm', name: 'n'.repeat(500), hue: 1e9 } });
    member.say('typed in a terminal');
    member.say({ msg: 'from the seed' });
    await bubble(tab, 'from the seed').waitFor();
    const texts = await tab.locator('.bubble').allTextContents();
    assert.deepEqual(texts, [hostile, 'typed in a terminal', 'from the seed']);
    assert.equal(await tab.locator('.bubble img').count(), 0);
    const names = await tab.locator('.byline b:visible').allTextContents();
    assert.deepEqual(names, ['n'.repeat(32), 'Guest']);
    await say(tab, 'welcome');
    const heard = await member.untilTexts('the page is heard', (all) => /welcome/.test(all.at(-1)));
    assert.equal(JSON.parse(heard.at(-1)).text, 'welcome');
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

  test('chat: it fits a phone, speaks to a screen reader, and stands still', async (t) => {
    const here = room('phone');
    const tab = await visit(t, here, { ...kPhone, colorScheme: 'light' });
    await shoot(tab, 'chat-empty-phone');
    await rename(tab, 'Alan');
    await say(tab, `a-long-word-${'x'.repeat(200)}`);
    await say(tab, 'Writing from my phone.');
    const member = await join(t, here);
    member.say('and I from a terminal');
    await bubble(tab, 'and I from a terminal').waitFor();
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
      .locator('button, input, textarea, a, summary')
      .evaluateAll(
        (all) =>
          all.filter((item) => !(item.ariaLabel || item.textContent.trim() || item.labels?.length))
            .length,
      );
    assert.equal(nameless, 0);
    assert.deepEqual(tab.complaints, []);
    // What came with the page stays where it was while scripts and the connection arrive. (Pages of
    // `next dev` come in pieces, with styles made on the way.) A slow device draws it in parts.
    if (mode === 'dev') return;
    const device = await tab.context().newCDPSession(tab);
    await device.send('Emulation.setCPUThrottlingRate', { rate: 6 });
    await tab.context().addInitScript(() => {
      window.shifts = [];
      new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries()) {
          const of = sources.map(({ node, previousRect: from, currentRect: to }) => [
            node?.className,
            [from.x, from.y, from.height],
            [to.x, to.y, to.height],
          ]);
          window.shifts.push({ value, of });
        }
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await tab.reload();
    await pill(tab, 'open').waitFor();
    await faces(tab, '1 person here');
    const shifts = await tab.evaluate(() => window.shifts);
    const sum = shifts.reduce((all, { value }) => all + value, 0);
    assert.ok(sum < 0.02, `shifted by ${sum}: ${JSON.stringify(shifts)}`);
  });

  test('chat: devtools come with development only', async (t) => {
    const tab = await visit(t, room('tools'));
    const sources = await tab.evaluate(() =>
      Promise.all(
        [...document.querySelectorAll('script[src]')].map(async ({ src }) =>
          (await fetch(src)).text(),
        ),
      ),
    );
    const inside = sources.some((text) => text.includes('anywire-devtools'));
    const shown = tab.locator('anywire-devtools');
    if (mode === 'dev') await shown.waitFor({ state: 'attached' });
    else assert.deepEqual([inside, await shown.count()], [false, 0]);
    assert.deepEqual(tab.complaints, []);
  });

  chatReadingScenarios(stage, mode);
  chatLinkScenarios(stage, mode);
}
