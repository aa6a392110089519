// Runs the browser tests: builds, then two modes at a time, since most of a browser test is
// waiting; then what measures speed in built apps, alone. Ends with the counts of all.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const kLanes = 2;
const kModes = ['start', 'dev', 'standalone'];
const modes = kModes.filter((mode) => (process.env.E2E_MODES ?? kModes.join()).includes(mode));
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);

async function run(args, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: here,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => (output += chunk));
  }
  const [code] = await once(child, 'close');
  return { code, output };
}

const tests = async (name, env) => {
  const started = performance.now();
  const result = await run(['--test', '--test-reporter=spec', 'e2e.test.mjs'], {
    E2E_SKIP_BUILD: '1',
    ...env,
  });
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stdout.write(`\n== ${name}, ${seconds} s\n${result.output}`);
  return { name, seconds, ...result };
};

const started = performance.now();
const built = modes.filter((mode) => mode !== 'dev');
if (built.length > 0 && !process.env.E2E_SKIP_BUILD) {
  const { code, output } = await run(['build.mjs', ...built]);
  if (code !== 0) {
    process.stdout.write(output);
    process.exit(1);
  }
}
// The longest first. In development speed has a wide margin, so it is measured among others.
const all = {
  dev: ['next dev', { E2E_MODES: 'dev', E2E_PARTS: 'most,speed' }],
  start: ['next start', { E2E_MODES: 'start', E2E_PARTS: 'most' }],
  standalone: ['standalone', { E2E_MODES: 'standalone', E2E_PARTS: 'most' }],
};
const waiting = [
  ...Object.keys(all)
    .filter((mode) => modes.includes(mode))
    .map((mode) => all[mode]),
  ['without an app', { E2E_PARTS: 'plain' }],
];
const results = [];
async function lane() {
  for (let next = waiting.shift(); next; next = waiting.shift()) results.push(await tests(...next));
}
await Promise.all(Array.from({ length: kLanes }, lane));
if (modes.includes('start')) {
  results.push(await tests('next start, speed', { E2E_MODES: 'start', E2E_PARTS: 'speed' }));
}

const count = (what) => {
  const of = ({ output }) => Number(new RegExp(`^ℹ ${what} (\\d+)`, 'm').exec(output)?.[1] ?? 0);
  return results.reduce((sum, result) => sum + of(result), 0);
};
const total = Math.round((performance.now() - started) / 1000);
for (const { name, seconds, code } of results) {
  console.log(`${code === 0 ? '✔' : '✖'} ${name} (${seconds} s)`);
}
console.log(`ℹ tests ${count('tests')}, pass ${count('pass')}, fail ${count('fail')}, ${total} s`);
process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1;
