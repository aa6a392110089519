// What is published, in an app that knows nothing of this repository: packed, installed,
// type-checked, built and run behind the real binary.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createClient, history } from '@anywire/client';
import { WebSocket } from 'ws';
import { launch, newProfile, newTab } from '../e2e/support/browser.mjs';
import { until } from '../support/poll.mjs';
import { binary, startServer } from '../support/server.mjs';
import { childrenOf, FreshApp, freePort, runningFor } from './support.mjs';

const kSecret = 'a secret of the tests, of 32 bytes or more';
const kRoom = 'room:1';
const kRuntimes = ['node', 'edge'];
const kRules = JSON.stringify([{ pattern: 'room:*', history_messages: 100 }]);

let server;
let fresh;
let built;
let app;
let ann;

const postToken = (runtime, headers = {}) =>
  fetch(app.url(`/api/token/${runtime}`), {
    method: 'POST',
    headers,
    body: '{"reason":"connect"}',
  });

const tokenOf = async (runtime) => {
  const answer = await postToken(runtime, { cookie: 'user=ann' });
  return await answer.json();
};

/** A client of the app's origin, as a page has one. */
const member = (where, runtime) =>
  createClient({ url: app.url(where), WebSocket, token: () => tokenOf(runtime) });

const itemsOf = (html) => [...html.matchAll(/<li>([^<]*)<\/li>/g)].map(([, text]) => text);
const troubleOf = (html) => /id="trouble">([^<]*)</.exec(html)?.[1];
const pageAt = async (where) => await (await fetch(app.url(where))).text();

before(async () => {
  server = await startServer({
    conformance: false,
    flags: { channels: kRules },
    env: { ANYWIRE_AUTH_HS256_SECRET: kSecret },
  });
  fresh = FreshApp.create();
  await fresh.install();
  // No secret here: a build has none.
  built = await fresh.build({ ANYWIRE_URL: server.url('', 'ws') });
  app = await fresh.startStandalone({
    ANYWIRE_URL: server.url('', 'http'),
    ANYWIRE_SECRET: kSecret,
  });
  ann = member('/anywire', 'node');
  for (const text of ['one', 'two', 'three', 'four']) await ann.channel(kRoom).publish({ text });
});

after(async () => {
  await ann?.close();
  await app?.stop();
  await server?.stop();
  fresh?.remove();
});

