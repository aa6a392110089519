// An application that is slow, dead, wrong or hostile costs what docs/hooks.md says, and nobody else
// anything.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Client } from '../native/client.mjs';
import { until } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';
import { App, flagsFor, sleep } from './app.mjs';

/** Runs `work(app, server, connect)` and cleans up. */
async function withApp(flags, work, options = {}) {
  const app = await new App(options).listen();
  const server = await startServer({ flags: flagsFor(app, flags) });
  const opened = [];
  const connect = async () => (opened.push(await Client.connect(server)), opened.at(-1));
  try {
    await work(app, server, connect);
  } finally {
    for (const client of opened) client.socket.terminate();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    await app.stop();
  }
}

const publish = (client, data = 1) => client.ask('publish', { channel: 'asked:1', data });

describe('an application in trouble', () => {
  it('that takes five seconds stalls nobody else', async () => {
    await withApp({ 'app.timeout': '10s' }, async (app, _server, connect) => {
      app.onHook = async () => {
        await sleep(5000);
        return {};
      };
      const waiting = await Promise.all(Array.from({ length: 100 }, connect));
      for (const client of waiting) client.send({ type: 'publish', channel: 'asked:1', data: 1 });
      const other = await connect();
      await other.ask('subscribe', { channel: 'free' });
      const times = [];
      for (let i = 0; i < 300; ++i) {
        const begun = performance.now();
        await Promise.all([other.ask('publish', { channel: 'free', data: i }), other.next()]);
        times.push(performance.now() - begun);
      }
      times.sort((a, b) => a - b);
      const [p50, p99] = [times[150], times[297]];
      console.log(`round trips of others: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
      assert.ok(p99 < 500, `p99 ${p99} ms`);
      // The waiting one's own other commands flow, too.
      assert.equal((await waiting[0].ask('ping')).type, 'pong');
    });
  });

  it('that is dead refuses by default, opens the circuit, and is asked again once it is back',
    async () => {
      await withApp({}, async (app, server, connect) => {
        const client = await connect();
        assert.equal((await publish(client)).type, 'published');
        const { port } = app;
        await app.stop();
        for (let i = 0; i < 8; ++i) {
          const answer = await publish(client);
          assert.equal(answer.code, 'app_unavailable');
          assert.equal(answer.retry, true);
        }
        assert.ok(server.log.some((event) => /asked again in a while/.test(event.msg)));
        const back = await new App().listen(port);
        try {
          await until('the application answers again', async () =>
            (await publish(client)).type === 'published', { everyMs: 100 });
          assert.ok(server.log.some((event) => event.msg === 'the application answers again'));
        } finally {
          client.socket.terminate();
          await back.stop();
        }
      });
    });

  it('that is dead allows where so configured, but answers no call', async () => {
    await withApp({ 'app.unavailable': 'allow', 'app.hooks': 'connect,rpc',
      'auth.anonymous': true }, async (app, _server, connect) => {
      await app.stop();
      const client = await connect();
      assert.equal(client.connected.type, 'connected');
      assert.equal((await publish(client)).type, 'published');
      assert.equal((await client.ask('subscribe', { channel: 'private:1' })).type, 'subscribed');
    });
  });

  it('with another secret refuses us, and the log says what to look at', async () => {
    await withApp({}, async (_app, server, connect) => {
      const client = await connect();
      assert.equal((await publish(client)).code, 'app_unavailable');
      const complaint = server.log.find((event) => /did not answer/.test(event.msg));
      assert.match(complaint.advice, /app\.secret/);
      assert.ok(!server.output.includes('an-application-secret'));
    }, { key: 'another-secret-of-thirty-two-bytes!!' });
  });

  const wrong = {
    'garbage': { status: 200, body: 'hello' },
    'HTML': { status: 200, body: '<!doctype html><p>Not this way' },
    'nothing': { status: 200, body: '' },
    'an array': { status: 200, body: '[]' },
    'a misspelt member': { status: 200, body: '{"alow":false}' },
    'a wrong type': { status: 200, body: '{"allow":"no"}' },
    'ten megabytes': { status: 200, body: `{"data":"${'x'.repeat(10 << 20)}"}` },
    'a redirect': { status: 307, headers: { location: '/elsewhere' } },
    'an error': { status: 500, body: '{}' },
    'no content': { status: 204 },
    'deep nesting': { status: 200, body: '['.repeat(100_000) },
  };
  for (const [what, answer] of Object.entries(wrong)) {
    it(`that answers with ${what} refuses`, async () => {
      await withApp({}, async (app, server, connect) => {
        app.onHook = () => answer;
        const client = await connect();
        assert.equal((await publish(client)).code, 'app_unavailable');
        assert.equal((await client.ask('ping')).type, 'pong');
        assert.ok(server.log.some((event) => /did not answer/.test(event.msg)));
        assert.equal(app.asked.length, 1);
      });
    });
  }

  it('that hangs up in the midst is asked once about a message', async () => {
    await withApp({}, async (app, _server, connect) => {
      app.onHook = (_question, response) => void response.destroy();
      const client = await connect();
      assert.equal((await publish(client)).code, 'app_unavailable');
      assert.equal(app.asked.length, 1);
    });
  });

  it('that hangs up on a call is asked twice, by the same delivery id', async () => {
    await withApp({ 'app.hooks': 'rpc,connect' }, async (app, _server, connect) => {
      app.onHook = (question, response) => {
        if (question.type === 'connect') return { capability: { '*': ['rpc'] } };
        if (app.asks('rpc').length === 1) return void response.destroy();
        return { data: 'second' };
      };
      const client = await connect();
      assert.equal((await client.ask('rpc', { method: 'm' })).data, 'second');
      const [first, second] = app.asks('rpc');
      assert.equal(first.id, second.id);
    });
  });

  it('that is too slow is given up in time', async () => {
    await withApp({ 'app.timeout': '200ms' }, async (app, _server, connect) => {
      app.onHook = () => sleep(2000);
      const client = await connect();
      const begun = performance.now();
      assert.equal((await publish(client)).code, 'app_unavailable');
      assert.ok(performance.now() - begun < 1500);
    });
  });

  it('has so many questions waiting and no more', async () => {
    await withApp({ 'app.timeout': '1s', 'app.requests_max': 2, 'app.queue_max': 3 },
      async (app, _server, connect) => {
        let go;
        const gate = new Promise((resolve) => (go = resolve));
        app.onHook = () => gate.then(() => ({}));
        const clients = await Promise.all(Array.from({ length: 10 }, connect));
        const answers = clients.map((client) => publish(client));
        await until('two are under way', () => app.asked.length === 2);
        await Promise.race(answers);
        go();
        const codes = (await Promise.all(answers)).map((one) => one.code ?? one.type).sort();
        assert.equal(codes.filter((one) => one === 'app_unavailable').length, 5);
        assert.equal(codes.filter((one) => one === 'published').length, 5);
      });
  });
});
