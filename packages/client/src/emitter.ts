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
  readonly #listeners = new Map<keyof Events, readonly Events[keyof Events][]>();

  on<Name extends keyof Events>(name: Name, listener: Events[Name]): Unsubscribe {
    // Lists are replaced, not changed, so an emit under way is undisturbed; the wrapper makes
    // the same function registered twice two registrations.
    const entry = ((...args: never[]) => listener(...args)) as Events[Name];
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), entry]);
    return () => {
      const rest = this.#listeners.get(name)?.filter((other) => other !== entry);
      if (rest) this.#listeners.set(name, rest);
    };
  }

  emit<Name extends keyof Events>(name: Name, ...args: Parameters<Events[Name]>): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      safely(() => listener(...args));
    }
  }
}
