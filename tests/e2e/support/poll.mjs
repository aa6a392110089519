// The waiting of tests/support, with the patience that browsers and compilers need.
import { until as untilOf } from '../../support/poll.mjs';

export { within } from '../../support/poll.mjs';

export const until = (what, probe, options) =>
  untilOf(what, probe, { deadlineMs: 10_000, everyMs: 15, ...options });
