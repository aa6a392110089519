// node record.mjs [PATTERN]: runs the cases against npm's server and writes down what it does, one
// file of `recorded/` for each file of `cases/`. With a pattern, shows the logs and writes nothing.
import { writeFile } from 'node:fs/promises';
import { cases } from './cases/index.mjs';
import { runCases } from './harness/run.mjs';
import { startReference } from './reference.mjs';

const target = { start: startReference };
const pattern = process.argv[2] && new RegExp(process.argv[2]);
let failures = 0;

for (const [file, list] of Object.entries(cases)) {
  const only = ({ name }) => !pattern || pattern.test(name);
  const logs = await runCases(target, list, { only });
  for (const [name, log] of Object.entries(logs)) {
    if (log.failed) {
      failures += 1;
      console.error(`${name}: ${log.failed[0]}\n${JSON.stringify(log)}`);
    }
  }
  if (pattern) {
    console.log(JSON.stringify(logs, null, 1));
  } else if (failures === 0) {
    const sorted = Object.fromEntries(list.map(({ name }) => [name, logs[name]]));
    await writeFile(new URL(`recorded/${file}.json`, import.meta.url), format(sorted));
  }
}

// One line an entry: what changed can be read from a diff.
function format(logs) {
  const actor = ([name, log]) => `    ${JSON.stringify(name)}: [\n${
    log.map((entry) => `      ${JSON.stringify(entry)}`).join(',\n')}\n    ]`;
  const one = ([name, log]) => `  ${JSON.stringify(name)}: {\n${
    Object.entries(log).map(actor).join(',\n')}\n  }`;
  return `{\n${Object.entries(logs).map(one).join(',\n')}\n}\n`;
}

// Sessions that were closed by the server and never polled again would keep it for half a minute.
process.exit(failures === 0 ? 0 : 1);
