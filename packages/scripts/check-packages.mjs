// Checks the packages as users will get them: publint and "are the types wrong", and that the
// promises about their contents hold (no dependencies in the client, "use client" kept).
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

for (const name of ['client', 'react']) {
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
check('client: no runtime dependencies', () => {
  const { dependencies, peerDependencies } = manifest('client');
  assert(!dependencies && !peerDependencies, 'the client must not depend on anything');
  for (const entry of ['index', 'fallbacks', 'msgpack']) {
    assert(!/^import /m.test(dist('client', entry)), `${entry} must not import anything`);
  }
});
check('react: a client module that leaves React out', () => {
  const code = dist('react');
  assert(/^['"]use client['"]/.test(code), '"use client" is missing from dist/index.js');
  assert(/from ["']react["']/.test(code), 'React must be imported, not bundled');
  assert(!/from ["']react\//.test(code), 'only the main entry of React may be used');
});
process.exit(failed > 0 ? 1 : 0);
