// Waiting without guessing: everything here ends at an event or at a deadline, whichever comes
// first, and a missed deadline says what was being waited for.

/** Resolves after the given time; only for pacing a slow peer, never for hoping. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Lets the event loop deliver what is ready. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Polls `probe` until it returns something truthy; throws at the deadline. */
export async function until(what, probe, { deadlineMs = 15_000, everyMs = 10 } = {}) {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await pause(everyMs);
  }
}

/** Settles like `promise`, or rejects at the deadline naming what was missed. */
export function within(what, promise, deadlineMs = 15_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${what}`)), deadlineMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Runs `work(i)` for i in 0..count-1 with at most `width` in flight. */
export async function pool(count, width, work) {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}

/** A small generator of repeatable pseudo-random bytes (xorshift32), so failures reproduce. */
export function randomBytes(length, seed = 1) {
  const bytes = Buffer.allocUnsafe(length);
  let x = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    x ^= x << 13;
    x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    bytes[i] = x & 0xff;
  }
  return bytes;
}
