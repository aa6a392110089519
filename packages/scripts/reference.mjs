// Writes docs/reference, one page per package entry, from the types and their docstrings. With
// --check it writes nothing and fails when a page is not what the sources say now.
// `--out FOLDER` writes elsewhere, `--missing` also lists exported names without a docstring.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, LogLevel, ReflectionKind } from 'typedoc';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const options = process.argv.slice(2);
const check = options.includes('--check');
const outAt = options.indexOf('--out');
const target = outAt < 0 ? path.join(root, 'docs/reference') : path.resolve(options[outAt + 1]);

const entries = ['client', 'server', 'react', 'next', 'testing'].flatMap(entriesOf);
const absent = entries.filter((entry) => !entry.source);
for (const { name } of absent) console.error(`${name}: its source is missing`);

const known = entries.filter((entry) => entry.source);
const scratch = mkdtempSync(path.join(tmpdir(), 'reference-'));
const app = await Application.bootstrapWithPlugins(settings(known));
const project = await app.convert();
if (!project) process.exit(1);
rename(project);
if (options.includes('--missing')) undocumented(project);

const signature = /^#### Call Signatures?\n\n((?:```ts\n[\s\S]*?```\n\n)+)([\s\S]*)$/;
const pages = new Map();
try {
  await app.generateOutputs(project);
  for (const { id, name } of known) {
    pages.set(`${id}.md`, tidied(readFileSync(path.join(scratch, `${id}.md`), 'utf8'), name));
  }
  mendLinks(pages);
  dropAnchors(pages);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
pages.set('README.md', overview());
process.exit(publish(pages) && absent.length === 0 ? 0 : 1);

/** The entries of a package's `exports`, each with the file it is made from. */
function entriesOf(folder) {
  const manifest = JSON.parse(
    readFileSync(path.join(root, 'packages', folder, 'package.json'), 'utf8'),
  );
  return Object.entries(manifest.exports).flatMap(([key, target]) => {
    if (typeof target === 'string') return [];
    const stem = path.join(root, 'packages', folder, target.default.replace('/dist/', '/src/'));
    const base = stem.replace(/\.js$/, '');
    const source = [`${base}.ts`, `${base}.tsx`].find((file) => existsSync(file));
    const name = manifest.name + key.slice(1);
    const id = name.replace('@anywire/', '').replaceAll('/', '-');
    const module = path.relative(path.join(root, 'packages'), base).replace(/\/index$/, '');
    return [{ name, id, module, source }];
  });
}

function settings(list) {
  return {
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: list.map((entry) => entry.source),
    tsconfig: tsconfig(list),
    // Types are `tsc`'s business; a page can be written while somebody else's file is half done.
    skipErrorChecking: true,
    outputs: [{ name: 'markdown', path: scratch }],
    logLevel: LogLevel.Error,
    readme: 'none',
    router: 'module',
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    sort: ['alphabetical'],
    groupOrder: ['Functions', 'Classes', 'Variables', 'Interfaces', 'Type Aliases', '*'],
    hidePageHeader: true,
    hideBreadcrumbs: true,
    hidePageTitle: true,
    useCodeBlocks: true,
    expandParameters: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    classPropertiesFormat: 'table',
    typeAliasPropertiesFormat: 'table',
    propertyMembersFormat: 'table',
    typeDeclarationFormat: 'table',
    tableColumnSettings: {
      hideDefaults: true,
      hideInherited: true,
      hideModifiers: true,
      hideOverrides: true,
    },
  };
}

/** One program over all entries. Packages see each other's sources, whatever was last built. */
function tsconfig(list) {
  const file = path.join(scratch, 'tsconfig.json');
  const compilerOptions = {
    jsx: 'react-jsx',
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules/@types')],
    paths: Object.fromEntries(list.map((entry) => [entry.name, [entry.source]])),
  };
  const files = list.map((entry) => entry.source);
  const config = { extends: path.join(root, 'tsconfig.base.json'), compilerOptions, files };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** Modules are called as their pages are; by default the names would be paths of this tree. */
function rename(tree) {
  for (const module of modulesOf(tree)) {
    // TypeDoc names a module by its path below packages/, and leaves out a final /index.
    const entry = known.find(({ module: name }) => name === module.name);
    if (!entry) throw new Error(`no entry is made from ${module.name}`);
    module.name = entry.id;
  }
}

/** With one entry the project itself is the module. */
function modulesOf(tree) {
  return tree.getChildrenByKind(ReflectionKind.Module);
}

/** What is exported, or a member of it, and says nothing about itself. */
function undocumented(tree) {
  const kinds =
    ReflectionKind.SomeExport | ReflectionKind.SomeMember | ReflectionKind.CallSignature;
  const others = ReflectionKind.SomeModule | ReflectionKind.Reference;
  for (const reflection of Object.values(tree.reflections)) {
    if (!reflection.kindOf(kinds) || reflection.kindOf(others)) continue;
    if (reflection.hasComment() || reflection.signatures || reflection.parent?.hasComment())
      continue;
    const owner = reflection.parent;
    if (!owner || owner.kindOf(ReflectionKind.TypeLiteral)) continue;
    console.error(`no docstring: ${reflection.getFullName()}`);
  }
}

/** The page as we want to keep it: nothing twice, no rules between entries, no trailing space. */
function tidied(text, name) {
  const sections = text
    .replace(/^\*\*\*\n\n/gm, '')
    .replace(/[ \t]+$/gm, '')
    .split(/^(?=#{2,6} )/m)
    .filter((section) => !repeats(section));
  const body = merged(sections)
    .join('')
    .replaceAll('__namedParameters', 'props')
    .replace(/^## References$/m, '## Passed on')
    .replace(/^#+ Properties\n\n/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  if (body.includes(root)) throw new Error(`${name}: a path of this machine is on the page`);
  return `# ${name}\n\n${body}\n`;
}

/** Overloads that say the same say it once; what is only passed on is one list. */
function merged(sections) {
  const result = [];
  const passed = [];
  for (const section of sections) {
    const last = result.at(-1);
    const [, link] = /^### .*\n\nRe-exports (.*)\n/.exec(section) ?? [];
    const [, code, text] = signature.exec(section) ?? [];
    const [, codes, before] = signature.exec(last ?? '') ?? [];
    if (link) passed.push(link.replace(/\[(.*)\]/, '[`$1`]'));
    else if (code && codes && text === before) {
      result[result.length - 1] = `#### Call Signatures\n\n${codes}${code}${text}`;
    } else result.push(section);
  }
  if (passed.length > 0) result.push(`${passed.join(', ')}\n`);
  return result;
}

/** Whether a section says nothing that the signature above it does not. */
function repeats(section) {
  const [heading, ...lines] = section.split('\n');
  const said = lines.filter((line) => line.trim() !== '');
  switch (heading.replace(/^#+ /, '')) {
    case 'Returns':
      return said.length === 1;
    case 'Parameters':
    case 'Type Parameters':
      return said[0]?.startsWith('|') && !said[0].includes('| Description |');
    case 'Overrides':
    case 'Inherited from':
    case 'Implementation of':
      return true;
    default:
      return false;
  }
}

/**
 * Links are numbered as if the sections left out were still there, so they are made anew: to the
 * heading that says the name.
 */
function mendLinks(all) {
  const slugs = new Map([...all].map(([file, text]) => [file, slugsOf(text)]));
  for (const [file, text] of all) {
    const mended = text.replace(/\[`(\w+)`\]\(([\w.-]*)#[\w-]+\)/g, (link, name, page) => {
      const slug = slugs.get(page || file)?.get(name);
      return slug ? `[\`${name}\`](${page}#${slug})` : link;
    });
    all.set(file, mended);
  }
}

/** The anchors that Markdown viewers make of the names' headings, counted as they count them. */
function slugsOf(text) {
  const times = new Map();
  const slugs = new Map();
  for (const [, level, heading] of text.matchAll(/^(#+) (.*)$/gm)) {
    const name = heading.replace(/\\|\(\)/g, '');
    const slug = name
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-');
    const count = times.get(slug) ?? 0;
    times.set(slug, count + 1);
    if (level === '###') slugs.set(name, count === 0 ? slug : `${slug}-${count}`);
  }
  return slugs;
}

/** Takes out the anchors of table rows that no link leads to, which is most of them. */
function dropAnchors(all) {
  const linked = new Set(
    [...all.values()].flatMap((text) => [...text.matchAll(/#([\w-]+)\)/g)].map(([, id]) => id)),
  );
  for (const [file, text] of all) {
    const kept = text.replace(/<a id="([^"]+)"><\/a> /g, (anchor, id) =>
      linked.has(id) ? anchor : '',
    );
    all.set(file, kept);
  }
}

function overview() {
  const rows = known.map(({ id, name }) => {
    const module = modulesOf(project).find((one) => one.name === id);
    const callable = (module?.children ?? []).filter((one) =>
      one.kindOf(ReflectionKind.Function | ReflectionKind.Class),
    );
    const list = callable.map((one) => `\`${one.name}\``).join(' ');
    return `| [${name}](${id}.md) | ${list} |`;
  });
  return `# API reference

Made from the types and their docstrings by \`node packages/scripts/reference.mjs\`; not to be edited.
The guides say how things are used, these pages what exactly each of them takes, gives and promises.

| entry | functions and classes |
| --- | --- |
${rows.join('\n')}
`;
}

/** Writes the pages, or compares them with what is there; false when they differ. */
function publish(wanted) {
  mkdirSync(target, { recursive: true });
  const there = readdirSync(target).filter((file) => file.endsWith('.md'));
  const stale = there.filter((file) => !wanted.has(file));
  for (const [file, text] of wanted) {
    const at = path.join(target, file);
    if (existsSync(at) && readFileSync(at, 'utf8') === text) continue;
    if (check) stale.push(file);
    else writeFileSync(at, text);
  }
  if (!check) for (const file of stale) rmSync(path.join(target, file));
  const bytes = [...wanted.values()].reduce((sum, text) => sum + text.length, 0);
  console.log(`reference: ${wanted.size} pages, ${Math.round(bytes / 1024)} kB`);
  if (!check || stale.length === 0) return true;
  for (const file of stale) console.error(`docs/reference/${file} is stale`);
  console.error('run: node packages/scripts/reference.mjs');
  return false;
}
