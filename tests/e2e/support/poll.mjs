// Waiting without guessing: everything ends at an event or at a deadline, whichever comes first.

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until `probe` returns something truthy; at the deadline it throws and says what it missed. */
export async function until(what, probe, { deadlineMs = 10_000, everyMs = 15 } = {}) {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await pause(everyMs);
  }
}
