// The same flood for our hooks, for react-use-websocket and for the seed's hook, on `next start`:
//
//   node flood-compare.mjs          prints a table for docs/benchmarks.md
//
// Not a test: the others are not ours to pass or fail. Each is run COMPARE_RUNS times (default 3)
// and shown with its least and its most; what a page does not see for `kQuietMs` it never will.
import { heapOf, newProfile, newTab, Probe } from './support/browser.mjs';
import { Member } from './support/member.mjs';
import { below, Native } from './support/native.mjs';
import { Peer } from './support/peer.mjs';
import { until } from './support/poll.mjs';
import { freshName, Stage } from './support/stage.mjs';

const kCount = 20_000;
const kSize = 100;
const kLimit = 100;
const kQuietMs = 3000;
const kRuns = Number(process.env.COMPARE_RUNS ?? 3);

/** Each mounts its hook, and tells how to read it, flood it and clear it. */
const contenders = {
  useChannel: async (t, stage, page) => {
    const channel = freshName('compare');
    const native = await new Native(page).ready();
    const hook = { id: 'a', kind: 'channel', channel, limit: kLimit, list: true, countOnly: true };
    await native.show(below(stage.native.url('/anywire'), [hook]));
    await native.untilStatus('a', 'live');
    const peer = await Peer.join(t, stage.native);
    return {
      read: () => native.read('a'),
      flood: () => peer.count(channel, 0, kCount, 'x'.repeat(kSize - 20)),
      clear: () => native.call('a', 'clear'),
    };
  },
  useWebSocket: async (t, stage, page) => {
    const url = stage.lobby.url(`/raw/${freshName('compare')}`);
    const probe = await new Probe(page).ready();
    await probe.show({ id: 'a', url, list: true, countOnly: true, options: { limit: kLimit } });
    await probe.untilState('a', 'open');
    const member = await Member.join(t, url);
    return {
      read: () => probe.read('a'),
      flood: () => member.flood(kCount, kSize),
      clear: () => probe.call('a', 'clear'),
    };
  },
  'react-use-websocket': (t, stage, page) => other(t, stage, page, '/compare', 'ruw'),
  'the seed’s hook': (t, stage, page) => other(t, stage, page, '/seed', 'seed'),
};
const pages = { useChannel: '/native', useWebSocket: '/probe' };

async function other(t, stage, page, path, name) {
  const url = stage.lobby.url(`/raw/${freshName('compare')}`);
  await page.goto(stage.apps.scenarios.url(`${path}?url=${encodeURIComponent(url)}`));
  const read = () =>
    page.evaluate((key) => ({ ...window[key], clear: undefined, now: performance.now() }), name);
  await until('connected', async () => (await read()).connected);
  const member = await Member.join(t, url);
  return {
    read,
    flood: () => member.flood(kCount, kSize),
    clear: () => page.evaluate((key) => window[key].clear?.(), name),
  };
}

async function measure(stage, name) {
  const afters = [];
  const t = { after: (run) => afters.push(run) };
  const page = await newTab(await newProfile(t, stage.browser));
  if (pages[name]) await page.goto(stage.apps.scenarios.url(pages[name]));
  const it = await contenders[name](t, stage, page);
  const heap = await heapOf(page);
  const [bytes, before] = [await heap(), await it.read()];
  await it.flood();
  let last = await it.read();
  let changedAt = performance.now();
  await until(
    `${name}: the flood is over`,
    async () => {
      const now = await it.read();
      if (now.seen !== last.seen) changedAt = performance.now();
      last = now;
      return now.seen >= kCount || performance.now() - changedAt > kQuietMs;
    },
    { deadlineMs: 120_000, everyMs: 100 },
  );
  const items = await page.locator('li').count();
  await it.clear();
  const kept = (await heap()) - bytes;
  for (const run of afters.reverse()) await run();
  return {
    seen: last.seen - before.seen,
    ms: last.doneAt - before.now,
    renders: last.renders - before.renders,
    items,
    keptMiB: kept / 1024 / 1024,
  };
}

const spread = (values, digits = 0) => {
  const sorted = [...values].sort((a, b) => a - b).map((value) => value.toFixed(digits));
  const [least, most] = [sorted[0], sorted.at(-1)];
  return least === most ? least : `${least} to ${most}`;
};

const stage = await Stage.open({ modes: ['start'], skipBuild: !!process.env.E2E_SKIP_BUILD });
try {
  await stage.startApps('start');
  console.log(`| hook | seen of ${kCount} | ms | renders | items drawn | MiB kept after clear |`);
  console.log('|---|--:|--:|--:|--:|--:|');
  for (const name of Object.keys(contenders)) {
    const runs = [];
    for (let run = 0; run < kRuns; run++) runs.push(await measure(stage, name));
    const of = (key, digits) =>
      spread(
        runs.map((run) => run[key]),
        digits,
      );
    console.log(
      `| ${name} | ${of('seen')} | ${of('ms')} | ${of('renders')} | ${of('items')} ` +
        `| ${of('keptMiB', 1)} |`,
    );
  }
} finally {
  await stage.close();
}
