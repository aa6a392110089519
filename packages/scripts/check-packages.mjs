// Checks the packages as users will get them: publint and "are the types wrong", and that the
// promises about their contents hold (no dependencies in the client, "use client" kept).
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = `${root}/node_modules/.bin`;
let failed = 0;

function check(name, run) {
  try {
    run();
    console.log(`ok   ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL ${name}\n${error.stdout ?? ''}${error.stderr ?? ''}${error.message}`);
  }
}

function assert(condition, message) {
  if (!condition) throw new Error(message);
}

for (const name of ['client', 'server', 'react', 'next', 'testing']) {
  const cwd = `${root}/packages/${name}`;
  const stdio = 'pipe';
  check(`${name}: publint`, () => execFileSync(`${bin}/publint`, ['--strict'], { cwd, stdio }));
  check(`${name}: types resolve`, () =>
    execFileSync(`${bin}/attw`, ['--pack', '.', '--profile', 'esm-only'], { cwd, stdio }),
  );
}

const manifest = (name) =>
  JSON.parse(readFileSync(`${root}/packages/${name}/package.json`, 'utf8'));
const dist = (name, entry = 'index') =>
  readFileSync(`${root}/packages/${name}/dist/${entry}.js`, 'utf8');
/** The modules that code imports, but for its package's own chunks. */
const importsOf = (code) =>
  [...code.matchAll(/^(?:import|export) (?:.* from )?["']([^."'][^"']*)["']/gm)].map(
    ([, name]) => name,
  );
const everything = (name) =>
  readdirSync(`${root}/packages/${name}/dist`)
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(`${root}/packages/${name}/dist/${file}`, 'utf8'))
    .join('\n');

check('client: no runtime dependencies', () => {
  const { dependencies, peerDependencies } = manifest('client');
  assert(!dependencies && !peerDependencies, 'the client must not depend on anything');
  const names = importsOf(everything('client'));
  assert(names.length === 0, `the client must not import ${names}`);
});
check('react: client modules that leave React out', () => {
  for (const entry of ['index', 'suspense', 'devtools']) {
    assert(
      /^['"]use client['"]/.test(dist('react', entry)),
      `"use client" is missing from dist/${entry}.js`,
    );
  }
  const names = new Set(importsOf(everything('react')));
  assert(names.has('react'), 'React must be imported, not bundled');
  const allowed = ['react', 'react/jsx-runtime', '@anywire/client'];
  for (const name of names) assert(allowed.includes(name), `${name} may not be imported`);
});
check(
  'testing: what it helps to test is not bundled, and nobody gets what is not asked for',
  () => {
    const names = (entry) => importsOf(dist('testing', entry));
    for (const name of ['@anywire/react', '@testing-library/react', 'react']) {
      assert(names('react').includes(name), `${name} must be imported by react.js`);
    }
    assert(names('vitest').includes('vitest'), 'vitest must be imported by vitest.js');
    assert(
      names('index').every((name) => name === '@anywire/client'),
      'index.js imports too much',
    );
  },
);
process.exit(failed > 0 ? 1 : 0);
