import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { findProgram, probe } from './probe';
import type { Target } from './target';

/** Of what signs tokens: both sides refuse less. */
const secretBytesMin = 32;

type Environment = Readonly<Record<string, string | undefined>>;

export interface DevServerOptions {
  readonly target: Target;
  readonly bin?: string | undefined;
  readonly args?: readonly string[] | undefined;
  /** Default: those of this process. */
  readonly env?: Environment;
  readonly say?: (line: string) => void;
  /** How often a server that somebody else has started is looked after, ms. Default 3000. */
  readonly watchMs?: number;
}

/** Where the servers of this process are kept: a module may be loaded into it more than once. */
const registry = Symbol.for('anywire.next.dev-servers');

/**
 * Runs the program as a child of its own session, and ends it when standard input ends: so it goes
 * with this process, however that ends. A shell does, because nobody else is left to do it then.
 */
const guard = [
  'exec 3<&0',
  '"$@" </dev/null & server=$!',
  '{ read -r _ <&3; kill -TERM "$server"; } 2>/dev/null & watcher=$!',
  'wait "$server"; code=$?',
  'kill "$watcher" 2>/dev/null',
  'exit "$code"',
].join('\n');

/**
 * Sees to it that a server runs at the target, once for each address and process. Returns at once
 * and never throws: what goes wrong is said, and the site goes on without.
 */
export function ensureDevServer(options: DevServerOptions): void {
  const shared = globalThis as { [registry]?: Map<string, DevServer> };
  shared[registry] ??= new Map();
  const servers = shared[registry];
  const { href } = options.target;
  if (servers.has(href)) return;
  const server = new DevServer(options);
  servers.set(href, server);
  void server.start();
}

/**
 * The environment of the program, to which every ANYWIRE_ variable is a setting: without those that
 * are ours, and with the secret that tokens are signed with here.
 */
function settings(env: Environment): Environment {
  const { ANYWIRE_BIN: _, ANYWIRE_URL: __, ANYWIRE_SECRET: secret, ...rest } = env;
  if (!secret || rest.ANYWIRE_AUTH_HS256_SECRET) return rest;
  return { ...rest, ANYWIRE_AUTH_HS256_SECRET: secret };
}

/** The server of a `next dev`. */
export class DevServer {
  readonly #options: DevServerOptions;
  readonly #env: Environment;
  readonly #say: (line: string) => void;
  #child: ChildProcess | undefined;
  #watch: NodeJS.Timeout | undefined;
  #stopped = false;
  readonly #atExit = () => this.stop('SIGKILL');

  constructor(options: DevServerOptions) {
    this.#options = options;
    this.#env = options.env ?? process.env;
    this.#say = options.say ?? ((line) => console.log(`[anywire] ${line}`));
  }

  /** Resolves when it is clear whether there is a server, or will be. */
  async start(): Promise<void> {
    const { target } = this.#options;
    if (!target.local || process.platform === 'win32') {
      this.#say(
        target.local
          ? 'not started: there is no program for Windows. Run it in WSL or a container.'
          : `not started: ${target.href} is not plain HTTP on this machine.`,
      );
      return;
    }
    const listener = await probe(target);
    if (this.#stopped) return;
    if (listener === 'nobody') this.#run();
    else if (listener === 'anywire') this.#adopt();
    else this.#say(this.#taken());
  }

  /** Ends the server that was started here. Another's is left alone. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#stopped = true;
    clearInterval(this.#watch);
    process.off('exit', this.#atExit);
    const { pid } = this.#child ?? {};
    this.#child = undefined;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // It has ended already.
    }
  }

  #run(): void {
    const { target, bin, args = [] } = this.#options;
    const name = bin || this.#env.ANYWIRE_BIN || 'anywire';
    const program = findProgram(name, this.#env, process.cwd());
    if (!program) {
      this.#say(
        `not started: there is no program ${JSON.stringify(name)}. Install Anywire so that it is ` +
          'on PATH, or name it in the variable ANYWIRE_BIN.',
      );
      return;
    }
    const { ANYWIRE_SECRET: secret = '', ANYWIRE_AUTH_HS256_SECRET: own } = this.#env;
    if (!own && secret && Buffer.byteLength(secret) < secretBytesMin) {
      this.#say(
        `not started: ANYWIRE_SECRET has ${Buffer.byteLength(secret)} bytes, and must have at least ` +
          `${secretBytesMin}. "openssl rand -hex 32" prints one.`,
      );
      return;
    }
    const command = [program, 'dev', '--port', `${target.port}`, ...args];
    const child = spawn('/bin/sh', ['-c', guard, 'anywire', ...command], {
      env: settings(this.#env) as NodeJS.ProcessEnv,
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#child = child;
    process.once('exit', this.#atExit);
    this.#follow(child);
  }

  /** Shows the log and the end, and keeps nobody from ending. */
  #follow(child: ChildProcess): void {
    const { target } = this.#options;
    const { stderr, stdin } = child;
    if (stderr) {
      const lines = createInterface({ input: stderr });
      lines.on('line', (line) => {
        if (line.trim()) this.#say(line.replace(/^\d\d:\d\d:\d\d\.\d+ /, ''));
      });
    }
    stdin?.on('error', () => {});
    for (const handle of [child, stdin, stderr])
      (handle as { unref?: () => void } | null)?.unref?.();
    child.on('error', (error) => this.#say(`not started: ${error.message}`));
    child.on('close', (code, signal) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      process.off('exit', this.#atExit);
      void this.#ended(code ?? signal ?? 'unknown');
    });
    this.#say(`starting at http://${target.host}:${target.port}`);
  }

  async #ended(how: number | string): Promise<void> {
    // Two sites that start at once both find the port free; the second one's server is refused it.
    if ((await probe(this.#options.target)) === 'anywire') {
      if (!this.#stopped) this.#adopt();
      return;
    }
    this.#say(`ended (${how}). It is started again with the next start of "next dev".`);
  }

  /** Uses a server that runs already. Where that goes away, one of our own takes its place. */
  #adopt(): void {
    const { target, watchMs = 3000 } = this.#options;
    this.#say(`using the server that runs at http://${target.host}:${target.port}`);
    clearInterval(this.#watch);
    this.#watch = setInterval(() => {
      void probe(target).then((listener) => {
        // A server that is merely slow to answer is still one.
        if (listener !== 'nobody' || this.#stopped) return;
        clearInterval(this.#watch);
        this.#run();
      });
    }, watchMs);
    this.#watch.unref();
  }

  #taken(): string {
    const { port } = this.#options.target;
    return (
      `not started: something else than Anywire listens on port ${port}. End it, or choose ` +
      `another port: ANYWIRE_URL=http://127.0.0.1:${port + 1}`
    );
  }
}
