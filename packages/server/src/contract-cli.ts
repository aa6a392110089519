#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { findContract, HELP, parseArguments, UsageError, write } from './contract-command';
import { loadModule } from './contract-module';

async function main(): Promise<number> {
  const options = parseArguments(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const loaded = await loadModule(options.file);
  const text = write(findContract(loaded.exports, options), loaded.toJsonSchema);
  if (options.check === undefined) {
    process.stdout.write(text);
    return 0;
  }
  // A file that is not there differs, too.
  let there: string | undefined;
  try {
    there = readFileSync(options.check, 'utf8');
  } catch {}
  if (there === text) return 0;
  process.stderr.write(
    `${options.check} is not what ${options.file} says; npx anywire-contract ${options.file} > ${options.check}\n`,
  );
  return 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const words = error instanceof Error ? error.message : String(error);
    process.stderr.write(`anywire-contract: ${words}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
