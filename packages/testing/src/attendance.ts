import type { Commands } from './commands';
import type { Connection } from './connection';
import type { Hub } from './hub';
import { type Refusal, refusal } from './refusal';
import { told } from './seats';

/** Where the client of one connection is present; docs/protocol.md section 5. */
export class Attendance {
  readonly #hub: Hub;
  readonly #connection: Connection;

  constructor(hub: Hub, connection: Connection) {
    this.#hub = hub;
    this.#connection = connection;
  }

  /** Undefined: it may enter the channel, and see who is there. */
  may(channel: string): Refusal | undefined {
    const { rules } = this.#hub;
    const refused = rules.may('presence', channel, this.#connection.identity);
    if (refused || rules.of(channel).presence) return refused;
    return refusal('no_presence', 'the channel has no presence');
  }

  enter(channel: string, info: unknown): Refusal | undefined {
    const { identity, seats, session } = this.#connection;
    const refused =
      this.may(channel) ??
      seats.full(channel) ??
      this.#hub.contract.info(channel, info === undefined ? identity.info : info) ??
      this.#takePlace(channel, info);
    if (!refused) session.presences.set(channel, info);
    return refused;
  }

  leave(channel: string): Refusal | undefined {
    const { session } = this.#connection;
    if (!session.presences.delete(channel)) {
      return refusal('not_present', 'this client had not entered');
    }
    this.#hub.channel(channel).presence.leave(session.client);
    return undefined;
  }

  members(id: number, { channel, after, limit }: Commands['members']): Refusal | undefined {
    const refused = this.may(channel);
    if (refused) return refused;
    const page = this.#hub.channel(channel).presence.page(after, limit);
    this.#connection.say({ type: 'members', id, channel, ...page });
    return undefined;
  }

  /** Enters again wherever the session was present, as far as it still may. */
  resume(): void {
    for (const [channel, info] of [...this.#connection.session.presences]) {
      const full = this.#takePlace(channel, info);
      if (full) this.#end(channel, full);
    }
    this.leaveForbidden();
  }

  /** After a new token: what that one does not allow. */
  leaveForbidden(): void {
    const { session } = this.#connection;
    for (const channel of [...session.presences.keys()]) {
      const refused = this.may(channel);
      if (!refused) continue;
      this.#hub.channel(channel).presence.leave(session.client);
      this.#end(channel, refused);
    }
  }

  /** The connection is lost; the grace begins. */
  lose(): void {
    const { session } = this.#connection;
    for (const channel of session.presences.keys()) {
      this.#hub.channel(channel).presence.lose(session.client);
    }
  }

  /** Tells the client that it is not present there any more. */
  #end(channel: string, refused: Refusal): void {
    this.#connection.session.presences.delete(channel);
    this.#connection.say({ type: 'left', channel, ...told(refused) });
  }

  #takePlace(channel: string, own: unknown): Refusal | undefined {
    const { client, user } = this.#connection.session;
    const info = own === undefined ? this.#connection.identity.info : own;
    return this.#hub.channel(channel).presence.enter({
      client,
      ...(user !== undefined && { user }),
      ...(info !== undefined && { info }),
    });
  }
}
