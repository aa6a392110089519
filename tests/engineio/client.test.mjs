// The real client, engine.io-client 6, against the binary: polling first as it comes, through
// balancers that are not sticky, under load, plain and over TLS.
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { Socket as Client } from 'engine.io-client';
import { pause, until, within } from '../support/poll.mjs';
import { descriptors, modes, start } from './support.mjs';

// Long enough that a busy machine is not taken for a dead peer.
const flags = { 'engine.ping_interval': '2s', 'engine.ping_timeout': '10s' };

class Talk {
  got = [];
  constructor(target, options = {}) {
    this.client = new Client(target, { path: '/engine.io/', rejectUnauthorized: false, ...options });
    this.client.on('message', (data) => this.got.push(data));
    this.upgraded = new Promise((resolve) => this.client.on('upgrade', resolve));
    this.ended = new Promise((resolve) => this.client.on('close', (why) => resolve(why)));
    this.opened = new Promise((resolve, reject) => {
      this.client.on('open', resolve);
      this.client.on('error', reject);
    });
  }
  async close() {
    this.client.close();
    await this.ended;
  }
}

/** What counts every answer that is none of 200 and 101, on the way to one of several ports. */
async function balancer(ports) {
  const seen = { connections: 0, refused: [] };
  let next = 0;
  const proxy = net.createServer((near) => {
    ++seen.connections;
    const far = net.connect(ports[next++ % ports.length], '127.0.0.1');
    let asked = '';
    near.on('data', (data) => (asked = `${data}`.slice(0, 200)));
    far.on('data', (data) => {
      for (const [, status] of `${data}`.matchAll(/^HTTP\/1\.1 (\d+)/gm)) {
        if (status !== '200' && status !== '101') seen.refused.push(`${asked} ${data}`);
      }
    });
    near.pipe(far).pipe(near);
    for (const [one, other] of [[near, far], [far, near]]) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return { seen, proxy, url: `http://127.0.0.1:${proxy.address().port}` };
}

for (const mode of modes) {
  describe(`engine.io-client [${mode.name}]`, { concurrency: 4 }, () => {
    let server;
    let url;
    before(async () => {
      server = await start({ ...mode, flags });
      url = server.url('', 'http');
    });
    after(async () => {
      const { code } = await server.stop();
      assert.equal(code, 0, server.output);
    });

    for (const transports of [['polling', 'websocket'], ['polling'], ['websocket']]) {
      it(`echoes text and bytes by ${transports.join(', then ')}`, async () => {
        const talk = new Talk(url, { transports });
        await talk.opened;
        const sent = [];
        for (let i = 0; i < 200; ++i) {
          const data = i % 10 === 9 ? Buffer.from([i, 1, 2]) : `text ${i} é`;
          sent.push(data);
          talk.client.send(data);
          if (i % 25 === 0) await pause(1);
        }
        await until('all echoes', () => talk.got.length >= sent.length);
        assert.deepEqual(talk.got, sent);
        if (transports.length > 1) await within('the upgrade', talk.upgraded);
        await talk.close();
      });
    }

    it('upgrades 60 clients that never stop talking, and loses nothing', async () => {
      await Promise.all(Array.from({ length: 60 }, async () => {
        const talk = new Talk(url);
        await talk.opened;
        let sent = 0;
        let upgraded = false;
        talk.upgraded.then(() => (upgraded = true));
        while (!upgraded || sent < 300) {
          talk.client.send(`${sent++}`);
          if (sent % 3 === 0) await pause(1);
        }
        await until('all echoes', () => talk.got.length >= sent);
        assert.deepEqual(talk.got, Array.from({ length: sent }, (_, i) => `${i}`));
        assert.equal(talk.client.transport.name, 'websocket');
        await talk.close();
      }));
    });

    it('carries a message of almost maxPayload', async () => {
      for (const transports of [['polling'], ['websocket']]) {
        const talk = new Talk(url, { transports });
        await talk.opened;
        const text = 'x'.repeat(999_000);
        talk.client.send(text);
        await until('the echo', () => talk.got.length > 0);
        assert.ok(talk.got[0] === text);
        await talk.close();
      }
    });

    it('outlives several heartbeats', async () => {
      const talks = [['polling'], ['websocket']].map((transports) => new Talk(url, { transports }));
      await Promise.all(talks.map(({ opened }) => opened));
      let pings = 0;
      for (const { client } of talks) client.on('heartbeat', () => ++pings);
      await until('two pings each', () => pings >= 4);
      for (const talk of talks) await talk.close();
    });
  });
}

describe('engine.io-client behind a balancer without stickiness', () => {
  const running = [];
  after(() => running.forEach((one) => one.child.kill('SIGKILL')));
  it('connects always, over four loops, without a single refusal', async () => {
    const listen = ['127.0.0.1:0', '127.0.0.1:0'];
    const server = await start({ loops: 4, listen, flags });
    running.push(server);
    const ports = server.addresses.map((address) => Number(address.split(':').at(-1)));
    const { seen, proxy, url } = await balancer(ports);
    const before_ = descriptors(server);
    const kClients = 150;
    const talks = await Promise.all(Array.from({ length: kClients }, async (_, i) => {
      // A third stays on polls, each of its requests by another connection.
      const talk = new Talk(url, i % 3 === 0 ? { transports: ['polling'], agent: false } :
        { agent: false });
      await talk.opened;
      for (let n = 0; n < 20; ++n) {
        talk.client.send(`${n}`);
        await until('the echo', () => talk.got.length > n);
      }
      assert.deepEqual(talk.got, Array.from({ length: 20 }, (__, n) => `${n}`));
      if (i % 3 !== 0) await within('the upgrade', talk.upgraded);
      return talk;
    }));
    // Here and not at the end: a poll may meet its own client's goodbye on the way, and is told so.
    const refused = [...seen.refused];
    await Promise.all(talks.map((talk) => talk.close()));
    proxy.close();
    await until('all descriptors are back', () => descriptors(server) <= before_);
    assert.equal((await server.stop()).code, 0, server.output);
    assert.deepEqual(refused, []);
    assert.ok(seen.connections > 3 * kClients, `${seen.connections} connections`);
  });

  it('is told of a drain and may come back elsewhere', async () => {
    const server = await start({ loops: 2, flags });
    running.push(server);
    const talks = [['polling'], ['websocket'], ['polling', 'websocket']].map((transports) =>
      new Talk(server.url('', 'http'), { transports }));
    await Promise.all(talks.map(({ opened }) => opened));
    await talks[2].upgraded;
    const stopped = server.stop();
    for (const { ended } of talks) await within('the goodbye', ended);
    assert.equal((await stopped).code, 0);
  });
});
