// The binary asks a real application: docs/hooks.md.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import WebSocket from 'ws';
import { Client, token } from '../native/client.mjs';
import { until } from '../support/poll.mjs';
import { sharedCertificate, startServer } from '../support/server.mjs';
import { App, flagsFor } from './app.mjs';

describe('the application is asked', { concurrency: false }, () => {
  let app;
  let server;
  const opened = [];
  const connect = async (...more) => {
    const client = await Client.connect(server, ...more);
    opened.push(client);
    return client;
  };
  before(async () => {
    app = await new App().listen();
    server = await startServer({
      loops: 2, flags: flagsFor(app, { 'app.hooks': 'connect,rpc,events' }) });
  });
  beforeEach(() => {
    app.onHook = () => ({});
    app.asked = [];
  });
  after(async () => {
    for (const client of opened) client.socket.terminate();
    await server.stop();
    await app.stop();
  });

  it('about a connection, with what is known of it', async () => {
    const client = await connect({ token: token({ sub: 'ann', info: { name: 'Ann' } }) },
      { origin: 'https://app.example' });
    assert.equal(client.connected.type, 'connected');
    const [asked] = app.asks('connect');
    assert.deepEqual(asked.client, { user: 'ann', info: { name: 'Ann' }, protocol: 'native',
      address: '127.0.0.1', origin: 'https://app.example' });
    assert.equal(asked.headers['anywire-hook'], 'connect');
    assert.equal(asked.headers['anywire-delivery'], asked.id);
  });

  it('who a client is, what it may and where it is', async () => {
    app.onHook = (question) => question.type === 'connect'
      ? { user: 'bob', channels: ['free'], capability: { 'x*': ['rpc'] },
          actions: [{ do: 'publish', channel: 'free', data: 'bob is here' }] }
      : question.type === 'rpc' ? { data: { you: question.client.user } } : {};
    const client = await connect();
    assert.equal(client.connected.user, 'bob');
    const pushes = [await client.next(), await client.next()];
    assert.ok(pushes.some((one) => one.type === 'subscribed' && one.channel === 'free'));
    assert.deepEqual((await client.ask('rpc', { method: 'xyz' })).data, { you: 'bob' });
    assert.equal((await client.ask('rpc', { method: 'abc' })).code, 'forbidden');
  });

  it('and may refuse a connection', async () => {
    app.onHook = () => ({ allow: false, message: 'you are banned' });
    const client = await Client.open(server);
    client.send({ type: 'connect', id: 1 });
    assert.deepEqual(await client.closed, { code: 4403, reason: 'you are banned' });
  });

  it('about a subscription', async () => {
    const client = await connect();
    app.onHook = (question) => question.channel === 'private:mine'
      ? {} : { allow: false, message: 'not yours', reason: 'private' };
    assert.equal((await client.ask('subscribe', { channel: 'private:mine' })).type, 'subscribed');
    const refused = await client.ask('subscribe', { channel: 'private:other' });
    assert.equal(refused.code, 'refused');
    assert.equal(refused.message, 'not yours');
    assert.equal(refused.reason, 'private');
    assert.equal(refused.retry, false);
  });

  it('about a message, which it may change, drop or refuse', async () => {
    const [listener, client] = [await connect(), await connect()];
    await listener.ask('subscribe', { channel: 'asked:1' });
    app.onHook = ({ data }) => ({
      change: { data: { text: '***' }, event: 'clean' },
      drop: { drop: true },
      refuse: { allow: false, message: 'mind your language' },
    })[data?.text] ?? {};
    const publish = (text) => client.ask('publish', { channel: 'asked:1', data: { text } });
    assert.equal((await publish('change')).offset, 1);
    const dropped = await publish('drop');
    assert.deepEqual([dropped.type, dropped.offset], ['published', 0]);
    assert.equal((await publish('refuse')).message, 'mind your language');
    assert.equal((await publish('last')).offset, 2);
    assert.deepEqual((await listener.next()).data, { text: '***' });
    assert.deepEqual((await listener.next()).data, { text: 'last' });
  });

  it('text, binary and what MessagePack says', async () => {
    const client = await connect({}, { format: 'msgpack' });
    await client.ask('publish', { channel: 'asked:1', binary: Buffer.from([1, 2, 3]) });
    await client.ask('publish', { channel: 'asked:1', text: 'hello' });
    await client.ask('publish', { channel: 'asked:1', data: { n: 1 }, tags: { a: 'b' } });
    const [binary, text, data] = app.asks('publish');
    assert.equal(binary.binary, 'AQID');
    assert.equal(text.text, 'hello');
    assert.deepEqual([data.data, data.tags], [{ n: 1 }, { a: 'b' }]);
  });

  it('and a session keeps its order while others do not wait', async () => {
    const [listener, client, other] = [await connect(), await connect(), await connect()];
    await listener.ask('subscribe', { channel: 'asked:order' });
    app.onHook = async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
      return {};
    };
    const seen = [];
    listener.onPush = (push) => push.type === 'message' && seen.push(push.data);
    const count = 1000;
    const answers = [];
    for (let i = 0; i < count; i += 100) {
      // A batch waits as a whole: no more than pending_max may.
      const batch = Array.from({ length: 100 }, (_, k) =>
        client.ask('publish', { channel: 'asked:order', data: i + k }));
      answers.push(...(await Promise.all(batch)));
    }
    assert.equal(answers.filter((one) => one.type === 'published').length, count);
    await until('all messages', () => seen.length === count);
    assert.deepEqual(seen, Array.from({ length: count }, (_, i) => i));
    assert.equal((await other.ask('ping')).type, 'pong');
  });

  it('does as told in actions', async () => {
    const [client, victim] = [await connect(), await connect({ token: token({ sub: 'eve' }) })];
    app.onHook = (question) => question.type !== 'publish' ? {} : { actions: [
      { do: 'subscribe', channel: 'room:side' },
      { do: 'publish', channel: 'room:side', text: 'welcome' },
      { do: 'disconnect', user: 'eve', reason: 'because', reconnect: false },
    ] };
    await client.ask('publish', { channel: 'asked:1', data: 1 });
    assert.equal((await client.next()).type, 'subscribed');
    assert.equal((await victim.closed).code, 4403);
    app.onHook = (question) => question.type !== 'publish' ? {} : {
      actions: [{ do: 'unsubscribe', channel: 'room:side' }] };
    await client.ask('publish', { channel: 'asked:1', data: 2 });
    const ended = await until('the end of the subscription', async () => {
      const push = await client.next();
      return push.type === 'unsubscribed' && push;
    });
    assert.equal(ended.channel, 'room:side');
  });

  it('and told what happens', async () => {
    const client = await connect({ token: token({ sub: 'ann' }) });
    await client.ask('subscribe', { channel: 'room:1' });
    await client.ask('enter', { channel: 'room:1' });
    client.socket.terminate();
    const events = () => app.asks('events').flatMap((one) => one.events)
      .filter((one) => one.channel === 'room:1' || one.user === 'ann');
    await until('the events', () => events().length >= 5);
    const types = events().map((one) => one.type).sort();
    assert.deepEqual(types, ['disconnected', 'join', 'leave', 'occupied', 'vacated']);
    assert.equal(events().find((one) => one.type === 'join').client, client.connected.client);
    assert.ok(Math.abs(Date.now() - events()[0].time) < 60_000);
  });

  it('about plain WebSocket clients, too', async () => {
    app.onHook = (question) => question.type === 'publish' && question.text === 'bad'
      ? { allow: false, message: 'no' }
      : question.type === 'publish' ? { text: question.text.toUpperCase() } : {};
    const socket = new WebSocket(server.url('/raw/asked:raw'));
    const heard = [];
    socket.on('message', (data) => heard.push(data.toString()));
    await new Promise((resolve) => socket.once('open', resolve));
    for (const text of ['one', 'bad', 'two']) socket.send(text);
    await until('two messages', () => heard.length === 2);
    assert.deepEqual(heard, ['ONE', 'TWO']);
    assert.equal(app.asks('connect')[0].client.protocol, 'raw');
    socket.terminate();
    app.onHook = (question) => question.type === 'subscribe' ? { allow: false, message: 'no' } : {};
    const refused = new WebSocket(server.url('/raw/private:x'));
    const code = await new Promise((resolve) => refused.once('close', resolve));
    assert.equal(code, 4403);
  });
});

describe('HTTP/2', () => {
  it('carries all questions over one connection', async () => {
    const app = await new App({ tls: true }).listen();
    const server = await startServer({ flags: flagsFor(app, {
      'app.ca_file': sharedCertificate().certificate }) });
    try {
      const clients = await Promise.all(Array.from({ length: 20 }, () => Client.connect(server)));
      const answers = await Promise.all(clients.flatMap((client) =>
        Array.from({ length: 10 }, (_, i) =>
          client.ask('publish', { channel: 'asked:2', data: i }))));
      assert.deepEqual([...new Set(answers.map((one) => one.type))], ['published']);
      assert.equal(app.asked.length, 200);
      assert.equal(app.asked[0].version, '2.0');
      assert.ok(app.sessions <= 2, `${app.sessions} connections`);
      for (const client of clients) client.socket.terminate();
    } finally {
      await server.stop();
      await app.stop();
    }
  });
});
