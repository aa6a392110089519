// An exported site: pages, folders, conditions, ranges, compressed files, and what is not served.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startServer } from '../support/server.mjs';
import { ask, startApp, startFront, Wire } from './stage.mjs';

const root = mkdtempSync(path.join(tmpdir(), 'anywire-files-'));
const out = path.join(root, 'out');
const put = (name, content) => {
  mkdirSync(path.dirname(path.join(out, name)), { recursive: true });
  writeFileSync(path.join(out, name), content);
};
const big = Buffer.alloc(5_000_000);
for (let i = 0; i < big.length; ++i) big[i] = (i * 7 + (i >> 8)) & 0xff;

put('index.html', '<h1>home</h1>');
put('about.html', '<h1>about</h1>');
put('blog/index.html', '<h1>blog</h1>');
put('blog/first.html', '<h1>first</h1>');
put('404.html', '<h1>nothing here</h1>');
put('app.js', 'console.log("plain")');
put('app.js.br', 'BROTLI');
put('app.js.gz', 'GZIP');
put('_next/static/chunks/x.js', 'chunk');
put('.env', 'SECRET=1');
put('.git/config', 'SECRET=2');
put('.well-known/acme', 'token');
put('with space.txt', 'space');
put('ü.txt', 'umlaut');
put('empty.txt', '');
put('big.bin', big);
put('letters.txt', 'abcdefghijklmnopqrstuvwxyz');
writeFileSync(path.join(root, 'secret.txt'), 'outside');
symlinkSync('../secret.txt', path.join(out, 'link.txt'));
symlinkSync('app.js', path.join(out, 'alias.js'));

