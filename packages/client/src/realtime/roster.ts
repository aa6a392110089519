import { Backoff } from '../backoff';
import type { Emitter } from '../emitter';
import type { Core } from './client';
import type { Member, PresenceEvents, PresenceSnapshot } from './types';
import type { WireMessage } from './wire';

const pageMembers = 1000;
const heldMax = 256;

export const nobody: PresenceSnapshot = /* @__PURE__ */ Object.freeze({
  members: Object.freeze([]),
  count: 0,
  users: 0,
  complete: false,
});

type Members = Map<string, Member>;
type Phase = 'off' | 'waiting' | 'fetching' | 'on' | 'counting';

/**
 * The list of who is present, kept by the version rule of docs/protocol.md section 5: a push is
 * applied when it begins at our version, dropped when it is old, and otherwise the list is fetched
 * again.
 *
 *   off --begin--> waiting --push of all--> on;   on --version or epoch jump--> fetching
 *   fetching --last page, or push of all--> on;   any --down--> off
 *   any but off --partial push, or too many--> counting --another push--> fetching
 *
 * Pushes that come while pages are fetched are held, and bring the pages had so far to the version
 * of the next page; so a busy channel does not have to fall silent for a long list to be read.
 */
export class Roster {
  readonly #core: Core;
  readonly #channel: string;
  readonly #events: Emitter<PresenceEvents & { list: () => void }>;
  readonly #settled: () => void;
  readonly #backoff: Backoff;
  readonly #membersMax: number;
  #phase: Phase = 'off';
  #members: Members = new Map();
  #epoch: unknown;
  #version = 0;
  #count = 0;
  #users = 0;
  #snapshot: PresenceSnapshot | undefined = nobody;
  #held: WireMessage[] = [];
  /** Stands for the present fetching; pages of an earlier one are ignored. */
  #fetching: object | undefined;
  #timer: unknown;

  constructor(
    core: Core,
    channel: string,
    events: Emitter<PresenceEvents & { list: () => void }>,
    settled: () => void,
  ) {
    this.#core = core;
    this.#membersMax = core.options.membersMax ?? 10_000;
    this.#channel = channel;
    this.#events = events;
    this.#settled = settled;
    this.#backoff = new Backoff({}, core.clock);
  }

  /** Made when it is looked at: a list of thousands is not copied for each change unseen. */
  get snapshot(): PresenceSnapshot {
    this.#snapshot ??= Object.freeze({
      members: Object.freeze([...this.#members.values()]),
      count: this.#count,
      users: this.#users,
      complete: this.#phase === 'on',
    });
    return this.#snapshot;
  }

  get(client: string): Member | undefined {
    return this.#members.get(client);
  }

  /** The subscription stands. A fresh one is followed by a push of everybody; else we ask. */
  begin(fresh: boolean): void {
    this.#backoff.failures = 0;
    if (fresh) this.#stop('waiting');
    else this.#fetch();
  }

