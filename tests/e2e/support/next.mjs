// Builds and runs the Next.js apps under test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './poll.mjs';

const kRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const kNext = createRequire(import.meta.url).resolve('next/dist/bin/next');
const kBuildMs = 180_000;

export const apps = {
  seed: path.join(kRoot, 'examples', 'seed-chat'),
  chat: path.join(kRoot, 'examples', 'nextjs-chat'),
  scenarios: path.join(kRoot, 'tests', 'e2e', 'app'),
};

const running = new Set();
process.on('exit', () => {
  for (const child of running) kill(child, 'SIGKILL');
});

// `next dev` has children of its own; the whole group has to go.
function kill(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Gone already.
  }
}

function run(dir, args, env) {
  const child = spawn(process.execPath, [kNext, ...args], {
    cwd: dir,
    detached: true,
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      NEXT_TELEMETRY_DISABLED: '1',
      FORCE_COLOR: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const app = { child, output: '', exit: undefined };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => (app.output += chunk));
  }
  app.finished = once(child, 'close').then(([code]) => {
    running.delete(child);
    app.exit = code ?? -1;
  });
  return app;
}

/** `next build`; what it prints is the error when it fails. */
export async function build(dir) {
  // No ANYWIRE_URL here: that the started app finds its server proves that it is read at run time.
  const { ANYWIRE_URL: _, NODE_ENV: __, ...env } = process.env;
  const app = run(dir, ['build'], { ...env, ANYWIRE_URL: '', NODE_ENV: 'production' });
  await until(`next build of ${dir}`, () => app.exit !== undefined, { deadlineMs: kBuildMs });
  if (app.exit !== 0) throw new Error(`next build of ${dir} failed:\n${app.output}`);
}

/** `next start` or `next dev` on a port the kernel picks. */
export async function start(dir, mode, env = {}) {
  const NODE_ENV = mode === 'dev' ? 'development' : 'production';
  const app = run(dir, [mode, '--port', '0'], { NODE_ENV, ...env });
  const port = await until(
    `next ${mode} of ${dir} listens`,
    () => {
      if (app.exit !== undefined) throw new Error(`next ${mode} of ${dir} ended:\n${app.output}`);
      return /Ready/.test(app.output) && /localhost:(\d+)/.exec(app.output)?.[1];
    },
    { deadlineMs: 60_000 },
  );
  return {
    url: (where = '/') => `http://localhost:${port}${where}`,
    get output() {
      return app.output;
    },
    async stop() {
      kill(app.child, 'SIGTERM');
      const grace = setTimeout(() => kill(app.child, 'SIGKILL'), 5000);
      await app.finished;
      clearTimeout(grace);
    },
  };
}
