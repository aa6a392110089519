import type { AnyContract } from '@anywire/client/contract';
import { type ToJsonSchema, toContract } from './contract';

export const HELP = `npx anywire-contract [--check FILE] [--export NAME] MODULE

Prints the contract that MODULE exports, a call of define(...), as the JSON document that a server
reads ([contract] file in anywire.toml). MODULE is JavaScript or TypeScript.

  --check FILE    print nothing; fail if FILE is not what would be printed
  --export NAME   the export that is meant, where there are several contracts

  npx anywire-contract src/contract.ts > anywire.contract.json
`;

/** The command line is not as the help says. */
export class UsageError extends Error {}

export interface ContractCommand {
  readonly file: string;
  readonly check?: string;
  readonly name?: string;
}

export function parseArguments(all: readonly string[]): ContractCommand | 'help' {
  const rest = [...all];
  const found: { file?: string; check?: string; name?: string } = {};
  const value = (flag: string): string => {
    const next = rest.shift();
    if (next === undefined) throw new UsageError(`${flag} needs a value; see --help`);
    return next;
  };
  for (let one = rest.shift(); one !== undefined; one = rest.shift()) {
    if (one === '--help' || one === '-h') return 'help';
    if (one === '--check') found.check = value(one);
    else if (one === '--export') found.name = value(one);
    else if (one.startsWith('-')) throw new UsageError(`there is no ${one}; see --help`);
    else if (found.file === undefined) found.file = one;
    else throw new UsageError('one module at a time; see --help');
  }
  const { file, ...more } = found;
  if (file === undefined) throw new UsageError('which module? See --help');
  return { file, ...more };
}

/** The one contract among a module's exports, or the one that is named. */
export function findContract(
  exports: Readonly<Record<string, unknown>>,
  { file, name }: ContractCommand,
): AnyContract {
  const contracts = new Map(
    Object.entries(exports).filter((entry): entry is [string, AnyContract] => isContract(entry[1])),
  );
  if (name !== undefined) {
    const found = contracts.get(name);
    if (found) return found;
    throw new UsageError(`${file} exports no contract named ${name}`);
  }
  // The same one may have two names.
  const different = [...new Set(contracts.values())];
  const [only, ...others] = different;
  if (!only) throw new UsageError(`${file} exports no contract: export const rt = define({ ... })`);
  if (others.length > 0) {
    throw new UsageError(
      `${file} exports ${[...contracts.keys()].join(', ')}; --export says which`,
    );
  }
  return only;
}

export function write(contract: AnyContract, toJsonSchema?: ToJsonSchema): string {
  const document = toContract(contract, toJsonSchema ? { toJsonSchema } : {});
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** By its form: it may come from another copy of the package. */
function isContract(value: unknown): value is AnyContract {
  const { channels, rpcs, find, findRpc } = (value ?? {}) as Partial<AnyContract>;
  return (
    typeof channels === 'object' &&
    typeof rpcs === 'object' &&
    typeof find === 'function' &&
    typeof findRpc === 'function'
  );
}
