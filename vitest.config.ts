import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
/** Tests run against the sources: no build first, and stack traces that can be read. */
const client = { '@anywire/client': path('packages/client/src/index.ts') };
const react18 = path('packages/react-18-tests/node_modules');

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'client',
          root: path('packages/client'),
          environment: 'node',
          include: ['tests/**/*.test.ts'],
          typecheck: {
            enabled: true,
            include: ['tests/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
          },
        },
      },
      {
        resolve: { alias: client },
        test: {
          name: 'react',
          root: path('packages/react'),
          environment: 'jsdom',
          include: ['tests/**/*.test.{ts,tsx}'],
          typecheck: {
            enabled: true,
            include: ['tests/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
          },
        },
      },
      {
        // The same tests once more on the oldest React that is supported.
        resolve: {
          alias: [
            { find: '@anywire/client', replacement: client['@anywire/client'] },
            // The ES modules of the testing library, whose imports the aliases can reach.
            {
              find: '@testing-library/react',
              replacement: path(
                'node_modules/@testing-library/react/dist/@testing-library/react.esm.js',
              ),
            },
            { find: /^react-dom(\/.*)?$/, replacement: `${react18}/react-dom$1` },
            { find: /^react(\/.*)?$/, replacement: `${react18}/react$1` },
          ],
        },
        test: {
          name: 'react-18',
          root: path('packages/react'),
          environment: 'jsdom',
          include: ['tests/**/*.test.{ts,tsx}'],
          server: { deps: { inline: [/@testing-library\/react/] } },
        },
      },
    ],
  },
});
