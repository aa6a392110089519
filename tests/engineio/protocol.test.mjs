// Engine.IO 4 against the binary, by hand: what any implementation of it has to do, with the short
// times that make that quick to see.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { until, within } from '../support/poll.mjs';
import { ask, handshake, modes, Session, Socket, start } from './support.mjs';

for (const mode of modes) {
  describe(`Engine.IO [${mode.name}]`, { concurrency: 8 }, () => {
    let server;
    before(async () => (server = await start(mode)));
    after(async () => {
      const { code } = await server.stop();
      assert.equal(code, 0, server.output);
    });

    const keys = ['maxPayload', 'pingInterval', 'pingTimeout', 'sid', 'upgrades'];
    const opened = (packet) => {
      assert.equal(packet[0], '0');
      const value = JSON.parse(packet.slice(1));
      assert.deepEqual(Object.keys(value).sort(), keys);
      assert.equal(value.pingInterval, 300);
      assert.equal(value.pingTimeout, 200);
      assert.equal(value.maxPayload, 1_000_000);
      return value;
    };

    it('opens a session on polls', async () => {
      const { status, body, headers } = await handshake(server);
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'text/plain; charset=UTF-8');
      assert.equal(headers['cache-control'], 'no-store');
      assert.deepEqual(opened(body).upgrades, ['websocket']);
    });

    it('opens a session over WebSocket', async () => {
      const socket = await Socket.open(server);
      assert.deepEqual(opened(await socket.next()).upgrades, []);
      socket.destroy();
    });

    const refusals = [
      ['no transport', 'GET', 'EIO=4', 0],
      ['an unknown transport', 'GET', 'EIO=4&transport=abc', 0],
      ['no version', 'GET', 'transport=polling', 5],
      ['another version', 'GET', 'EIO=3&transport=polling', 5],
      ['a version that is none', 'GET', 'EIO=abc&transport=polling', 5],
      ['a handshake by POST', 'POST', 'EIO=4&transport=polling', 2],
      ['an unknown sid', 'GET', 'EIO=4&transport=polling&sid=zzz', 1],
      ['a WebSocket without Upgrade', 'GET', 'EIO=4&transport=websocket', 3],
    ];
    for (const [what, method, query, code] of refusals) {
      it(`refuses ${what}`, async () => {
        const { status, body, headers } = await ask(server, method, query);
        assert.equal(status, 400);
        assert.equal(headers['content-type'], 'application/json');
        assert.equal(JSON.parse(body).code, code);
      });
    }

    for (const query of ['transport=websocket', 'EIO=3&transport=websocket', 'EIO=4',
      'EIO=4&transport=abc', 'EIO=4&transport=polling', 'EIO=4&transport=websocket&sid=zzz']) {
      it(`refuses a WebSocket with ${query} before the 101`, async () => {
        assert.equal(await within('a refusal', new Socket(server, { query }).refused), 400);
      });
    }

    it('takes and gives text over polls', async () => {
      const session = await Session.open(server);
      const { status, body } = await session.post('4hello');
      assert.equal(status, 200);
      assert.equal(body, 'ok');
      assert.equal((await session.poll()).body, '4hello');
    });

    it('takes and gives several packets in one body', async () => {
      const session = await Session.open(server);
      await session.post('4test1\x1e4test2\x1e4test3');
      assert.equal((await session.poll()).body, '4test1\x1e4test2\x1e4test3');
    });

    it('takes and gives bytes over polls', async () => {
      const session = await Session.open(server);
      await session.post('bAQIDBA==');
      assert.equal((await session.poll()).body, 'bAQIDBA==');
    });

    it('takes and gives text and bytes over WebSocket', async () => {
      const socket = await Socket.open(server);
      await socket.next();
      socket.say('4hello');
      assert.equal(await socket.next(), '4hello');
      socket.say(Buffer.from([1, 2, 3]));
      assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3]));
      socket.destroy();
    });

    it('ends a session over a body that is no packet', async () => {
      const session = await Session.open(server);
      assert.equal((await session.post('abc')).status, 400);
      assert.equal((await session.poll()).status, 400);
    });

    it('ends a session over a frame that is no packet', async () => {
      const socket = await Socket.open(server);
      await socket.next();
      socket.say('abc');
      await within('the end', socket.closed);
    });

    it('ends a session over a second poll', async () => {
      const session = await Session.open(server);
      const first = session.poll();
      // The second one must be the second one.
      await new Promise((resolve) => setTimeout(resolve, 20));
      const answers = await Promise.all([first, session.poll()]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400]);
      assert.equal(answers.find(({ status }) => status === 200).body, '1');
      assert.ok(await session.gone);
    });

    it('ends a session whose poll is given up', async () => {
      const session = await Session.open(server);
      const giveUp = new AbortController();
      const poll = session.poll({ signal: giveUp.signal }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 20));
      giveUp.abort();
      await poll;
      await until('the end of the session', () => session.post('4a').then((a) => a.status === 400));
    });

    it('pings over polls', async () => {
      const session = await Session.open(server);
      for (let i = 0; i < 3; ++i) {
        assert.equal((await session.poll()).body, '2');
        assert.equal((await session.post('3')).status, 200);
      }
    });

    it('pings over WebSocket', async () => {
      const socket = await Socket.open(server);
      await socket.next();
      for (let i = 0; i < 3; ++i) {
        assert.equal(await socket.next(), '2');
        socket.say('3');
      }
      socket.destroy();
    });

    it('ends a session on polls that does not answer', async () => {
      const session = await Session.open(server);
      assert.equal((await session.poll()).body, '2');
      assert.equal((await session.poll()).body, '1');
      assert.ok(await session.gone);
    });

    it('ends a WebSocket that does not answer', async () => {
      const socket = await Socket.open(server);
      await within('the end', socket.closed);
      assert.equal(socket.heard.length, 2);
    });

    it('ends a session by the client, whose poll comes back', async () => {
      const session = await Session.open(server);
      const poll = session.poll();
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal((await session.post('1')).status, 200);
      assert.equal((await poll).body, '6');
      assert.ok(await session.gone);
    });

    it('ends a WebSocket by the client', async () => {
      const socket = await Socket.open(server);
      await socket.next();
      socket.say('1');
      assert.equal(await within('the end', socket.closed), 1005);
    });

    it('upgrades', async () => {
      const session = await Session.open(server);
      const socket = await Socket.open(server, { sid: session.sid });
      socket.say('2probe');
      assert.equal(await socket.next(), '3probe');
      assert.equal((await session.poll()).body, '6');
      socket.say('5');
      socket.say('4hello');
      assert.equal(await socket.next(), '4hello');
      socket.destroy();
    });

    it('brings back a parked poll at once when a probe comes', async () => {
      const session = await Session.open(server);
      const poll = session.poll();
      const socket = await Socket.open(server, { sid: session.sid });
      const asked = performance.now();
      socket.say('2probe');
      assert.equal((await poll).body, '6');
      assert.ok(performance.now() - asked < 200);
      socket.destroy();
    });

    it('says over WebSocket what it was told over polls just before', async () => {
      const session = await Session.open(server);
      await session.post('4one\x1ebdHdv\x1e4three');
      const socket = await Socket.open(server, { sid: session.sid });
      socket.say('2probe');
      assert.equal(await socket.next(), '3probe');
      socket.say('5');
      socket.say('4four');
      assert.deepEqual([await socket.next(), `${await socket.next()}`, await socket.next(),
        await socket.next()], ['4one', 'two', '4three', '4four']);
      socket.destroy();
    });

    it('refuses polls of an upgraded session, which lives on', async () => {
      const session = await Session.open(server);
      const socket = await Socket.open(server, { sid: session.sid });
      socket.say('2probe');
      await socket.next();
      socket.say('5');
      const { status, body } = await session.poll();
      // The upgrade may not have come yet; then it was a poll like any other.
      if (status === 400) assert.equal(JSON.parse(body).code, 3);
      const again = await session.poll();
      assert.equal(again.status, 400);
      assert.equal(JSON.parse(again.body).code, 3);
      socket.say('4hello');
      assert.equal(await socket.next(), '4hello');
      socket.destroy();
    });

    it('refuses a second WebSocket for one session', async () => {
      const session = await Session.open(server);
      const socket = await Socket.open(server, { sid: session.sid });
      assert.equal(await new Socket(server, { sid: session.sid }).refused, 400);
      socket.say('2probe');
      assert.equal(await socket.next(), '3probe');
      socket.destroy();
    });

    it('drops a candidate that says something else, and only that', async () => {
      const session = await Session.open(server);
      const socket = await Socket.open(server, { sid: session.sid });
      socket.say('4hello');
      await within('the end', socket.closed);
      assert.equal((await session.post('4a')).status, 200);
    });

    it('answers 413 to a body above maxPayload', async () => {
      const session = await Session.open(server);
      assert.equal((await session.post(`4${'x'.repeat(1_000_000)}`)).status, 413);
      assert.equal((await session.post(`4${'x'.repeat(999_999)}`)).status, 200);
    });

    it('closes with 1009 over a message above maxPayload', async () => {
      const socket = await Socket.open(server);
      await socket.next();
      socket.say(`4${'x'.repeat(1_000_000)}`);
      assert.equal(await within('the end', socket.closed), 1009);
    });

    it('refuses application/octet-stream', async () => {
      const session = await Session.open(server);
      const { status, body } =
        await session.post('4a', { headers: { 'Content-Type': 'application/octet-stream' } });
      assert.deepEqual([status, body], [400, '']);
      assert.ok(await session.gone);
    });

    it('compresses long answers for who takes it', async () => {
      const session = await Session.open(server);
      const text = `4${'x'.repeat(5000)}`;
      await session.post(text);
      const { bytes, headers } = await session.poll({ headers: { 'Accept-Encoding': 'gzip' } });
      assert.equal(headers['content-encoding'], 'gzip');
      assert.equal(`${gunzipSync(bytes)}`, text);
    });

    it('answers a preflight for any page, with the headers it asks for', async () => {
      const { status, headers } = await ask(server, 'OPTIONS', 'EIO=4&transport=polling&sid=zzz', {
        headers: { Origin: 'https://a.example', 'Access-Control-Request-Headers': 'x-mine' } });
      assert.equal(status, 204);
      assert.equal(headers['access-control-allow-origin'], '*');
      assert.equal(headers['access-control-allow-headers'], 'x-mine');
    });

    it('serves the path without its slash', async () => {
      const { status } = await handshake(server, { path: '/engine.io' });
      assert.equal(status, 200);
    });
  });
}

describe('Engine.IO and pages of other origins', () => {
  let server;
  before(async () => (server = await start({ flags: {
    'http.allowed_origins': 'https://app.example', 'engine.cookie': 'io' } })));
  after(() => server.stop());
  const from = (Origin) => ({ headers: { Origin } });

  it('lets a named one send credentials', async () => {
    const { status, headers } = await handshake(server, from('https://app.example'));
    assert.equal(status, 200);
    assert.equal(headers['access-control-allow-origin'], 'https://app.example');
    assert.equal(headers['access-control-allow-credentials'], 'true');
    assert.match(headers.vary, /Origin/);
    assert.match(headers['set-cookie'][0], /^io=.+; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  it('refuses another one, whatever it asks', async () => {
    const { status, body, headers } = await handshake(server, from('https://evil.example'));
    assert.equal(status, 403);
    assert.equal(JSON.parse(body).code, 4);
    assert.equal(headers['access-control-allow-origin'], undefined);
    const preflight = await ask(server, 'OPTIONS', 'transport=polling', from('https://evil.example'));
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers['access-control-allow-origin'], undefined);
    assert.equal(await new Socket(server, from('https://evil.example')).refused, 400);
  });
});
