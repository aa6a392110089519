// Clients other people wrote: npm ws, python3-websockets, Chromium.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import WebSocket from 'ws';
import { until, within } from '../support/poll.mjs';
import { suite } from '../support/suite.mjs';

const kFlags = { 'websocket.message_bytes_max': '17MiB',
  'websocket.queue_bytes_max': '40MiB', 'websocket.compression_bytes_min': '0' };
const here = path.dirname(fileURLToPath(import.meta.url));
const kPath = '/conformance/echo';

async function wsEcho(socket, message, options) {
  socket.send(message, options);
  const [data, isBinary] = await within('echo', once(socket, 'message'), 20000);
  assert.equal(isBinary, typeof message !== 'string');
  assert.ok(data.equals(Buffer.from(message)), 'the same bytes');
}

suite('npm ws', { flags: kFlags, concurrency: 2 }, (it) => {
  const kDeflate = { plain: false, 'with deflate': true,
    'without context': { serverNoContextTakeover: true, clientNoContextTakeover: true },
    'with small windows': { serverMaxWindowBits: 10, clientMaxWindowBits: 10 } };
  for (const [name, perMessageDeflate] of Object.entries(kDeflate)) {
    it(`echoes ${name}`, async ({ server }) => {
      const socket = new WebSocket(server.url(kPath), { perMessageDeflate, rejectUnauthorized: false });
      await within('open', once(socket, 'open'));
      assert.equal(socket.extensions !== '', !!perMessageDeflate);
      for (const message of ['', 'text', 'é\u{1f44b}', Buffer.alloc(0), Buffer.from([0, 255]),
        'x'.repeat(70000), Buffer.alloc(1 << 20, 7), Buffer.alloc(16 << 20, 'mib ')]) {
        await wsEcho(socket, message);
      }
      socket.send('frag', { fin: false });
      socket.send('ments', { fin: true });
      const [data] = await once(socket, 'message');
      assert.equal(data.toString(), 'fragments');
      socket.ping('p');
      assert.equal((await within('pong', once(socket, 'pong')))[0].toString(), 'p');
      socket.close(4001, 'done');
      const [code] = await within('close', once(socket, 'close'));
      assert.equal(code, 4001);
    });
  }
  it('is refused where there is nothing', async ({ server }) => {
    const socket = new WebSocket(server.url('/none'), { rejectUnauthorized: false });
    const [error] = await within('error', once(socket, 'error'));
    assert.match(error.message, /404/);
  });
});

suite('python3-websockets', { flags: kFlags }, (it) => {
  it('echoes with and without compression', async ({ server }) => {
    const { stdout } = await promisify(execFile)('/usr/bin/python3',
      [path.join(here, 'python_client.py'), server.url(kPath)], { timeout: 60000 });
    assert.match(stdout, /^ok compressed\nok plain\nok all /);
  }, { timeout: 70000 });
});

const kBrowser = process.env.CHROMIUM ?? '/usr/bin/chromium';
const kArguments = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--ignore-certificate-errors'];

/** Runs in the page: everything a browser can say to the echo, and how the connection ended. */
async function inPage(url) {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const next = (type) => new Promise((resolve, reject) => {
    socket.addEventListener(type, resolve, { once: true });
    if (type !== 'close') socket.addEventListener('close', (e) => reject(new Error(`closed ${e.code}`)));
  });
  await next('open');
  const echo = async (data) => {
    socket.send(data);
    return (await next('message')).data;
  };
  const texts = ['', 'text', 'é\u{1f44b}', 'x'.repeat(70000), 'y'.repeat(1 << 20)];
  for (const text of texts) if ((await echo(text)) !== text) return `text ${text.length}`;
  for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
    const bytes = new Uint8Array(size).map((_, i) => (i * 31) & 255);
    const back = new Uint8Array(await echo(bytes));
    if (back.length !== size || back.some((byte, i) => byte !== bytes[i])) return `binary ${size}`;
  }
  let count = 0;
  const all = new Promise((resolve) => {
    socket.addEventListener('message', () => ++count === 1000 && resolve());
  });
  for (let i = 0; i < 1000; i++) socket.send(`burst ${i}`);
  await all;
  socket.close(3456, 'bye');
  const { code, wasClean } = await next('close');
  return { extensions: socket.extensions, code, wasClean };
}

suite('Chromium', { flags: kFlags }, (it) => {
  it('echoes text and binary, compressed, and closes cleanly', async ({ server }) => {
    await access(kBrowser);
    const browser = await chromium.launch({ executablePath: kBrowser, args: kArguments });
    try {
      const page = await browser.newPage({ ignoreHTTPSErrors: true });
      await page.goto(server.url('/none', 'http'));
      const outcome = await page.evaluate(inPage, server.url(kPath));
      assert.match(outcome.extensions, /^permessage-deflate/);
      delete outcome.extensions;
      assert.deepEqual(outcome, { code: 3456, wasClean: true });
      const refused = await page.evaluate((url) => new Promise((resolve) => {
        new WebSocket(url).onclose = ({ code }) => resolve(code);
      }), server.url('/none'));
      assert.equal(refused, 1006);
    } finally {
      await browser.close();
    }
  }, { timeout: 60000 });
});

suite('bursts to mixed clients', { flags: { 'websocket.compression_bytes_min': '256' } }, (it) => {
  // One turn's messages reach a client together, some of them compressed if it agreed to that.
  it('arrive whole and in order, compressed or not', async ({ server }) => {
    const kinds = [true, false, { serverMaxWindowBits: 10 }, true];
    const members = await Promise.all(kinds.map(async (perMessageDeflate) => {
      const socket = new WebSocket(server.url('/raw/mixed'),
        { perMessageDeflate, rejectUnauthorized: false });
      socket.heard = [];
      socket.on('message', (data, isBinary) => socket.heard.push([data.toString('latin1'), isBinary]));
      await within('open', once(socket, 'open'));
      return socket;
    }));
    const sizes = [0, 10, 255, 256, 600, 20000, 5, 70000, 300];
    const sent = Array.from({ length: 120 }, (_, i) =>
      [`${i}:`.padEnd(sizes[i % sizes.length] + 4, 'abc'), i % 4 === 3]);
    for (const [message, isBinary] of sent) {
      members[1].send(isBinary ? Buffer.from(message, 'latin1') : message);
    }
    for (const member of members) {
      await until('everything', () => member.heard.length >= sent.length, { deadlineMs: 20000 });
      assert.deepEqual(member.heard, sent);
      member.terminate();
    }
  });
});
