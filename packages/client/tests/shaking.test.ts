import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** Which modules a bundle for production has code of. */
async function modules(code: string): Promise<string[]> {
  const { metafile } = await build({
    stdin: { contents: code, resolveDir: src, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    metafile: true,
    write: false,
  });
  const [output] = Object.values(metafile.outputs);
  return Object.entries(output?.inputs ?? {})
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path.replace(/^.*client\/src\//, ''));
}
const importing = (names: string) => modules(`export { ${names} } from './index'`);
/** What a client alone does without. */
const extras = {
  presence: ['realtime/presence.ts', 'realtime/membership.ts', 'realtime/roster.ts'],
  history: ['realtime/history.ts'],
  rpc: ['realtime/rpc.ts'],
  handle: ['realtime/handle.ts'],
  pattern: ['realtime/pattern.ts'],
  inspect: ['realtime/inspect.ts'],
};
const never = ['realtime/advice.ts', 'realtime/memory.ts', 'realtime/ladder.ts', 'fallbacks.ts'];

describe('a bundle', () => {
  it('of the socket alone has nothing of the realtime client', async () => {
    const found = await importing('createSocket');
    expect(found).toContain('socket.ts');
    expect(found.filter((path) => path.startsWith('realtime/'))).toEqual([]);
    expect(found).not.toContain('store.ts');
  });

  it('of the realtime client alone has nothing of the socket, nor of what is not asked for', async () => {
    const found = await importing('createClient');
    expect(found).toContain('realtime/room.ts');
    const others = ['socket.ts', 'dial.ts', 'metered-link.ts', 'registry.ts', 'store.ts'];
    for (const path of [...others, ...Object.values(extras).flat(), ...never]) {
      expect(found).not.toContain(path);
    }
  });

  it.each(Object.entries(extras))('with %s has its modules, and no others', async (name, own) => {
    const [alone, found] = await Promise.all([
      importing('createClient'),
      importing(`createClient, ${name}`),
    ]);
    expect(found).toEqual(expect.arrayContaining(own));
    expect(found.filter((path) => !alone.includes(path)).sort()).toEqual([...own].sort());
  });

  it('of nothing but types and errors is next to nothing', async () => {
    expect(await importing('AnywireError')).toEqual(['realtime/error.ts']);
  });

  it('with fallbacks has them, and what chooses between them', async () => {
    const found = await modules(
      "export { createClient } from './index'; export { sse, poll } from './fallbacks'",
    );
    expect(found).toEqual(expect.arrayContaining(['fallbacks.ts', 'realtime/ladder.ts']));
    expect(found).not.toContain('realtime/advice.ts');
  });
});
