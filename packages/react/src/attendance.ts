import type { Client, PresenceOf } from '@anywire/client';

/** How long we stay present after the last component that wanted it is gone, ms. */
const lingerMs = 250;
const known = new WeakMap<Client, Map<string, Attendance>>();

/** Our presence in this channel, shared by all components of a client. */
export function attendanceOf(client: Client, channel: string, presence: PresenceOf): Attendance {
  let channels = known.get(client);
  if (!channels) {
    channels = new Map();
    known.set(client, channels);
  }
  let found = channels.get(channel);
  if (!found) {
    const all = channels;
    found = new Attendance(presence, () => all.delete(channel));
    channels.set(channel, found);
  }
  return found;
}

/**
 * Whether we are present, for as many components as want us to be. There is one presence of a
 * client in a channel: the component that spoke last decides on the info, and when it goes the one
 * before it does again. A component that goes and comes back at once changes nothing.
 */
export class Attendance {
  readonly #presence: PresenceOf;
  readonly #emptied: () => void;
  readonly #wishes = new Map<object, unknown>();
  #told: { readonly info: unknown } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(presence: PresenceOf, emptied: () => void) {
    this.#presence = presence;
    this.#emptied = emptied;
  }

  /** `who` wants us to be present with this info. Rejects with an AnywireError. */
  enter(who: object, info: unknown): Promise<void> {
    this.#wishes.delete(who);
    this.#wishes.set(who, info);
    return this.#tell(info);
  }

  leave(who: object): void {
    if (!this.#wishes.delete(who)) {
      if (this.#wishes.size === 0 && this.#timer === undefined) this.#emptied();
      return;
    }
    const rest = [...this.#wishes.values()];
    if (rest.length > 0) {
      this.#tell(rest.at(-1)).catch(() => {});
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#emptied();
      this.#told = undefined;
      this.#presence.leave().catch(() => {});
    }, lingerMs);
  }

  /** The client has forgotten it, as it does when it is closed. */
  forget(): void {
    this.#told = undefined;
  }

  #tell(info: unknown): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#told && sameValue(this.#told.info, info)) return Promise.resolve();
    const told = { info };
    this.#told = told;
    const entered = this.#presence.enter(info);
    entered.catch(() => {
      if (this.#told === told) this.#told = undefined;
    });
    return entered;
  }
}

/** Whether two values are the same in content. What cannot be written as JSON is not. */
export function sameValue(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (contentOf(a) === contentOf(b) && contentOf(a) !== undefined);
}

/** A text that is the same for values of the same content. */
export function contentOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
