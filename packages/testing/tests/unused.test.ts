import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startVitest } from 'vitest/node';

/** Runs a file of tests some of which are meant to fail; what became of each, by its name. */
async function outcomes(fixture: string): Promise<Record<string, string[] | 'passed'>> {
  const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
  const vitest = await startVitest(
    'test',
    [],
    {
      config: false,
      root: path('fixtures'),
      include: [`${fixture}.fixture.ts`],
      watch: false,
      reporters: [{}],
    },
    {
      resolve: {
        alias: [{ find: /^@anywire\/client$/, replacement: path('../../client/src/index.ts') }],
      },
    },
  );
  const [module] = vitest.state.getTestModules();
  const tests = [...(module?.children.allTests() ?? [])].map((test) => {
    const { state, errors = [] } = test.result();
    return [test.name, state === 'passed' ? state : errors.map(({ message }) => message)];
  });
  await vitest.close();
  return Object.fromEntries(tests);
}

it('fails a test that prepared what nothing met, unless it has failed anyway', async () => {
  const exitCode = process.exitCode;
  const of = await outcomes('unused');
  process.exitCode = exitCode;
  expect(of['meets what it prepared']).toBe('passed');
  expect(of['meets nothing of it']).toEqual([
    expect.stringContaining('refuse: 2 more tries to connect with 1006'),
  ]);
  expect(of['fails for a reason of its own']).toEqual([expect.stringContaining('expected 1')]);
});

it('does not where it is told not to', async () => {
  expect(await outcomes('ignored')).toEqual({ 'may leave what it prepared': 'passed' });
});
