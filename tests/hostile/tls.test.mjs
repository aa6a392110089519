// What TLS could be asked for and does not give: early data, which whoever has seen it can send
// again (RFC 8446 section 8), and certificates of clients, which cost work before anybody is known.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { request } from '../support/http.mjs';
import { Wire } from '../support/peer.mjs';
import { within } from '../support/poll.mjs';
import { suite } from '../support/suite.mjs';

const kVersions = ['TLSv1.2', 'TLSv1.3'];
/** A session as `openssl sess_id` describes it. */
const described = (session) =>
  execFileSync('openssl', ['sess_id', '-inform', 'DER', '-noout', '-text'],
    { input: session, encoding: 'utf8' });

suite('early data', { only: ({ secure }) => secure }, (it) => {
  it('gives no session that early data could be sent with', async ({ server }) => {
    const options = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' };
    const first = await Wire.connect({ ...server.target, ...options });
    const ticket = once(first.socket, 'session');
    // In TLS 1.3 tickets come behind the handshake, and are read when something is.
    await first.write(request('GET', '/none'));
    await first.response();
    const [session] = await within('a ticket', ticket);
    assert.match(described(session), /Protocol\s*: TLSv1\.3/);
    assert.match(described(session), /Max Early Data: 0\n/);
    first.destroy();
  });
});

suite('certificates of clients', { only: ({ secure }) => secure }, (it) => {
  for (const version of kVersions) {
    it(`asks no client for a certificate: ${version}`, async ({ server }) => {
      const asked = execFileSync('openssl', ['s_client', '-connect', `${server.host}:${server.port}`,
        version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3'],
        { input: 'Q\n', encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
      assert.match(asked, /No client certificate CA names sent/);
      assert.doesNotMatch(asked, /Client Certificate Types/);
    });
  }
});
