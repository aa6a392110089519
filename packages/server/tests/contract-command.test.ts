import { define } from '@anywire/client/contract';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  type ContractCommand,
  findContract,
  parseArguments,
  UsageError,
  write,
} from '../src/contract-command';

const rt = define({ channels: { 'room:{id}': { message: z.object({ text: z.string() }) } } });
const other = define({ channels: { news: {} } });

describe('the command line', () => {
  test('names a module, and perhaps what to compare with and which export is meant', () => {
    expect(parseArguments(['src/contract.ts'])).toEqual({ file: 'src/contract.ts' });
    expect(parseArguments(['--check', 'a.json', 'c.ts', '--export', 'rt'])).toEqual({
      file: 'c.ts',
      check: 'a.json',
      name: 'rt',
    });
    expect(parseArguments(['x', '--help'])).toBe('help');
    expect(parseArguments(['-h'])).toBe('help');
  });

  test.each([[[]], [['a', 'b']], [['--what', 'a']], [['a', '--check']], [['a', '--export']]])(
    'refuses %j',
    (all) => {
      expect(() => parseArguments(all)).toThrow(UsageError);
    },
  );
});

describe('the contract of a module', () => {
  const command: ContractCommand = { file: 'c.ts' };

  test('is found by its form, whatever else is exported', () => {
    expect(findContract({ one: 1, nothing: null, rt, f() {} }, command)).toBe(rt);
    expect(findContract({ rt, default: rt }, command)).toBe(rt);
  });

  test('is asked for by name where there are several', () => {
    expect(() => findContract({ rt, other }, command)).toThrow('rt, other; --export says which');
    expect(findContract({ rt, other }, { ...command, name: 'other' })).toBe(other);
    expect(() => findContract({ rt }, { ...command, name: 'none' })).toThrow('named none');
    expect(() => findContract({ one: 1 }, command)).toThrow('exports no contract');
  });

  test('is written as JSON that ends like a file', () => {
    const text = write(rt);
    expect(text.endsWith('}\n')).toBe(true);
    expect(JSON.parse(text)).toEqual({
      version: 1,
      channels: [
        {
          pattern: 'room:*',
          message: {
            type: 'object',
            properties: { text: { type: 'string' } },
            required: ['text'],
          },
        },
      ],
      rpc: {},
    });
  });
});
