// What is recorded is what npm's server does: recorded once more, it is the same. And the hook
// application, asked by npm's server, does the same as the one written for it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cases } from './cases/index.mjs';
import { differences } from './differences.mjs';
import { compare } from './harness/compare.mjs';
import { targets } from './targets.mjs';

const all = Object.values(cases).flat();

describe('the cases', () => {
  it('have a name each', () => {
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
  });

  it('are hundreds', () => assert.ok(all.length > 500));

  it('are those that the differences name', () => {
    const idle = differences.filter((one) => !all.some(({ name }) => one.cases.test(name)));
    assert.deepEqual(idle, []);
  });
});

compare({ name: 'reference', ...targets.reference });
compare({ name: 'bridge', ...targets.bridge });
