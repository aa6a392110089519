import type { Connection } from './connection';

/** A client as the others see it; it outlives its connection for a while. */
export interface Session {
  readonly client: string;
  readonly user: string | undefined;
  /** Where it is present, with the info it entered with; undefined: that of the token. */
  readonly presences: Map<string, unknown>;
  /** The connection it is on; undefined while it has none. */
  connection: Connection | undefined;
  /** When its connection was lost. */
  lostAt: number;
  secret: string;
  /** The secret it was resumed with, good until the client has proved that it has the new one. */
  former: string | undefined;
}

/** docs/protocol.md section 7: who may take over which session. */
export class Sessions {
  readonly #prefix: string;
  readonly #windowMs: number;
  readonly #now: () => number;
  readonly #bySecret = new Map<string, Session>();
  #clients = 0;
  #secrets = 0;

  constructor(prefix: string, windowMs: number, now: () => number) {
    this.#prefix = prefix;
    this.#windowMs = windowMs;
    this.#now = now;
  }

  /** An id that no client has had yet. */
  newClient(): string {
    return `client-${String(++this.#clients).padStart(4, '0')}`;
  }

  begin(user: string | undefined, connection: Connection): Session {
    const secret = this.#newSecret();
    const session: Session = {
      client: this.newClient(),
      user,
      presences: new Map(),
      connection,
      lostAt: 0,
      secret,
      former: undefined,
    };
    this.#bySecret.set(secret, session);
    return session;
  }

  /** The session of this secret, with the connection it was on until now; undefined: none. */
  find(secret: string, user: string | undefined): Session | undefined {
    const session = this.#bySecret.get(secret);
    if (!session || session.user !== user) return undefined;
    if (!session.connection && this.#now() - session.lostAt >= this.#windowMs) {
      this.forget(session);
      return undefined;
    }
    return session;
  }

  /** Gives it a new secret. The presented one stays good until `confirm`; others do not. */
  renew(session: Session, presented: string, connection: Connection): void {
    this.forget(session);
    session.former = presented;
    session.secret = this.#newSecret();
    session.connection = connection;
    this.#bySecret.set(presented, session);
    this.#bySecret.set(session.secret, session);
  }

  confirm(session: Session): void {
    if (session.former !== undefined) this.#bySecret.delete(session.former);
    session.former = undefined;
  }

  lost(session: Session): void {
    session.connection = undefined;
    session.lostAt = this.#now();
  }

  forget(session: Session): void {
    this.#bySecret.delete(session.secret);
    if (session.former !== undefined) this.#bySecret.delete(session.former);
  }

  clear(): void {
    this.#bySecret.clear();
  }

  #newSecret(): string {
    return `${this.#prefix}-secret-${++this.#secrets}`;
  }
}
