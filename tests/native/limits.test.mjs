// The limits of the native protocol that can be set, each hit from outside: docs/limits.md.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../support/server.mjs';
import { modes } from '../support/suite.mjs';
import { Client } from './client.mjs';

const flags = {
  'auth.anonymous': true,
  channels: JSON.stringify([{ pattern: '*', subscribe: 'anyone', publish: 'anyone' }]),
  'native.session_window': '1s',
  'native.messages_per_frame_max': 5,
  'limits.messages_per_connection': '20/s burst 10',
  'native.channels_per_connection_max': 2,
  'native.patterns_max': 1,
  'native.channel_name_bytes_max': '8B',
  'native.connect_timeout': '500ms',
};

for (const mode of modes) {
  describe(`limits of the native protocol [${mode.name}]`, { concurrency: 8 }, () => {
    let server;
    const opened = [];
    const keep = async (client) => (opened.push(await client), opened.at(-1));
    const connect = (...more) => keep(Client.connect(server, ...more));
    before(async () => {
      server = await startServer({ ...mode, flags, conformance: false });
    });
    after(async () => {
      for (const client of opened) client.socket.terminate();
      const { code } = await server.stop();
      assert.equal(code, 0, server.output);
    });

    it('resumes no session after its window', async () => {
      const first = await connect();
      assert.equal(first.connected.sessionWindow, 1000);
      const { session } = first.connected;
      first.socket.terminate();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      assert.equal((await connect({ session })).connected.resumed, false);
    });

    it('takes so many messages in a frame', async () => {
      const client = await connect();
      const ping = (_, i) => ({ type: 'ping', id: 50 + i });
      const pings = (length) => Array.from({ length }, ping);
      client.send(pings(5));
      for (let i = 0; i < 5; ++i) assert.equal((await client.next()).type, 'pong');
      client.send(pings(6));
      assert.equal((await client.closed).code, 4400);
    });

    it('holds a client to its rate and ends a flood', async () => {
      const client = await connect();
      const replies = await Promise.all(Array.from({ length: 30 }, () => client.ask('ping')));
      const refused = replies.filter(({ code }) => code === 'rate_limited');
      assert.ok(refused.length > 0 && refused.length < 25, `${refused.length} were refused`);
      assert.ok(refused.every(({ retry }) => retry === true));
      assert.ok(refused.every(({ retryAfter }) => retryAfter >= 1 && retryAfter <= 50));
      assert.match(refused[0].message, /messages_per_connection: 20 in a second, 10 at once/);
      const other = await connect();
      assert.equal((await other.ask('ping')).type, 'pong');
      for (let i = 0; i < 200; ++i) client.send({ type: 'ping', id: 1000 + i });
      assert.equal((await client.closed).code, 4529);
      assert.equal((await other.ask('ping')).type, 'pong');
    });

    it('lets a connection have so many channels', async () => {
      const client = await connect();
      const codes = [];
      for (const channel of ['a', 'b', 'c']) {
        codes.push((await client.ask('subscribe', { channel })).code);
      }
      assert.deepEqual(codes, [undefined, undefined, 'too_many_channels']);
    });

    it('lets a connection have so many patterns', async () => {
      const client = await connect();
      const codes = [];
      for (const pattern of ['a*', 'b*']) {
        codes.push((await client.ask('subscribe', { pattern })).code);
      }
      assert.deepEqual(codes, [undefined, 'too_many_channels']);
      assert.equal((await client.ask('subscribe', { channel: 'a' })).type, 'subscribed');
    });

    it('takes names of so many bytes', async () => {
      const client = await connect();
      assert.equal((await client.ask('subscribe', { channel: '12345678' })).type, 'subscribed');
      assert.equal((await client.ask('subscribe', { channel: '123456789' })).code, 'bad_channel');
    });

    it('does not wait for connect for ever', async () => {
      const client = await keep(Client.open(server));
      assert.equal((await client.closed).code, 4500);
    });
  });
}
