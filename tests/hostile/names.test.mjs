// Names that clients choose: those that objects of JavaScript have by themselves are names like any
// others, on the way through the server and in what an application is asked; and a user's own
// channel is nobody else's, however it is asked for and whatever a token says.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import WebSocket from 'ws';
import { Caller } from '../api/support.mjs';
import { App, flagsFor } from '../application/app.mjs';
import { Client, token } from '../native/client.mjs';
import { within } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';

const kBuiltIn = ['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty',
  '__defineGetter__', 'length', 'then', 'toJSON'];
const only = (name, value) => JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`);
const anyone = { subscribe: 'anyone', publish: 'anyone', history_access: 'anyone',
  presence_access: 'anyone', history_messages: 100, presence: true };
const inTenMinutes = () => Math.floor(Date.now() / 1000) + 600;
const everything = { '*': ['*'], '$user:*': ['*'], '$user:bob': ['*'] };

describe('names', { concurrency: false }, () => {
  let app;
  let server;
  let ann;
  const opened = [];
  const connect = async (claims) => {
    const text = token({ exp: inTenMinutes(), ...claims });
    const client = await Client.connect(server, { token: text });
    opened.push(client);
    return client;
  };
  before(async () => {
    app = await new App().listen();
    app.onHook = ({ type, method, channel }) => {
      if (type === 'rpc') return { data: method };
      return type === 'publish' ? { tags: only(channel.slice('asked:'.length), 'seen') } : {};
    };
    server = await startServer({ conformance: false, loops: 2, flags: flagsFor(app, {
      'app.hooks': 'rpc',
      channels: JSON.stringify([
        { pattern: 'asked:*', ...anyone, publish_hook: true }, { pattern: '*', ...anyone }]) }) });
    ann = await connect({ sub: 'ann', capability: everything });
  });
  after(async () => {
    for (const client of opened) client.socket.terminate();
    const { code } = await server.stop();
    await app.stop();
    assert.equal(code, 0, server.output);
  });

  for (const name of kBuiltIn) {
    it(`that objects have by themselves are names: ${name}`, async () => {
      const said = async (type, members) => {
        const reply = await ann.ask(type, members);
        assert.notEqual(reply.type, 'error', `${type}: ${JSON.stringify(reply)}`);
        return reply;
      };
      const data = only(name, { polluted: true });
      await said('subscribe', { channel: name, filter: only(name, [name]) });
      await said('publish', { channel: name, event: name, data, tags: only(name, name),
        messageId: name, idempotencyKey: name, conflationKey: name });
      const message = await ann.next('the message');
      assert.deepEqual([message.channel, message.event, message.id], [name, name, name]);
      assert.deepEqual(Object.entries(message.tags), [[name, name]]);
      assert.deepEqual(Object.entries(message.data), Object.entries(data));
      await said('enter', { channel: name, info: data });
      assert.equal((await said('members', { channel: name })).members.length, 1);
      assert.equal((await said('rpc', { method: name, data })).data, name);
      await said('publish', { channel: `asked:${name}`, data });
      const { messages } = await said('history', { channel: `asked:${name}` });
      assert.deepEqual(Object.entries(messages[0].tags), [[name, 'seen']], 'as the application said');
      assert.equal((await ann.ask(name)).code, 'unknown_type');
      assert.equal({}.polluted, undefined);
    });
  }

  describe("another user's channel", { concurrency: false }, () => {
    const kBobs = '$user:bob';
    const refused = async (what, reply) =>
      assert.equal((await reply).code, 'forbidden', `${what}: ${JSON.stringify(await reply)}`);

    it('is refused to every command, whatever the capability', async () => {
      for (const type of ['subscribe', 'history', 'enter', 'members', 'occupancy']) {
        await refused(type, ann.ask(type, { channel: kBobs }));
      }
      const text = token({ exp: inTenMinutes(), sub: 'ann', channels: [kBobs],
        capability: everything });
      await refused('with a token', ann.ask('subscribe', { channel: kBobs, token: text }));
      for (const channel of ['$secret', '$user:', '$USER:bob', '$user:ann ']) {
        await refused(channel, ann.ask('subscribe', { channel }));
      }
    });

    it('is not among the channels of a token, nor of what the API may give', async () => {
      const eve = await connect({ sub: 'eve', channels: [kBobs], capability: {} });
      const push = await eve.next('what became of it');
      assert.deepEqual([push.type, push.channel, push.code], ['unsubscribed', kBobs, 'forbidden']);
      const api = new Caller(server);
      const { body } = await api.post('/subscribe', { user: 'ann', channel: kBobs });
      assert.deepEqual(body, { connections: 0 });
      const capability = { [kBobs]: ['subscribe'] };
      assert.equal((await api.post('/grants', { user: 'ann', capability, expiresIn: 60 })).status, 200);
      await refused('with a grant', ann.ask('subscribe', { channel: kBobs }));
      api.close();
    });

    it('is heard by no pattern', async () => {
      const bob = await connect({ sub: 'bob', capability: everything });
      const spy = await connect({ sub: 'spy', capability: everything });
      assert.equal((await bob.ask('subscribe', { channel: kBobs })).type, 'subscribed');
      for (const pattern of ['*', '$*', '$user:*', '?user:bob', '$user:bo?']) {
        await spy.ask('subscribe', { pattern });
      }
      assert.equal((await ann.ask('publish', { channel: kBobs, data: 'private' })).type, 'published');
      assert.equal((await bob.next()).data, 'private');
      // What the patterns take comes behind it.
      await ann.ask('publish', { channel: 'public', data: 'behind it' });
      assert.equal((await spy.next()).data, 'behind it');
      assert.equal(spy.unread, 0);
    });

    it('is no other by another spelling of its path', async () => {
      const headers = { Authorization:
        `Bearer ${token({ exp: inTenMinutes(), sub: 'ann', capability: everything })}` };
      for (const path of ['/raw/$user:bob', '/raw/%24user:bob', '/raw/%24%75ser%3abob',
        '/raw/./$user:bob']) {
        const socket = new WebSocket(server.url(path), { headers });
        const [code] = await within(path, once(socket, 'close'));
        assert.equal(code, 4403, path);
      }
    });
  });
});
