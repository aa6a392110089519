// What the tests of `@anywire/client` against the binary share: the ways to connect, clients that end
// with their test, and listeners that write down what they are told.
import assert from 'node:assert/strict';
import { AnywireError, createClient, websocket } from '@anywire/client';
import { poll, sse } from '@anywire/client/fallbacks';
import { msgpack } from '@anywire/client/msgpack';
import WebSocket from 'ws';
import { FaultProxy } from '../e2e/support/proxy.mjs';
import { kSecret, token } from '../native/client.mjs';
import { startServer } from '../support/server.mjs';
import { pause, until } from '../support/poll.mjs';
import { Middlebox } from './middlebox.mjs';

export { kSecret, token, until };

/** Every transport and codec by itself. */
export const ways = [
  { name: 'WebSocket, JSON', transport: 'websocket', options: () => ({}) },
  { name: 'WebSocket, MessagePack', transport: 'websocket', options: () => ({ codec: msgpack() }) },
  { name: 'Server-Sent Events', transport: 'sse', options: () => ({ transports: [sse()] }) },
  { name: 'long-polling', transport: 'poll', options: () => ({ transports: [poll()] }) },
];

export const all = () => ({ transports: [websocket(), sse(), poll()] });

const anyone = { subscribe: 'anyone', publish: 'anyone', history_access: 'anyone',
  presence_access: 'anyone' };
const kChannels = JSON.stringify([
  { pattern: 'open:*', history_messages: 10000, history_bytes_max: '16MiB',
    presence: true, presence_grace: '1s', ...anyone },
  { pattern: 'short:*', history_messages: 2, ...anyone },
  { pattern: 'own:*', history_messages: 100, presence: true },
]);

export const kFlags = {
  'auth.hs256_secret': kSecret,
  'auth.anonymous': true,
  'auth.leeway': '0s',
  'auth.expiry_grace': '0s',
  channels: kChannels,
};

export const start = (options = {}) =>
  startServer({ conformance: false, loops: 2, ...options, flags: { ...kFlags, ...options.flags } });

const inSeconds = (seconds) => Math.floor(Date.now() / 1000) + seconds;
/** A token for so many seconds. */
export const tokenFor = (sub, seconds = 3600, more = {}) =>
  token({ sub, exp: inSeconds(seconds), ...more });

let names = 0;
/** A channel of a kind that no other test uses. */
export const fresh = (kind = 'open') => `${kind}:${process.pid}-${++names}`;

/** A device whose network the test switches. */
export class Network {
  online = true;
  #listeners = new Set();

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Makes clients doubt their connection, which they then ask for a sign of life. */
  blink() {
    for (const event of ['offline', 'online']) {
      this.online = event === 'online';
      for (const listener of [...this.#listeners]) listener(event);
    }
  }
}

/** A client that is closed with its test. Quick to come back, so that tests are. */
export function make(t, server, options = {}) {
  const client = createClient({
    url: server.url('/anywire', 'http'),
    WebSocket,
    memory: false,
    backoff: { min: 20, max: 200 },
    ...options,
  });
  client.errors = [];
  client.on('error', (error) => client.errors.push(error));
  t.after(() => client.close());
  return client;
}

/** The same, connected. */
export async function connected(t, server, options) {
  const client = make(t, server, options);
  await client.connect();
  return client;
}

export async function proxy(t, server) {
  const between = await FaultProxy.start({ host: '127.0.0.1', port: server.port });
  between.url = (path, scheme = 'http') => `${scheme}://127.0.0.1:${between.port}${path}`;
  t.after(() => between.stop());
  return between;
}

export async function middlebox(t, server) {
  const box = await Middlebox.start({ host: '127.0.0.1', port: server.port });
  t.after(() => box.stop());
  return box;
}

/** Subscribes and remembers everything. */
export class Listener {
  messages = [];
  gaps = [];
  subscribed = [];
  errors = [];

  constructor(client, name, options, since) {
    this.channel = client.channel(name, options);
    this.channel.on('gap', (gap) => this.gaps.push(gap));
    this.channel.on('subscribed', (info) => this.subscribed.push(info));
    this.channel.on('error', (error) => this.errors.push(error));
    this.leave = this.channel.subscribe((message) => this.messages.push(message), since);
  }

  get data() {
    return this.messages.map(({ data }) => data);
  }

  ready() {
    return until('the subscription stands', () => this.subscribed.length > 0);
  }

  async has(count, options) {
    const there = () => this.messages.length >= count;
    try {
      return await until(`${count} messages`, there, { deadlineMs: 10000, ...options });
    } catch (error) {
      const { name } = this.channel;
      const had = `${this.messages.length} of ${name}, gaps ${JSON.stringify(this.gaps)}`;
      throw new Error(`${error.message}, but ${had}`);
    }
  }
}

export async function listen(client, name, options, since) {
  const listener = new Listener(client, name, options, since);
  await listener.ready();
  return listener;
}

/** Publishes numbers in a row, one after the other, until told to stop. */
export function counting(client, name) {
  const channel = client.channel(name);
  let on = true;
  let count = 0;
  const run = async () => {
    while (on) {
      await channel.publish(++count);
      // So that history does not have to hold more than it can while somebody is away.
      await pause(2);
    }
    return count;
  };
  const done = run();
  done.catch(() => {});
  return {
    get count() {
      return count;
    },
    /** Resolves with the last number. */
    stop() {
      on = false;
      return done;
    },
  };
}

/** 1 to `last`, each once and in order; says where it goes wrong, for the whole list is long. */
export function assertCounts(data, last) {
  const wrong = data.findIndex((value, i) => value !== i + 1);
  assert.equal(wrong, -1,
    `after ${wrong - 1} comes ${data.slice(Math.max(0, wrong - 2), wrong + 4)}`);
  assert.equal(data.length, last);
}

/** Rejects with an AnywireError of this code. */
export const refused = (promise, code, more = {}) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof AnywireError, String(error));
    assert.deepEqual({ code: error.code, ...more },
      { code, ...Object.fromEntries(Object.keys(more).map((key) => [key, error[key]])) });
    return true;
  });
