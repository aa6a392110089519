// docs/guides/nextjs.md, followed to the letter: its files in a fresh app, `npm run dev`, two people
// in two browser windows.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { launch, newProfile, newTab } from '../e2e/support/browser.mjs';
import { until } from '../support/poll.mjs';
import { binary } from '../support/server.mjs';
import { FreshApp, freePort, guideApp, runningFor } from './support.mjs';

let fresh;
let app;
let browser;
let port;

before(
  async () => {
    fresh = FreshApp.create(guideApp);
    port = await freePort();
    await fresh.install();
    app = await fresh.startDev({
      // The guide has `anywire` on the PATH and its usual port; a test cannot.
      ANYWIRE_BIN: binary,
      ANYWIRE_URL: `http://127.0.0.1:${port}`,
      ANYWIRE_SECRET: 'development-only-secret-of-32-bytes-or-more',
      SESSION_SECRET: 'another-one-of-32-bytes-or-more-for-cookies',
    });
    browser = await launch({ seedPort: port });
  },
  { timeout: 180_000 },
);

after(async () => {
  await browser?.close();
  await app?.stop();
  fresh?.remove();
});

/** Signs somebody in, in a window of their own. */
async function enter(t, name) {
  const page = await newTab(await newProfile(t, browser), app.url());
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Enter' }).click();
  await page.locator('[role=status]', { hasText: 'live' }).waitFor();
  return page;
}

const say = async (page, text) => {
  await page.getByLabel('Message').fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
};
const lines = async (page) => {
  const all = await page.locator('main li').allTextContents();
  return all.map((line) => line.trim());
};

describe('the guide', () => {
  it('leads a stranger to the sign-in page, and gives no token', async () => {
    // The page streams, so what is not for strangers is found out behind its first bytes.
    const html = await (await fetch(app.url())).text();
    assert.match(html, /url=\/sign-in/);
    assert.doesNotMatch(html, /aria-label="Message"/);
    const token = await fetch(app.url('/api/anywire/token'), { method: 'POST' });
    assert.equal(token.status, 401);
    const forged = { cookie: 'session=eve.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' };
    const refused = await fetch(app.url('/api/anywire/token'), { method: 'POST', headers: forged });
    assert.equal(refused.status, 401);
  });

  it('lets two people talk, see each other, and find what was said after a reload', async (t) => {
    const ann = await enter(t, 'Ann');
    const bob = await enter(t, 'Bob B. Jr.');
    await ann.locator('[role=status]', { hasText: 'Ann, Bob B. Jr.' }).waitFor();
    await say(ann, 'hello Bob');
    await bob.getByText('hello Bob').waitFor();
    await say(bob, 'hello Ann');
    await ann.getByText('hello Ann').waitFor();
    const expected = ['Ann hello Bob', 'Bob B. Jr. hello Ann'];
    await until('both see both', async () => {
      return `${await lines(ann)}` === `${expected}` && `${await lines(bob)}` === `${expected}`;
    });

    // In the page as it comes from the server, before any script has run.
    const cookies = await ann.context().cookies();
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const html = await (await fetch(app.url(), { headers: { cookie } })).text();
    assert.match(html, /hello Bob/);
    await ann.reload();
    await ann.locator('[role=status]', { hasText: 'live' }).waitFor();
    assert.deepEqual(await lines(ann), expected);
    assert.deepEqual(ann.complaints, []);
    assert.deepEqual(bob.complaints, []);
  });

  it('brings what was typed while the server was away, once', async (t) => {
    const ann = await enter(t, 'Ann');
    const bob = await enter(t, 'Bob');
    for (const pid of runningFor(port)) process.kill(pid, 'SIGSTOP');
    t.after(() => {
      for (const pid of runningFor(port)) process.kill(pid, 'SIGCONT');
    });
    await say(ann, 'into the void');
    await ann.locator('li', { hasText: 'into the void' }).waitFor();
    assert.equal(await bob.getByText('into the void').count(), 0);
    for (const pid of runningFor(port)) process.kill(pid, 'SIGCONT');
    await bob.getByText('into the void').waitFor();
    await until('it is confirmed', async () => {
      const row = ann.locator('li', { hasText: 'into the void' });
      return (await row.count()) === 1 && (await row.evaluate((li) => li.style.opacity)) === '1';
    });
  });
});
