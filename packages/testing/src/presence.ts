import type { Clock, Member } from '@anywire/client';
import { type Refusal, refusal } from './refusal';
import type { ResolvedRule } from './rules';

type Departure = Member & { readonly reason: string };

interface Change {
  readonly join?: readonly Member[];
  readonly update?: readonly Member[];
  readonly leave?: readonly Departure[];
}

interface Entry {
  member: Member;
  /** Set while its connection is lost and its grace runs. */
  grace: unknown;
}

/** A push of presence, without its type and channel. */
export type PresencePush = Readonly<Record<string, unknown>>;

/**
 * Who is present in one channel. Each change is told at once and has a version of its own, where
 * the binary gathers those of a tenth of a second: so a test sees what it did, in that order.
 */
export class PresenceSet {
  readonly epoch: string;
  readonly #rule: ResolvedRule;
  readonly #clock: Clock;
  readonly #tell: (push: PresencePush) => void;
  readonly #entries = new Map<string, Entry>();
  #version = 0;
  #countsOnly = false;

  constructor(rule: ResolvedRule, clock: Clock, epoch: string, tell: (push: PresencePush) => void) {
    this.#rule = rule;
    this.#clock = clock;
    this.epoch = epoch;
    this.#tell = tell;
  }

  get members(): readonly Member[] {
    return [...this.#entries.values()]
      .map(({ member }) => member)
      .sort((a, b) => (a.client < b.client ? -1 : 1));
  }

  get counts(): { readonly count: number; readonly users: number } {
    const users = new Set(this.members.flatMap(({ user }) => user ?? []));
    return { count: this.#entries.size, users: users.size };
  }

  has(client: string): boolean {
    return this.#entries.has(client);
  }

  /** Joins; if present, replaces info and ends the grace. */
  enter(member: Member): Refusal | undefined {
    const entry = this.#entries.get(member.client);
    if (entry) {
      this.#endGrace(entry);
      const same = JSON.stringify(entry.member) === JSON.stringify(member);
      entry.member = member;
      if (!same) this.#changed({ update: [member] });
      return undefined;
    }
    const replaced = this.#newestAbsent(member.user);
    if (!replaced && this.#entries.size >= this.#rule.membersMax) {
      return refusal('too_many_members', 'the presence of the channel is full');
    }
    const leave = replaced ? [this.#remove(replaced, 'replaced')] : undefined;
    this.#entries.set(member.client, { member, grace: undefined });
    this.#changed({ join: [member], ...(leave && { leave }) });
    return undefined;
  }

  leave(client: string, reason = 'left'): boolean {
    const entry = this.#entries.get(client);
    if (!entry) return false;
    this.#changed({ leave: [this.#remove(entry, reason)] });
    return true;
  }

  /** Its connection is lost: it stays for the grace, so that nobody flickers. */
  lose(client: string): void {
    const entry = this.#entries.get(client);
    if (!entry || entry.grace !== undefined) return;
    const { presenceGrace } = this.#rule;
    if (presenceGrace <= 0) {
      this.leave(client, 'lost');
      return;
    }
    entry.grace = this.#clock.setTimeout(() => this.leave(client, 'lost'), presenceGrace);
    // The newest last, for that is what a page that loads again is likely to have been.
    this.#entries.delete(client);
    this.#entries.set(client, entry);
  }

  /** Nobody is there any more, and nobody is told. */
  dispose(): void {
    for (const entry of this.#entries.values()) this.#endGrace(entry);
    this.#entries.clear();
  }

  /** What stands alone: everybody, or how many if they are too many. */
  everything(): PresencePush {
    const base = { epoch: this.epoch, from: 0, version: this.#version, ...this.counts };
    if (this.#countsOnly) return { ...base, partial: true };
    const join = this.members;
    return { ...base, all: true, ...(join.length > 0 && { join }) };
  }

  page(after: string, limit: number): Readonly<Record<string, unknown>> {
    const found = this.members.filter(({ client }) => client > after);
    return {
      epoch: this.epoch,
      version: this.#version,
      ...this.counts,
      more: found.length > limit,
      members: found.slice(0, limit),
    };
  }

  #newestAbsent(user: string | undefined): Entry | undefined {
    if (user === undefined) return undefined;
    const absent = [...this.#entries.values()].filter(({ grace }) => grace !== undefined);
    return absent.findLast(({ member }) => member.user === user);
  }

  #remove(entry: Entry, reason: string): Departure {
    this.#endGrace(entry);
    const { client, user } = entry.member;
    this.#entries.delete(client);
    return { client, ...(user !== undefined && { user }), reason };
  }

  #endGrace(entry: Entry): void {
    this.#clock.clearTimeout(entry.grace);
    entry.grace = undefined;
  }

  /** With many members counts only, until a quarter less is left; then everybody, as nobody knows. */
  #changed(change: Change): void {
    const before = this.#countsOnly;
    const { membersListedMax } = this.#rule;
    const limit = before ? membersListedMax - membersListedMax / 4 : membersListedMax;
    this.#countsOnly = this.#entries.size > limit;
    const from = this.#version++;
    if (this.#countsOnly || before) {
      this.#tell({ ...this.everything(), from });
    } else {
      this.#tell({ epoch: this.epoch, from, version: this.#version, ...this.counts, ...change });
    }
  }
}
