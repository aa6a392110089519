import { Emitter } from '../emitter';
import type { Unsubscribe } from '../types';
import { Membership } from './membership';
import type { Host } from './room';
import { Roster } from './roster';
import type { Member, PresenceEvents, PresenceSnapshot } from './types';
import type { WireMessage } from './wire';

/** Presence of one room: whether we are in, and who else is, as far as somebody watches. */
export class Presence {
  readonly membership: Membership;
  readonly #roster: Roster;
  readonly #events: Emitter<PresenceEvents & { list: () => void }> = new Emitter();
  readonly #host: Host;
  readonly #watchersChanged: () => void;
  #watchers = 0;

  constructor(host: Host, name: string, watchersChanged: () => void, left: () => void) {
    this.#host = host;
    this.#watchersChanged = watchersChanged;
    this.membership = new Membership(host, name, left);
    this.#roster = new Roster(host, name, this.#events, (complete) => {
      if (complete) this.#missingOurselves();
    });
  }

  get snapshot(): PresenceSnapshot {
    return this.#roster.snapshot;
  }

  get watched(): boolean {
    return this.#watchers > 0;
  }

  /** We are, or want to be, present. */
  get wanted(): boolean {
    return this.membership.wanted;
  }

  get(client: string): Member | undefined {
    return this.#roster.get(client);
  }

  on<Name extends keyof PresenceEvents>(name: Name, listener: PresenceEvents[Name]): Unsubscribe {
    const leave =
      name === 'change'
        ? this.#events.on('list', () =>
            (listener as PresenceEvents['change'])(this.#roster.snapshot),
          )
        : this.#events.on(name, listener as never);
    if (this.#watchers++ === 0) this.#watchersChanged();
    let on = true;
    return () => {
      if (!on) return;
      on = false;
      leave();
      if (--this.#watchers > 0) return;
      this.#roster.end();
      this.#watchersChanged();
    };
  }

  /** The subscription with presence stands; `fresh`: since this moment. */
  begin(fresh: boolean): void {
    if (this.watched) this.#roster.begin(fresh);
  }

  changed(push: WireMessage): void {
    if (this.watched) this.#roster.changed(push);
  }

  down(): void {
    this.#roster.down();
  }

  /** The grace of the server is over without its having told us: enter again. */
  #missingOurselves(): void {
    const { clientId } = this.#host.connection.snapshot;
    if (clientId !== undefined && !this.#roster.get(clientId)) this.membership.missing();
  }
}