describe('a fresh app with the packed packages', () => {
  it('builds: types hold, routes and page are dynamic, the cached page is not', () => {
    const kind = (route) => new RegExp(`([ƒ○]) ${route}\\s`).exec(built)?.[1];
    assert.equal(kind('/'), 'ƒ', built);
    assert.equal(kind('/api/token/edge'), 'ƒ', built);
    assert.equal(kind('/api/token/node'), 'ƒ', built);
    assert.equal(kind('/cached'), '○', built);
  });

  for (const runtime of kRuntimes) {
    it(`gives tokens to its own pages only, in the ${runtime} runtime`, async () => {
      const own = { cookie: 'user=ann', 'sec-fetch-site': 'same-origin' };
      const given = await postToken(runtime, own);
      assert.equal(given.status, 200);
      assert.equal(given.headers.get('cache-control'), 'no-store');
      const { token, expires } = await given.json();
      assert.equal(token.split('.').length, 3);
      assert.ok(expires > Date.now() && expires <= Date.now() + 300_000);

      assert.equal((await postToken(runtime)).status, 401);
      const elsewhere = { cookie: 'user=ann', origin: 'https://elsewhere.test' };
      const refused = await postToken(runtime, elsewhere);
      assert.equal(refused.status, 403);
      assert.equal((await refused.json()).code, 'foreign_origin');
      assert.equal((await fetch(app.url(`/api/token/${runtime}`))).status, 405);
    });
  }

  for (const [where, runtime, what] of [
    ['/anywire', 'edge', 'the rewrite of withAnywire'],
    ['/runtime', 'node', 'proxy.ts, which reads ANYWIRE_URL when it runs'],
  ]) {
    it(`carries messages over ${what}`, async () => {
      const bob = member(where, runtime);
      const text = `by ${runtime}`;
      const seen = new Promise((resolve) => {
        ann.channel('room:2').subscribe(({ data, user }) => {
          if (data.text === text) resolve(user);
        });
      });
      const { offset } = await bob.channel('room:2').publish({ text });
      assert.equal(await seen, 'ann');
      const { messages } = await history(bob.channel('room:2'), { after: offset - 1 });
      assert.deepEqual(messages[0].data, { text });
      assert.equal(bob.snapshot.transport, 'websocket');
      await bob.close();
    });
  }

  it('renders the newest messages into the page', async () => {
    const html = await pageAt('/');
    assert.equal(troubleOf(html), 'none', app.output);
    assert.deepEqual(itemsOf(html), ['two', 'three', 'four']);
  });

  it('asks once where a request asks twice', async () => {
    assert.match(await pageAt('/twice'), /id="same">true</);
  });

  it('asks from the edge runtime as well', async () => {
    const { error, messages } = await (await fetch(app.url('/api/history/edge'))).json();
    assert.equal(error, undefined);
    assert.deepEqual(messages.map(({ data }) => data.text), ['one', 'two', 'three', 'four']);
  });

  it('renders them ahead where the page says so, and anew when that is old', async () => {
    const { offset } = await ann.channel(kRoom).publish({ text: 'five' });
    assert.ok(offset >= 5);
    await until('the cached page has all five', async () => {
      return itemsOf(await pageAt('/cached')).includes('five');
    });
    assert.equal(troubleOf(await pageAt('/cached')), 'none');
  });

  it('hydrates and goes on live, with connections to its own origin only', async (t) => {
    const browser = await launch({ seedPort: server.port });
    t.after(() => browser.close());
    const context = await newProfile(t, browser);
    await context.addCookies([{ name: 'user', value: 'eve', url: app.url() }]);
    const page = await newTab(context);
    const sockets = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await page.goto(app.url());
    await page.getByText('five').waitFor();
    await page.locator('[role=status]', { hasText: 'live' }).waitFor();
    await ann.channel(kRoom).publish({ text: 'six' });
    await page.getByText('six').waitFor();
    const shown = await page.locator('li').allTextContents();
    assert.deepEqual(shown.slice(-4), ['three', 'four', 'five', 'six']);
    assert.deepEqual(sockets, [`${app.url().replace('http', 'ws')}anywire`]);
    assert.deepEqual(page.complaints, []);
    // The policy is in force: another origin cannot be reached.
    const blocked = await page.evaluate(
      (url) =>
        new Promise((resolve) => {
          document.addEventListener('securitypolicyviolation', (event) =>
            resolve(event.effectiveDirective),
          );
          try {
            new WebSocket(url).onopen = () => resolve('open');
          } catch {
            // Some browsers throw, too.
          }
        }),
      server.url('/anywire'),
    );
    assert.equal(blocked, 'connect-src');
  });

  it('keeps everything of the server out of what browsers get', async () => {
    const html = await pageAt('/');
    const scripts = [...html.matchAll(/src="([^"]+\.js[^"]*)"/g)].map(([, src]) => src);
    assert.ok(scripts.length > 0);
    for (const src of scripts) {
      const code = await pageAt(src);
      assert.ok(!/setProtectedHeader|foreign_origin|ANYWIRE_SECRET/.test(code), src);
    }
    assert.ok(!html.includes(String(server.port)), 'the address of the server is in the page');
  });

  it('renders the page without history when the server is down, without waiting', async () => {
    await server.stop();
    const begun = performance.now();
    const answer = await fetch(app.url('/'));
    const ms = performance.now() - begun;
    assert.equal(answer.status, 200);
    const html = await answer.text();
    assert.equal(troubleOf(html), 'network');
    assert.deepEqual(itemsOf(html), []);
    assert.ok(ms < 2000, `${ms} ms`);
    assert.match(app.output, /no history of "room:1"/);
    assert.ok(!html.includes(String(server.port)), 'the address of the server is in the page');
  });
});

describe('next dev with a server of its own', () => {
  let port;
  let dev;
  const begin = async () => {
    dev = await fresh.startDev({
      SPAWN: 'dev',
      ANYWIRE_BIN: binary,
      ANYWIRE_URL: `http://127.0.0.1:${port}`,
      ANYWIRE_SECRET: kSecret,
    });
  };
  const listening = (count) =>
    until(`the server listens (${count})\n${dev.output}`, () => {
      const lines = dev.output.match(/\[anywire\] INFO {2}listening address=127/g) ?? [];
      return lines.length === count && runningFor(port).length === 1;
    }, { deadlineMs: 20_000 });
  const gone = () => until('the server is gone', () => runningFor(port).length === 0);

  before(async () => {
    port = await freePort();
  });
  after(() => dev?.stop());

  it('starts it once, and pages reach it with the same secret', async () => {
    await begin();
    await listening(1);
    const eve = createClient({
      url: dev.url('/anywire'),
      WebSocket,
      token: async () => {
        const headers = { cookie: 'user=eve' };
        const answer = await fetch(dev.url('/api/token/node'), { method: 'POST', headers });
        return await answer.json();
      },
    });
    await eve.channel(kRoom).publish({ text: 'in development' });
    assert.equal(eve.snapshot.user, 'eve');
    await eve.close();
    assert.deepEqual(itemsOf(await (await fetch(dev.url())).text()), ['in development']);
    assert.equal(runningFor(port).length, 1);
  });

  it('has one again after the configuration was changed', async () => {
    const [first] = runningFor(port);
    fresh.touch('next.config.ts');
    await listening(2);
    assert.notEqual(runningFor(port)[0], first);
  });

  it('takes it along when it ends', async () => {
    await dev.stop();
    await gone();
  });

  it('takes it along when it is killed', async () => {
    await begin();
    await listening(1);
    // The process that serves; the one above it only watches.
    for (const pid of childrenOf(dev.pid)) process.kill(pid, 'SIGKILL');
    await gone();
    await dev.stop();
  });
});
