// What hooks said, in a form that crosses from the page to the test.
import type { AnywireError, Message } from '@anywire/client';

/** Errors and bytes as plain objects; functions left out. */
export function plain(value: unknown): unknown {
  if (value instanceof Error) {
    const { code, retry, path, reason, message } = value as AnywireError;
    return { code, retry, path, reason, message };
  }
  if (value instanceof Uint8Array) return { bytes: Array.from(value) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => typeof one !== 'function');
  return Object.fromEntries(entries.map(([key, one]) => [key, plain(one)]));
}

/** The other way: `{ bytes }` becomes a Uint8Array. */
export function revive(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { bytes } = value as { bytes?: number[] };
  return bytes ? Uint8Array.from(bytes) : value;
}

/** What one hook said so far. */
export class NativeRecord {
  renders = 0;
  seen = 0;
  disordered = 0;
  /** The number in the last message that had one. */
  lastNumber: number | undefined;
  doneAt = 0;
  readonly messages: unknown[] = [];
  /** Changes of what a person would see. */
  readonly log: { at: number; status: unknown }[] = [];
  /** What callbacks were told: gaps, recoveries, errors. */
  readonly told: { what: string; at: number; value: unknown }[] = [];
  result: { readonly [name: string]: unknown } = {};

  receive(message: Message, countOnly = false): void {
    this.seen++;
    const { data } = message;
    if (!countOnly) this.messages.push(plain(message));
    const { n } = (typeof data === 'object' && data ? data : {}) as { n?: unknown };
    if (typeof n !== 'number') return;
    if (this.lastNumber !== undefined && n !== this.lastNumber + 1) this.disordered++;
    this.lastNumber = n;
    this.doneAt = performance.now();
  }

  tell(what: string, value: unknown): void {
    this.told.push({ what, at: performance.now(), value: plain(value) });
  }

  read(): unknown {
    const { result, ...rest } = this;
    return { ...(plain(rest) as object), result: plain(result), now: performance.now() };
  }

  /** Calls a function of the hook's result; its promise's outcome as a value. */
  async call(name: string, args: readonly unknown[]): Promise<unknown> {
    const run = this.result[name] as (...list: unknown[]) => unknown;
    return await outcome(() => run(...args.map(revive)));
  }
}

export async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return { ok: true, value: plain(await run()) };
  } catch (error) {
    return { ok: false, error: plain(error) };
  }
}
