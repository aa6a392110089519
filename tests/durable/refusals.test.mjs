// Starts and configurations that cannot work say why in one line.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, mkdirSync, openSync, truncateSync, writeFileSync,
  writeSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../support/certificate.mjs';
import { within } from '../support/poll.mjs';
import { binary, launch } from '../support/server.mjs';
import { Client } from '../native/client.mjs';
import { newFile, rules, startDurable } from './support.mjs';

async function ends(args, options) {
  const server = launch(args, options);
  try {
    const { code } = await within('it gives up', server.finished, 10000);
    return { code, lines: server.output.trim().split('\n') };
  } finally {
    server.child.kill('SIGKILL');
  }
}

/** The one line a start with this file ends with. */
async function refusal(file, options) {
  const { code, lines } = await ends(['serve', '--listen', '127.0.0.1:0', '--history.path', file,
    '--channels', rules()], options);
  assert.equal(code, 1, lines.join('\n'));
  assert.equal(lines.length, 1, lines.join('\n'));
  return JSON.parse(lines[0]).msg;
}

/** A file that a server has left, with some messages. */
async function usedFile() {
  const file = newFile();
  const server = await startDurable(file);
  const client = await Client.connect(server);
  for (let i = 0; i < 60; i++) {
    await client.ask('publish', { channel: `disk:${i % 3}`, text: 'x'.repeat(3000) });
  }
  await server.stop();
  return file;
}

function overwrite(file, at, bytes) {
  const fd = openSync(file, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

describe('durable without a file', () => {
  const text = '[[channels]]\npattern = "a"\nhistory_messages = 10\ndurable = true\n';
  const problem = 'channel rule 1 ("a") is durable, but "history.path" names no file for it: ' +
    'set one, such as path = "/var/lib/anywire/history.db" in [history]';

  it('is refused by `anywire check` and at the start, with its place', async () => {
    const file = path.join(temporaryFolder(), 'anywire.toml');
    writeFileSync(file, text);
    for (const args of [['check', file], ['serve', '--config', file], ['dev', '--config', file]]) {
      assert.deepEqual(await ends(args), { code: 2, lines: [`${file}:4:1: ${problem}`] });
    }
    writeFileSync(file, `${text}[history]\npath = "history.db"\n`);
    assert.deepEqual(await ends(['check', file]), { code: 0, lines: [`${file}: ok`] });
  });

  it('is refused in a variable and in a flag, by their names', async () => {
    const value = JSON.stringify([{ pattern: 'a', history_messages: 10, durable: true }]);
    assert.deepEqual(await ends(['serve'], { env: { ANYWIRE_CHANNELS: value } }),
      { code: 2, lines: [`ANYWIRE_CHANNELS: ${problem}`] });
    assert.deepEqual(await ends(['serve', '--channels', value]),
      { code: 2, lines: [`--channels: ${problem}`] });
  });
});

describe('a history file that cannot be used', () => {
  it('is one in a folder that is not there', async () => {
    assert.equal(await refusal('/missing/history.db'), '"history.path" ("/missing/history.db"): ' +
      'the file, or its log, cannot be opened or made: No such file or directory');
  });
  it('is a folder', async () => {
    assert.match(await refusal(temporaryFolder()), /cannot be opened or made: Is a directory$/);
  });
  it('is one that may not be written', async (t) => {
    // Root may write everywhere.
    const [command, ...args] = ['setpriv', '--reuid', '65534', '--clear-groups'];
    if (spawnSync(command, [...args, binary, 'version']).status !== 0) {
      return t.skip('may not be another user');
    }
    const file = await usedFile();
    const msg = await refusal(file, { prefix: [command, ...args] });
    assert.match(msg, /may not be written|Permission denied/);
  });
  it('is one that another server uses', async () => {
    const file = newFile();
    const server = await startDurable(file);
    const client = await Client.connect(server);
    assert.match(await refusal(file),
      /^"history\.path" \(".*"\): another process uses the file, perhaps a second server$/);
    assert.equal((await client.ask('publish', { channel: 'disk:a', data: 1 })).type, 'published');
    await server.stop();
  });
  it('is no database', async () => {
    const file = newFile();
    writeFileSync(file, 'this is not a database '.repeat(1000));
    assert.match(await refusal(file), /the file is not an SQLite database$/);
  });
  it('is another application\'s', async () => {
    const file = await usedFile();
    overwrite(file, 68, Buffer.from([1, 2, 3, 4]));  // application_id
    assert.match(await refusal(file), /another application's database$/);
  });
  it('is a newer server\'s', async () => {
    const file = await usedFile();
    overwrite(file, 60, Buffer.from([0, 0, 0, 2]));  // user_version
    assert.match(await refusal(file), /schema version 2, this server knows 1; .* newer/);
  });
  it('is damaged', async () => {
    const file = await usedFile();
    const copy = `${file}.copy`;
    copyFileSync(file, copy);
    truncateSync(file, 40960);
    assert.match(await refusal(file), /the file is damaged \(.*\): put a copy of it in its place/);
    copyFileSync(copy, file);
    overwrite(file, 3 * 4096, Buffer.alloc(300, 0x5a));
    assert.match(await refusal(file), /the file is damaged/);
    copyFileSync(copy, file);
    const server = await startDurable(file);
    await server.stop();
  });
  it('is one that the disk has no room for', async () => {
    const file = newFile();
    mkdirSync(path.dirname(file), { recursive: true });
    const msg = await refusal(file, { prefix: ['prlimit', '--fsize=4096'] });
    assert.match(msg, /: disk I\/O error: File too large$/);
  });
});
