// Fails when a package has grown past its budget: minified by esbuild, gzipped, React left out.
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const budgets = [
  {
    name: 'client: socket core',
    code: "export { createSocket } from '@anywire/client'",
    limit: 5 * 1024,
  },
  {
    name: 'client: realtime',
    code: "export { createClient } from '@anywire/client'",
    limit: 12.5 * 1024,
  },
  {
    name: 'client: fallbacks',
    code: "export { poll, sse } from '@anywire/client/fallbacks'",
    limit: 1.6 * 1024,
  },
  {
    name: 'client: MessagePack',
    code: "export { msgpack } from '@anywire/client/msgpack'",
    limit: 2.5 * 1024,
  },
  {
    name: 'client + react',
    code: "export { useWebSocket } from '@anywire/react'",
    limit: 7 * 1024,
  },
];

let failed = 0;
for (const { name, code, limit } of budgets) {
  const result = await build({
    stdin: { contents: code, resolveDir: `${root}/packages/react` },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['react'],
    write: false,
  });
  const [{ contents }] = result.outputFiles;
  const gzipped = gzipSync(contents, { level: 9 }).length;
  const fits = gzipped <= limit;
  if (!fits) failed++;
  const verdict = fits ? 'ok  ' : 'FAIL';
  console.log(`${verdict} ${name}: ${contents.length} B min, ${gzipped} B gzip (limit ${limit})`);
}
process.exit(failed > 0 ? 1 : 0);
