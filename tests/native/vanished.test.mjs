// A client whose network is gone: no end, no reset, no answer, as when a train enters a tunnel. Needs a
// network of its own to take away, which the kernel gives to root; elsewhere it is skipped.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { descriptors } from '../support/memory.mjs';
import { until } from '../support/poll.mjs';
import { launch } from '../support/server.mjs';

const kOwnNetwork = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
const [command, ...rest] = kOwnNetwork;
const possible = spawnSync(command, [...rest, 'true']).status === 0;

const kSource = `
  const response = await fetch(process.argv[1]);
  for await (const chunk of response.body) console.log(new TextDecoder().decode(chunk));
`;

describe('an event source that vanishes', { skip: !possible && 'needs root' }, () => {
  it('is noticed though nothing says so', { timeout: 60_000 }, async (t) => {
    const server = launch(['serve', '--listen', '127.0.0.1:0', '--loops', '1', '--auth.anonymous',
      'true', '--fallback.heartbeat', '200ms', '--fallback.stream_timeout', '1s'],
    { prefix: kOwnNetwork });
    t.after(() => server.stop({ signal: 'SIGKILL' }));
    await until('the server listens', () => server.addresses.length > 0);
    const within = (...args) => ['--net=' + `/proc/${server.pid}/ns/net`, ...args];
    const before = descriptors(server.pid);
    const source = spawn('nsenter', within(process.execPath, '--input-type=module', '-e', kSource,
      server.url('/anywire/sse', 'http')), { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => source.kill('SIGKILL'));
    let output = '';
    source.stdout.on('data', (chunk) => (output += chunk));
    await until('comments', () => output.includes('event: open') && output.includes(':\n'));
    const open = descriptors(server.pid);
    assert.ok(open > before);
    const [code] = await once(spawn('nsenter', within('ip', 'link', 'set', 'lo', 'down')), 'close');
    assert.equal(code, 0);
    const begun = performance.now();
    await until('the server lets go', () => descriptors(server.pid) < open, { deadlineMs: 20_000 });
    t.diagnostic(`noticed after ${Math.round(performance.now() - begun)} ms`);
    assert.equal(source.exitCode, null, 'it was not told');
  });
});
