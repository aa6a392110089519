import { type AnyContract, define, type StandardSchema } from '@anywire/client/contract';

/** Gives the pattern of the contract that a channel's name belongs to, if there is one. */
export type PatternOf = (name: string) => string | undefined;

const known = new WeakMap<AnyContract, PatternOf>();

/**
 * A contract says which of its patterns a name belongs to, but not in so many words: so one with
 * the same patterns is made whose schemas give their pattern. Once for each contract.
 */
export function patternOf(contract: AnyContract): PatternOf {
  let find = known.get(contract);
  if (!find) {
    const entries = Object.keys(contract.channels).map((pattern) => [
      pattern,
      { message: giving(pattern) },
    ]);
    const names = define({ channels: Object.fromEntries(entries) }) as AnyContract;
    find = (name) => names.find(name)?.check?.message(undefined) as string | undefined;
    known.set(contract, find);
  }
  return find;
}

function giving(value: string): StandardSchema {
  return { '~standard': { version: 1, vendor: 'anywire', validate: () => ({ value }) } };
}
