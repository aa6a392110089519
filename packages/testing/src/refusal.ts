/** Why the server does not carry out a command; docs/protocol.md section 2. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  /** The same command may succeed later. Where it is absent the code decides. */
  readonly retry?: boolean;
}

const passing: ReadonlySet<string> = new Set([
  'too_many_members',
  'too_many_pending',
  'rate_limited',
  'overloaded',
  'unavailable',
]);

export function refusal(code: string, message: string): Refusal {
  return { code, message };
}

/** The members of an `error` message. */
export function errorMembers({ code, message, retry }: Refusal): Record<string, unknown> {
  return { code, message, retry: retry ?? passing.has(code) };
}

export function isRefusal(value: object): value is Refusal {
  return 'code' in value && 'message' in value;
}