  /** The link is gone: the list is kept, as what was known last. */
  down(): void {
    if (this.#phase === 'off') return;
    this.#stop('off');
    this.#changed();
  }

  /** Nobody watches any more. */
  end(): void {
    this.#stop('off');
    this.#members = new Map();
    this.#snapshot = nobody;
  }

  changed(push: WireMessage): void {
    if (this.#phase === 'off') return;
    if (push.all === true) {
      const members: Members = new Map(list(push.join).map((member) => [member.client, member]));
      const pages = { members, epoch: push.epoch, version: Number(push.version), last: '' };
      this.#finish(pages, push);
    } else if (push.partial === true) {
      this.#count = Number(push.count);
      this.#users = Number(push.users);
      this.#stop('counting');
      this.#changed();
    } else if (this.#phase === 'fetching') {
      // Beyond the bound the oldest go; the missing link is noticed when the pages are put together.
      if (this.#held.push(push) > heldMax) this.#held.shift();
    } else if (this.#phase !== 'on') {
      this.#fetch();
    } else {
      this.#follow(push);
    }
  }

  /** The version rule. */
  #follow(push: WireMessage): void {
    const version = Number(push.version);
    if (push.epoch === this.#epoch && version <= this.#version) return;
    if (push.epoch !== this.#epoch || push.from !== this.#version) {
      this.#fetch();
      return;
    }
    this.#version = version;
    this.#counts(push.count, push.users);
    for (const { client, reason } of list(push.leave)) {
      const member = this.#members.get(client);
      this.#members.delete(client);
      if (member) this.#events.emit('leave', member, String(reason));
    }
    for (const member of [...list(push.join), ...list(push.update)]) {
      const before = this.#members.get(member.client);
      this.#members.set(member.client, member);
      this.#tell(member, before);
    }
    this.#changed();
  }

  // ---- fetching

  #fetch(): void {
    const fetching = {};
    this.#stop('fetching');
    this.#fetching = fetching;
    const pages: Pages = { members: new Map(), epoch: undefined, version: 0, last: '' };
    const { clock } = this.#core;
    const start = () => this.#page(fetching, pages);
    if (this.#backoff.failures > 0) {
      this.#timer = clock.setTimeout(start, this.#backoff.next(0));
    } else {
      this.#backoff.failures = 1;
      start();
    }
  }

  #page(fetching: object, pages: Pages): void {
    const core = this.#core;
    const message = {
      type: 'members',
      channel: this.#channel,
      after: pages.last || undefined,
      limit: pageMembers,
    };
    core.send([
      core.calls.make(message, (reply) => {
        if (fetching === this.#fetching) this.#paged(fetching, pages, reply);
      }),
    ]);
  }

  #paged(fetching: object, pages: Pages, reply: WireMessage): void {
    if (reply.type === 'error') {
      if (reply.code === 'connection_lost') return;
      if (reply.retry === true) this.#fetch();
      else this.#stop('counting');
      return;
    }
    const first = pages.epoch === undefined;
    if (!first && !this.#bring(pages, reply)) {
      this.#fetch();
      return;
    }
    pages.epoch = reply.epoch;
    pages.version = Number(reply.version);
    const members = list(reply.members);
    const before = pages.members.size;
    for (const member of members) pages.members.set(member.client, member);
    const last = members.at(-1)?.client;
    const { size } = pages.members;
    // A page that brings nobody new would be followed by itself, for ever.
    if (size <= this.#membersMax && size > before && reply.more === true && last !== undefined) {
      pages.last = last;
      this.#page(fetching, pages);
    } else {
      this.#finish(pages, reply);
    }
  }

  /** Brings the pages had so far to the version of the next one; false when a link is missing. */
  #bring(pages: Pages, next: WireMessage): boolean {
    if (next.epoch !== pages.epoch) return false;
    let { version } = pages;
    const goal = Number(next.version);
    for (const push of this.#held) {
      if (push.epoch !== pages.epoch || push.from !== version || version >= goal) continue;
      apply(pages.members, push, pages.last);
      version = Number(push.version);
    }
    return version === goal;
  }

  #finish(pages: Pages, reply: WireMessage): void {
    if (pages.members.size > this.#membersMax) {
      this.#counts(reply.count, reply.users);
      this.#stop('counting');
      this.#changed();
      return;
    }
    const held = this.#held;
    const before = this.#members;
    this.#stop('on');
    this.#members = pages.members;
    this.#epoch = pages.epoch;
    this.#version = pages.version;
    this.#counts(reply.count, reply.users);
    const { members } = pages;
    for (const [client, member] of before) {
      if (!members.has(client)) this.#events.emit('leave', member, 'gone');
    }
    for (const member of [...members.values()]) this.#tell(member, before.get(member.client));
    this.#changed();
    for (const push of held) if (this.#phase === 'on') this.#follow(push);
    if (this.#phase !== 'on') return;
    this.#backoff.failures = 0;
    this.#settled();
  }

  #stop(phase: Phase): void {
    this.#phase = phase;
    this.#fetching = undefined;
    this.#held = [];
    this.#snapshot = undefined;
    this.#core.clock.clearTimeout(this.#timer);
  }

  #counts(count: unknown, users: unknown): void {
    if (typeof count === 'number') this.#count = count;
    if (typeof users === 'number') this.#users = users;
    this.#snapshot = undefined;
  }

  // ---- telling

  /** Members that are the same in content are not mentioned. */
  #tell(member: Member, before: Member | undefined): void {
    if (!before) this.#events.emit('join', member);
    else if (before !== member && JSON.stringify(before.info) !== JSON.stringify(member.info)) {
      this.#events.emit('update', member, before);
    }
  }

  #changed(): void {
    this.#snapshot = undefined;
    this.#events.emit('list');
  }
}

interface Pages {
  readonly members: Members;
  epoch: unknown;
  version: number;
  /** Id of the last member had; the pages cover all ids up to it. */
  last: string;
}

/** Applies a change, as far as it concerns ids up to `last`. */
function apply(members: Members, push: WireMessage, last?: string): void {
  const covers = ({ client }: Member) => last === undefined || client <= last;
  for (const member of list(push.leave).filter(covers)) members.delete(member.client);
  for (const member of [...list(push.join), ...list(push.update)].filter(covers)) {
    members.set(member.client, member);
  }
}

function list(value: unknown): readonly (Member & { readonly reason?: unknown })[] {
  return Array.isArray(value) ? value.filter((one) => typeof one?.client === 'string') : [];
}
