import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { adviceFor } from '../src/realtime/advice';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');

/** All sources of the packages, by path. */
const sources = new Map(
  ['client', 'react', 'server', 'next', 'testing'].flatMap((name) =>
    readdirSync(`${root}/packages/${name}/src`, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file))
      .map((file) => [`${name}/src/${file}`, read(`packages/${name}/src/${file}`)] as const),
  ),
);
/** What `pattern`, with the code as its first group, finds in them. */
function codesBy(pattern: RegExp, inside = ''): string[] {
  return [...sources].flatMap(([path, text]) =>
    path.startsWith(inside) ? [...text.matchAll(pattern)].map(([, code]) => code as string) : [],
  );
}
/** The rows of the tables of a page: their cells. */
function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}
const page = read('docs/errors.md');
const tables = page.slice(page.indexOf('## '), page.indexOf('## Close codes'));
const documented = new Map(
  rowsOf(tables).map(([code = '', cause, remedy]) => [code.replaceAll('`', ''), { cause, remedy }]),
);

describe('every code', () => {
  const made = [
    ...codesBy(/new AnywireError\(([^,)]+)[,)]/g).flatMap((first) =>
      [...first.matchAll(/'([a-z_]+)'/g)].map(([, code]) => code as string),
    ),
    ...codesBy(/toError\(\w+, '([a-z_]+)'/g),
    ...codesBy(/[?:] '([a-z_]+)'/g, 'client/src/realtime/verdict'),
    // The outbox and the calls make theirs from replies of their own.
    ...codesBy(/#end\(\w+, '([^']+)'/g, 'client/'),
    ...codesBy(/type: 'error',[^}]*?code: '([^']+)'/g, 'client/'),
    'unknown_channel',
    'unknown_rpc',
  ];
  const section = read('docs/protocol.md')
    .split(/^## /m)
    .find((text) => text.startsWith('2. '));
  const servers = rowsOf(section ?? '').map(([code = '']) => code.replaceAll('`', ''));

  it('is found where it is made', () => {
    for (const code of ['closed', 'queue_full', 'connection_lost', 'schema', 'bad_data', 'token']) {
      expect(made).toContain(code);
    }
    expect(servers).toContain('idempotency_conflict');
    expect(servers.length).toBeGreaterThan(20);
  });

  it.each([...new Set([...made, ...servers])].sort())(
    '%s has advice, and a row in docs/errors.md',
    (code) => {
      expect(adviceFor(code), `advice for ${code}`).toBeDefined();
      expect(documented.get(code)?.cause, `a row for ${code}`).toBeTruthy();
    },
  );

  it('that has a row is one that can happen', () => {
    const known = new Set([...made, ...servers]);
    expect([...documented.keys()].filter((code) => !known.has(code))).toEqual([]);
  });

  it('has the same words in code and page', () => {
    for (const [code, { remedy }] of documented) expect(adviceFor(code)).toBe(remedy);
  });

  it('is on the page once', () => {
    expect(documented.size).toBe(rowsOf(tables).length);
  });
});

describe('advice', () => {
  it('is one sentence of some length', () => {
    for (const code of documented.keys()) {
      expect(adviceFor(code)).toMatch(/^[A-Z][^\n]{20,150}\.$/);
    }
  });

  it('is absent for a code that nobody has thought of', () => {
    for (const code of ['', 'whatever', 'constructor', '__proto__', 'toString']) {
      expect(adviceFor(code)).toBeUndefined();
    }
  });
});

describe('a bundle', () => {
  const bundle = async (mode: string) => {
    const { outputFiles } = await build({
      stdin: {
        contents:
          "export { AnywireError } from './src/index'; export { define } from './src/contract'",
        resolveDir: `${root}/packages/client`,
      },
      define: { 'process.env.NODE_ENV': JSON.stringify(mode) },
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      write: false,
    });
    return outputFiles[0]?.text ?? '';
  };

  it('for production is without advice, and without what only a developer does wrong', async () => {
    const text = await bundle('production');
    expect(text).toContain('AnywireError');
    expect(text).not.toContain('Call `client.connect()`');
    expect(text).not.toContain('bad_contract');
  });

  it('for development has both', async () => {
    const text = await bundle('development');
    expect(text).toContain('client.connect()');
    expect(text).toContain('bad_contract');
  });
});
