/** What has to be ended with its test. */
export interface Closable {
  close(): void;
  /** What the test has prepared and never used, as sentences. */
  readonly unused?: readonly string[];
}

/** Filled only while somebody collects, so that nothing is kept alive where nobody does. */
let collected: Set<Closable> | undefined;

/** Called for everything that is made. */
export function made(one: Closable): void {
  collected?.add(one);
}

export function forget(one: Closable): void {
  collected?.delete(one);
}

/** Begins to collect what is made from now on. */
export function collect(): void {
  collected ??= new Set();
}

/** Everything made since, the newest first. */
export function takeCollected(): readonly Closable[] {
  const all = [...(collected ?? [])].reverse();
  collected?.clear();
  return all;
}
