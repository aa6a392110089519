// Keeps the code in the documentation equal to files that are compiled and tested. In a page
//
//   <!-- example: use-channel.tsx -->
//   ```tsx
//   ...
//   ```
//
// the block is that of docs/examples/use-channel.tsx. Without arguments the blocks are written anew,
// with --check a difference is an error, and so are an example that no page shows and a page per
// hook that shows none.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const examples = join(root, 'docs/examples');
const mark = /<!-- example: (?<file>\S+) -->\n```\w*\n(?<code>[\s\S]*?)```\n/g;
const check = process.argv.includes('--check');

const pages = ['docs', 'packages'].flatMap((dir) => markdownIn(join(root, dir)));
const shown = new Set();
const complaints = [];

for (const page of pages) {
  const name = relative(root, page);
  const before = readFileSync(page, 'utf8');
  const found = [];
  const after = before.replace(mark, (block, file) => {
    found.push(file);
    shown.add(file);
    let code;
    try {
      code = readFileSync(join(examples, file), 'utf8');
    } catch {
      complaints.push(`${name}: there is no docs/examples/${file}`);
      return block;
    }
    return `<!-- example: ${file} -->\n\`\`\`${extname(file).slice(1)}\n${code}\`\`\`\n`;
  });
  const marks = before.split('<!-- example: ').length - 1;
  if (marks !== found.length) complaints.push(`${name}: an example mark without its block`);
  if (/^docs\/react\/(use-|anywire-|history-)/.test(name) && found.length === 0) {
    complaints.push(`${name}: shows no example`);
  }
  if (after === before) continue;
  if (check) complaints.push(`${name}: differs from docs/examples; run doc-examples.mjs`);
  else writeFileSync(page, after);
}
for (const file of readdirSync(examples)) {
  if (/\.tsx?$/.test(file) && !shown.has(file))
    complaints.push(`docs/examples/${file}: on no page`);
}
for (const complaint of complaints) console.error(complaint);
console.log(`${shown.size} examples on ${pages.length} pages, ${complaints.length} complaints`);
process.exit(complaints.length > 0 ? 1 : 0);

function markdownIn(dir) {
  return readdirSync(dir).flatMap((name) => {
    if (name === 'node_modules' || name === 'dist') return [];
    const path = join(dir, name);
    if (statSync(path).isDirectory()) return markdownIn(path);
    return name.endsWith('.md') ? [path] : [];
  });
}
