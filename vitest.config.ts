import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
/** Tests run against the sources: no build first, and stack traces that can be read. */
const client = { '@anywire/client': path('packages/client/src/index.ts') };
/** The same for whoever imports other entries as well. */
const sources = [
  {
    find: /^@anywire\/(client|react|server|testing)$/,
    replacement: path('packages/$1/src/index.ts'),
  },
  {
    find: /^@anywire\/(client|react|server|testing)\/([\w-]+)$/,
    replacement: path('packages/$1/src/$2'),
  },
];
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
      {
        resolve: { alias: sources },
        test: {
          name: 'server',
          root: path('packages/server'),
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
        resolve: { alias: sources },
        test: {
          name: 'next',
          root: path('packages/next'),
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
        resolve: { alias: sources },
        test: {
          name: 'testing',
          root: path('packages/testing'),
          environment: 'node',
          include: ['tests/**/*.test.{ts,tsx}'],
          typecheck: {
            enabled: true,
            include: ['tests/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
          },
        },
      },
      {
        resolve: { alias: sources },
        test: {
          name: 'docs',
          root: path('docs/examples'),
          environment: 'jsdom',
          include: ['tests/**/*.test.tsx'],
          setupFiles: ['tests/setup.ts'],
        },
      },
      {
        resolve: { alias: sources },
        test: {
          name: 'chat',
          root: path('examples/nextjs-chat'),
          environment: 'node',
          include: ['tests/**/*.test.ts'],
        },
      },
    ],
  },
});
