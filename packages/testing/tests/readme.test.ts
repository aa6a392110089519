import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const files = readdirSync(new URL('readme', import.meta.url));

describe('README.md', () => {
  const blocks = [...read('../README.md').matchAll(/```(tsx?)\n([\s\S]*?)```/g)];

  it('shows nothing that is not compiled, and run where it is a test', () => {
    const shown = blocks.map(([, , text = '']) => {
      const found = files.filter((file) => read(`readme/${file}`).trim().endsWith(text.trim()));
      expect(found, text).toHaveLength(1);
      return found[0];
    });
    expect(shown.sort()).toEqual(files.sort());
  });

  it('names every method of the server, and none that there is not', async () => {
    const { MockServer } = await import('../src/index');
    const own = Object.getOwnPropertyNames(MockServer.prototype).filter(
      (name) => name !== 'constructor',
    );
    const named = [...read('../README.md').matchAll(/server\.(\w+)/g)].map(([, name]) => name);
    expect([...new Set(named)].sort()).toEqual([...own, 'url'].sort());
  });
});
