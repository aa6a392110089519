import type { Clock } from './types';

/** What a platform's timer can count; more would be due at once. Some 25 days. */
const timerMax = 2 ** 31 - 1;

/**
 * The platform's own time. Looked up at each call, so that fake timers installed later are used.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, Math.min(ms, timerMax)),
  clearTimeout: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
  random: () => Math.random(),
};
