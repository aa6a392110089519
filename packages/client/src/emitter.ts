import type { Unsubscribe } from './types';

/** Shows a listener's mistake to the developer without letting it disturb whoever was notifying. */
export function report(error: unknown): void {
  const show = (globalThis as { reportError?: (error: unknown) => void }).reportError;
  if (show) show(error);
  else console.error(error);
}

/** Runs a function of the user's. Its mistake is shown and answered with undefined. */
export function safely<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    report(error);
    return undefined;
  }
}

/** Calls each function registered for an event, in order. A listener that throws harms no other. */
export class Emitter<Events extends { [name in keyof Events]: (...args: never[]) => void }> {
  /** An entry for each registration, so that the same function registered twice is two. */
  readonly #listeners = new Set<readonly [keyof Events, (...args: never[]) => void]>();

  on<Name extends keyof Events>(name: Name, listener: Events[Name]): Unsubscribe {
    const entry = [name, listener] as const;
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  emit<Name extends keyof Events>(name: Name, ...args: Parameters<Events[Name]>): void {
    // A copy, so that listeners may come and go meanwhile.
    for (const [of, listener] of [...this.#listeners]) {
      if (of === name) safely(() => listener(...args));
    }
  }
}
