import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { define, type StandardSchema } from '@anywire/client/contract';
import { toJsonSchema } from '@valibot/to-json-schema';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toContract } from '../src/contract';
import { libraries, values } from './support/definitions';

type Message = Readonly<Record<string, unknown>>;

// What the client lets pass and what the server lets pass is the same: against the binary.
const binary = process.env.ANYWIRE_BIN;

const contract = define({
  channels: Object.fromEntries(
    Object.entries(libraries).map(([name, message]) => [`${name}:{id}`, { message }]),
  ) as Readonly<Record<string, { readonly message: StandardSchema }>>,
});

describe.skipIf(binary === undefined)('the binary', () => {
  let server: ChildProcess;
  let url: string;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'anywire-contract-'));
    const file = join(folder, 'contract.json');
    writeFileSync(file, JSON.stringify(toContract(contract, { toJsonSchema })));
    const { ANYWIRE_BIN: _, ...env } = process.env;
    server = spawn(
      binary as string,
      ['dev', '--port', '0', '--log.format', 'json', '--contract.file', file],
      { env, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    url = await new Promise((resolve, reject) => {
      const lines: string[] = [];
      createInterface({ input: server.stderr as NodeJS.ReadableStream }).on('line', (line) => {
        lines.push(line);
        const address = /"listening".*"address":"(127[^"]+)"/.exec(line)?.[1];
        if (address) resolve(`http://${address}/anywire/poll`);
      });
      server.on('exit', () => reject(new Error(lines.join('\n'))));
    });
  }, 60_000);

  afterAll(() => {
    server.kill();
    rmSync(folder, { recursive: true });
  });

  /** All answers to commands with the ids from 1 to their number, by long-polling. */
  async function say(commands: readonly Message[]): Promise<readonly Message[]> {
    const answers = new Map<unknown, Message>();
    let body: Message = { messages: [{ type: 'connect', id: 1000 }, ...commands] };
    while (answers.size <= commands.length) {
      const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
      const poll = (await response.json()) as { stream: string; seq: number; messages: Message[] };
      for (const message of poll.messages) {
        if (typeof message.id === 'number') answers.set(message.id, message);
      }
      body = { stream: poll.stream, ack: poll.seq };
    }
    return commands.map(({ id }) => answers.get(id) as Message);
  }

  test.each(Object.keys(libraries))(
    'refuses what %s refuses, and nothing else',
    { timeout: 60_000 },
    async (name) => {
      const channel = `${name}:1`;
      const commands = values.map((data, i) => ({ type: 'publish', id: i + 1, channel, data }));
      const answers = await say(commands);
      const check = contract.find(channel)?.check;
      for (const [i, data] of values.entries()) {
        let passes = true;
        try {
          check?.publish?.(data);
        } catch {
          passes = false;
        }
        const { type, code, path } = answers[i] as Message;
        const shown = JSON.stringify(data);
        expect([shown, type, code], shown).toEqual(
          passes ? [shown, 'published', undefined] : [shown, 'error', 'schema_violation'],
        );
        expect(typeof path).toBe(passes ? 'undefined' : 'string');
      }
    },
  );

  test('names the path, and other channels are free', { timeout: 60_000 }, async () => {
    const good = { text: 'hello', kind: 'chat', ref: null };
    const publish = { type: 'publish', channel: 'zod:1' };
    const answers = await say([
      { ...publish, id: 1, data: { ...good, to: ['a@b.cd', 'x'] } },
      { ...publish, id: 2, text: 'hello' },
      { ...publish, id: 3, channel: 'free', text: 'hello' },
    ]);
    expect(answers[0]).toMatchObject({ code: 'schema_violation', path: '/to/1', retry: false });
    expect(answers[1]).toMatchObject({ code: 'schema_violation', path: '' });
    expect(answers[2]).toMatchObject({ type: 'published' });
  });
});
