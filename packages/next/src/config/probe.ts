import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve, sep } from 'node:path';
import type { Target } from './target';

/** What listens at an address. */
export type Listener = 'nobody' | 'anywire' | 'somebody';

/** How long a listener may take to say what it is. */
const probeMs = 2000;

/**
 * Finds out who listens there, by a request that an Anywire refuses in its own words and that
 * changes nothing.
 */
export async function probe({ href }: Pick<Target, 'href'>): Promise<Listener> {
  const signal = AbortSignal.timeout(probeMs);
  try {
    const response = await fetch(`${href}/send`, { method: 'POST', body: '{}', signal });
    const answer: unknown = await response.json();
    return isRefusal(answer) ? 'anywire' : 'somebody';
  } catch (error) {
    return codeOf(error) === 'ECONNREFUSED' ? 'nobody' : 'somebody';
  }
}

function isRefusal(answer: unknown): boolean {
  return typeof (answer as { code?: unknown } | null)?.code === 'string';
}

/** The system's error code behind a failed `fetch`; of several addresses, when all say the same. */
function codeOf(error: unknown): unknown {
  const { cause } = error as { cause?: { code?: unknown; errors?: readonly { code?: unknown }[] } };
  const codes = (cause?.errors ?? [cause]).map((one) => one?.code);
  return codes.every((code) => code === codes[0]) ? codes[0] : undefined;
}

/** The file of a program: a path is taken from `cwd`, a bare name from PATH. */
export function findProgram(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): string | undefined {
  if (isAbsolute(name) || name.includes(sep)) {
    const file = resolve(cwd, name);
    return isProgram(file) ? file : undefined;
  }
  return (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
