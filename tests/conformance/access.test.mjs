// Who may come in: allowed origins, and the PROXY protocol where it is switched on.
import assert from 'node:assert/strict';
import tls from 'node:tls';
import { text } from '../support/frames.mjs';
import { request, upgradeRequest } from '../support/http.mjs';
import { checkSwitching, Peer, Wire } from '../support/peer.mjs';
import { until } from '../support/poll.mjs';
import { kEcho, suite } from '../support/suite.mjs';

const from = (path, origin) => upgradeRequest(path, { headers: { Origin: origin } });

suite('allowed origins', {
  flags: { 'http.allowed_origins': 'https://app.example,https://two.example:8443' },
}, (it) => {
  for (const origin of ['https://app.example', 'https://two.example:8443']) {
    it(`lets ${origin} in`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(from('/raw/room', origin));
      checkSwitching(await connection.response());
    });
  }
  for (const origin of ['https://evil.example', 'http://app.example', 'https://app.example:444',
    'https://app.example.evil.example', 'https://evil.example/https://app.example', 'null', '',
    'https://two.example', 'https://app.exampl', 'https://xapp.example', 'https://app.example,',
    'https://app.example https://evil.example']) {
    it(`keeps ${JSON.stringify(origin)} out`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(from('/raw/room', origin));
      assert.equal((await connection.response()).status, 403);
    });
  }
  it('keeps two origins out', async ({ wire }) => {
    const connection = await wire();
    await connection.write(from('/raw/room', ['https://app.example', 'https://evil.example']));
    assert.ok([400, 403].includes((await connection.response()).status));
  });
  it('lets in who is no browser and names no origin', async ({ wire }) => {
    const connection = await wire();
    await connection.write(upgradeRequest('/raw/room'));
    checkSwitching(await connection.response());
  });
});

suite('any origin', {}, (it) => {
  it('lets everybody in by default', async ({ wire }) => {
    for (const origin of ['https://anywhere.example', 'null']) {
      const connection = await wire();
      await connection.write(from('/raw/room', origin));
      checkSwitching(await connection.response());
    }
  });
});

const kSignature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
function v2(command, family, addresses, claim = addresses.length) {
  const head = Buffer.from([0x20 | command, family, claim >> 8, claim & 255]);
  return Buffer.concat([kSignature, head, addresses]);
}
const kAddress4 = Buffer.from([192, 0, 2, 1, 192, 0, 2, 2, 0x12, 0x34, 0, 80]);
const kAddress6 = Buffer.concat([Buffer.alloc(32, 0x20), Buffer.from([0x12, 0x34, 0, 80])]);
const kGoodV1 = ['PROXY TCP4 192.0.2.1 192.0.2.2 4660 80\r\n', 'PROXY UNKNOWN\r\n',
  'PROXY TCP6 2001:db8::1 2001:db8::2 4660 80\r\n',
  'PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n'].map((line) => Buffer.from(line));
const kGoodV2 = [v2(1, 0x11, kAddress4), v2(1, 0x21, kAddress6), v2(0, 0x00, Buffer.alloc(0)),
  v2(1, 0x11, Buffer.concat([kAddress4, Buffer.from([0x04, 0, 3, 1, 2, 3])])), v2(0, 0x11, kAddress4)];
const kBadHeaders = ['PROXY TCP4 192.0.2.1 192.0.2.2 4660\r\n', 'PROXY TCP4 999.0.2.1 192.0.2.2 1 2\r\n',
  'PROXY TCP4 192.0.2.1 192.0.2.2 99999 80\r\n', 'PROXY TCP9 a b 1 2\r\n', 'PROXY TCP4 ::1 ::1 1 2\r\n',
  'PROXYTCP4 1.2.3.4 1.2.3.4 1 2\r\n', `PROXY TCP4 ${'1'.repeat(200)}\r\n`, 'PROXY\r\n',
].map((line) => Buffer.from(line));
kBadHeaders.push(v2(1, 0x11, kAddress4.subarray(0, 5)), v2(5, 0x11, kAddress4),
  Buffer.concat([kSignature, Buffer.from([0x11, 0x11, 0, 12]), kAddress4]));

const plain = ({ secure }) => !secure;

