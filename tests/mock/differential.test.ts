// Commands made by chance, said to the binary and to the server in memory at once.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { compare } from '../../packages/testing/tests/same/differential';
import { memory } from '../../packages/testing/tests/same/memory';
import type { World } from '../../packages/testing/tests/same/stage';
import { binary } from './binary';

const first = Number(process.env.ANYWIRE_SEED ?? 1);
const seeds = Array.from({ length: 20 }, (_, i) => first + i);

describe('the server in memory answers as the binary does', () => {
  let real: World;
  let mock: World;
  beforeAll(async () => {
    real = await binary();
    mock = await memory();
  });
  afterAll(async () => {
    await real.close();
    await mock.close();
  });

  it.each(seeds)('to the commands of seed %i', (seed) => compare(real, mock, seed, 150));
});
