import { AnywireError, type WireMessage } from '@anywire/client';
import { Attendance } from './attendance';
import { type Answer, type Incoming, readCommand } from './commands';
import { byteLength } from './glob';
import type { Hub } from './hub';
import type { Link, Peer } from './network';
import { errorMembers, isRefusal, type Refusal, refusal } from './refusal';
import { type Identity, mayCall } from './rules';
import { Seats } from './seats';
import type { Session } from './sessions';
import type { Draft } from './stream';
import type { Drop, MockConnection } from './types';

/** One message as it crossed the wire. */
export interface MockFrame {
  readonly from: 'client' | 'server';
  /** The clock's time. */
  readonly at: number;
  readonly message: WireMessage;
}

/** What the server may say. */
type Said = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Who waits for a client's answer. */
interface Asked {
  resolve(data: unknown): void;
  reject(error: AnywireError): void;
}

/** Close codes of docs/protocol.md section 6. */
const closes = {
  protocolBroken: 4400,
  takenOver: 4409,
  expired: 4452,
  noConnect: 4500,
  tooLarge: 1009,
} as const;

/** Clients are told so long before their token ends. */
const warningMs = 30_000;
const nestingMax = 64;
const framesKept = 10_000;
/** What a timer can wait, ms: 2^31 - 1. */
const sleepMax = 2_147_483_647;

/** One connection as the server sees it: the protocol, but for what its parts do. */
export class Connection implements Peer, MockConnection {
  readonly hub: Hub;
  readonly link: Link;
  readonly seats: Seats;
  readonly attendance: Attendance;
  /** Everything that was said, both ways; the newest 10 000 messages. */
  readonly frames: MockFrame[] = [];
  /** Both are set once it has connected. */
  identity!: Identity;
  session!: Session;
  agent = '';
  state: 'new' | 'connected' | 'ended' = 'new';
  readonly #pending = new Set<number>();
  /** What the server has asked this client, by number. */
  readonly #calls = new Map<number, Asked>();
  #called = 0;
  #timer: unknown;
  #warned = false;
  #joinsTokenChannels = false;
  /** How the script wants the connection to end as soon as it has said `connect`. */
  #doomed: { readonly code: number; readonly reason: string } | undefined;

