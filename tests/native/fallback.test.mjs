// Section 9 of docs/protocol.md against the binary: every row of it, spoken by hand.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { modes } from '../support/suite.mjs';
import { mib, MemoryWatch } from '../support/memory.mjs';
import { startServer } from '../support/server.mjs';
import { pause, until } from '../support/poll.mjs';
import { Client, kSecret, token } from './client.mjs';
import { ask, Events, Polled, post } from './streams.mjs';

const anyone = { subscribe: 'anyone', publish: 'anyone', history_access: 'anyone',
  presence_access: 'anyone' };
const kChannels = JSON.stringify([
  { pattern: 'open:*', history_messages: 1000, presence: true, presence_grace: '200ms', ...anyone },
  { pattern: 'plain:*', ...anyone },
]);
const flags = { 'auth.hs256_secret': kSecret, 'auth.anonymous': true, channels: kChannels,
  'auth.expiry_required': false };
const start = (options) =>
  startServer({ conformance: false, ...options, flags: { ...flags, ...options.flags } });

/** Runs with a server of its own, which must end well. */
const withServer = (options, work) => async (t) => {
  const server = await start(options);
  const opened = [];
  try {
    await work(server, (one) => (opened.push(one), one), t);
  } finally {
    opened.forEach((one) => one.destroy?.());
    const { code } = await server.stop();
    assert.equal(code, 0, server.output);
  }
};

const ping = (id) => ({ type: 'ping', id });

