import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** The cases of packages/testing/tests/same, against the binary: `npm run mock -w @anywire/tests`. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@anywire\/client$/, replacement: path('../../packages/client/src/index.ts') },
      {
        find: /^@anywire\/client\/([\w-]+)$/,
        replacement: path('../../packages/client/src/$1.ts'),
      },
    ],
  },
  test: {
    root: path('.'),
    environment: 'node',
    include: ['*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // One server at a time keeps what is measured in its time apart.
    fileParallelism: false,
  },
});
