// Prints the names of all black-box cases as JSON, without running any: the test files are imported
// with node:test replaced. A program of its own, because the replacement holds for a whole process.
import { readdirSync } from 'node:fs';
import { register } from 'node:module';

const kFolders = ['conformance', 'hostile', 'races'];
const tests = new URL('../../', import.meta.url);

process.env.ANYWIRE_MODES = 'all';
register('./hooks.mjs', import.meta.url);
const { names } = await import('./recorder.mjs');
for (const folder of kFolders) {
  const files = readdirSync(new URL(`${folder}/`, tests)).filter((name) => name.endsWith('.test.mjs'));
  // The suite that takes this catalogue would take it again, for ever.
  for (const file of files.filter((name) => name !== 'rules.test.mjs')) {
    await import(new URL(`${folder}/${file}`, tests).href);
  }
}
const modeless = names.map((name) => name.replace(/ \[[a-z0-9-]+\](?= > )/g, ''));
process.stdout.write(JSON.stringify([...new Set(modeless)]), () => process.exit(0));
