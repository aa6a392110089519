// Without a browser: a crowd of clients, and rendering on the server.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createClient, createSocket } from '@anywire/client';
import { WebSocket } from 'ws';
import { within } from '../../support/poll.mjs';
import { until } from '../support/poll.mjs';
import { FaultProxy } from '../support/proxy.mjs';
import { lobbyServer, nativeServer } from '../support/stage.mjs';

const kCrowd = 200;
const kWindowMs = 25;
const kHooks = [
  'useWebSocket',
  'useAnywire',
  'useConnectionState',
  'useChannel',
  'useChannelEvent',
  'useLatest',
  'usePresence',
  'useHistory',
  'useOptimisticPublish',
  'useRpc',
];

export function nodeScenarios() {
  const sockets = (url) => createSocket({ url, WebSocket });
  const clients = (url) => {
    const client = createClient({ url, WebSocket });
    client.channel('crowd').subscribe(() => undefined);
    return client;
  };
  for (const [what, path, make, serve] of [
    ['sockets', '/raw/crowd', sockets, lobbyServer],
    ['clients', '/anywire', clients, nativeServer],
  ]) {
    test(`scenario 5: 200 ${what} come back spread out, not as one`, async (t) => {
      let server = await serve();
      t.after(() => server.stop());
      const proxy = await FaultProxy.start({ host: '127.0.0.1', port: server.port });
      t.after(() => proxy.stop());
      const crowd = Array.from({ length: kCrowd }, () => make(proxy.url(path)));
      t.after(() => Promise.all(crowd.map((one) => one.close())));
      const planned = firstPlans(crowd);
      const open = () => crowd.filter((one) => one.state === 'open').length;
      await until('all are open', () => open() === kCrowd, { deadlineMs: 20_000 });

      proxy.attempts.length = 0;
      proxy.refuse();
      server.signal('SIGKILL');
      await server.finished;
      await until('three tries each', () => proxy.attempts.length >= 3 * kCrowd, {
        deadlineMs: 30_000,
      });
      const first = proxy.attempts.slice(0, kCrowd);
      const spreadMs = first.at(-1) - first[0];
      // When they meant to come, apart from when a busy machine let them.
      const plans = [...planned.values()].sort((a, b) => a - b);
      const densest = mostWithin(plans, kWindowMs);
      t.diagnostic(
        `first tries planned over ${Math.round(plans.at(-1) - plans[0])} ms, ` +
          `made over ${Math.round(spreadMs)} ms; ` +
          `at most ${densest} of ${plans.length} planned within ${kWindowMs} ms`,
      );
      assert.equal(plans.length, kCrowd);
      assert.ok(spreadMs > 100, `all came within ${spreadMs} ms`);
      assert.ok(densest < kCrowd / 4, `${densest} planned within ${kWindowMs} ms`);

      server = await serve();
      proxy.target = { host: '127.0.0.1', port: server.port };
      proxy.refuse(false);
      await until('all are back', () => open() === kCrowd, { deadlineMs: 40_000 });
      assert.equal(proxy.open, kCrowd, 'one link each');
    });
  }

  test('scenario 40: every hook renders on the server and leaves nothing', async () => {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('../support/ssr.mjs', import.meta.url))],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk));
    const [code] = await within('the process ends by itself', once(child, 'close'), 20_000);
    assert.equal(code, 0);
    const { rendered, preloaded, touched, fetches, timers } = JSON.parse(output);
    const names = Object.keys(rendered);
    for (const hook of kHooks) assert.ok(names.includes(`plain ${hook}`), hook);
    for (const [name, all] of Object.entries(rendered)) {
      assert.ok(all.length > 0, `${name} has no arguments in support/ssr.mjs`);
      for (const { status, state, messages, count, isPending } of all) {
        assert.ok(status === undefined || status === 'off', `${name}: ${status}`);
        assert.ok(state === undefined || state === 'idle', `${name}: ${state}`);
        assert.deepEqual([messages ?? 0, count ?? 0, isPending ?? false], [0, 0, false], name);
      }
    }
    for (const [name, { messages }] of Object.entries(preloaded)) assert.equal(messages, 1, name);
    assert.deepEqual([touched, fetches, timers], [[], 0, []]);
  });
}

/** When each of the crowd means to try for the first time. */
function firstPlans(crowd) {
  const planned = new Map();
  for (const one of crowd) {
    one.on('state', ({ retryAt }) => {
      if (retryAt !== undefined && !planned.has(one)) planned.set(one, retryAt);
    });
  }
  return planned;
}

function mostWithin(times, width) {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while (times[to] - times[from] > width) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}
