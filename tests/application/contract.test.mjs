// What the application answers is held to the contract, too: what breaks it is not done, its
// clients see no more than that, and its operator is told once for each kind of fault, without the
// data.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Client, token } from '../native/client.mjs';
import { until } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';
import { App, flagsFor } from './app.mjs';

const kLine = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };
const kContract = {
  version: 1,
  channels: [
    { pattern: 'asked:*', message: kLine },
    { pattern: 'room:*', message: kLine, events: { left: { type: 'null' } } },
  ],
  rpc: {
    sum: { output: { type: 'integer', maximum: 100 } },
    name: { output: { type: 'object', additionalProperties: { type: 'string' } } },
  },
};
const kRules = JSON.stringify([
  { pattern: 'asked:*', subscribe: 'anyone', publish: 'anyone', publish_hook: true },
  { pattern: 'small', subscribe: 'anyone', publish: 'anyone', message_bytes_max: 10 },
  { pattern: '*', subscribe: 'anyone', publish: 'anyone' },
]);

describe('what the application answers', { concurrency: false }, () => {
  let app;
  let server;
  let folder;
  let client;
  let listener;
  let heard;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'anywire-contract-'));
    await writeFile(path.join(folder, 'contract.json'), JSON.stringify(kContract));
  });
  // What was told once is not told again, so each test has a server of its own.
  beforeEach(async () => {
    app = await new App().listen();
    server = await startServer({ loops: 2, flags: flagsFor(app, {
      'app.hooks': 'connect,rpc,events', channels: kRules,
      'contract.file': path.join(folder, 'contract.json') }) });
    heard = [];
    client = await Client.connect(server, {
      token: token({ sub: 'ann', capability: { '*': ['rpc'] } }) });
    listener = await Client.connect(server);
    listener.onPush = (push) => push.type === 'message' && heard.push(push);
    for (const channel of ['asked:1', 'room:1', 'free', 'small']) {
      await listener.ask('subscribe', { channel });
    }
  });
  afterEach(async () => {
    for (const one of [client, listener]) one?.socket.terminate();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    await app.stop();
  });
  after(() => rm(folder, { recursive: true }));

  const blamed = (what) => server.log.filter((line) =>
    line.msg === "the application's answer breaks a rule, and was not used" &&
    line.what === what);
  const inActions = () => blamed('a publication among its actions');
  const results = () => blamed('the result of a call');
  const answer = (type, reply) => {
    app.onHook = (question) => (question.type === type ? reply : {});
  };
  const say = (text = 'hi') => client.ask('publish', { channel: 'asked:1', data: { text } });
  const to = (channel, rest) => ({ do: 'publish', channel, ...rest });

  it('is published where the contract allows it, the rest of its actions done', async () => {
    answer('publish', { actions: [
      to('room:1', { data: { text: 'one' } }),
      to('room:1', { data: { text: 77001 } }),
      { do: 'subscribe', channel: 'side' },
      to('room:1', { text: 'plain' }),
      to('small', { text: 'more than ten bytes' }),
      to('small', { text: 'ten bytes.' }),
      to('room:1', { data: null, event: 'left' }),
      to('room:1', { data: {}, event: 'unheard' }),
      to('free', { data: 'last' }),
    ] });
    assert.equal((await say()).type, 'published');
    assert.equal((await client.next()).channel, 'side');
    const all = ['asked:1', 'room:1', 'room:1', 'small', 'free'];
    await until('all that is good', () => heard.length >= all.length);
    assert.deepEqual(heard.map(({ channel }) => channel).sort(), all.sort());
    const of = (wanted) => heard.filter(({ channel }) => channel === wanted)
      .map(({ event, text, data }) => [event, text ?? data]);
    assert.deepEqual(of('asked:1'), [[undefined, { text: 'hi' }]]);
    assert.deepEqual(of('room:1'), [[undefined, { text: 'one' }], ['left', null]]);
    assert.deepEqual(of('small'), [[undefined, 'ten bytes.']]);
    await until('four lines', () => inActions().length >= 4);
    assert.deepEqual(inActions().map(({ level, channel, rule }) => [level, channel, rule]), [
      ['warn', 'room:1', 'must be a text, says /properties/text/type'],
      ['warn', 'room:1', 'messages of this channel are JSON, neither text nor binary'],
      ['warn', 'small', 'messages of this channel have at most 10 bytes'],
      ['warn', 'room:1', 'the channel has no such event'],
    ]);
    assert.ok(!/77001|plain|more than ten|unheard/.test(JSON.stringify(server.log)));
  });

  it('is told of once for a kind of fault, however many there are', async () => {
    answer('publish', { actions: Array.from({ length: 100 }, (_, n) =>
      to(`room:${n}`, { data: { txt: n } })) });
    for (let i = 0; i < 5; i++) assert.equal((await say()).type, 'published');
    answer('publish', { actions: [to('free', { data: 'last' })] });
    await say();
    await until('the last of them', () => heard.some(({ data }) => data === 'last'));
    await server.stop();  // then all it wrote has been read
    assert.equal(inActions().length, 1, server.output);
    assert.equal(inActions()[0].channel, 'room:0');
  });

  it('is not checked by the client that caused it, but by the channel it names', async () => {
    answer('connect', { actions: [
      to('room:1', { data: [] }), to('room:1', { data: { text: 'new' } })] });
    const other = await Client.connect(server);
    assert.equal(other.connected.type, 'connected');
    await until('the greeting', () => heard.length > 0);
    other.socket.terminate();
    answer('events', { actions: [to('room:1', { data: 1.5 }), to('free', { data: 'told' })] });
    const visitor = await Client.connect(server);
    await visitor.ask('subscribe', { channel: 'visited' });
    await until('what the events brought', () => heard.some(({ data }) => data === 'told'));
    assert.deepEqual(heard.filter(({ channel }) => channel === 'room:1').map(({ data }) => data),
      [{ text: 'new' }]);
    visitor.socket.terminate();
  });

  it('in the place of a message is not published and not told to the client', async () => {
    answer('publish', { data: { text: 4711 }, actions: [to('free', { data: 'done' })] });
    const refused = await say();
    assert.deepEqual([refused.code, refused.retry], ['app_unavailable', true]);
    assert.ok(!('path' in refused), JSON.stringify(refused));
    await until('its action', () => heard.length > 0);
    assert.deepEqual(heard.map(({ data }) => data), ['done']);
    const [line] = await until('the line', () => {
      const lines = blamed('what it made of a message');
      return lines.length > 0 && lines;
    });
    assert.deepEqual([line.level, line.channel, line.rule],
      ['warn', 'asked:1', 'must be a text, says /properties/text/type']);
    assert.ok(!JSON.stringify(line).includes('4711'));
  });

  it('to a call is told of with the method and the rule, and nothing of the data', async () => {
    answer('rpc', { data: 9753 });
    for (let i = 0; i < 3; i++) {
      const refused = await client.ask('rpc', { method: 'sum', data: [1, 2] });
      assert.deepEqual([refused.code, refused.retry], ['app_unavailable', true]);
      assert.ok(!('path' in refused));
    }
    answer('rpc', { data: 'nine' });
    assert.equal((await client.ask('rpc', { method: 'sum' })).code, 'app_unavailable');
    answer('rpc', { data: { 'ann@example.com': 1 } });
    assert.equal((await client.ask('rpc', { method: 'name' })).code, 'app_unavailable');
    answer('rpc', { data: 99 });
    assert.equal((await client.ask('rpc', { method: 'sum' })).data, 99);
    await until('three lines', () => results().length >= 3);
    assert.deepEqual(results().map(({ level, method, rule }) => [level, method, rule]), [
      ['warn', 'sum', 'must be at most 100, says /maximum'],
      ['warn', 'sum', 'must be a whole number, says /type'],
      ['warn', 'name', 'must be a text, says /additionalProperties/type'],
    ]);
    assert.ok(!/9753|nine|ann@/.test(JSON.stringify(results())));
  });
});
