// Packs the packages, installs them as a stranger would, builds and runs the app.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '../support/poll.mjs';

const run = promisify(execFile);
const kHere = path.dirname(fileURLToPath(import.meta.url));
const kRoot = path.resolve(kHere, '..', '..');
/** The app that docs/guides/nextjs.md shows, file by file. */
export const guideApp = path.join(kRoot, 'docs', 'examples', 'next');
const kPackages = ['client', 'server', 'react', 'next'];
const kPeers = ['next', 'react', 'react-dom', 'valibot', 'typescript'];
const kTypes = ['@types/node', '@types/react', '@types/react-dom'];
const kInstall = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** What this machine has set for us is not for the app: it is given what it needs. */
const { NODE_OPTIONS: _, NODE_ENV: __, ...rest } = process.env;
const plain = Object.fromEntries(Object.entries(rest).filter(([name]) => !/^ANYWIRE_/.test(name)));
const surroundings = { ...plain, NEXT_TELEMETRY_DISABLED: '1', FORCE_COLOR: '0' };

/** The version of a package that the workspace has. */
function version(name) {
  const file = path.join(kRoot, 'node_modules', name, 'package.json');
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

/** A port that was free a moment ago, for those who cannot be told to take any. */
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A Next.js app in a folder of its own, outside of the workspace. */
export class FreshApp {
  /** `source`: the folder that the app's own files are taken from. */
  static create(source = path.join(kHere, 'app')) {
    return new FreshApp(mkdtempSync(path.join(os.tmpdir(), 'anywire-fresh-')), source);
  }

  constructor(folder, source) {
    this.folder = folder;
    this.source = source;
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The versions that the workspace is tested with, so that the registry is hardly needed. */
  async install() {
    cpSync(this.source, this.folder, { recursive: true });
    // As `create-next-app` writes it.
    cpSync(path.join(kHere, 'app', 'tsconfig.json'), path.join(this.folder, 'tsconfig.json'));
    const tarballs = await this.#pack();
    const manifest = {
      name: 'fresh',
      private: true,
      dependencies: {
        ...tarballs,
        ...Object.fromEntries([...kPeers, ...kTypes].map((name) => [name, version(name)])),
      },
    };
    writeFileSync(path.join(this.folder, 'package.json'), JSON.stringify(manifest));
    await this.#run('npm', kInstall);
  }

  async #pack() {
    const folders = kPackages.flatMap((name) => ['-w', `@anywire/${name}`]);
    const to = ['--pack-destination', this.folder];
    await run('npm', ['pack', '--silent', ...to, ...folders], { cwd: kRoot });
    const files = readdirSync(this.folder).filter((name) => name.endsWith('.tgz'));
    return Object.fromEntries(
      kPackages.map((name) => {
        const file = files.find((one) => one.startsWith(`anywire-${name}-`));
        return [`@anywire/${name}`, `file:./${file}`];
      }),
    );
  }

  /** `next build`, types included; resolves with what it printed. */
  build(env) {
    return this.#run(process.execPath, [this.#next, 'build'], env);
  }

  async #run(command, args, env = {}) {
    try {
      const options = { cwd: this.folder, env: { ...surroundings, ...env }, timeout: 180_000 };
      const { stdout, stderr } = await run(command, args, options);
      return stdout + stderr;
    } catch (error) {
      throw new Error(`${args.join(' ')} failed:\n${error.stdout}${error.stderr}${error.message}`);
    }
  }

  get #next() {
    return path.join(this.folder, 'node_modules', 'next', 'dist', 'bin', 'next');
  }

  /** The standalone output, with the static files put beside it as its guide says. */
  async startStandalone(env) {
    const folder = path.join(this.folder, '.next', 'standalone');
    const files = path.join(folder, '.next', 'static');
    rmSync(files, { recursive: true, force: true });
    symlinkSync(path.join(this.folder, '.next', 'static'), files);
    // To this server port 0 means that none was given.
    const PORT = `${await freePort()}`;
    return await start(folder, ['server.js'], { ...env, PORT, HOSTNAME: 'localhost' });
  }

  async startDev(env) {
    return await start(this.folder, [this.#next, 'dev', '--port', '0'], env);
  }

  /** Saves a file without a change, as an editor does. */
  touch(name) {
    const file = path.join(this.folder, name);
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n`);
  }
}

/** The ids of the processes of which `holds` says so, by arguments and parent. */
function processes(holds) {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.map(Number).filter((pid) => {
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const [, parent] = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
      return holds(args, Number(parent));
    } catch {
      return false; // It has just ended.
    }
  });
}

/** The servers that `next dev` has started on this port. */
export const runningFor = (port) =>
  processes(([, mode, flag, value]) => mode === 'dev' && flag === '--port' && value === `${port}`);

export const childrenOf = (pid) => processes((_, parent) => parent === pid);

/** Runs a server until it says where it listens. */
async function start(cwd, args, env) {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...surroundings, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const app = { output: '', pid: child.pid };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => (app.output += chunk));
  }
  const finished = once(child, 'close').then(() => running.delete(child));
  const listening = () => {
    if (!running.has(child)) throw new Error(`${args.at(-1)} ended:\n${app.output}`);
    return /Ready/.test(app.output) && /localhost:(\d+)/.exec(app.output)?.[1];
  };
  const port = await until('the app listens', listening, { deadlineMs: 60_000 });
  app.url = (where = '/') => `http://localhost:${port}${where}`;
  app.stop = async () => {
    child.kill('SIGTERM');
    const children = childrenOf(child.pid);
    // Whoever does not go in peace goes anyway; `next dev` has a process below it.
    const insist = setTimeout(() => {
      for (const pid of [child.pid, ...children]) process.kill(pid, 'SIGKILL');
    }, 10_000);
    await finished;
    clearTimeout(insist);
  };
  return app;
}