describe('an exported site', { concurrency: 2 }, () => {
  let server;
  before(async () => {
    server = await startServer({ flags: { 'front.files': out }, conformance: false });
  });
  after(async () => {
    await server.stop();
    rmSync(root, { recursive: true });
  });

  test('has its pages where their links point', async () => {
    for (const [url, text] of [
      ['/', 'home'], ['/index.html', 'home'], ['/about', 'about'], ['/about.html', 'about'],
      ['/blog/', 'blog'], ['/blog/first', 'first'], ['/about?x=1', 'about'],
    ]) {
      const answer = await ask(server, url);
      assert.equal(answer.status, 200, url);
      assert.equal(answer.text, `<h1>${text}</h1>`, url);
      assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8', url);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff', url);
    }
    assert.equal((await ask(server, '/with%20space.txt')).text, 'space');
    assert.equal((await ask(server, '/%C3%BC.txt')).text, 'umlaut');
    assert.equal((await ask(server, '/empty.txt')).headers['content-length'], '0');
  });

  test('sends to the one form of a path that exists', async () => {
    for (const [url, to] of [['/blog', '/blog/'], ['/about/', '/about'], ['/blog?x=%2F', '/blog/?x=%2F']]) {
      const answer = await ask(server, url);
      assert.equal(answer.status, 308, url);
      assert.equal(answer.headers.location, to, url);
    }
  });

  test('never sends to another host', async () => {
    for (const url of ['//blog', '/.//blog', '/x/..//blog', '//about/']) {
      const answer = await ask(server, url);
      assert.equal(answer.status, 404, url);
      assert.equal(answer.headers.location, undefined, url);
    }
  });

  test('shows its own page for what is not there', async () => {
    const answer = await ask(server, '/none');
    assert.equal(answer.status, 404);
    assert.equal(answer.text, '<h1>nothing here</h1>');
    assert.equal((await ask(server, '/none', { method: 'HEAD' })).headers['content-length'], '21');
  });

  test('shows nothing hidden and nothing outside', async () => {
    for (const url of ['/.env', '/.git/config', '/blog/../.env', '/%2eenv', '/link.txt', '/../secret.txt',
      '/%2e%2e/secret.txt', '/blog/..%2f..%2fsecret.txt', '/..%5csecret.txt', '/blog//first', '/big.bin/']) {
      const answer = await ask(server, url);
      assert.ok([400, 404].includes(answer.status), `${url}: ${answer.status}`);
      assert.doesNotMatch(answer.text, /SECRET|outside/, url);
    }
    assert.equal((await ask(server, '/.well-known/acme')).text, 'token');
    assert.equal((await ask(server, '/alias.js')).status, 200);
  });

  test('tells caches how long', async () => {
    assert.equal((await ask(server, '/_next/static/chunks/x.js')).headers['cache-control'],
      'public, max-age=31536000, immutable');
    assert.equal((await ask(server, '/about')).headers['cache-control'],
      'public, max-age=0, must-revalidate');
  });

  test('is not sent to who has it', async () => {
    const { headers } = await ask(server, '/about');
    for (const given of [{ 'If-None-Match': headers.etag }, { 'If-Modified-Since': headers['last-modified'] }]) {
      const answer = await ask(server, '/about', { headers: given });
      assert.equal(answer.status, 304);
      assert.equal(answer.text, '');
      assert.equal(answer.headers.etag, headers.etag);
      assert.equal(answer.headers['content-length'], undefined);
    }
    assert.equal((await ask(server, '/about', { headers: { 'If-None-Match': '"old"' } })).status, 200);
    assert.equal((await ask(server, '/about', { headers: { 'If-Match': '"old"' } })).status, 412);
  });

  test('is sent compressed to who takes it', async () => {
    const get = (encoding) => ask(server, '/app.js', { headers: { 'Accept-Encoding': encoding } });
    const br = await get('gzip, br');
    assert.equal(br.text, 'BROTLI');
    assert.equal(br.headers['content-encoding'], 'br');
    assert.equal(br.headers['content-type'], 'text/javascript; charset=utf-8');
    assert.equal(br.headers.vary, 'Accept-Encoding');
    assert.equal((await get('gzip')).text, 'GZIP');
    const plain = await get('br;q=0');
    assert.equal(plain.text, 'console.log("plain")');
    assert.equal(plain.headers.vary, 'Accept-Encoding');
    assert.notEqual(plain.headers.etag, br.headers.etag);
  });

  test('is sent in parts', async () => {
    const get = (range, more) => ask(server, '/letters.txt', { headers: { Range: range, ...more } });
    const one = await get('bytes=2-4');
    assert.equal(one.status, 206);
    assert.equal(one.text, 'cde');
    assert.equal(one.headers['content-range'], 'bytes 2-4/26');
    assert.equal((await get('bytes=-3')).text, 'xyz');
    assert.equal((await get('bytes=24-')).text, 'yz');
    const two = await get('bytes=0-1,24-25');
    assert.equal(two.status, 206);
    const boundary = /^multipart\/byteranges; boundary=([0-9a-f]{32})$/.exec(two.headers['content-type'])[1];
    assert.equal(two.text,
      `\r\n--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/26\r\n\r\nab` +
      `\r\n--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 24-25/26\r\n\r\nyz` +
      `\r\n--${boundary}--\r\n`);
    assert.equal(Number(two.headers['content-length']), two.body.length);
    const none = await get('bytes=26-');
    assert.equal(none.status, 416);
    assert.equal(none.headers['content-range'], 'bytes */26');
    for (const range of ['bytes=x', 'lines=1-2', 'bytes=0-25,0-25']) assert.equal((await get(range)).status, 200);
    const { headers } = one;
    assert.equal((await get('bytes=0-0', { 'If-Range': headers['last-modified'] })).status, 206);
    assert.equal((await get('bytes=0-0', { 'If-Range': headers.etag })).status, 200);
  });

  test('has large files, whole and in parts', async () => {
    const whole = await ask(server, '/big.bin');
    assert.ok(whole.body.equals(big));
    const part = await ask(server, '/big.bin', { headers: { Range: 'bytes=100000-3999999' } });
    assert.ok(part.body.equals(big.subarray(100_000, 4_000_000)));
  });

  test('says the same to HEAD, without the body', async () => {
    const get = await ask(server, '/about');
    const head = await ask(server, '/about', { method: 'HEAD' });
    delete get.headers.date;
    delete head.headers.date;
    assert.deepEqual(head.headers, get.headers);
    assert.equal(head.text, '');
  });

  test('is for reading only', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await ask(server, '/about', { method });
      assert.equal(answer.status, 405, method);
      assert.equal(answer.headers.allow, 'GET, HEAD, OPTIONS');
    }
    assert.equal((await ask(server, '/about', { method: 'OPTIONS' })).status, 204);
    assert.equal((await ask(server, '/none', { method: 'POST' })).status, 404);
  });

  test('costs a slow reader no memory here', async () => {
    put('huge.bin', Buffer.alloc(64 * 1024 * 1024));
    const before_ = await server.memory();
    const wires = [];
    for (let i = 0; i < 8; ++i) {
      const wire = await Wire.open(server);
      wire.send('GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n');
      await wire.untilText('200 OK');
      wire.socket.pause();
      wires.push(wire);
    }
    const grown = (await server.memory()) - before_;
    for (const wire of wires) wire.close();
    // A sanitizer keeps what is freed for a while.
    const most = (process.env.ANYWIRE_SANITIZED ? 200 : 16) * 1024 * 1024;
    assert.ok(grown < most, `${grown} bytes for eight readers`);
  });

  test('that shrinks while it is sent is no whole file', async () => {
    put('shrinking.bin', Buffer.alloc(64 * 1024 * 1024));
    const wire = await Wire.open(server);
    wire.send('GET /shrinking.bin HTTP/1.1\r\nHost: a\r\n\r\n');
    await wire.untilText('200 OK');
    wire.socket.pause();
    truncateSync(path.join(out, 'shrinking.bin'), 1000);
    wire.socket.resume();
    await wire.untilEnd();
    assert.ok(wire.received.length < 64 * 1024 * 1024);
    wire.close();
  });

  test('may be built anew in its place', async () => {
    mkdirSync(path.join(root, 'next'));
    writeFileSync(path.join(root, 'next', 'fresh.html'), 'fresh');
    renameSync(out, path.join(root, 'old'));
    renameSync(path.join(root, 'next'), out);
    assert.equal((await ask(server, '/fresh')).text, 'fresh');
    assert.equal((await ask(server, '/about')).status, 404);
    renameSync(out, path.join(root, 'next'));
    renameSync(path.join(root, 'old'), out);
  });
});

test('files come first, and the application gets the rest', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'anywire-both-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(path.join(folder, 'logo.svg'), '<svg/>');
  const app = await startApp((request, response) => response.end(`app ${request.method} ${request.url}`));
  const server = await startFront(t, app, { 'front.files': folder });
  assert.equal((await ask(server, '/logo.svg')).text, '<svg/>');
  assert.equal((await ask(server, '/page')).text, 'app GET /page');
  assert.equal((await ask(server, '/logo.svg', { method: 'POST' })).text, 'app POST /logo.svg');
});

test('a folder that is not there is an error at the start', async () => {
  const { launch } = await import('../support/server.mjs');
  const server = launch(['serve', '--listen', '127.0.0.1:0', '--front.files', '/nowhere/out']);
  const { code } = await server.finished;
  assert.notEqual(code, 0);
  assert.match(server.output, /cannot open the folder \/nowhere\/out/);
});
