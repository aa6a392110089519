// The application's part: one contract for the page, the server and the hook route, and what the
// route answers. On the port of Next.js, and with all of it behind the binary.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { below, openNative } from '../../support/native.mjs';
import { apps } from '../../support/next.mjs';
import {
  freshName,
  kAppSecret,
  kChannels,
  kOpen,
  mintToken,
  nativeServer,
} from '../../support/stage.mjs';

const kContract = path.join(apps.scenarios, 'components', 'native', 'contract.ts');
const kCommand = path.join(
  path.dirname(createRequire(import.meta.url).resolve('@anywire/server/package.json')),
  'dist',
  'contract-cli.js',
);
const kAsked = { pattern: 'asked:*', history_messages: 100, publish_hook: true, ...kOpen };
/** What the contract's messages are not, and where. */
const kBad = [
  [{ text: 5 }, '/text'],
  [{ text: 'longer than twenty letters' }, '/text'],
  [{}, ''],
  [[], ''],
  ['a text', ''],
];

const texts = ({ messages }) => messages.map(({ data }) => data.text);

export function applicationScenarios(stage) {
  describe('with an application', { concurrency: false }, () => {
    let folder;
    let server;
    before(async () => {
      folder = mkdtempSync(path.join(tmpdir(), 'anywire-contract-'));
      const file = path.join(folder, 'anywire.contract.json');
      writeFileSync(file, execFileSync(process.execPath, [kCommand, kContract]));
      const app = `http://localhost:${stage().apps.scenarios.port}`;
      server = await nativeServer({
        flags: {
          channels: JSON.stringify([kAsked, ...kChannels]),
          'contract.file': file,
          'front.upstream': app,
          'app.url': `${app}/api/hooks`,
          'app.secret': kAppSecret,
          'app.hooks': 'connect,rpc',
          // The machine has more to do.
          'app.timeout': '30s',
        },
      });
    });
    after(async () => {
      await server?.stop();
      if (folder) rmSync(folder, { recursive: true });
    });

    const sites = {
      'on the port of Next.js': () => ({ site: stage(), url: server.url('/anywire') }),
      'behind the binary': () => ({ site: stage().behind(server), url: '/anywire' }),
    };
    for (const [where, reach] of Object.entries(sites)) {
      describe(where, { concurrency: false }, () => {
        /** A page with these hooks, and the sockets to the server that it has opened. */
        const open = async (t, hooks, provider) => {
          const { site, url } = reach();
          const { page, native } = await openNative(t, site);
          const sockets = [];
          page.on('websocket', (socket) => {
            if (socket.url().endsWith('/anywire')) sockets.push(socket.url());
          });
          await native.show(below(url, hooks, provider));
          return { page, native, sockets };
        };
        schemaTests(open);
        hookTests(open);
      });
    }
  });
}

function schemaTests(open) {
  test('scenario 35: what a schema refuses is told with its path, and goes nowhere', async (t) => {
    const hook = { id: 'a', kind: 'channel', channel: `typed:${freshName('note')}` };
    // By its bare name a channel is not checked in the page, so that it is the server that refuses.
    const writer = await open(t, [hook]);
    const reader = await open(t, [{ ...hook, checked: true }]);
    const pages = [writer, reader];
    for (const { native } of pages) await native.untilStatus('a', 'live');
    for (const [data, at] of kBad) {
      const refused = await writer.native.call('a', 'publish', data);
      assert.equal(refused.ok, false, JSON.stringify(data));
      const { code, path: place, retry } = refused.error;
      assert.deepEqual([code, place, retry], ['schema_violation', at, false], JSON.stringify(data));
      await writer.native.until('a', 'the error with its path, and live', ({ result }) => {
        const { error, status } = result;
        return error?.code === 'schema_violation' && error.path === at && status === 'live';
      });
      // A page that goes by the contract has it from there, and from the same schema.
      const own = await reader.native.call('a', 'publish', data);
      assert.deepEqual([own.ok, own.error?.code], [false, 'schema'], JSON.stringify(data));
    }
    assert.equal((await writer.native.call('a', 'publish', { text: 'good' })).value.offset, 1);
    assert.equal((await reader.native.call('a', 'publish', { text: 'as well' })).value.offset, 2);
    for (const { native, page, sockets } of pages) {
      const seen = await native.untilSeen('a', 2);
      assert.deepEqual(texts(seen), ['good', 'as well']);
      const { log } = await native.read('state');
      assert.equal(log.filter(({ status }) => status === 'open').length, 1);
      assert.equal(sockets.length, 1, 'the socket lives');
      assert.deepEqual(page.complaints, []);
    }
  });
}

function hookTests(open) {
  test('a method is answered by the hook route, under the schemas of both ends', async (t) => {
    const method = { kind: 'rpc', method: 'math.add' };
    const hooks = [
      { id: 'r', checked: true, ...method },
      { id: 'unchecked', ...method },
    ];
    const capability = { 'math.add': ['rpc'] };
    const { native, page } = await open(t, hooks, { token: mintToken('ann', { capability }) });
    assert.deepEqual(await native.call('r', 'call', [1, 2]), { ok: true, value: 3 });
    await native.until('r', 'the answer', ({ result }) => result.data === 3 && !result.isPending);
    const sent = await native.call('unchecked', 'call', [1, '2']);
    assert.deepEqual([sent.error?.code, sent.error?.path], ['schema_violation', '/1']);
    const kept = await native.call('r', 'call', [1, '2']);
    assert.equal(kept.error?.code, 'schema');
    assert.deepEqual(page.complaints, []);

    const other = await open(t, hooks, { token: mintToken('bob', { capability }) });
    const refused = await other.native.call('r', 'call', [1, 2]);
    assert.deepEqual([refused.error?.code, refused.error?.message], ['refused', 'no sums for bob']);
    const guest = await open(t, hooks);
    assert.equal((await guest.native.call('r', 'call', [1, 2])).error?.code, 'forbidden');
  });

  test('what the hook route makes of a message is what everybody reads', async (t) => {
    const hook = { id: 'a', kind: 'channel', channel: `asked:${freshName('note')}`, checked: true };
    const [writer, reader] = [await open(t, [hook]), await open(t, [hook])];
    for (const { native } of [writer, reader]) await native.untilStatus('a', 'live');
    assert.equal((await writer.native.call('a', 'publish', { text: 'hello' })).value.offset, 1);
    const refused = await writer.native.call('a', 'publish', { text: 'rude' });
    const { code, message, reason } = refused.error;
    assert.deepEqual([code, message, reason], ['refused', 'Please be kind.', 'rude']);
    await writer.native.until('a', 'the refusal', ({ result }) => result.error?.code === 'refused');
    assert.equal((await writer.native.call('a', 'publish', { text: 'bye' })).value.offset, 2);
    for (const { native } of [writer, reader]) {
      assert.deepEqual(texts(await native.untilSeen('a', 2)), ['HELLO', 'BYE']);
    }
  });

  test('whom the hook route does not let in is told why, and does not knock again', async (t) => {
    const room = { id: 'a', kind: 'channel', channel: freshName('door') };
    const out = await open(t, [room], { token: mintToken('mallory') });
    const { result } = await out.native.untilState('state', 'failed');
    const { code, message } = result.error;
    assert.deepEqual([code, message], ['refused', 'mallory may not come in']);
    assert.equal((await out.native.untilStatus('a', 'failed')).result.error.code, 'refused');
    const inside = await open(t, [room], { token: mintToken('ann') });
    await inside.native.untilStatus('a', 'live');
    assert.equal(out.sockets.length, 1, 'nothing was tried again meanwhile');
  });
}
