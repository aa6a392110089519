// The table of rules as Markdown, docs/conformance.md:
//
//   node tests/conformance/rules/document.mjs        writes it
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as rfc6455 from './rfc6455.mjs';
import * as rfc7692 from './rfc7692.mjs';
import * as rfc9110 from './rfc9110.mjs';
import * as rfc9112 from './rfc9112.mjs';

export const documents = [rfc6455, rfc7692, rfc9112, rfc9110];
export const place = fileURLToPath(new URL('../../../docs/conformance.md', import.meta.url));

const cell = (words) => words.replaceAll('|', '\\|');
const code = (name) => `\`${cell(name).replaceAll('`', "'")}\``;

function proof({ cases, reason, deviates }) {
  const names = cases.map(code).join('<br>');
  if (deviates) return `**otherwise:** ${cell(reason)}<br>${names}`;
  return reason ? `*${cell(reason)}*` : names;
}

function summary({ title, rules }) {
  const count = (test) => rules.filter(test).length;
  const deviating = count((rule) => rule.deviates);
  const foreign = count((rule) => !rule.cases.length);
  return `| ${title} | ${rules.length} | ${rules.length - deviating - foreign} | ${deviating} | ${foreign} |`;
}

function table({ title, rules }) {
  return [`## ${title}`, '', '| section | level | rule | proven by |', '| --- | --- | --- | --- |',
    ...rules.map((rule) => `| ${rule.section} | ${rule.level} | ${cell(rule.rule)} | ${proof(rule)} |`), ''];
}

export function markdown() {
  return [
    '# Conformance, rule by rule',
    '',
    '<!-- Written by tests/conformance/rules/document.mjs; change the rules there and run it. -->',
    '',
    'What the RFCs ask of a WebSocket server, each rule in a few words of ours, and the cases that prove',
    'it against the running binary, plain and under TLS (`scripts/test conformance`). A case is written',
    '`suite > case`, with `*` for anything; `Suite.Test` is a unit test beside the sources in `src/`.',
    'The suite fails when a case named here does not exist, and when this page is stale.',
    '',
    '- *level*: the keyword of the RFC; **step** is a sentence without one that an algorithm makes binding.',
    '- **otherwise**: done differently on purpose, with the reason and the cases that pin it down.',
    '- *in italics*: why no case of this server can prove it.',
    '',
    '| | rules | proven | otherwise, on purpose | not for this server |',
    '| --- | --- | --- | --- | --- |',
    ...documents.map(summary),
    '',
    ...documents.flatMap(table),
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(place, markdown());