for (const mode of modes) {
  describe(`without WebSocket [${mode.name}]`, { concurrency: 8 }, () => {
    let server;
    const opened = [];
    const keep = (one) => (opened.push(one), one);
    before(async () => {
      server = await start({ ...mode, flags: { 'fallback.heartbeat': '300ms',
        'fallback.poll_hold': '300ms', 'websocket.message_bytes_max': '64KiB' } });
    });
    after(async () => {
      for (const one of opened) one.destroy();
      assert.equal((await server.stop()).code, 0, server.output);
    });

    // ---- Server-Sent Events

    it('begins an event stream with its id', async () => {
      const events = keep(await Events.open(server));
      const { headers } = events.response;
      assert.equal(events.status, 200);
      assert.equal(headers['content-type'], 'text/event-stream');
      assert.match(headers['cache-control'], /no-cache/);
      assert.equal(events.first.name, 'open');
      assert.deepEqual(Object.keys(JSON.parse(events.first.data)), ['stream']);
      const other = keep(await Events.open(server));
      assert.notEqual(other.id, events.id);
      assert.ok(events.id.length >= 22, 'a secret of 128 bits');
    });

    it('brings frames as events without a name, and answers over the stream', async () => {
      const events = keep(await Events.connect(server, { token: token({ sub: 'ann' }) }));
      assert.deepEqual([events.connected.type, events.connected.user], ['connected', 'ann']);
      const channel = `open:sse-${mode.name}`;
      const { status, text } = await events.send([
        { type: 'subscribe', id: 2, channel },
        { type: 'publish', id: 3, channel, text: 'line\nbreaks\r\n and \u2028' },
      ]);
      assert.deepEqual([status, text], [204, '']);
      const got = new Map();
      while (got.size < 3) {
        const event = await events.next();
        assert.equal(event.name, '');
        for (const one of [JSON.parse(event.data)].flat()) got.set(one.id ?? one.type, one);
      }
      assert.equal(got.get(2).type, 'subscribed');
      assert.equal(got.get(3).offset, 1);
      assert.equal(got.get('message').text, 'line\nbreaks\r\n and \u2028');
    });

    it('takes the token from the Authorization header, as for WebSocket', async () => {
      const headers = { authorization: `Bearer ${token({ sub: 'bob' })}` };
      const events = keep(await Events.connect(server, {}, { headers }));
      assert.equal(events.connected.user, 'bob');
      const polled = await Polled.connect(server, {}, { headers });
      assert.equal(polled.connected.user, 'bob');
    });

    it('breaks silence with comments', async () => {
      const events = keep(await Events.connect(server));
      const { comments } = events;
      await until('three comments', () => events.comments >= comments + 3);
      assert.equal(events.ended, false, 'nothing to read is no reason to end');
    });

    it('ends an event stream with an event that is its close', async () => {
      const events = keep(await Events.open(server));
      const { status } = await events.send([{ type: 'connect', id: 1, token: 'nonsense' }]);
      assert.equal(status, 204, 'it was taken');
      const close = await events.next();
      assert.equal(close.name, 'close');
      const { code, reason, ...rest } = JSON.parse(close.data);
      assert.deepEqual([code, rest], [4451, {}]);
      assert.match(reason, /malformed/);
      assert.equal(await events.next(), undefined);
      assert.equal(events.ended, true);
      assert.equal((await events.send([ping(2)])).status, 404);
    });

    it('ends when its event source goes away', async () => {
      const events = keep(await Events.connect(server));
      const watcher = keep(await Events.connect(server));
      const channel = `open:gone-${mode.name}`;
      await watcher.send([{ type: 'subscribe', id: 2, channel, presence: true }]);
      await events.send([{ type: 'enter', id: 2, channel }]);
      const seen = [];
      const read = async () => seen.push(...(await watcher.messages()));
      while (!seen.some(({ join }) => join?.length > 0)) await read();
      events.destroy();
      while (!seen.some(({ leave }) => leave)) await read();
      assert.equal(seen.at(-1).leave[0].reason, 'lost');
      assert.equal((await events.send([ping(3)])).json.code, 'stream_gone');
    });

    it('is not polled', async () => {
      const { id } = keep(await Events.connect(server));
      const answer = await post(server, '/poll', { stream: id, ack: 0 });
      assert.deepEqual([answer.status, answer.json.code], [400, 'bad_message']);
      assert.equal((await post(server, '/send', { stream: id, messages: [] })).status, 204);
    });

    // ---- long-polling

    it('opens a polled stream with its first messages', async () => {
      const polled = await Polled.connect(server);
      const { status, headers, json } = polled.answer;
      assert.equal(status, 200);
      assert.equal(headers['cache-control'], 'no-store');
      assert.deepEqual(Object.keys(json), ['stream', 'seq', 'messages']);
      assert.deepEqual([json.seq, json.messages.length, json.messages[0].type],
        [1, 1, 'connected']);
    });

    it('answers as soon as there is a message, and with nothing after a while', async () => {
      const polled = await Polled.connect(server);
      const begun = performance.now();
      const { json } = await polled.poll();
      assert.deepEqual(json, { stream: polled.id, seq: 1, messages: [] });
      assert.ok(performance.now() - begun >= 290);
      const waiting = polled.poll();
      assert.equal((await polled.send([ping(2)])).status, 204);
      const answer = await waiting;
      assert.deepEqual([answer.json.seq, answer.json.messages[0].type], [2, 'pong']);
    });

    it('gives the same answer until its number is named', async () => {
      const polled = await Polled.connect(server);
      const again = await polled.poll(0);
      assert.equal(again.text, polled.answer.text);
      await polled.send([ping(2)]);
      assert.equal((await polled.poll(0)).text, polled.answer.text, 'whatever has come since');
      const second = await polled.poll(1);
      assert.deepEqual([second.json.seq, second.json.messages[0].id], [2, 2]);
      await polled.send([ping(3)]);
      assert.equal((await polled.poll(1)).text, second.text);
      assert.equal((await polled.poll(1)).text, second.text);
      assert.equal((await polled.poll(2)).json.messages[0].id, 3);
      const future = await polled.poll(9);
      assert.deepEqual([future.status, future.json.code], [400, 'bad_message']);
      assert.equal((await polled.poll(3)).json.seq, 3, 'unharmed, and nothing new');
    });

    it('ends the first of two polls with an empty answer', async () => {
      const polled = await Polled.connect(server);
      const first = polled.poll();
      // Told apart by their answers: the second waits for as long as the first would have.
      await pause(100);
      const second = polled.poll();
      assert.deepEqual((await first).json, { stream: polled.id, seq: 1, messages: [] });
      await polled.send([ping(2)]);
      assert.equal((await second).json.messages[0].type, 'pong');
    });

    it('keeps the close for the next poll, and then for the one that repeats it', async () => {
      const bad = await Polled.connect(server, { token: 'nonsense' });
      assert.deepEqual(bad.answer.json.messages, []);
      assert.equal(bad.answer.json.close.code, 4451);
      assert.equal((await bad.poll(0)).text, bad.answer.text, 'kept like any other');
      assert.equal((await bad.send([ping(2)])).status, 404);
      assert.equal((await bad.poll(1)).json.code, 'stream_gone');
    });

    // ---- sending

    it('takes messages in the order of requests that wait for each other', async () => {
      const events = keep(await Events.connect(server));
      const seen = [];
      for (let i = 2; i < 30; i++) {
        const { status } = await events.send([ping(i), ping(100 + i)]);
        assert.equal(status, 204);
      }
      while (seen.length < 56) seen.push(...(await events.messages()));
      assert.deepEqual(seen.map(({ id }) => id),
        Array.from({ length: 56 }, (_, i) => 2 + (i >> 1) + (i & 1) * 100));
    });

    it('takes the types that a browser sends without asking, and no other', async () => {
      const polled = await Polled.connect(server);
      const send = (type) => post(server, '/send', { stream: polled.id, messages: [] },
        { headers: { 'content-type': type } });
      for (const type of ['application/json', 'text/plain', 'application/json; charset=utf-8',
        'text/plain;charset=UTF-8', 'Text/Plain']) {
        assert.equal((await send(type)).status, 204, type);
      }
      for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x',
        'text/plainer', 'application/msgpack']) {
        const { status, json } = await send(type);
        assert.deepEqual([status, json.code], [415, 'bad_message'], type);
      }
    });

    it('says what is wrong with a body, and leaves the stream alone', async () => {
      const polled = await Polled.connect(server);
      const { id } = polled;
      const bad = {
        '/send': ['', '{', 'null', '[]', '"x"', {}, { stream: 1, messages: [] },
          { messages: [] }, { stream: id }, { stream: id, messages: {} },
          { stream: id, messages: 'x' }, `{"stream":"${id}","messages":[]}x`,
          `{"stream":"${id}","messages":[${'['.repeat(2000)}${']'.repeat(2000)}]}`],
        '/poll': ['', '{', 'null', '[]', {}, { stream: 1, ack: 0 }, { messages: 1 },
          { stream: id, ack: -1 }, { stream: id, ack: 1.5 }, { stream: id, ack: '1' },
          { stream: id, ack: 1, messages: [] }],
      };
      for (const [path, bodies] of Object.entries(bad)) {
        for (const body of bodies) {
          const { status, json } = await post(server, path, body);
          assert.equal(status, 400, `${path} ${JSON.stringify(body)}`);
          assert.equal(json.code, 'bad_message');
          assert.equal(typeof json.message, 'string');
        }
      }
      await polled.send([ping(2)]);
      assert.equal((await polled.poll()).json.messages[0].type, 'pong');
    });

    it('knows only streams that are', async () => {
      const { id } = await Polled.connect(server);
      const flipped = (id[0] === 'A' ? 'B' : 'A') + id.slice(1);
      for (const stream of ['', 'x', flipped, `${id}A`, id.slice(1), id.toLowerCase()]) {
        for (const [path, rest] of [['/send', { messages: [] }], ['/poll', { ack: 0 }]]) {
          const { status, json } = await post(server, path, { stream, ...rest });
          assert.deepEqual([status, json.code], [404, 'stream_gone'], `${path} ${stream}`);
        }
      }
    });

    it('refuses a body larger than the largest message', async () => {
      const polled = await Polled.connect(server);
      assert.equal(polled.connected.messageBytesMax, 65_536);
      const body = JSON.stringify({ stream: polled.id, messages: [] });
      const fits = body + ' '.repeat(65_536 - body.length);
      assert.equal((await post(server, '/send', fits)).status, 204);
      assert.equal((await post(server, '/send', `${fits} `)).status, 413);
      assert.equal((await post(server, '/poll', `${fits} `)).status, 413);
      // Without saying so before.
      const chunked = await ask(server, 'POST', '/send',
        { headers: { 'transfer-encoding': 'chunked' }, body: undefined });
      assert.equal(chunked.status, 400, 'chunks are taken, and this has none');
      assert.equal((await polled.send([])).status, 204);
    });

    it('answers other methods as HTTP has it', async () => {
      for (const [path, allowed] of [['/sse', 'GET'], ['/poll', 'POST'], ['/send', 'POST']]) {
        for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH']) {
          if (method === allowed) continue;
          const { status, headers, text } = await ask(server, method, path);
          assert.deepEqual([status, headers.allow], [405, allowed], `${method} ${path}`);
          if (method === 'HEAD') assert.equal(text, '');
        }
        const options = await ask(server, 'OPTIONS', path);
        assert.deepEqual([options.status, options.headers.allow, options.text],
          [204, allowed, '']);
        assert.equal(options.headers['access-control-allow-methods'], undefined, 'no page asks');
      }
      assert.equal((await ask(server, 'GET', '/else')).status, 404);
      assert.equal((await ask(server, 'GET', '/sse/')).status, 404);
    });
  });
}

