// Declares a test for each case: the log of a target is the recorded one, but for what
// differences.mjs says.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { cases } from '../cases/index.mjs';
import { rulesFor } from '../differences.mjs';
import { runCases } from './run.mjs';

const recorded = async (file) =>
  JSON.parse(await readFile(new URL(`../recorded/${file}.json`, import.meta.url)));

/** `only(case)` chooses among them. */
export function compare(target, { only = () => true, lanes } = {}) {
  for (const [file, list] of Object.entries(cases)) {
    describe(`${file}: ${target.name}`, () => {
      const wanted = (one) => only(one) && !rulesFor(target.name, one.name).omit;
      let logs;
      const run = () => (logs ??= runCases(target, list, { lanes, only: wanted }));
      for (const { name } of list.filter(wanted)) {
        it(name, async () => {
          const [log, expected] = [(await run())[name], (await recorded(file))[name]];
          const { free, change, ease, reasons } = rulesFor(target.name, name);
          assert.equal(log.failed?.[0], undefined);
          assert.ok(expected, 'the case is recorded');
          if (!free) assert.deepEqual(ease(log), ease(change(expected)), reasons.join('; ') || undefined);
        });
      }
    });
  }
}
