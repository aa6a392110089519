/**
 * Numbers from 0 to below 1, the same ones for the same seed, so that a walk that fails can be
 * taken again. Mulberry32: small, and the same everywhere. Seeds are kept in tests, so it stays.
 */
export function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The same as whole numbers from 0 to below the one that is asked for. */
export function dice(seed: number): (below: number) => number {
  const next = chance(seed);
  return (below) => Math.floor(next() * below);
}
