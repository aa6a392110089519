// Fails when a package has grown past its budget, or when what an application does not import is in
// its bundle all the same. Minified by esbuild, gzipped, React left out, as for production.
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const core = "export { createClient } from '@anywire/client'";
const withCore = (more) => `${core}; ${more}`;

/** Words by which the code of a feature is known in a bundle. */
const marks = {
  socket: ['anywire.raw.v1'],
  realtime: ['anywire.v1.json', 'connection_lost'],
  presence: ['"members"', '"enter"'],
  history: ['type:"history"', 'epoch_changed'],
  rpc: ['type:"rpc"'],
  pattern: ['[^]*'],
  inspect: ['The inspector'],
  fallbacks: ['retry-after', 'anywire.transport '],
  contract: ['unknown_'],
  msgpack: ['anywire.v1.msgpack'],
  advice: ['do not use the client after'],
};
const features = ['presence', 'history', 'rpc', 'pattern', 'inspect'];

/** `over`: the limit is for what it adds to the core. `holds`: the features that may be in it. */
const budgets = [
  {
    name: 'client: socket core',
    code: "export { createSocket } from '@anywire/client'",
    limit: 5 * 1024,
    holds: ['socket'],
  },
  { name: 'client: realtime core', code: core, limit: 9 * 1024, holds: ['realtime'] },
  ...[
    ['presence', 2.25],
    ['history', 0.4],
    ['rpc', 0.15],
    ['pattern', 0.4],
    ['inspect', 0.6],
  ].map(([name, limit]) => ({
    name: `client: ${name}`,
    code: withCore(`export { ${name} } from '@anywire/client'`),
    limit: limit * 1024,
    over: core,
    holds: ['realtime', name],
  })),
  {
    name: 'client: realtime with all of it',
    code: withCore(`export { ${features.join(', ')} } from '@anywire/client'`),
    limit: 12.5 * 1024,
    holds: ['realtime', ...features],
  },
  {
    name: 'client: fallbacks',
    code: withCore("export { poll, sse } from '@anywire/client/fallbacks'"),
    limit: 1.75 * 1024,
    over: core,
    holds: ['realtime', 'fallbacks'],
  },
  {
    name: 'client: MessagePack',
    code: "export { msgpack } from '@anywire/client/msgpack'",
    limit: 2.5 * 1024,
    holds: ['msgpack'],
  },
  {
    name: 'client: contract',
    code: withCore("export { define } from '@anywire/client/contract'"),
    limit: 1.25 * 1024,
    over: core,
    holds: ['realtime', 'contract'],
  },
  {
    name: 'client + react: AnywireProvider, useChannel',
    code: "export { AnywireProvider, useChannel } from '@anywire/react'",
    limit: 11.4 * 1024,
    holds: ['realtime'],
  },
  ...[
    ['useChannelEvent', 1.7, []],
    ['useConnectionState', 1.35, []],
    ['useRpc', 1.65, ['rpc']],
    ['useLatest', 2.2, []],
    ['useHistory', 3.4, ['history']],
    ['useOptimisticPublish', 4.35, ['history']],
    ['usePresence', 4.5, ['presence']],
  ].map(([name, limit, holds]) => ({
    name: `react: AnywireProvider, ${name}`,
    code: withCore(`export { AnywireProvider, ${name} } from '@anywire/react'`),
    limit: limit * 1024,
    over: core,
    holds: ['realtime', ...holds],
  })),
  {
    name: 'client + react: useWebSocket',
    code: "export { useWebSocket } from '@anywire/react'",
    limit: 7 * 1024,
    holds: ['socket'],
  },
];

async function bundle(code) {
  const result = await build({
    stdin: { contents: code, resolveDir: `${root}/packages/react` },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['react'],
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
  });
  const [{ text, contents }] = result.outputFiles;
  return { text, bytes: contents.length, gzipped: gzipSync(contents, { level: 9 }).length };
}

const sizes = new Map();
let failed = 0;
for (const { name, code, limit, over, holds } of budgets) {
  const { text, bytes, gzipped } = await bundle(code);
  if (over && !sizes.has(over)) sizes.set(over, (await bundle(over)).gzipped);
  const size = gzipped - (over ? sizes.get(over) : 0);
  const found = Object.keys(marks).filter((mark) =>
    marks[mark].some((word) => text.includes(word)),
  );
  const strays = found.filter((mark) => !holds.includes(mark));
  // A mark that is not even found where it belongs proves nothing where it does not.
  const unseen = holds.filter((mark) => !found.includes(mark));
  const ok = size <= limit && strays.length === 0 && unseen.length === 0;
  if (!ok) failed++;
  console.log(
    `${ok ? 'ok  ' : 'FAIL'} ${name}: ${over ? '+' : ''}${size} B gzip (limit ${Math.round(limit)}),`,
    `${bytes} B min`,
    ...strays.map((mark) => `has ${mark}, which nobody imports`),
    ...unseen.map((mark) => `${mark} is not known by its words any more`),
  );
}
process.exit(failed > 0 ? 1 : 0);
