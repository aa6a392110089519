import { AnywireError } from '@anywire/client/contract';

/** What the API's `error` member holds: docs/api.md. */
export interface Problem {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly retry?: unknown;
  readonly path?: unknown;
  readonly reason?: unknown;
  readonly retryAfter?: unknown;
}

/**
 * A call that was not carried out. `code` is one of the server's (docs/api.md) or of this package:
 *
 * - `network`      the server could not be reached, or the connection broke before the answer
 * - `timeout`      no answer in time
 * - `aborted`      the caller's signal said so
 * - `bad_answer`   what answered is no Anywire server, or one of another version
 * - `bad_url`, `bad_secret`, `bad_data`  the options or the arguments cannot be used
 *
 * No secret and no token is ever part of it.
 */
export class ApiError extends AnywireError {
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** JSON Pointer to what is at fault, where the server says so. */
  declare readonly path: string | undefined;
  /** With `refused`: the application's own word for it. */
  declare readonly reason?: string;

  constructor(code: string, message: string, status: number, more: ApiErrorDetails = {}) {
    super(code, message, more);
    this.status = status;
  }
}

/** What is known of an ApiError besides. */
export interface ApiErrorDetails {
  readonly retry?: boolean;
  readonly retryAfter?: number | undefined;
  readonly uncertain?: boolean;
  readonly path?: string | undefined;
  readonly reason?: string;
  readonly cause?: unknown;
}

/** Of an answer's `error` member, whatever it holds. */
export function problemToError(problem: Problem, status: number, retryAfter?: number): ApiError {
  const { code, message, path, reason } = problem;
  const wait = typeof problem.retryAfter === 'number' ? problem.retryAfter : retryAfter;
  return new ApiError(
    typeof code === 'string' ? code : 'bad_answer',
    typeof message === 'string' ? message : `the server answered ${status}`,
    status,
    {
      retry: problem.retry === true,
      ...(wait !== undefined && { retryAfter: wait }),
      ...(typeof path === 'string' && { path }),
      ...(typeof reason === 'string' && { reason }),
    },
  );
}
