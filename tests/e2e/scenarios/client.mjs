// `@anywire/client` in Chromium: every transport from another origin, and a page whose WebSocket is
// blocked. No app and no framework: one page that has the client as a module.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import http from 'node:http';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Middlebox } from '../../client-realtime/middlebox.mjs';
import { startServer } from '../../support/server.mjs';
import { launch, newProfile, newTab } from '../support/browser.mjs';

const kSecret = '0123456789abcdef0123456789abcdef';
const kBoundMs = 3000;
const kChannels = JSON.stringify([
  { pattern: '*', history_messages: 100, presence: true, subscribe: 'users', publish: 'users',
    history_access: 'users' },
]);

const base64url = (value) => Buffer.from(value).toString('base64url');
function token(sub) {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const input = `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(`{"sub":"${sub}","exp":${exp}}`)}`;
  return `${input}.${createHmac('sha256', kSecret).update(input).digest('base64url')}`;
}

/** Serves the page with the client, and tokens; an origin of its own. */
async function site() {
  const { outputFiles } = await build({
    stdin: {
      contents: `export * from '@anywire/client'; export * from '@anywire/client/fallbacks';`,
      resolveDir: fileURLToPath(new URL('..', import.meta.url)),
    },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const page = `<!doctype html><title>client</title><link rel="icon" href="data:,">
    <script type="module">import * as it from '/client.js'; window.anywire = it;</script>`;
  const server = http.createServer(({ url }, response) => {
    const [type, body] = {
      '/': ['text/html', page],
      '/client.js': ['text/javascript', outputFiles[0].text],
      '/token': ['text/plain', token('ann')],
    }[url] ?? ['text/plain', ''];
    response.writeHead(200, { 'content-type': type }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** In the page: connects, subscribes, publishes; tells what came, how, and after how long. */
function talk({ url, channel, transports, data }) {
  const { createClient, history, websocket, sse, poll } = window.anywire;
  const begun = performance.now();
  const client = createClient({
    url,
    token: async () => (await fetch('/token')).text(),
    transports: transports.map((name) => ({ websocket, sse, poll })[name]()),
  });
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`nothing: ${client.state} ${client.snapshot.error}`)), 12_000);
    client.channel(channel).subscribe(async (message) => {
      const ms = performance.now() - begun;
      const { transport, user } = client.snapshot;
      const page = await history(client.channel(channel), { limit: 1 });
      await client.close();
      resolve({ ms, transport, user, data: message.data, from: message.user, top: page.top });
    });
    client.channel(channel).publish(data).catch(reject);
  });
}

export function clientScenarios() {
  test('the client talks over every transport, and around a blocked WebSocket', async (t) => {
    const pages = await site();
    t.after(() => pages.stop());
    const stranger = await site();
    t.after(() => stranger.stop());
    const server = await startServer({
      conformance: false,
      flags: {
        'auth.hs256_secret': kSecret,
        'http.allowed_origins': pages.url,
        channels: kChannels,
      },
    });
    t.after(async () => assert.equal((await server.stop()).code, 0, server.output));
    const box = await Middlebox.start({ host: '127.0.0.1', port: server.port });
    t.after(() => box.stop());
    const browser = await launch({ seedPort: server.port });
    t.after(() => browser.close());
    const open = async (where) => {
      const page = await newTab(await newProfile(t, browser), where);
      await page.waitForFunction(() => window.anywire);
      return page;
    };
    const page = await open(pages.url);
    const url = server.url('/anywire', 'http');

    for (const name of ['websocket', 'sse', 'poll']) {
      const said = await page.evaluate(talk, { url, channel: name, transports: [name], data: `ä€😀 ${name}` });
      const { ms, ...rest } = said;
      t.diagnostic(`${name}: a message of its own after ${Math.round(ms)} ms`);
      assert.deepEqual(rest, {
        transport: name, user: 'ann', from: 'ann', data: `ä€😀 ${name}`, top: 1,
      });
    }

    // A page of an origin that is not allowed gets nowhere, whatever it tries.
    const other = await open(stranger.url);
    const refused = await other.evaluate(async (where) => {
      const { createClient, history, websocket, sse, poll } = window.anywire;
      const client = createClient({
        url: where,
        token: async () => (await fetch('/token')).text(),
        transports: [websocket(), sse(), poll()],
      });
      client.connect();
      return new Promise((resolve) => {
        client.on('state', ({ state, opens }) => state === 'waiting' && resolve(opens));
      });
    }, url);
    assert.equal(refused, 0);

    const everything = ['websocket', 'sse', 'poll'];
    const around = { url: box.url('/anywire'), transports: everything };
    for (const [websocket, events, expected] of [
      ['forbidden', 'pass', 'sse'],
      ['silent', 'pass', 'sse'],
      ['mute', 'pass', 'sse'],
      ['silent', 'buffered', 'poll'],
    ]) {
      Object.assign(box, { websocket, events });
      const tab = await open(pages.url);
      const channel = `${websocket}-${events}`;
      const { ms, transport, data } = await tab.evaluate(talk, { ...around, channel, data: 1 });
      t.diagnostic(`WebSocket ${websocket}, events ${events}: ${transport} after ${Math.round(ms)} ms`);
      assert.deepEqual([transport, data], [expected, 1]);
      assert.ok(ms < kBoundMs, `${ms} ms`);
      // The tab remembers, also when the page is loaded again.
      const { upgrades } = box;
      await tab.reload();
      await tab.waitForFunction(() => window.anywire);
      const again = await tab.evaluate(talk, { ...around, channel, data: 2 });
      assert.deepEqual([again.transport, box.upgrades], [expected, upgrades]);
      await tab.close();
    }
  });
}
