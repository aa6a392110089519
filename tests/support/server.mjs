// Starts the binary under test on a port the kernel picks, follows its JSON log, and stops it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from './certificate.mjs';
import { memoryBytes } from './memory.mjs';
import { until, within } from './poll.mjs';

const kRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

export const binary = path.resolve(
  process.env.ANYWIRE_BIN ?? path.join(kRoot, 'build', 'release', 'anywire'));

// Every ANYWIRE_ variable is a setting to the binary, and ANYWIRE_BIN is none.
const surroundings = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('ANYWIRE_')));

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

let shared;
/** One certificate per test process is enough unless a test replaces it. */
export const sharedCertificate = () => (shared ??= makeCertificate());

export class Server {
  log = [];
  output = '';
  exit = undefined;

  constructor(child, secure, host) {
    this.child = child;
    this.secure = secure;
    this.host = host;
    running.add(child);
    let rest = '';
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (chunk) => {
      this.output += chunk;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const line of lines) this.#line(line);
    });
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (chunk) => (this.output += chunk));
    this.finished = once(child, 'close').then(([code, signal]) => {
      running.delete(child);
      this.exit = { code, signal };
      return this.exit;
    });
  }

  #line(line) {
    try {
      this.log.push(JSON.parse(line));
    } catch {
      // Not every line has to be an event (a sanitizer's report is not); `output` keeps them all.
    }
  }

  get pid() {
    return this.child.pid;
  }

  get addresses() {
    return this.log.filter((event) => event.msg === 'listening').map((event) => event.address);
  }

  get port() {
    return Number(this.addresses[0].split(':').at(-1));
  }

  get target() {
    return { host: this.host, port: this.port, secure: this.secure };
  }

  url(path_, scheme = 'ws') {
    return `${scheme}${this.secure ? 's' : ''}://${this.host}:${this.port}${path_}`;
  }

  memory() {
    return memoryBytes(this.pid);
  }

  signal(name) {
    this.child.kill(name);
  }

  /** Asks it to drain, insists after the deadline; reports how it went. */
  async stop({ signal = 'SIGTERM', deadlineMs = 10000 } = {}) {
    if (!this.exit) this.child.kill(signal);
    try {
      return await within('exit of the server', this.finished, deadlineMs);
    } catch (error) {
      this.child.kill('SIGKILL');
      await this.finished;
      throw error;
    }
  }
}

/** Runs the binary without waiting for readiness: for starts that are meant to fail. */
export function launch(args, { env = {}, secure = false, prefix = [], host = '127.0.0.1' } = {}) {
  const [command, ...rest] = [...prefix, binary, ...args];
  const child = spawn(command, rest, {
    env: { ...surroundings, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Server(child, secure, host);
}

/**
 * Starts `anywire serve` and resolves when it listens. `flags` are `--table.key` pairs given as an
 * object; `secure` adds the shared certificate.
 */
export async function startServer(options = {}) {
  const { flags = {}, loops = 1, conformance = true, secure = false, host = '127.0.0.1' } = options;
  const listen = options.listen ?? [host.includes(':') ? `[${host}]:0` : `${host}:0`];
  const args = ['serve', ...listen.flatMap((address) => ['--listen', address]), '--loops', `${loops}`];
  if (conformance) args.push('--conformance');
  const tls = options.certificate ?? (secure ? sharedCertificate() : undefined);
  if (tls) args.push('--tls.certificate', tls.certificate, '--tls.key', tls.key);
  for (const [name, value] of Object.entries(flags)) args.push(`--${name}`, `${value}`);
  const server = launch(args, { ...options, secure: !!tls, host });
  try {
    await until('the server listens', () => {
      if (server.exit) throw new Error(`the server ended: ${JSON.stringify(server.exit)}`);
      return server.addresses.length >= listen.length;
    }, { deadlineMs: 10000 });
  } catch (error) {
    server.child.kill('SIGKILL');
    throw new Error(`${error.message}\n${args.join(' ')}\n${server.output}`);
  }
  return server;
}
