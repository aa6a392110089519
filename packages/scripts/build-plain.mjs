// Builds the packages for the demo on Node.js 20.9 to 20.18, which the packages' own build tool is
// too new for: a bundle by esbuild, declarations by tsc. What is published comes from `npm run build`.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const packages = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

// In this order: react takes its types from what client has built.
for (const [name, entries, banner] of [
  ['client', ['index', 'fallbacks', 'msgpack'], ''],
  ['react', ['index'], "'use client';"],
]) {
  const folder = path.join(packages, name);
  rmSync(path.join(folder, 'dist'), { recursive: true, force: true });
  await build({
    entryPoints: entries.map((entry) => path.join(folder, 'src', `${entry}.ts`)),
    outdir: path.join(folder, 'dist'),
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    banner: { js: banner },
  });
  execFileSync(
    process.execPath,
    [
      tsc,
      '-p',
      'tsconfig.build.json',
      '--noEmit',
      'false',
      '--declaration',
      '--rootDir',
      'src',
    ].concat(['--emitDeclarationOnly', '--outDir', 'dist', '--incremental', 'false']),
    { cwd: folder, stdio: 'inherit' },
  );
}
