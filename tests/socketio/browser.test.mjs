// The client's own bundles in Chromium: default, msgpack; upgraded, WebSocket only, polling only.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { chromium } from 'playwright-core';
import { chosenTarget } from './targets.mjs';

const kBundles = path.join(path.dirname(createRequire(import.meta.url)
  .resolve('socket.io-client/package.json')), 'dist');

// Runs in the page: what the client saw.
async function script({ transports, namespace, blobs }) {
  const log = [];
  const bytesOf = (value) => [...(ArrayBuffer.isView(value) ? value : new Uint8Array(value))];
  const bytesIn = (values) => (blobs ? new Uint8Array(values) : new Uint8Array(values).buffer);
  const socket = window.io(namespace, { transports, reconnection: false, forceNew: true });
  const event = (name) => new Promise((resolve) => socket.once(name, (...args) => resolve(args)));
  await event('connect');
  if (transports.length > 1) {
    const { engine } = socket.io;
    if (engine.transport.name !== 'websocket') {
      await new Promise((resolve) => engine.once('upgrade', resolve));
    }
  }
  log.push(socket.io.engine.transport.name);
  log.push(await socket.emitWithAck('echo', { text: 'é😀', list: [1, null, true] }));
  const bytes = await socket.emitWithAck('echo', bytesIn([1, 2, 255]));
  log.push(bytesOf(bytes));
  const back = event('echo');
  const seven = bytesIn([7]);
  socket.emit('echo', blobs ? new Blob([seven]) : seven, 'and more');
  const [first, second] = await back;
  log.push(bytesOf(first), second);
  socket.on('question', (value, ack) => ack(value + 1));
  const answered = event('answered');
  socket.emit('ask', 5000, 1);
  log.push(...await answered);
  const ended = event('disconnect');
  socket.emit('kick', true);
  log.push((await ended)[0]);
  return log;
}

// Runs in the page: how it was refused.
function refusal() {
  const socket = window.io('/gate', { reconnection: false, auth: { token: 'x' } });
  return new Promise((resolve) => {
    socket.on('connect_error', ({ message, data }) => {
      socket.disconnect();
      resolve([message, data]);
    });
  });
}

const target = chosenTarget();
const isHooks = ['hooks', 'bridge'].includes(target.name);

const kWays = [
  ['default', 'socket.io.min.js', 'plain', ['polling', 'websocket']],
  ['WebSocket only', 'socket.io.min.js', 'plain', ['websocket']],
  ['polling only', 'socket.io.min.js', 'plain', ['polling']],
  ['msgpack', 'socket.io.msgpack.min.js', 'msgpack', ['polling', 'websocket']],
  ['msgpack by polling', 'socket.io.msgpack.min.js', 'msgpack', ['polling']],
];

describe(`the client in Chromium: ${target.name}`, { concurrency: false, skip: isHooks }, () => {
  let browser;
  const servers = {};

  before(async () => {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
        '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
    for (const profile of ['plain', 'msgpack']) servers[profile] = await target.start(profile);
  });
  after(async () => {
    await browser?.close();
    for (const server of Object.values(servers)) await server.stop();
  });

  /** A page of the server's own origin, with the bundle in it. */
  async function pageWith(bundle, profile) {
    const page = await browser.newPage();
    const { url } = servers[profile];
    // Whatever the server answers: it makes a page of its origin and of its network.
    await page.goto(`${url}/socket.io/`);
    await page.addScriptTag({ content: await readFile(path.join(kBundles, bundle), 'utf8') });
    return page;
  }

  for (const [name, bundle, profile, transports] of kWays) {
    it(name, { timeout: 60_000 }, async () => {
      const page = await pageWith(bundle, profile);
      for (const namespace of ['/', '/chat']) {
        assert.deepEqual(await page.evaluate(script, {
          transports, namespace, blobs: profile === 'plain' }), [
          transports.at(-1), { text: 'é😀', list: [1, null, true] }, [1, 2, 255], [7],
          'and more', { values: [2] }, 'io server disconnect']);
      }
      await page.close();
    });
  }

  it('is refused with data', { timeout: 60_000 }, async () => {
    const page = await pageWith('socket.io.min.js', 'plain');
    assert.deepEqual(await page.evaluate(refusal), ['wrong token', { code: 7 }]);
    await page.close();
  });
});
