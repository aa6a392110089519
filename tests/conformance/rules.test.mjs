// The table of rules keeps its word: every rule has a case or a reason, every case named there
// exists, and docs/conformance.md says what the table says.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { documents, markdown, place } from './rules/document.mjs';

const here = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const kLevels = ['MUST', 'MUST NOT', 'SHOULD', 'SHOULD NOT', 'RECOMMENDED', 'MAY', 'step'];
const kUnit = /^\w+\.\w+$/;

const blackBoxCases = async () => JSON.parse((await promisify(execFile)(
  process.execPath, [here('rules/catalogue.mjs')], { maxBuffer: 1 << 24 })).stdout);

function unitTests() {
  const source = here('../../src');
  const files = readdirSync(source, { recursive: true }).filter((name) => name.endsWith('_test.cc'));
  const found = files.flatMap((name) => [...readFileSync(path.join(source, name), 'utf8')
    .matchAll(/^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)/gm)]);
  return new Set(found.map(([, suite, name]) => `${suite}.${name}`));
}

function matcher(pattern) {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  const whole = new RegExp(`^${parts.join('.*')}$`, 's');
  return (name) => whole.test(name);
}

describe('rules of the RFCs', () => {
  let cases;
  const units = unitTests();
  before(async () => {
    cases = await blackBoxCases();
  });

  for (const { title, rules } of documents) {
    it(`every rule of ${title} is proven or has its reason`, () => {
      for (const { section, level, rule, cases: named, reason } of rules) {
        assert.match(section, /^\d+(\.\d+)*$/, rule);
        assert.ok(kLevels.includes(level), `${section} ${level}`);
        assert.ok(named.length || reason, `${section} "${rule}" has neither a case nor a reason`);
      }
    });
    it(`every case that proves ${title} exists`, () => {
      const exists = (name) => (kUnit.test(name) ? units.has(name) : cases.some(matcher(name)));
      const lost = rules.flatMap(({ section, cases: named }) =>
        named.filter((name) => !exists(name)).map((name) => `${section}: ${name}`));
      assert.deepEqual(lost, [], 'names of cases that do not exist');
    });
  }
  it('a name nobody has is noticed', () => {
    assert.ok(!cases.some(matcher('handshake > refuses nobody')));
    assert.ok(!cases.some(matcher('handshake > refuses no key [plain-1]')), 'modes are not in names');
    assert.ok(cases.some(matcher('handshake > refuses no *')));
    assert.ok(!units.has('RequestParser.DoesWhatNobodyWrote'));
  });
  it('docs/conformance.md is what the rules say', () => {
    assert.ok(readFileSync(place, 'utf8') === markdown(),
      'run node tests/conformance/rules/document.mjs and commit docs/conformance.md');
  });
});
