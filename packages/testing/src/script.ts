import type { CommandType } from './commands';
import { isRefusal, type Refusal, refusal } from './refusal';
import type { Draft } from './stream';

/** Who calls a method. */
export interface Caller {
  readonly method: string;
  readonly client: string;
  readonly user?: string;
}

export type RpcHandler = (data: unknown, caller: Caller) => unknown;

/** What a client wants to publish, before it is. */
export interface PublishAttempt extends Draft {
  readonly channel: string;
}

/** Looks at a message before it is published; what it returns or throws refuses it. */
export type PublishHook = (attempt: PublishAttempt) => Refusal | undefined;

type Outcome = { readonly data: unknown } | { readonly refused: Refusal };

/** What the test has told the server to do otherwise than usual. */
export class Script {
  readonly #failures: { readonly type: CommandType; readonly error: Refusal; left: number }[] = [];
  readonly #handlers = new Map<string, RpcHandler>();
  readonly #hooks = new Set<PublishHook>();

  fail(type: CommandType, error: Refusal, times: number): void {
    this.#failures.push({ type, error, left: times });
  }

  /** How this command is to fail, if it is. */
  failure(type: CommandType): Refusal | undefined {
    const at = this.#failures.findIndex((one) => one.type === type);
    const found = this.#failures[at];
    if (!found) return undefined;
    if (--found.left <= 0) this.#failures.splice(at, 1);
    return found.error;
  }

  /** Failures that nothing has met, as sentences. */
  get unused(): readonly string[] {
    const waiting = this.#failures.filter(({ left }) => Number.isFinite(left));
    return waiting.map(({ type, error, left }) => `fail: ${left} more of ${type}, ${error.code}`);
  }

  onPublish(hook: PublishHook): () => void {
    // A function of its own, so that the same one may be added twice.
    const own: PublishHook = (attempt) => hook(attempt);
    this.#hooks.add(own);
    return () => this.#hooks.delete(own);
  }

  mayPublish(attempt: PublishAttempt): Refusal | undefined {
    for (const hook of this.#hooks) {
      const refused = attempted(() => hook(attempt));
      if (refused) return refused;
    }
    return undefined;
  }

  answer(method: string, handler: RpcHandler): () => void {
    this.#handlers.set(method, handler);
    return () => {
      if (this.#handlers.get(method) === handler) this.#handlers.delete(method);
    };
  }

  /** Never rejects, and answers in a later microtask. */
  handler(method: string): ((data: unknown, caller: Caller) => Promise<Outcome>) | undefined {
    const handler = this.#handlers.get(method);
    if (!handler) return undefined;
    return async (data, caller) => {
      try {
        return { data: await handler(data, caller) };
      } catch (error) {
        return { refused: toRefusal(error) };
      }
    };
  }
}

function attempted(run: () => Refusal | undefined): Refusal | undefined {
  try {
    return run();
  } catch (error) {
    return toRefusal(error);
  }
}

/** An error with a `code`, such as an AnywireError, is told as it is; others as a server would. */
function toRefusal(error: unknown): Refusal {
  if (typeof error === 'object' && error && isRefusal(error) && typeof error.code === 'string') {
    const { code, message, retry } = error;
    return { code, message: String(message), ...(retry !== undefined && { retry }) };
  }
  return refusal('unavailable', `the application does not answer: ${error}`);
}
