import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readTarget, type Target } from '../../src/config/target';

/** Waits for something that other processes do; the deadline says what was missed. */
export async function until<T>(what: string, probe: () => T | Promise<T>, ms = 10_000): Promise<T> {
  for (const end = Date.now() + ms; ; ) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** An HTTP server on a port that the system picks, or on the one given. */
export async function listen(answer: RequestListener, port = 0): Promise<[Server, Target]> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: given } = server.address() as AddressInfo;
  return [server, readTarget(`http://127.0.0.1:${given}`)];
}

export function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Answers as an Anywire does to a request that makes no sense. */
export const refusal: RequestListener = (request, response) => {
  const known = request.method === 'POST' && request.url === '/anywire/send';
  response.writeHead(known ? 400 : 404).end(known ? '{"code":"bad_message"}' : 'not here');
};

/** An address where nobody listens. */
export async function vacant(): Promise<Target> {
  const [server, target] = await listen(refusal);
  await close(server);
  return target;
}

/** What the program was started with. */
export interface Started {
  readonly pid: number;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A folder with a program that behaves as `anywire dev` does, as far as it can be seen from here.
 */
export class Programs {
  readonly folder: string = mkdtempSync(path.join(tmpdir(), 'anywire-next-'));
  readonly #notes = path.join(this.folder, 'notes');

  constructor() {
    writeFileSync(this.#notes, '');
    this.add('anywire', listener(this.#notes));
  }

  /** Writes a program; returns its path. */
  add(name: string, code: string): string {
    const file = path.join(this.folder, name);
    writeFileSync(file, `#!${process.execPath}\n${code}`);
    chmodSync(file, 0o755);
    return file;
  }

  /** Every start of it so far. */
  get started(): readonly Started[] {
    const lines = readFileSync(this.#notes, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Started);
  }

  remove(): void {
    for (const { pid } of this.started) {
      if (alive(pid)) process.kill(pid, 'SIGKILL');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const listener = (notes: string): string => `
  const { appendFileSync } = require('node:fs');
  const { pid, argv, env } = process;
  const args = argv.slice(2);
  const ours = Object.entries(env).filter(([name]) => /^ANYWIRE_/.test(name));
  const note = { pid, args, env: Object.fromEntries(ours) };
  appendFileSync(${JSON.stringify(notes)}, JSON.stringify(note) + '\\n');
  console.log('a banner, which is for a terminal');
  const server = require('node:http').createServer((request, response) => {
    response.writeHead(400).end('{"code":"bad_message"}');
  });
  server.on('error', ({ code }) => {
    console.error('10:00:00.001 ERROR cannot listen: ' + code);
    process.exit(1);
  });
  server.listen(Number(args[args.indexOf('--port') + 1]), '127.0.0.1', () => {
    console.error('10:00:00.000 INFO  listening');
    console.error('');
  });
  process.on('SIGTERM', () => {
    console.error('10:00:01.000 INFO  stopped');
    process.exit(0);
  });
`;

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
