// Clients of Engine.IO that mean no good: the right answer, and nothing left behind. Sessions show
// by their sids, connections by the server's descriptors, counted before and after.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Wire } from '../support/peer.mjs';
import { pause, until } from '../support/poll.mjs';
import { ask, descriptors, handshake, Session, Socket, start } from './support.mjs';

const kLoops = 4;

describe('hostile clients of Engine.IO', () => {
  let server;
  before(async () => {
    server = await start({ loops: kLoops, flags: {
      'engine.ping_interval': '1s', 'engine.ping_timeout': '500ms' } });
  });
  after(async () => {
    const { code } = await server.stop();
    assert.equal(code, 0, server.output);
  });

  const leavesNothing = (work) => async () => {
    const count = descriptors(server);
    await work();
    await until('all descriptors are back', () => descriptors(server) <= count);
    // And everybody else is served.
    assert.equal((await handshake(server)).status, 200);
  };
  const open = () => Wire.connect(server.target);
  const line = (method, sid, more = '') =>
    `${method} /engine.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

  const everything = async (wire) => {
    let all = '';
    for (let part; (part = await wire.read()); all += part);
    return all;
  };

  it('finds no session by guessing, on whichever loop', leavesNothing(async () => {
    const { sid } = await Session.open(server);
    const guesses = Array.from({ length: 200 }, (_, i) => {
      const bytes = Buffer.from(sid, 'base64url');
      bytes[i % 16] ^= 1 + (i % 255);
      bytes[16] = i % 8;
      return bytes.toString('base64url');
    });
    const answers = await Promise.all(guesses.map((guess) =>
      ask(server, 'GET', `EIO=4&transport=polling&sid=${guess}`)));
    for (const { status, body } of answers) {
      assert.equal(status, 400);
      assert.equal(JSON.parse(body).code, 1);
    }
    for (const odd of ['', '%00', 'a'.repeat(4000), '../../etc', '%zz', '%22%7b']) {
      const { status } = await ask(server, 'POST', `EIO=4&transport=polling&sid=${odd}`, { body: '4' });
      assert.equal(status, 400, odd);
    }
  }));

  it('ends 500 parked polls whose clients vanish', leavesNothing(async () => {
    const wires = await Promise.all(Array.from({ length: 500 }, async () => {
      const { sid } = await Session.open(server);
      const wire = await open();
      wire.write(line('GET', sid));
      return { sid, wire };
    }));
    wires.forEach(({ wire }) => wire.destroy());
    const [{ sid }] = wires;
    await until('the end', () => new Session(server, sid).gone);
  }));

  it('takes a half-closed poll for one given up', leavesNothing(async () => {
    const session = await Session.open(server);
    const wire = await open();
    wire.write(line('GET', session.sid));
    await pause(20);
    wire.socket.end();
    await until('the end', async () => (await session.post('4a')).status === 400);
    wire.destroy();
  }));

  it('answers every second poll of a flood, and the first', leavesNothing(async () => {
    const session = await Session.open(server);
    const answers = await Promise.all(Array.from({ length: 20 }, () => session.poll()));
    assert.equal(answers.filter(({ body }) => body === '1').length, 1);
    assert.equal(answers.filter(({ status }) => status === 400).length, 19);
  }));

  it('ends sessions that nobody ever polls', leavesNothing(async () => {
    const sessions = await Promise.all(Array.from({ length: 300 }, () => Session.open(server)));
    await pause(1700);
    for (const session of sessions.slice(0, 20)) assert.ok(await session.gone);
  }));

  it('drops candidates that say nothing once their sessions have ended', leavesNothing(async () => {
    const sessions = await Promise.all(Array.from({ length: 50 }, () => Session.open(server)));
    const sockets = await Promise.all(sessions.map(({ sid }) => Socket.open(server, { sid })));
    await Promise.all(sockets.map(({ closed }) => closed));
  }));

  it('gives up a body that never ends with its session', leavesNothing(async () => {
    const session = await Session.open(server);
    const wire = await open();
    wire.write(line('POST', session.sid, 'Content-Length: 100\r\n'));
    wire.write('4aaaa');
    await until('the end', () => session.gone);
    wire.destroy();
  }));

  it('refuses claimed lengths and chunks above maxPayload', leavesNothing(async () => {
    const session = await Session.open(server);
    for (const more of ['Content-Length: 99999999999\r\n', 'Transfer-Encoding: chunked\r\n']) {
      const wire = await open();
      wire.write(line('POST', session.sid, more));
      if (more.startsWith('T')) {
        for (let i = 0; i < 17; ++i) wire.write(`10000\r\n${'4'.repeat(65536)}\r\n`);
      }
      assert.equal((await wire.response()).status, 413);
      wire.destroy();
    }
  }));

  it('takes pipelined requests along when a connection moves', leavesNothing(async () => {
    const sessions = await Promise.all(Array.from({ length: 16 }, () => Session.open(server)));
    await Promise.all(sessions.map(async ({ sid }) => {
      const wire = await open();
      // All in one piece: two posts, what they bring back, and a request that has no session.
      wire.write(line('POST', sid, 'Content-Length: 2\r\n') + '4a' +
        line('POST', sid, 'Content-Length: 2\r\n') + '4b' + line('GET', sid) +
        'GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      const all = await everything(wire);
      const statuses = [...all.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
      assert.deepEqual(statuses, ['200', '200', '200', '404']);
      assert.match(all, /4a\x1e4b/);
      wire.destroy();
    }));
  }));

  it('moves one connection from session to session, from loop to loop', leavesNothing(async () => {
    const sessions = await Promise.all(Array.from({ length: 12 }, () => Session.open(server)));
    const wire = await open();
    for (const { sid } of sessions) wire.write(line('POST', sid, 'Content-Length: 2\r\n') + '4a');
    wire.write('GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const all = await everything(wire);
    assert.equal(all.match(/HTTP\/1\.1 200/g).length, sessions.length);
    wire.destroy();
  }));
});

describe('connections that move between loops', () => {
  it('keep their one place in the budget', async () => {
    const kMost = 30;
    const server = await start({ loops: kLoops, flags: { 'server.connections_max': kMost } });
    const count = descriptors(server);
    try {
      const sessions = [];
      for (let i = 0; i < 16; ++i) sessions.push(await Session.open(server));
      // Many times more moves than there are places.
      for (let round = 0; round < 15; ++round) {
        const answers = await Promise.all(sessions.map((session) => session.post('4a')));
        assert.ok(answers.every(({ status }) => status === 200));
        await until('all places are free', () => descriptors(server) <= count);
      }
      const open = await Promise.all(Array.from({ length: kMost }, () => Socket.open(server)));
      const one = await Wire.connect(server.target);
      assert.equal((await one.response()).status, 503);
      open.forEach((socket) => socket.destroy());
      one.destroy();
    } finally {
      assert.equal((await server.stop()).code, 0, server.output);
    }
  });
});
