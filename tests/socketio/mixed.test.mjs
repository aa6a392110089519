// One channel, three protocols: Socket.IO sockets in a room, native and raw clients of the channel
// of the same name. All see the same messages in the same order, each in its own form.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { io } from 'socket.io-client';
import msgpack from 'socket.io-msgpack-parser';
import WebSocket from 'ws';
import { Client } from '../native/client.mjs';
import { until, within } from '../support/poll.mjs';
import { startOurs } from './ours.mjs';

const kEach = 40;

for (const loops of [1, 4]) {
  describe(`one channel, three protocols [${loops} loops]`, { concurrency: false }, () => {
    let target;
    const ends = [];
    before(async () => (target = await startOurs('plain', { loops })));
    after(async () => {
      for (const end of ends) end();
      await target?.stop();
    });

    /** A client of `socket.io-client` in `room`; `log` holds its events. */
    async function socketIn(room, namespace = '/', options = {}) {
      const socket = io(target.url + namespace, { forceNew: true, reconnection: false, ...options });
      ends.push(() => socket.disconnect());
      socket.log = [];
      socket.onAny((event, ...args) => socket.log.push([event, ...args]));
      await within('a socket', new Promise((resolve) => socket.once('connect', resolve)));
      await socket.timeout(15_000).emitWithAck('join', room);
      return socket;
    }

    async function nativeIn(channel, options) {
      const client = await Client.connect(target.server, {}, options);
      ends.push(() => client.socket.terminate());
      client.log = [];
      client.onPush = (push) => push.type === 'message' && client.log.push(push);
      assert.equal((await client.ask('subscribe', { channel })).type, 'subscribed');
      return client;
    }

    async function rawIn(channel) {
      const socket = new WebSocket(target.server.url(`/raw/${channel}`));
      ends.push(() => socket.terminate());
      socket.log = [];
      socket.on('message', (data, binary) => socket.log.push(binary ? data : data.toString()));
      await within('a raw client', new Promise((resolve, reject) => {
        socket.once('open', resolve);
        socket.once('error', reject);
      }));
      return socket;
    }

    /** Everyone in `channel`, known to be in it: a native message has come to each. */
    async function everyone(channel, room = channel, namespace = '/') {
      const all = {
        socket: await socketIn(room, namespace),
        polling: await socketIn(room, namespace, { transports: ['polling'] }),
        packed: await socketIn(room, namespace, { parser: msgpack }),
        json: await nativeIn(channel),
        binary: await nativeIn(channel, { format: 'msgpack' }),
        raw: await rawIn(channel),
      };
      await all.json.ask('publish', { channel, event: 'ready', data: 0 });
      await until('all are ready', () => Object.values(all).every(({ log }) => log.length > 0));
      for (const { log } of Object.values(all)) log.length = 0;
      return all;
    }

    const have = (all, count) => until(`${count} with each`, () =>
      Object.values(all).every(({ log }) => log.length >= count));

    it('messages of a native client', async () => {
      const all = await everyone('native');
      await all.json.ask('publish', { channel: 'native', event: 'chat', data: { n: 1 } });
      await all.json.ask('publish', { channel: 'native', event: 'chat', text: 'words' });
      await all.json.ask('publish', { channel: 'native', event: 'chat', binary: 'AP+A' });
      await have(all, 3);
      for (const name of ['socket', 'polling', 'packed']) {
        const [first, second, third] = all[name].log;
        assert.deepEqual([first, second], [['chat', { n: 1 }], ['chat', 'words']], name);
        assert.deepEqual([third[0], [...new Uint8Array(third[1])]], ['chat', [0, 255, 128]], name);
      }
      assert.deepEqual([JSON.parse(all.raw.log[0]), all.raw.log[1], [...all.raw.log[2]]],
        [{ n: 1 }, 'words', [0, 255, 128]]);
    });

    it('messages of a Socket.IO client', async () => {
      const all = await everyone('sockets');
      const tell = (...args) => all.socket.emit('tell', 'sockets', ...args);
      tell('one', { n: 1 });
      tell('several', 1, 'two', [3]);
      tell('text', 'words');
      tell('none');
      tell('bytes', Buffer.from([0, 255, 128]));
      await have(all, 5);
      for (const name of ['polling', 'packed']) {
        assert.deepEqual(all[name].log.slice(0, 4), [['one', { n: 1 }], ['several', 1, 'two', [3]],
          ['text', 'words'], ['none']], name);
      }
      const value = ({ data, text, binary }) => (binary ? [...binary] : text ?? data ?? null);
      assert.deepEqual(all.binary.log.map((push) => [push.event, value(push)]), [
        ['one', { n: 1 }], ['several', [1, 'two', [3]]], ['text', 'words'], ['none', null],
        ['bytes', [0, 255, 128]]]);
    });

    it('messages of a raw client', async () => {
      const all = await everyone('raw');
      all.raw.send('{"n":1}');
      all.raw.send('just words');
      await have(all, 2);
      for (const name of ['socket', 'polling', 'packed']) {
        assert.deepEqual(all[name].log.map(([event]) => event), ['message', 'message'], name);
        assert.deepEqual(all[name].log[1][1], 'just words', name);
      }
    });

    it('one order for all, whoever sends', async () => {
      const all = await everyone('order');
      const sending = [];
      for (let i = 0; i < kEach; i++) {
        all.socket.emit('tell', 'order', 'n', `socket ${i}`);
        all.polling.emit('tell', 'order', 'n', `polling ${i}`);
        all.raw.send(`raw ${i}`);
        sending.push(all.json.ask('publish', { channel: 'order', event: 'n', text: `native ${i}` }));
      }
      await Promise.all(sending);
      await have(all, 4 * kEach);
      const orders = Object.entries(all).map(([name, { log }]) => [name, log.map((entry) =>
        (Array.isArray(entry) ? entry[1] : entry.text ?? entry))]);
      for (const [name, order] of orders) assert.deepEqual(order, orders[0][1], name);
      for (const sender of ['socket', 'polling', 'raw', 'native']) {
        const own = orders[0][1].filter((text) => text.startsWith(`${sender} `));
        assert.deepEqual(own, Array.from({ length: kEach }, (_, i) => `${sender} ${i}`));
      }
    });

    it('a namespace is a prefix of the channel', async () => {
      const all = await everyone('chat:room', 'room', '/chat');
      const elsewhere = await socketIn('room');
      all.socket.emit('tell', 'room', 'here', 1);
      await have(all, 1);
      assert.deepEqual([all.json.log[0].channel, all.json.log[0].event], ['chat:room', 'here']);
      assert.equal(await elsewhere.timeout(15_000).emitWithAck('echo', 1), 1);
      assert.deepEqual(elsewhere.log, []);
    });

    it('presence is what those have who enter, and nobody else', async () => {
      const all = await everyone('present');
      await all.json.ask('enter', { channel: 'present' });
      const members = async () => (await all.binary.ask('members', { channel: 'present' })).count;
      assert.equal(await members(), 1);
      all.polling.disconnect();
      all.raw.terminate();
      assert.equal(await members(), 1);
      await all.json.ask('leave', { channel: 'present' });
      assert.equal(await members(), 0);
    });

    it('a message is not seen by those who left', async () => {
      const all = await everyone('left');
      await all.polling.timeout(15_000).emitWithAck('leave', 'left');
      await all.json.ask('publish', { channel: 'left', event: 'n', data: 1 });
      const { polling, ...rest } = all;
      await have(rest, 1);
      await polling.timeout(15_000).emitWithAck('echo');
      assert.deepEqual(polling.log, []);
    });
  });
}