suite('PROXY protocol on', { flags: { 'http.proxy_protocol': 'any' }, only: plain }, (it) => {
  for (const header of [...kGoodV1, ...kGoodV2]) {
    const name = header[0] === 0x50 ? header.toString().trim() : header.toString('hex').slice(24, 60);
    for (const chop of [0, 1]) {
      it(`takes ${name}${chop ? ' byte by byte' : ''}`, async ({ wire }) => {
        const connection = await wire();
        const all = Buffer.concat([header, upgradeRequest(kEcho), text('hi')]);
        if (chop) await connection.writeChopped(all, 1);
        else await connection.write(all);
        const response = await connection.response();
        checkSwitching(response);
        const peer = new Peer(connection, response);
        await peer.expectMessage('text', 'hi');
        await peer.finish();
      });
    }
  }
  const refused = async (connection) => {
    const response = await connection.response();
    if (response) assert.equal(response.status, 400);
  };
  for (const header of kBadHeaders) {
    it(`refuses ${JSON.stringify(header.toString('latin1').slice(0, 40))}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(Buffer.concat([header, upgradeRequest(kEcho)]));
      await refused(connection);
    });
  }
  it('refuses a connection without the header', async ({ wire }) => {
    const connection = await wire();
    await connection.write(upgradeRequest(kEcho));
    await refused(connection);
  });
  it('refuses a second header', async ({ wire }) => {
    const connection = await wire();
    await connection.write(Buffer.concat([kGoodV1[0], kGoodV1[0], upgradeRequest(kEcho)]));
    await refused(connection);
  });
});

suite('PROXY protocol under TLS', {
  flags: { 'http.proxy_protocol': 'any' }, only: ({ secure }) => secure,
}, (it) => {
  it('comes before the TLS handshake', async ({ server }) => {
    const outer = await Wire.connect({ ...server.target, secure: false });
    await outer.write(kGoodV1[0]);
    const socket = tls.connect({ socket: outer.socket, rejectUnauthorized: false });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    const wire = new Wire(socket);
    await wire.write(request('GET', '/none'));
    assert.equal((await wire.response()).status, 404);
    wire.destroy();
  });
});

for (const [version, good, other] of [['v1', kGoodV1[0], kGoodV2[0]], ['v2', kGoodV2[0], kGoodV1[0]]]) {
  suite(`PROXY protocol ${version} only`, { flags: { 'http.proxy_protocol': version }, only: plain }, (it) => {
    it('takes its own version', async ({ wire }) => {
      const connection = await wire();
      await connection.write(Buffer.concat([good, upgradeRequest(kEcho)]));
      checkSwitching(await connection.response());
    });
    it('refuses the other', async ({ wire }) => {
      const connection = await wire();
      await connection.write(Buffer.concat([other, upgradeRequest(kEcho)]));
      const response = await connection.response();
      if (response) assert.equal(response.status, 400);
    });
  });
}

suite('PROXY protocol off', { only: plain }, (it) => {
  for (const header of [kGoodV1[0], kGoodV2[0]]) {
    it(`refuses ${JSON.stringify(header.toString('latin1').slice(0, 12))}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(Buffer.concat([header, upgradeRequest(kEcho)]));
      const response = await connection.response();
      if (response) assert.equal(response.status, 400);
    });
  }
});

// What the server takes for the client's address shows in its log.
async function loggedClient(server, wire, path, headers) {
  const connection = await wire();
  await connection.write(upgradeRequest(path, { headers }));
  assert.equal((await connection.response()).status, 404);
  const event = await until('the log line', () =>
    server.log.find((line) => line.msg === 'request refused' && line.path === path));
  return [event.client, event.secure];
}
const kForwarded = { 'X-Forwarded-For': '203.0.113.9, 198.51.100.7', 'X-Forwarded-Proto': 'https' };

suite('X-Forwarded-* from a trusted proxy', {
  flags: { 'http.trusted_proxies': '127.0.0.0/8' }, concurrency: 1,
}, (it) => {
  it('names the client it saw, and how that connected', async ({ server, wire }) => {
    assert.deepEqual(await loggedClient(server, wire, '/none/trusted', kForwarded),
      ['198.51.100.7', true]);
  });
  it('is passed over when it is garbage', async ({ server, wire }) => {
    const [client] = await loggedClient(server, wire, '/none/garbage',
      { 'X-Forwarded-For': 'not-an-address' });
    assert.equal(client, '127.0.0.1');
  });
});

suite('X-Forwarded-* from anybody else', { concurrency: 1 }, (it) => {
  it('is ignored', async ({ server, wire, mode }) => {
    assert.deepEqual(await loggedClient(server, wire, '/none/untrusted', kForwarded),
      ['127.0.0.1', mode.secure]);
  });
});
