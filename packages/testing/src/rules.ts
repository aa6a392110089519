import { includes, isName, matches } from './glob';
import { type Refusal, refusal } from './refusal';

/** What a token may allow, and a rule restrict. */
export type Operation = 'subscribe' | 'publish' | 'presence' | 'history' | 'rpc';

/** Who may do something: anybody, whoever has a user id, or whose token's capability grants it. */
export type Access = 'anyone' | 'users' | 'capability';

/**
 * How channels behave, in the words of the server's `[[channels]]` (docs/configuration.md). The
 * first rule whose pattern takes a channel decides. Unlike the server's, the defaults allow
 * everything: a test says what it wants to be refused.
 */
export interface ChannelRule {
  /** `*` stands for any characters, `?` for one. */
  readonly pattern: string;
  /** Messages kept for recovery and history; 0: none. Default 1000. */
  readonly historyMessages?: number;
  /** How long they are kept, ms; 0: as long as there is room. Default 0. */
  readonly historyTtl?: number;
  /** Clients may enter. Default true. */
  readonly presence?: boolean;
  /** How long a member whose connection was lost is still there, ms. Default 10 000. */
  readonly presenceGrace?: number;
  /** Most members. Default 10 000. */
  readonly membersMax?: number;
  /** With more members only their number is pushed. Default 1000. */
  readonly membersListedMax?: number;
  /** Tell how many listen. Default true. */
  readonly occupancy?: boolean;
  /** Default `anyone`, as the three below. */
  readonly subscribe?: Access;
  readonly publish?: Access;
  readonly historyAccess?: Access;
  readonly presenceAccess?: Access;
}

export type ResolvedRule = Required<ChannelRule>;

const defaults: ResolvedRule = {
  pattern: '*',
  historyMessages: 1000,
  historyTtl: 0,
  presence: true,
  presenceGrace: 10_000,
  membersMax: 10_000,
  membersListedMax: 1000,
  occupancy: true,
  subscribe: 'anyone',
  publish: 'anyone',
  historyAccess: 'anyone',
  presenceAccess: 'anyone',
};

/** Patterns of channels (for `rpc`: of methods), each with the operations it grants. */
export type Capability = Readonly<Record<string, readonly (Operation | '*')[]>>;

/** Who a client is, and what it may do. */
export interface Identity {
  readonly user: string | undefined;
  /** Its presence info unless it enters with its own. */
  readonly info: unknown;
  /** Unix milliseconds. */
  readonly expires: number | undefined;
  /** Subscribed to at once. */
  readonly channels: readonly string[];
  readonly capability: Capability | undefined;
}

const personal = '$user:';
const verbs: Readonly<Record<Operation, string>> = {
  subscribe: 'subscribe to',
  publish: 'publish to',
  presence: 'see who is in, or enter,',
  history: 'read the history of',
  rpc: 'call',
};

/** What the rules and a token together allow. */
export class Rules {
  readonly #rules: readonly ResolvedRule[];

  constructor(rules: readonly ChannelRule[]) {
    this.#rules = rules.map((rule) => ({ ...defaults, ...rule }));
  }

  of(channel: string): ResolvedRule {
    return this.#rules.find(({ pattern }) => matches(pattern, channel)) ?? defaults;
  }

  /** Undefined: it may. */
  may(operation: Operation, channel: string, identity: Identity): Refusal | undefined {
    const allowed = channel.startsWith('$')
      ? this.#mayReserved(operation, channel, identity)
      : permits(this.of(channel), operation, identity, (pattern) => matches(pattern, channel));
    return allowed ? undefined : forbidden(operation, channel);
  }

  maySubscribe(channel: string, identity: Identity): Refusal | undefined {
    const named = identity.channels.includes(channel) && !closedTo(channel, identity);
    return named ? undefined : this.may('subscribe', channel, identity);
  }

  /** Where all that the pattern could take may be subscribed to. */
  mayListen(pattern: string, identity: Identity): Refusal | undefined {
    const allowed = permits(this.of(pattern), 'subscribe', identity, (wide) =>
      includes(wide, pattern),
    );
    return allowed ? undefined : forbidden('subscribe', pattern);
  }

  #mayReserved(operation: Operation, channel: string, identity: Identity): boolean {
    if (operation !== 'publish') return !closedTo(channel, identity);
    return channel.startsWith(personal) && grants(identity, operation, (p) => matches(p, channel));
  }
}

/** What nobody but its own user may listen to, whatever rules and tokens say. */
function closedTo(channel: string, { user }: Identity): boolean {
  return channel.startsWith('$') && (!user || channel !== `${personal}${user}`);
}

function permits(
  rule: ResolvedRule,
  operation: Operation,
  identity: Identity,
  takes: (pattern: string) => boolean,
): boolean {
  const access = {
    subscribe: rule.subscribe,
    publish: rule.publish,
    history: rule.historyAccess,
    presence: rule.presenceAccess,
    rpc: 'capability' as const,
  }[operation];
  if (access === 'anyone') return true;
  if (access === 'users') return identity.user !== undefined;
  return grants(identity, operation, takes);
}

function grants(
  { capability }: Identity,
  operation: Operation,
  takes: (pattern: string) => boolean,
): boolean {
  return Object.entries(capability ?? {}).some(
    ([pattern, granted]) =>
      (granted.includes(operation) || granted.includes('*')) && takes(pattern),
  );
}

export function mayCall(method: string, identity: Identity): Refusal | undefined {
  // Unlike channels methods have no rule; who has no capability at all is not held to one here.
  if (!identity.capability) return undefined;
  const allowed = grants(identity, 'rpc', (pattern) => matches(pattern, method));
  return allowed ? undefined : forbidden('rpc', method);
}

function forbidden(operation: Operation, name: string): Refusal {
  return refusal('forbidden', `this client may not ${verbs[operation]} "${name}"`);
}

export function checkRules(rules: readonly ChannelRule[]): void {
  for (const { pattern } of rules) {
    if (!isName(pattern)) throw new TypeError(`${JSON.stringify(pattern)} is no pattern`);
  }
}
