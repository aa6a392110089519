// Builds and runs the Next.js apps under test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import net from 'node:net';
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

/** A site without a server of its own; "out" in it is what a build leaves. */
export const exported = path.join(kRoot, 'tests', 'e2e', 'exported');

/** Where the standalone build of the scenarios' app is; `next start` has one of its own. */
const kStandalone = path.join(apps.scenarios, '.next-standalone');
const kServer = path.join(kStandalone, 'standalone', path.relative(kRoot, apps.scenarios));

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
  const child = spawn(process.execPath, args, {
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

/** `next build`; what it prints is the error when it fails. `given`: variables of the build. */
export async function build(dir, given = {}) {
  // What `next dev` has left is type-checked, too, and may speak of routes that are no more.
  await rm(path.join(dir, '.next', 'dev'), { recursive: true, force: true });
  // No ANYWIRE_URL here: that the started app finds its server proves that it is read at run time.
  const { ANYWIRE_URL: _, NODE_ENV: __, ...env } = process.env;
  const app = run(dir, [kNext, 'build'], {
    ...env,
    ANYWIRE_URL: '',
    NODE_ENV: 'production',
    ...given,
  });
  await until(`next build of ${dir}`, () => app.exit !== undefined, { deadlineMs: kBuildMs });
  if (app.exit !== 0) throw new Error(`next build of ${dir} failed:\n${app.output}`);
}

/** The scenarios' app with `output: 'standalone'`, completed as the documentation of Next says. */
export async function buildStandalone(given) {
  await build(apps.scenarios, { ...given, E2E_STANDALONE: '1' });
  const to = path.join(kServer, path.basename(kStandalone), 'static');
  await cp(path.join(kStandalone, 'static'), to, { recursive: true });
}

/** Where the scripts of the last build are, for browsers. */
export const staticOf = (mode) =>
  path.join(mode === 'standalone' ? kStandalone : path.join(apps.scenarios, '.next'), 'static');

/** The port that the rewrites of the last build lead to; undefined without a build. */
export async function targetOfBuild(mode) {
  const dir = mode === 'standalone' ? kStandalone : path.join(apps.scenarios, '.next');
  try {
    const { rewrites } = JSON.parse(await readFile(path.join(dir, 'routes-manifest.json'), 'utf8'));
    return Number(new URL(rewrites.beforeFiles[0].destination.replace(/:rest.*/, '')).port);
  } catch {
    return undefined;
  }
}

async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startStandalone(dir, env) {
  // It takes port 0 for none given, so one is picked for it.
  const PORT = `${await freePort()}`;
  const app = run(kServer, ['server.js'], {
    NODE_ENV: 'production',
    HOSTNAME: '127.0.0.1',
    PORT,
    ...env,
  });
  return await listening(app, `standalone ${dir}`);
}

/** `next start` or `next dev` on a port the kernel picks, or the standalone server. */
export async function start(dir, mode, env = {}) {
  if (mode === 'standalone') return await startStandalone(dir, env);
  const NODE_ENV = mode === 'dev' ? 'development' : 'production';
  const app = run(dir, [kNext, mode, '--port', '0'], { NODE_ENV, ...env });
  return await listening(app, `next ${mode} of ${dir}`);
}

async function listening(app, what) {
  const port = await until(
    `${what} listens`,
    () => {
      if (app.exit !== undefined) throw new Error(`${what} ended:\n${app.output}`);
      return /Ready/.test(app.output) && /(?:localhost|127\.0\.0\.1):(\d+)/.exec(app.output)?.[1];
    },
    { deadlineMs: 60_000 },
  );
  return {
    port: Number(port),
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
