import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  tsconfig: 'tsconfig.build.json',
  dts: true,
  // One .js and one .d.ts: the package is "type": "module", so .mjs would only confuse older tools.
  outExtensions: () => ({ js: '.js', dts: '.d.ts' }),
});