describe('without WebSocket, in particular', { concurrency: 6 }, () => {
  it('ends a stream that nobody polls', withServer(
    { loops: 2, flags: { 'fallback.stream_timeout': '1s' } }, async (server, keep) => {
      const events = keep(await Events.connect(server));
      const channel = 'open:unpolled';
      await events.send([{ type: 'subscribe', id: 2, channel, presence: true }]);
      const begun = performance.now();
      const polled = await Polled.connect(server);
      await polled.send([{ type: 'enter', id: 2, channel }]);
      const seen = [];
      while (!seen.some(({ leave }) => leave)) seen.push(...(await events.messages()));
      assert.ok(performance.now() - begun > 1000, 'not before its time');
      const { status, json } = await polled.poll();
      assert.deepEqual([status, json.code], [404, 'stream_gone']);
      // Its session goes on elsewhere.
      const back = await Polled.connect(server, { session: polled.connected.session });
      assert.deepEqual([back.connected.resumed, back.connected.client],
        [true, polled.connected.client]);
    }));

  it('keeps a stream as long as it is polled', withServer(
    { flags: { 'fallback.stream_timeout': '2s', 'fallback.poll_hold': '300ms' } },
    async (server) => {
      const polled = await Polled.connect(server);
      const end = performance.now() + 4000;
      while (performance.now() < end) assert.equal((await polled.poll()).status, 200);
    }));

  it('admits pages of the origins it was told of', withServer(
    { flags: { 'http.allowed_origins': 'https://app.test' } }, async (server, keep) => {
      const good = { headers: { origin: 'https://app.test' } };
      const evil = { headers: { origin: 'https://evil.test' } };
      const events = keep(await Events.connect(server, {}, good));
      assert.equal(events.response.headers['access-control-allow-origin'], 'https://app.test');
      assert.equal(events.response.headers.vary, 'Origin');
      const polled = await Polled.connect(server, {}, good);
      for (const [path, body] of [['/send', { stream: polled.id, messages: [] }],
        ['/poll', { stream: polled.id, ack: 0 }], ['/send', { stream: 'x', messages: [] }],
        ['/send', '{']]) {
        const { headers } = await post(server, path, body, good);
        assert.equal(headers['access-control-allow-origin'], 'https://app.test');
        assert.equal(headers['access-control-allow-credentials'], undefined);
        const { status, headers: refused } = await post(server, path, body, evil);
        assert.deepEqual([status, refused['access-control-allow-origin']], [403, undefined]);
        assert.equal(refused.vary, 'Origin');
      }
      assert.equal((await Events.open(server, evil)).status, 403);
      const preflight = await ask(server, 'OPTIONS', '/send', { headers: { ...good.headers,
        'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' } });
      assert.equal(preflight.status, 204);
      assert.equal(preflight.headers['access-control-allow-origin'], 'https://app.test');
      assert.match(preflight.headers['access-control-allow-headers'], /Content-Type/);
      assert.equal((await ask(server, 'OPTIONS', '/send', evil)).status, 403);
      // Who is no browser has no origin.
      const { headers } = await post(server, '/send', { stream: polled.id, messages: [] });
      assert.equal(headers['access-control-allow-origin'], undefined);
    }));

  it('counts streams as connections of their address', withServer(
    { flags: { 'server.connections_per_address_max': 4 } }, async (server, keep) => {
      // The event stream's connection, two streams that are polled, and whoever asks.
      const events = keep(await Events.connect(server));
      const polled = await Polled.connect(server);
      await Polled.connect(server);
      const answer = () => post(server, '/poll', { messages: [] });
      const { status, json, headers } = await until('one too many', async () => {
        const last = await answer();
        return last.json && last;
      });
      assert.deepEqual([status, json.code], [429, 'too_many_connections']);
      assert.match(headers['retry-after'], /^[2-6]$/);
      await until('the others go on', async () => (await polled.send([])).status === 204);
      events.destroy();
      await until('there is room for another', async () =>
        (await Polled.connect(server).catch(() => undefined))?.connected?.type === 'connected');
    }));

  it('sheds streams over the number of connections', withServer(
    { loops: 1, flags: { 'server.connections_max': 2 } }, async (server) => {
      await Polled.connect(server);
      const polled = await Polled.connect(server);
      const { status, json, headers } = await until('one too many', async () => {
        const last = await post(server, '/poll', { messages: [] });
        return last.json && last;
      });
      assert.deepEqual([status, json.code, headers['retry-after']], [503, 'overloaded', '1']);
      assert.equal((await polled.send([])).status, 204);
    }));

  it('makes what a client sends wait while it does not read', withServer(
    { flags: { 'websocket.high_watermark': '4KiB', 'websocket.low_watermark': '1KiB' } },
    async (server) => {
      const polled = await Polled.connect(server);
      const channel = 'open:slow';
      await polled.send([{ type: 'subscribe', id: 2, channel }]);
      await polled.next();
      const writer = await Client.connect(server);
      // More than the high watermark, which no poll has fetched.
      for (let i = 0; i < 4; i++) {
        await writer.ask('publish', { channel, text: 'x'.repeat(2000) });
      }
      const answers = [];
      for (let i = 0; i < 12; i++) {
        answers.push(polled.send([ping(100 + i)]).then(({ status, json, headers }) =>
          [status, json?.code, headers['retry-after']]));
      }
      const shed = await Promise.all(answers.map((one) => Promise.race([one, pause(700)])));
      const refused = shed.filter((one) => one);
      assert.equal(refused.length, 4);
      for (const one of refused) assert.deepEqual(one, [503, 'overloaded', '1']);
      // Reading lets them in.
      const pongs = [];
      let messages = 0;
      while (pongs.length < 8) {
        for (const one of (await polled.next()).messages) {
          if (one.type === 'pong') pongs.push(one.id);
          else if (one.type === 'message') messages++;
        }
      }
      const statuses = (await Promise.all(answers)).map(([status]) => status);
      assert.equal(statuses.filter((status) => status === 204).length, 8);
      assert.equal(messages, 4);
      writer.socket.terminate();
    }));

  it('tells everybody when it goes down', async () => {
    const server = await start({ flags: {} });
    const events = await Events.connect(server);
    const polled = await Polled.connect(server);
    const waiting = polled.poll();
    // The poll is there when what was sent behind it has been answered over the event stream.
    await events.send([ping(2)]);
    await events.messages();
    await pause(50);
    const stopped = server.stop();
    const close = await events.next();
    assert.deepEqual([close.name, JSON.parse(close.data).code], ['close', 1001]);
    assert.equal((await waiting).json.close.code, 1001);
    assert.equal((await stopped).code, 0, server.output);
  });

  it('gives up on an event source that reads nothing', withServer(
    { flags: { 'fallback.heartbeat': '200ms', 'fallback.stream_timeout': '1s',
      'websocket.ping_interval': '0s' } }, async (server, keep) => {
      const channel = 'open:stalled';
      const events = keep(await Events.connect(server, { token: token({ sub: 'ann' }) }));
      await events.send([{ type: 'enter', id: 2, channel }, { type: 'subscribe', id: 3, channel }]);
      await events.messages();
      events.response.pause();
      const watcher = await Client.connect(server);
      await watcher.ask('subscribe', { channel, presence: true });
      const text = 'x'.repeat(60_000);
      const gone = (async () => {
        for (;;) {
          const push = await watcher.next();
          if (push.leave) return push.leave[0].reason;
        }
      })();
      // As much as the kernel holds for both ends, and more.
      for (let i = 0; i < 200; i++) await watcher.ask('publish', { channel, text });
      assert.equal(await gone, 'lost');
      assert.equal((await events.send([])).status, 404);
      watcher.socket.terminate();
    }));

  for (const channel of ['open:backlog', 'plain:backlog']) {
    it(`holds a bounded backlog for slow readers of ${channel}, and says what they missed`,
      { timeout: 120_000 }, withServer({ flags: { 'fallback.stream_timeout': '2m' } }, async (server, keep, t) => {
        const readers = [];
        for (let i = 0; i < 20; i++) {
          const events = keep(await Events.connect(server));
          await events.send([{ type: 'subscribe', id: 2, channel }]);
          await events.messages();
          events.response.pause();
          readers.push(events);
        }
        const polled = await Polled.connect(server);
        await polled.send([{ type: 'subscribe', id: 2, channel }]);
        await polled.next();
        const writer = await Client.connect(server);
        const watch = new MemoryWatch(server.pid);
        const data = 'x'.repeat(32_000);
        const kMessages = 1500;
        for (let i = 1; i <= kMessages; i++) await writer.ask('publish', { channel, data });
        watch.stop();
        t.diagnostic(`${mib(kMessages * data.length)} published past 21 readers: ${watch}`);
        // What a reader is owed is shared by all of them, or waits in the channel's history. A
        // sanitizer keeps what was freed, so that figure says nothing.
        if (!process.env.ANYWIRE_SANITIZED) assert.ok(watch.growth < 12 * 1024 * 1024, mib(watch.growth));
        // Whoever reads again, or comes back, knows what it has and what it has not.
        for (const events of readers.slice(0, 3)) {
          events.response.resume();
          let last = 0;
          let lost = 0;
          for (;;) {
            const event = await events.next(15_000);
            if (event === undefined || event.name === 'close') {
              assert.ok(!event || JSON.parse(event.data).code === 1013);
              break;
            }
            for (const one of [JSON.parse(event.data)].flat()) {
              if (one.type === 'gap') {
                assert.equal(one.from, last + 1);
                lost += one.to - one.from + 1;
                last = one.to;
              } else if (one.type === 'message') {
                assert.equal(one.offset, last + 1);
                last = one.offset;
              }
            }
            if (last === kMessages) break;
          }
          t.diagnostic(`a reader had up to ${last}, ${lost} of them told as lost`);
        }
        writer.socket.terminate();
      }));
  }
});
