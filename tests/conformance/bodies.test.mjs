// RFC 9112 6 and 7: where the body of a request ends. Nothing here wants a body, so it is read and
// dropped; that it was read right shows in the answer to the request behind it.
import assert from 'node:assert/strict';
import { request } from '../support/http.mjs';
import { kEcho, suite } from '../support/suite.mjs';

const post = (headers, body = '') => request('POST', '/first', { headers, body });
const chunked = (body) => post({ 'Transfer-Encoding': 'chunked' }, body);
const behind = request('GET', kEcho);
const kMiB = 1024 * 1024;

// The answer to the first request is 404, that to the one behind it 426.
const kRead = [
  ['Content-Length: 0', post({ 'Content-Length': '0' })],
  ['Content-Length with leading zeros', post({ 'Content-Length': '00005' }, 'hello')],
  ['a body of 1 MiB', post({ 'Content-Length': `${kMiB}` }, Buffer.alloc(kMiB, 'G'))],
  ['one chunk', chunked('5\r\nhello\r\n0\r\n\r\n')],
  ['no chunk', chunked('0\r\n\r\n')],
  ['chunks of many sizes', chunked(`1\r\nx\r\n0a\r\n0123456789\r\nfF\r\n${'y'.repeat(255)}\r\n0\r\n\r\n`)],
  ['a size with leading zeros', chunked('0000000005\r\nhello\r\n000\r\n\r\n')],
  ['a chunk extension, ignored', chunked('5;name=value\r\nhello\r\n0;last\r\n\r\n')],
  ['a quoted chunk extension, ignored', chunked('5;name="a value"\r\nhello\r\n0\r\n\r\n')],
  ['trailers, dropped', chunked('5\r\nhello\r\n0\r\nX-One: 1\r\nX-Two: b c\r\n\r\n')],
  ['Chunked in capitals', post({ 'Transfer-Encoding': 'Chunked' }, '2\r\nhi\r\n0\r\n\r\n')],
  ['chunked data of 1 MiB', chunked(`${kMiB.toString(16)}\r\n${'z'.repeat(kMiB)}\r\n0\r\n\r\n`)],
];

// [name, request, statuses]; the connection ends after each.
const kRefused = [
  ['a coding alone', post({ 'Transfer-Encoding': 'gzip' }), [400]],
  ['identity', post({ 'Transfer-Encoding': 'identity' }), [400]],
  ['a coding after chunked', post({ 'Transfer-Encoding': 'chunked, gzip' }), [400]],
  ['no coding', post({ 'Transfer-Encoding': '' }), [400]],
  ['a name that ends like chunked', post({ 'Transfer-Encoding': 'xchunked' }), [400]],
  ['chunked with a parameter (7.1)', post({ 'Transfer-Encoding': 'chunked;q=1' }), [400]],
  ['chunked behind a coding nobody implements', post({ 'Transfer-Encoding': 'gzip, chunked' }), [501]],
  ['chunked twice', post({ 'Transfer-Encoding': 'chunked, chunked' }), [400, 501]],
  ['chunked in two fields', post({ 'Transfer-Encoding': ['chunked', 'chunked'] }), [400]],
  ['chunked on HTTP/1.0', request('POST', '/first', { version: 'HTTP/1.0',
    headers: { 'Transfer-Encoding': 'chunked' }, body: '0\r\n\r\n' }), [400]],
  ['chunked and a length', post({ 'Transfer-Encoding': 'chunked', 'Content-Length': '5' }), [400]],
  ['a length and chunked', post({ 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }), [400]],
  ['two lengths', post({ 'Content-Length': ['5', '6'] }), [400]],
  ['the same length twice', post({ 'Content-Length': ['5', '5'] }), [400]],
  ['a list of equal lengths', post({ 'Content-Length': '5, 5' }), [400]],
  ['a list of lengths', post({ 'Content-Length': '5, 6' }), [400]],
  ['an empty length', post({ 'Content-Length': '' }), [400]],
  ['a length that is no number', post({ 'Content-Length': 'five' }), [400]],
  ['a length with a sign', post({ 'Content-Length': '+5' }), [400]],
  ['a length with a point', post({ 'Content-Length': '5.0' }), [400]],
  ['a length that fits no integer', post({ 'Content-Length': '9'.repeat(400) }), [413]],
  ['a length of 2^64 + 5', post({ 'Content-Length': '18446744073709551621' }), [413]],
  ['a length over the limit', post({ 'Content-Length': `${kMiB + 1}` }), [413]],
];

// Judged while the body is read, when the answer has been given: the connection just ends.
const kBroken = [
  ['a size that fits no integer', `${'F'.repeat(400)}\r\n`],
  ['a size of 2^64 + 5', '10000000000000005\r\n'],
  ['a size over the limit', `${(kMiB + 1).toString(16)}\r\n`],
  ['chunks whose sum is over the limit', `${kMiB.toString(16)}\r\n${'z'.repeat(kMiB)}\r\n1\r\n`],
  ['data without its CRLF', '5\r\nhelloX\r\n'],
  ['a trailer that frames', '0\r\nContent-Length: 5\r\n\r\n'],
  ['a folded trailer', '0\r\nX: a\r\n b\r\n\r\n'],
  ['endless trailers', `0\r\n${'X: y\r\n'.repeat(5000)}`],
  ['an endless extension', `5;${'x'.repeat(9000)}`],
];

suite('bodies', {}, (it) => {
  for (const [name, bytes] of kRead) {
    it(`reads ${name}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(Buffer.concat([bytes, behind]));
      assert.equal((await connection.response()).status, 404);
      assert.equal((await connection.response()).status, 426);
    });
    it(`reads ${name} in pieces`, async ({ wire }) => {
      const connection = await wire();
      await connection.writeChopped(Buffer.concat([bytes, behind]), bytes.length > 9000 ? 60001 : 1);
      assert.equal((await connection.response()).status, 404);
      assert.equal((await connection.response()).status, 426);
    });
  }
  for (const [name, bytes, statuses] of kRefused) {
    it(`refuses ${name}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(Buffer.concat([bytes, Buffer.from('5\r\nhello\r\n0\r\n\r\n'), behind]));
      const { status, headers } = await connection.response();
      assert.ok(statuses.includes(status), `${status}`);
      assert.equal(headers.get('connection'), 'close');
      await connection.expectEnd();
    });
  }
  for (const [name, body] of kBroken) {
    it(`ends at ${name}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(Buffer.concat([chunked(body), behind]));
      assert.equal((await connection.response()).status, 404);
      await connection.expectEnd();
    });
  }
  for (const [name, bytes] of [['a sized body', post({ 'Content-Length': '10' }, 'half')],
    ['a chunk', chunked('a\r\nhalf')], ['the chunks', chunked('4\r\nhalf\r\n')]]) {
    it(`closes when ${name} stops half way (6.3, 8)`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(bytes);
      assert.equal((await connection.response()).status, 404);
      connection.socket.end();
      await connection.expectEnd();
    });
  }
});

suite('body deadlines', { flags: { 'http.head_timeout': '500ms', 'http.keep_alive_timeout': '500ms' } }, (it) => {
  it('closes when a body does not come (6.3)', async ({ wire }) => {
    const connection = await wire();
    await connection.write(post({ 'Content-Length': '10' }, 'half'));
    assert.equal((await connection.response()).status, 404);
    await connection.expectEnd(4000);
  });
});
