import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, describe, expect, test } from 'vitest';

// As Node runs it, not as Vitest does, which reads TypeScript anyway.
const source = readFileSync(
  fileURLToPath(new URL('../src/contract-module.ts', import.meta.url)),
  'utf8',
);
const folder = mkdtempSync(join(tmpdir(), 'anywire-contract-'));
const loader = join(folder, 'contract-module.mjs');
writeFileSync(
  loader,
  ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  }).outputText,
);
afterAll(() => rmSync(folder, { recursive: true }));

function load(file: string): { status: number | null; out: string; err: string } {
  const program = `import { loadModule } from ${JSON.stringify(loader)};
    const { exports, toJsonSchema } = await loadModule(${JSON.stringify(file)});
    console.log(Object.keys(exports).join(), typeof toJsonSchema, JSON.stringify(exports.rt?.channels));`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  return { status: ran.status, out: ran.stdout.trim(), err: ran.stderr };
}

describe('loading a module', () => {
  const app = fileURLToPath(new URL('./fixtures/contract-app/', import.meta.url));

  test('TypeScript with paths, types and extensionless imports', { timeout: 60_000 }, () => {
    const { status, out, err } = load(join(app, 'src/contract.ts'));
    expect(err).toBe('');
    expect(status).toBe(0);
    expect(out).toMatch(/^rt function \{"room:\{id\}":/);
    expect(out).toContain('2000');
  });

  test('JavaScript, wherever it is', { timeout: 60_000 }, () => {
    const file = join(folder, 'plain.mjs');
    writeFileSync(file, 'export const one = 1;');
    expect(load(file).out).toBe('one undefined undefined');
  });

  test('says how TypeScript can be read where it cannot', { timeout: 60_000 }, () => {
    const file = join(folder, 'lonely.ts');
    writeFileSync(file, 'export const one: number = 1;');
    const { status, out, err } = load(file);
    if (status === 0) expect(out).toBe('one undefined undefined');
    else expect(err).toContain('npm install --save-dev typescript');
  });

  test('a module that is not there is an error with its name', { timeout: 60_000 }, () => {
    expect(load(join(folder, 'nowhere.mjs')).err).toContain('nowhere.mjs');
  });
});
