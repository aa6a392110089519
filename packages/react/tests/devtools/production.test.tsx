// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AnywireDevtools } from '../../src/devtools';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  write: false,
} as const;

/** The package as it is published: a bundle that knows nothing of the environment yet. */
async function published(entry: string): Promise<string> {
  const { outputFiles } = await build({
    ...common,
    // For browsers it would put in an environment of its own.
    platform: 'neutral',
    entryPoints: [here(`../../src/${entry}`)],
    external: ['react', 'react/jsx-runtime', '@anywire/client'],
  });
  return outputFiles[0]?.text ?? '';
}

/** A page, as a bundler makes it for this environment of published packages. */
async function bundle(mode: string, code: string): Promise<string> {
  const { outputFiles } = await build({
    ...common,
    stdin: { contents: code, resolveDir: here('../../src'), loader: 'tsx' },
    minify: true,
    external: ['react', 'react/jsx-runtime'],
    alias: { '@anywire/client': here('../../../client/src/index.ts') },
    define: { 'process.env.NODE_ENV': JSON.stringify(mode) },
    plugins: [
      {
        name: 'published',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^\.\/(index|devtools)$/ }, ({ path }) => ({
            path: path === './index' ? 'index.ts' : 'devtools.tsx',
            namespace: 'published',
            sideEffects: false,
          }));
          onLoad({ filter: /.*/, namespace: 'published' }, async ({ path }) => ({
            contents: await published(path),
            resolveDir: here('../../src'),
          }));
        },
      },
    ],
  });
  return outputFiles[0]?.text ?? '';
}

const page = `
  import { AnywireProvider } from './index';
  import { AnywireDevtools } from './devtools';
  export const Page = () => <AnywireProvider url="/anywire"><AnywireDevtools /></AnywireProvider>;`;
const without = page.replace('<AnywireDevtools />', '').replace(/import.*devtools';/, '');

/** Texts that stand in the sources of the devtools: classes, labels, titles. */
const words = readdirSync(here('../../src/devtools'))
  .flatMap((file) => [
    ...readFileSync(here(`../../src/devtools/${file}`), 'utf8').matchAll(/'([^'\n]{12,})'/g),
  ])
  .map(([, word]) => word ?? '')
  .filter((word) => !/^@?[./]|^@anywire|^http/.test(word));

describe('a bundle', () => {
  it('for production has nothing of the devtools', async () => {
    const code = await bundle('production', page);
    const bare = await bundle('production', without);
    const own = words.filter((word) => !bare.includes(word));
    expect(own.length).toBeGreaterThan(20);
    expect(own.filter((word) => code.includes(word))).toEqual([]);
    expect(code).not.toContain('devtools');
    // An empty component, that it is rendered, and a second context of the provider.
    expect(code.length - bare.length).toBeLessThan(300);
  });

  it('for development has them', async () => {
    const code = await bundle('development', page);
    expect(code).toContain('anywire-devtools');
    expect(words.filter((word) => code.includes(word)).length).toBeGreaterThan(20);
  });
});

describe('without a bundler', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.unstubAllGlobals();
  });

  it('it is nothing in production', () => {
    vi.stubEnv('NODE_ENV', 'production');
    expect(renderToString(createElement(AnywireDevtools))).toBe('');
  });

  it('it is nothing where there is no process to ask', () => {
    const { process } = globalThis;
    try {
      vi.stubGlobal('process', undefined);
      expect(AnywireDevtools({})).toBeNull();
    } finally {
      globalThis.process = process;
    }
  });
});