  constructor(
    hub: Hub,
    link: Link,
    doomed: { readonly code: number; readonly reason: string } | undefined,
  ) {
    this.hub = hub;
    this.link = link;
    this.seats = new Seats(hub, this);
    this.attendance = new Attendance(hub, this);
    this.#doomed = doomed;
    this.#wake(
      () => this.close(closes.noConnect, 'no connect came in time'),
      hub.settings.patience,
    );
  }

  get client(): string | undefined {
    return this.session?.client;
  }

  get user(): string | undefined {
    return this.session?.user;
  }

  get open(): boolean {
    return this.state !== 'ended';
  }

  get channels(): readonly string[] {
    return this.seats.names;
  }

  drop({ code = 1006, reason = '' }: Drop = {}): void {
    this.link.cut(code, reason);
  }

  send(message: WireMessage): void {
    this.say(message);
  }

  // ---- output

  readonly say = (said: Said): void => {
    if (this.state === 'ended') return;
    // The `id` of a message is its own, and text.
    const message = said as WireMessage;
    this.#record('server', message);
    this.link.say(message);
  };

  refuse(id: number, refused: Refusal, channel = ''): void {
    const about = { ...(id > 0 && { id }), ...(channel && { channel }) };
    this.say({ type: 'error', ...about, ...errorMembers(refused) });
  }

  close(code: number, reason: string): void {
    this.link.close(code, reason);
    this.#end();
  }

  #record(from: MockFrame['from'], message: WireMessage): void {
    this.frames.push({ from, at: this.hub.clock.now(), message });
    if (this.frames.length > framesKept) this.frames.shift();
  }

  // ---- input

  frame(text: string): void {
    if (this.state === 'ended') return;
    const batch = this.#read(text);
    if (!batch) return;
    // Who goes on has had the answer to `connect`.
    if (this.state === 'connected') this.hub.sessions.confirm(this.session);
    for (const message of batch) {
      if (this.#isEnded()) return;
      this.#record('client', message as WireMessage);
      this.#handle(readCommand(message));
    }
    if (this.#joinsTokenChannels && !this.#isEnded()) this.seats.subscribeByToken();
    this.#joinsTokenChannels = false;
  }

  #isEnded(): boolean {
    return this.state === 'ended';
  }

  /** The messages of a frame; undefined for what breaks the protocol. */
  #read(text: string): readonly unknown[] | undefined {
    const { messageBytesMax, frameMessagesMax } = this.hub.settings;
    if (byteLength(text) > messageBytesMax) {
      this.close(closes.tooLarge, 'the message is too large');
      return undefined;
    }
    const broken = (reason: string) => this.close(closes.protocolBroken, reason);
    let frame: unknown;
    try {
      frame = JSON.parse(text);
    } catch {
      return broken('not JSON') as undefined;
    }
    if (isTooDeep(frame, nestingMax)) return broken('not JSON: nested too deeply') as undefined;
    if (/\\u[dD][89a-fA-F]/.test(text) && isTorn(frame)) {
      return broken('not JSON: half a surrogate pair') as undefined;
    }
    const batch = Array.isArray(frame) ? frame : [frame];
    if (batch.length <= frameMessagesMax) return batch;
    return broken(`a frame has at most ${frameMessagesMax} messages`) as undefined;
  }

  #handle({ id, channel, command, refusal: unreadable }: Incoming): void {
    const refused =
      unreadable ??
      this.#admit(id, command?.type) ??
      (channel === '' ? undefined : this.hub.contract.channel(channel)) ??
      (command && this.hub.script.failure(command.type));
    if (refused || !command) {
      if (refused) this.refuse(id, refused, channel);
      return;
    }
    const fault = this.#run(id, command);
    if (fault) this.refuse(id, fault, channel);
  }

  #admit(id: number, type: string | undefined): Refusal | undefined {
    if (this.state === 'new' && type !== 'connect') {
      return refusal('not_connected', 'the first command must be "connect"');
    }
    if (this.state === 'connected' && type === 'connect') {
      return refusal('already_connected', 'this connection has connected already');
    }
    if (id > 0 && this.#pending.has(id)) {
      return refusal('id_in_use', 'a command with this id still waits for its answer');
    }
    if (this.#pending.size < this.hub.settings.pendingMax) return undefined;
    return refusal('too_many_pending', 'too many commands wait for their answer');
  }

  #run(id: number, command: NonNullable<Incoming['command']>): Refusal | undefined {
    switch (command.type) {
      case 'connect':
        return this.#connect(id, command.of.token, command.of.session, command.of.agent);
      case 'auth':
        return this.#auth(id, command.of.token);
      case 'subscribe':
        return this.seats.subscribe(id, command.of);
      case 'unsubscribe':
        return this.#ok(id, this.seats.unsubscribe(command.of.channel, command.of.pattern));
      case 'publish':
        return this.#publish(id, command.of);
      case 'history':
        return this.#history(id, command.of);
      case 'enter':
        return this.#ok(id, this.attendance.enter(command.of.channel, command.of.info));
      case 'leave':
        return this.#ok(id, this.attendance.leave(command.of.channel));
      case 'members':
        return this.attendance.members(id, command.of);
      case 'occupancy':
        return this.#occupancy(id, command.of.channel);
      case 'ping':
        this.say({ type: 'pong', id, time: Math.floor(this.hub.clock.now()) });
        return undefined;
      case 'rpc':
        return this.#rpc(id, command.of.method, command.of.data);
      case 'answer':
        return this.#answer(id, command.of);
    }
  }

  #ok(id: number, refused: Refusal | undefined): Refusal | undefined {
    if (!refused) this.say({ type: 'ok', id });
    return refused;
  }

  // ---- connecting and tokens

  #connect(id: number, token: string | undefined, secret = '', agent = ''): undefined {
    if (this.#doomed) {
      this.close(this.#doomed.code, this.#doomed.reason);
      return undefined;
    }
    const identity = this.hub.tokens.verify(token);
    if ('code' in identity) {
      this.close(identity.code, identity.reason);
      return undefined;
    }
    const { sessions, settings } = this.hub;
    this.identity = identity;
    this.agent = agent;
    const { user } = identity;
    const old = sessions.find(secret, user);
    if (old) {
      old.connection?.yield();
      sessions.renew(old, secret, this);
    }
    this.session = old ?? sessions.begin(user, this);
    this.state = 'connected';
    this.say({
      type: 'connected',
      id,
      client: this.session.client,
      session: this.session.secret,
      resumed: old !== undefined,
      ...(user !== undefined && { user }),
      ...(identity.expires !== undefined && { expires: identity.expires }),
      ping: settings.ping,
      sessionWindow: settings.sessionWindow,
      messageBytesMax: settings.messageBytesMax,
      server: settings.server,
    });
    this.attendance.resume();
    this.#watchClock(false);
    this.#joinsTokenChannels = true;
    return undefined;
  }

  #auth(id: number, token: string): Refusal | undefined {
    const identity = this.hub.tokens.verify(token);
    if ('code' in identity) return refusal('unauthorized', identity.reason);
    if (identity.user !== this.identity.user) {
      return refusal('user_mismatch', "the token is another user's");
    }
    this.identity = identity;
    this.#warned = false;
    const { expires } = identity;
    this.say({ type: 'ok', id, ...(expires !== undefined && { expires }) });
    this.seats.dropForbidden();
    this.attendance.leaveForbidden();
    this.seats.subscribeByToken();
    this.#watchClock(false);
    return undefined;
  }

  /**
   * Warns half a minute before the token's end, or halfway if that is later, and ends the
   * connection with it. `due`: the time waited for has come.
   */
  #watchClock(due: boolean): void {
    this.hub.clock.clearTimeout(this.#timer);
    const { expires } = this.identity;
    if (expires === undefined || this.state !== 'connected') return;
    const left = expires - this.hub.clock.now();
    if (left <= 0) {
      this.close(closes.expired, 'the token has expired');
      return;
    }
    if (due && !this.#warned && left <= warningMs) this.warn();
    const untilWarning = Math.max(left - warningMs, left / 2);
    this.#wake(() => this.#watchClock(true), this.#warned ? left : untilWarning);
  }

  /** Says that the token is about to end. */
  warn(): void {
    this.#warned = true;
    const expires = this.identity.expires ?? Math.floor(this.hub.clock.now());
    this.say({ type: 'expiring', expires });
  }

  #wake(run: () => void, wait: number): void {
    const { clock } = this.hub;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(run, Math.min(Math.ceil(wait), sleepMax));
  }

  // ---- publishing, history and calls

  #publish(id: number, command: Extract<Incoming['command'], { type: 'publish' }>['of']) {
    const { channel, payload, event, messageId, idempotencyKey, tags } = command;
    const { hub, session } = this;
    const refused = hub.rules.may('publish', channel, this.identity);
    if (refused) return refused;
    const draft: Draft = {
      ...payload,
      ...(event !== undefined && { event }),
      ...(messageId !== undefined && { id: messageId }),
      client: session.client,
      ...(session.user !== undefined && { user: session.user }),
      ...(tags && { tags }),
    };
    const outcome = hub.publish(channel, draft, idempotencyKey);
    if (isRefusal(outcome)) return outcome;
    if (id > 0) this.say({ type: 'published', id, ...outcome });
    return undefined;
  }

  #history(
    id: number,
    { channel, epoch, query }: Extract<Incoming['command'], { type: 'history' }>['of'],
  ): Refusal | undefined {
    const refused = this.hub.rules.may('history', channel, this.identity);
    if (refused) return refused;
    if (this.hub.rules.of(channel).historyMessages === 0) {
      return refusal('no_history', 'the channel keeps no history');
    }
    const { stream } = this.hub.channel(channel);
    if (epoch !== undefined && epoch !== stream.epoch) {
      return refusal('epoch_changed', 'the channel has begun anew');
    }
    this.say({ type: 'history', id, channel, ...stream.read(query) });
    return undefined;
  }

  #occupancy(id: number, channel: string): Refusal | undefined {
    const refused = this.hub.rules.maySubscribe(channel, this.identity);
    if (refused) return refused;
    if (!this.hub.rules.of(channel).occupancy) {
      return refusal('no_occupancy', 'the channel does not tell how many listen');
    }
    this.say({ type: 'occupancy', id, channel, ...this.hub.occupancy(channel) });
    return undefined;
  }

  #rpc(id: number, method: string, data: unknown): Refusal | undefined {
    const answer = this.hub.script.handler(method);
    if (!answer) return refusal('no_handler', 'nobody answers this method');
    const refused = mayCall(method, this.identity);
    if (refused) return refused;
    this.#pending.add(id);
    const { client, user } = this.session;
    const about = { method, client, ...(user !== undefined && { user }) };
    answer(data, about).then((result) => {
      this.#pending.delete(id);
      if ('refused' in result) this.refuse(id, result.refused);
      else this.say({ type: 'result', id, data: result.data ?? null });
    });
    return undefined;
  }

  // ---- calls of the server

  call(method: string, data?: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.state !== 'connected') {
        reject(new AnywireError('client_gone', 'the client has gone'));
        return;
      }
      const call = ++this.#called;
      this.#calls.set(call, { resolve, reject });
      this.say({ type: 'call', call, method, ...(data !== undefined && { data }) });
    });
  }

  #answer(id: number, { call, data, error }: Answer): undefined {
    if (id > 0) this.say({ type: 'ok', id });
    const asked = this.#calls.get(call);
    this.#calls.delete(call);
    if (error) asked?.reject(new AnywireError(error.code, error.message));
    else asked?.resolve(data);
  }

  // ---- the end

  gone(): void {
    this.#end();
  }

  /** Another connection takes the session over. */
  yield(): void {
    this.session.connection = undefined;
    this.#end();
    this.link.close(closes.takenOver, 'another connection has taken this session over');
  }

  #end(): void {
    if (this.state === 'ended') return;
    const was = this.state;
    this.state = 'ended';
    this.hub.clock.clearTimeout(this.#timer);
    this.hub.connections.delete(this);
    this.seats.clear();
    for (const { reject } of this.#calls.values()) {
      reject(new AnywireError('client_gone', 'the client has gone'));
    }
    this.#calls.clear();
    const { session } = this;
    if (was !== 'connected' || session.connection !== this) return;
    this.hub.sessions.lost(session);
    this.attendance.lose();
  }
}

/** Whether a string has half a surrogate pair. */
function isTorn(value: unknown): boolean {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some((entry) => entry.some(isTorn));
}

function isTooDeep(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return left === 0 || Object.values(value).some((inner) => isTooDeep(inner, left - 1));
}
