import { afterEach, expect } from 'vitest';
import { quiet } from './clock';
import { MockServer } from './mock-server';
import { collect, takeCollected } from './registry';

/** What `setupVitest` takes. */
export interface VitestOptions {
  /**
   * What a test has prepared, such as `server.refuse(3)`, and nothing has met: such a test most
   * likely does not try what it says. Default `fail`.
   */
  readonly unused?: 'fail' | 'ignore';
}

/** Members of a message that `toHavePublished` compares besides its data. */
export interface PublishedBesides {
  readonly event?: unknown;
  readonly id?: unknown;
  readonly user?: unknown;
  readonly client?: unknown;
  readonly tags?: unknown;
}

interface AnywireMatchers<R> {
  /**
   * A message like this was published to the channel, by whomever. Objects are compared as
   * `toMatchObject` does: what is expected must be there, more may be. Without `data`, any message.
   */
  toHavePublished(
    channel: string | { readonly name: string },
    data?: unknown,
    besides?: PublishedBesides,
  ): R;
  /** Somebody like this is present: `{ user: 'ann' }`, `{ info: { name: 'Ann' } }`. */
  toHaveMember(channel: string | { readonly name: string }, member?: object): R;
}

declare module 'vitest' {
  interface Matchers<T> extends AnywireMatchers<T> {}
}

/**
 * Prepares Vitest; called once, in a setup file. Servers made in a test are closed after it, with
 * their clients and what `renderWithAnywire` has rendered, and there are matchers for them.
 */
export function setupVitest({ unused = 'fail' }: VitestOptions = {}): void {
  collect();
  expect.extend(matchers);
  afterEach(async ({ task }) => {
    const all = takeCollected();
    const left = all.flatMap((one) => one.unused ?? []);
    for (const one of all) one.close();
    // Clients hear of the end before the next test begins.
    await quiet();
    if (left.length === 0 || unused === 'ignore' || task.result?.state === 'fail') return;
    throw new Error(`The test has prepared what nothing has met:\n- ${left.join('\n- ')}`);
  });
}

/** What Vitest gives a matcher, as far as it is used here. */
interface MatcherState {
  readonly isNot?: boolean;
  readonly equals: (a: unknown, b: unknown, testers?: never[]) => boolean;
  readonly utils: {
    readonly iterableEquality: unknown;
    readonly subsetEquality: unknown;
    readonly stringify: (value: unknown) => string;
  };
}
interface Outcome {
  readonly pass: boolean;
  readonly message: () => string;
  readonly actual?: unknown;
  readonly expected?: unknown;
}

type Entry = Readonly<Record<string, unknown>>;

const matchers = {
  toHavePublished(
    this: MatcherState,
    received: unknown,
    channel: string | { readonly name: string },
    data?: unknown,
    besides: PublishedBesides = {},
  ): Outcome {
    const expected: Entry = { ...(data !== undefined && { data }), ...besides };
    const all = serverOf(received, 'toHavePublished').messages(channel as string);
    return judge(this, all as unknown as Entry[], expected, channel, 'published message');
  },
  toHaveMember(
    this: MatcherState,
    received: unknown,
    channel: string | { readonly name: string },
    member: object = {},
  ): Outcome {
    const all = serverOf(received, 'toHaveMember').members(channel as string);
    return judge(this, all as unknown as Entry[], member as Entry, channel, 'member');
  },
};

function serverOf(received: unknown, matcher: string): MockServer {
  if (received instanceof MockServer) return received as MockServer;
  throw new TypeError(`${matcher} is for what createMockServer returns`);
}

function judge(
  { isNot, equals, utils }: MatcherState,
  all: readonly Entry[],
  expected: Entry,
  channel: string | { readonly name: string },
  what: string,
): Outcome {
  const testers = [utils.iterableEquality, utils.subsetEquality] as never[];
  const pass = all.some((one) =>
    Object.entries(expected).every(([name, value]) => equals(one[name], value, testers)),
  );
  const name = typeof channel === 'string' ? channel : channel.name;
  const lines = all.slice(-10).map((one) => `- ${utils.stringify(one)}`);
  const there = all.length > 0 ? `${all.length}, the newest:\n${lines.join('\n')}` : 'none';
  const wanted = `${isNot ? 'no' : 'a'} ${what} in "${name}" like ${utils.stringify(expected)}`;
  return {
    pass,
    message: () => `expected ${wanted}; there ${all.length === 1 ? 'is' : 'are'} ${there}`,
  };
}
