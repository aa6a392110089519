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

// In this order: each takes its types from what those before it have built.
for (const [name, entries, banner] of [
  ['client', ['index.ts', 'fallbacks.ts', 'msgpack.ts', 'contract.ts'], ''],
  ['react', ['index.ts', 'devtools.tsx'], "'use client';"],
  ['server', ['index.ts', 'hooks.ts'], ''],
  ['next', ['index.ts', 'browser.ts', 'config.ts', 'proxy.ts'], ''],
]) {
  const folder = path.join(packages, name);
  rmSync(path.join(folder, 'dist'), { recursive: true, force: true });
  await build({
    entryPoints: entries.map((entry) => path.join(folder, 'src', entry)),
    outdir: path.join(folder, 'dist'),
    bundle: true,
    // What two entries share exists once, as a context of React has to.
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'neutral',
    external: ['node:*'],
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
