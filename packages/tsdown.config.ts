import { defineConfig } from 'tsdown';

/** How every package is built: `tsdown --config ../tsdown.config.ts` in the package's folder. */
export default defineConfig({
  cwd: process.cwd(),
  entry: ['src/index.ts'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  tsconfig: 'tsconfig.build.json',
  dts: true,
  // One .js and one .d.ts: the package is "type": "module", so .mjs would only confuse older tools.
  outExtensions: () => ({ js: '.js', dts: '.d.ts' }),
});
