// docs/deploy/vercel.md, played: functions that live for one request, and the real binary beside them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, kSecret } from '../native/client.mjs';
import { until } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';
import { Platform } from './platform.mjs';

const kAppSecret = 'what the hooks are signed with, 32 bytes';
const kChannels = JSON.stringify([
  { pattern: 'room:*', history_messages: 100, publish_hook: true },
  { pattern: 'private:*', subscribe: 'users', subscribe_hook: true },
]);

describe('an application of functions that live for one request', { concurrency: false }, () => {
  let platform;
  let server;
  const opened = [];

  before(async () => {
    platform = await new Platform().listen();
    server = await startServer({
      conformance: false,
      loops: 2,
      flags: {
        'auth.hs256_secret': kSecret,
        'app.url': platform.url('/api/hooks'),
        'app.secret': kAppSecret,
        'app.hooks': 'rpc',
        'app.timeout': '30s',
        channels: kChannels,
      },
    });
    platform.env = {
      ANYWIRE_URL: server.url('', 'http'),
      ANYWIRE_SECRET: kSecret,
      ANYWIRE_APP_SECRET: kAppSecret,
    };
  });
  after(async () => {
    for (const client of opened) client.socket.terminate();
    await server?.stop();
    await platform?.stop();
  });

  const post = (path, body, headers = {}) =>
    fetch(platform.url(path), { method: 'POST', headers, body: JSON.stringify(body) });

  const signIn = async (user) => {
    const answer = await post('/api/token', { reason: 'connect' }, { 'x-user': user });
    assert.equal(answer.status, 200);
    const client = await Client.connect(server, { token: (await answer.json()).token });
    assert.equal(client.connected.user, user);
    opened.push(client);
    return client;
  };

  it('hands out tokens, and only to those who are signed in', async () => {
    await signIn('ann');
    assert.equal((await post('/api/token', {})).status, 401);
    const foreign = await post('/api/token', {}, { 'x-user': 'ann', origin: 'https://evil.test' });
    assert.equal(foreign.status, 403);
  });

  it('publishes, and a form that is sent twice is one message', async () => {
    const client = await signIn('bob');
    await client.ask('subscribe', { channel: 'room:forms' });
    const form = { room: 'forms', text: 'hello', form: 'form-1' };
    const answers = await Promise.all([post('/api/say', form), post('/api/say', form)]);
    const said = await Promise.all(answers.map((answer) => answer.json()));
    assert.deepEqual(said.map(({ duplicate }) => duplicate).sort(), [false, true]);
    assert.equal(said[0].offset, said[1].offset);
    const other = await (await post('/api/say', { ...form, form: 'form-2', text: 'on' })).json();
    assert.equal(other.duplicate, false);
    const first = await client.next();
    assert.deepEqual([first.data, first.event], [{ text: 'hello' }, 'said']);
    assert.deepEqual((await client.next()).data, { text: 'on' });
  });

  it('publishes from many functions at once, and every message arrives', async () => {
    const client = await signIn('cat');
    await client.ask('subscribe', { channel: 'room:many' });
    const texts = Array.from({ length: 8 }, (_, n) => `number ${n}`);
    const answers = await Promise.all(
      texts.map((text) => post('/api/say', { room: 'many', text, form: text })));
    assert.deepEqual(answers.map(({ status }) => status), texts.map(() => 200));
    const seen = [];
    while (seen.length < texts.length) seen.push((await client.next()).data.text);
    assert.deepEqual(seen.sort(), texts);
  });

  it('decides about rooms', async () => {
    const client = await signIn('dan');
    const refused = await client.ask('subscribe', { channel: 'private:eve' });
    assert.deepEqual([refused.code, refused.message, refused.reason],
      ['refused', 'Members only', 'members']);
    assert.equal((await client.ask('subscribe', { channel: 'private:dan' })).type, 'subscribed');
  });

  it('decides about messages, and changes them', async () => {
    const client = await signIn('fay');
    await client.ask('subscribe', { channel: 'room:kind' });
    const refused = await client.ask('publish', { channel: 'room:kind', data: { text: 'darn' } });
    assert.deepEqual([refused.code, refused.message, refused.reason],
      ['refused', 'Please be kind', 'rude']);
    const said = await client.ask('publish', { channel: 'room:kind', data: { text: ' well ' } });
    assert.equal(said.type, 'published', JSON.stringify(said));
    assert.deepEqual((await client.next()).data, { text: 'well' });
  });

  it('answers calls', async () => {
    const client = await signIn('gil');
    const answer = await client.ask('rpc', { method: 'greet', data: 'you' });
    assert.deepEqual(answer.data, { hello: 'you', from: 'gil' });
    assert.equal((await client.ask('rpc', { method: 'shout' })).code, 'no_handler');
  });

  it('that fails is a refusal that tells nothing of it', async () => {
    const client = await signIn('hal');
    const failed = await client.ask('publish', { channel: 'room:x', data: { text: 'crash' } });
    assert.equal(failed.code, 'app_unavailable');
    assert.doesNotMatch(JSON.stringify(failed), /bug/);
    await until('its log', () => platform.ended.some(({ output }) => output.includes('a bug')));
  });

  it('does not answer who is not the server', async () => {
    assert.equal((await post('/api/hooks', { type: 'rpc', id: 'x', method: 'greet' })).status, 401);
  });

  it('leaves no process behind', async () => {
    await until('the last function', () => platform.alive === 0, { deadlineMs: 20_000 });
    assert.deepEqual(platform.ended.filter(({ code }) => code !== 0), []);
    assert.ok(platform.ended.length > 20);
  });
});
