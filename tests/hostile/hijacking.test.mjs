// Cross-site WebSocket hijacking in a real browser: a page of another site makes connections, to
// which the browser adds the cookie of whoever looks at it. Each refusal has its control, a recorder
// on the same host, which shows that the cookie was sent.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { chromium } from 'playwright-core';
import { kSecret, token } from '../native/client.mjs';
import { sharedCertificate, startServer } from '../support/server.mjs';

const kOwn = 'app.anywire.test';
const kSibling = 'evil.anywire.test';
const kForeign = 'evil.example';
const kArguments = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--ignore-certificate-errors', '--host-resolver-rules=MAP *.test 127.0.0.1,MAP *.example 127.0.0.1'];

/** Blank pages for whatever name it is asked by, and what the browser sent along. */
async function startPages(secure) {
  const cookies = [];
  const serve = (request, response) => {
    if (request.url === '/record') cookies.push(request.headers.cookie ?? '');
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>page</title>');
  };
  const files = sharedCertificate();
  const server = secure
    ? https.createServer({ cert: readFileSync(files.certificate), key: readFileSync(files.key) }, serve)
    : http.createServer(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  return {
    cookies,
    url: (host) => `http${secure ? 's' : ''}://${host}:${port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Runs in a page: everything by which it might act in the name of the cookie. */
async function attack({ native, raw, base, record }) {
  const connect = (url, greet) => new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => (greet ? socket.send('{"type":"connect","id":1}') : resolve('open'));
    socket.onmessage = ({ data }) => {
      const { type, user = 'nobody' } = JSON.parse(data);
      socket.close();
      resolve(`${type} as ${user}`);
    };
    socket.onclose = ({ code }) => resolve(`closed ${code}`);
  });
  const ask = (path, options) =>
    fetch(base + path, { credentials: 'include', ...options }).then(
      (answer) => answer.text(), () => 'unreadable');
  const stream = () => new Promise((resolve) => {
    const events = new EventSource(`${base}/anywire/sse`, { withCredentials: true });
    const end = (what) => () => (events.close(), resolve(what));
    events.addEventListener('open', end('open'));
    events.addEventListener('error', end('refused'));
  });
  const inTime = (promise) => Promise.race([promise, new Promise((resolve) => {
    setTimeout(() => resolve('silence'), 20_000);
  })]);
  await fetch(record, { mode: 'no-cors', credentials: 'include' });
  return {
    native: await inTime(connect(native, true)),
    raw: await inTime(connect(raw, false)),
    stream: await inTime(stream()),
    poll: await inTime(ask('/anywire/poll', {
      method: 'POST', body: '{"messages":[{"type":"connect","id":1}]}' })),
    api: await inTime(ask('/api/v1/channels')),
  };
}

const kRefused = { native: 'closed 1006', raw: 'closed 1006', stream: 'refused',
  poll: 'unreadable', api: 'unreadable' };

describe('cross-site hijacking', { concurrency: false }, () => {
  let browser;
  let profile;
  let pages;
  const servers = [];
  before(async () => {
    // A browser that keeps cookies from other sites by itself leaves nothing to hijack. People's do
    // not all do so; this one is told not to.
    profile = mkdtempSync(path.join(tmpdir(), 'anywire-hijacking-'));
    mkdirSync(path.join(profile, 'Default'));
    writeFileSync(path.join(profile, 'Default', 'Preferences'), JSON.stringify({
      profile: { cookie_controls_mode: 0, block_third_party_cookies: false } }));
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: kArguments,
      ignoreHTTPSErrors: true,
      // The API asks for Basic, and a browser its user.
      httpCredentials: { username: 'ann', password: 'what she believes it is' } });
    pages = { plain: await startPages(false), secure: await startPages(true) };
  });
  after(async () => {
    await browser?.close();
    if (profile) rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    for (const server of servers) assert.equal((await server.stop()).code, 0, server.output);
    await pages?.plain.stop();
    await pages?.secure.stop();
  });

  const start = async ({ secure = false, origins, ...flags }) => {
    const server = await startServer({ conformance: false, secure, flags: {
      'auth.hs256_secret': kSecret, 'auth.cookie': 'session', 'http.allowed_origins': origins,
      ...flags } });
    servers.push(server);
    return server;
  };

  /** Somebody who is signed in at kOwn looks at a page of `host`. */
  const visit = async (t, host, { secure = false } = {}) => {
    const now = Math.floor(Date.now() / 1000);
    for (const { cookies } of Object.values(pages)) cookies.length = 0;
    await browser.clearCookies();
    await browser.addCookies([{ name: 'session', domain: kOwn, path: '/', httpOnly: true,
      value: token({ sub: 'ann', exp: now + 600, capability: { '*': ['*', 'manage'] } }),
      // What a site says whose cookie is to be sent from within other sites, too.
      ...(secure ? { secure: true, sameSite: 'None' } : { sameSite: 'Lax' }) }]);
    const page = await browser.newPage();
    t.after(() => page.close());
    await page.goto(`${pages[secure ? 'secure' : 'plain'].url(host)}/`);
    return page;
  };
  const placesOf = (server, { secure = false } = {}) => {
    const where = `${kOwn}:${server.port}`;
    const s = secure ? 's' : '';
    return { native: `ws${s}://${where}/anywire`, raw: `ws${s}://${where}/raw/room`,
      base: `http${s}://${where}`, record: `${pages[secure ? 'secure' : 'plain'].url(kOwn)}/record` };
  };
  const sent = (secure = false) => /session=/.test(pages[secure ? 'secure' : 'plain'].cookies.at(-1));

  it('a page of a named Origin goes by the cookie', async (t) => {
    const server = await start({ origins: pages.plain.url(kOwn) });
    const page = await visit(t, kOwn);
    const done = await page.evaluate(attack, placesOf(server));
    assert.ok(sent());
    assert.equal(done.native, 'connected as ann');
    assert.equal(done.raw, 'open');
    assert.match(done.poll, /"user":"ann"/);
    assert.match(done.api, /unauthorized/, 'the API never goes by a cookie');
  });

  it('a page of a sibling name is refused, though the browser sends the cookie', async (t) => {
    const server = await start({ origins: pages.plain.url(kOwn) });
    const page = await visit(t, kSibling);
    assert.deepEqual(await page.evaluate(attack, placesOf(server)), kRefused);
    assert.ok(sent(), 'the cookie was there to be hijacked');
  });

  it('a page of another site is refused, though the cookie is sent across sites', async (t) => {
    const server = await start({ secure: true, origins: pages.secure.url(kOwn) });
    const page = await visit(t, kForeign, { secure: true });
    assert.deepEqual(await page.evaluate(attack, placesOf(server, { secure: true })), kRefused);
    assert.ok(sent(true), 'the cookie was there to be hijacked');
  });

  it('where anybody may connect, a page of another site does so as nobody', async (t) => {
    const server = await start({ origins: `${pages.plain.url(kOwn)},*`, 'auth.anonymous': true });
    const page = await visit(t, kSibling);
    const done = await page.evaluate(attack, placesOf(server));
    assert.ok(sent());
    assert.equal(done.native, 'connected as nobody');
    assert.doesNotMatch(JSON.stringify(done), /ann"/);
  });

  it('a sandboxed frame is nobody even where "null" is allowed', async (t) => {
    const server = await start({ origins: `${pages.secure.url(kOwn)},null`, secure: true,
      'auth.anonymous': true });
    const page = await visit(t, kForeign, { secure: true });
    const done = await page.evaluate(async ({ text, places }) => {
      const frame = document.createElement('iframe');
      frame.sandbox = 'allow-scripts';
      frame.srcdoc = `<script>(${text})(${JSON.stringify(places)}).then(
        (done) => parent.postMessage({ origin, done }, '*'),
        (error) => parent.postMessage({ origin, done: String(error) }, '*'))</script>`;
      const answer = new Promise((resolve) => addEventListener('message', resolve, { once: true }));
      document.body.append(frame);
      return (await answer).data;
    }, { text: attack.toString(), places: placesOf(server, { secure: true }) });
    assert.equal(done.origin, 'null');
    assert.equal(done.done.native, 'connected as nobody', JSON.stringify(done));
    assert.equal(done.done.stream, 'refused', 'nor may it read what was asked for with cookies');
    assert.equal(done.done.poll, 'unreadable');
  });

  it('a name that was bound anew to this server is not answered', async (t) => {
    const server = await start({ origins: pages.plain.url(kOwn), 'http.allowed_hosts': kOwn });
    const page = await visit(t, kSibling);
    // The page's own name leads to the server now, so that all it asks is of the same origin.
    const answer = await page.goto(`http://${kForeign}:${server.port}/anywire`);
    assert.equal(answer.status(), 421);
    const places = { ...placesOf(server), native: `ws://${kForeign}:${server.port}/anywire` };
    assert.equal((await page.evaluate(attack, places)).native, 'closed 1006');
  });
});
