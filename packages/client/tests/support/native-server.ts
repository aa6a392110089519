import { json } from '../../src/realtime/codec';
import type { Codec, WireMessage } from '../../src/realtime/wire';
import { FakeWebSocket } from './fake-web-socket';

type Loose = Record<string, unknown>;
interface Stored extends Loose {
  readonly offset: number;
}

/** One connection as the server sees it, whatever carries it. */
export interface Peer {
  send(messages: readonly Loose[]): void;
  close(code: number, reason: string): void;
}

interface Subscription {
  readonly options: Loose;
}

/** A connection's state at the server. */
export class Conn {
  readonly peer: Peer;
  readonly got: WireMessage[] = [];
  readonly subscriptions = new Map<string, Subscription>();
  readonly patterns = new Set<string>();
  connected = false;
  open = true;
  client = '';
  session = '';
  user: string | undefined;

  constructor(peer: Peer) {
    this.peer = peer;
  }

  say(...messages: Loose[]): void {
    if (this.open) this.peer.send(messages);
  }

  close(code: number, reason = ''): void {
    if (!this.open) return;
    this.open = false;
    this.peer.close(code, reason);
  }

  /** The commands of one type. */
  of(type: string): WireMessage[] {
    return this.got.filter((message) => message.type === type);
  }
}

export class ServerChannel {
  epoch = 'e1';
  top = 0;
  messages: Stored[] = [];
  readonly keys = new Map<string, { epoch: string; offset: number }>();
  readonly members = new Map<string, Loose>();
  presenceEpoch = 'p1';
  version = 0;
}

/**
 * A server of docs/protocol.md that runs in the test's own turn: it answers when it is pumped, and
 * does what the page says unless `script` answers instead.
 */
export class NativeServer {
  readonly conns: Conn[] = [];
  readonly channels = new Map<string, ServerChannel>();
  /** Sessions that can be resumed: secret to client id. */
  readonly sessions = new Map<string, string>();
  /** Looks at each command first; true: it has dealt with it. */
  script: ((conn: Conn, message: WireMessage) => boolean | undefined) | undefined;
  /** What becomes of new WebSockets: served, refused (closed before open), or left hanging. */
  sockets: 'serve' | 'refuse' | 'hang' = 'serve';
  codec: Codec = json;
  /** Which members `connected` has besides. */
  greeting: Loose = {};
  /** Whether a token is accepted; the code to close with if not. */
  judge: (token: unknown) => number | undefined = () => undefined;
  /** Presence is told by counts only. */
  large = false;
  /** Channels that the token subscribes to. */
  granted: readonly string[] = [];
  /** Everything that was ever published, for the test to compare. */
  readonly published: Loose[] = [];
  #seen = new Map<FakeWebSocket, { conn: Conn; read: number }>();
  #ids = 0;

  get last(): Conn {
    const conn = this.conns.at(-1);
    if (!conn) throw new Error('nobody is connected');
    return conn;
  }

  channel(name: string): ServerChannel {
    const channel = this.channels.get(name) ?? new ServerChannel();
    this.channels.set(name, channel);
    return channel;
  }

  /** Serves all WebSockets and lets promises run, until all is quiet. */
  async settle(): Promise<void> {
    for (let i = 0; i < 30; i++) {
      await Promise.resolve();
      this.pump();
    }
  }

  pump(): void {
    for (const ws of FakeWebSocket.all) {
      if (ws.readyState === 0 && ws.closedWith === undefined) this.#accept(ws);
      const seen = this.#seen.get(ws);
      while (seen && seen.read < ws.sent.length && seen.conn.open) {
        const frame = ws.sent[seen.read++] as string;
        const messages = this.codec.decode(toData(frame));
        for (const message of messages) this.take(seen.conn, message);
      }
      if (seen?.conn.open && ws.closedWith !== undefined) seen.conn.open = false;
    }
  }

  #accept(ws: FakeWebSocket): void {
    if (this.sockets === 'hang') return;
    if (this.sockets === 'refuse') {
      ws.end(1006);
      return;
    }
    const conn = this.open({
      send: (messages) => {
        const { codec } = this;
        const frame = codec.join(messages.map((message) => codec.encode(message as never)));
        ws.say(toData(frame));
      },
      close: (code, reason) => ws.end(code, reason),
    });
    this.#seen.set(ws, { conn, read: 0 });
    ws.accept(this.codec.protocol);
  }

  open(peer: Peer): Conn {
    const conn = new Conn(peer);
    this.conns.push(conn);
    return conn;
  }

  take(conn: Conn, message: WireMessage): void {
    if (!conn.open) return;
    conn.got.push(message);
    if (this.script?.(conn, message) === true) return;
    const { type } = message;
    const verbs: Record<string, (conn: Conn, message: Loose) => Loose | undefined> = {
      connect: (c, m) => this.#connect(c, m),
      subscribe: (c, m) => this.#subscribe(c, m),
      unsubscribe: (c, m) => this.#unsubscribe(c, m),
      publish: (c, m) => this.#publish(c, m),
      history: (_, m) => this.#history(m),
      enter: (c, m) => this.#enter(c, m),
      leave: (c, m) => this.#leave(c, m),
      members: (_, m) => this.#members(m),
      auth: (_, m) => {
        const code = this.judge(m.token);
        return code ? { type: 'error', code: 'unauthorized', message: 'no' } : { type: 'ok' };
      },
      ping: () => ({ type: 'pong', time: 1 }),
      answer: () => ({ type: 'ok' }),
      rpc: (_, m) => ({ type: 'result', data: [m.method, m.data] }),
    };
    const answer = verbs[type]?.(conn, message) ?? undefined;
    if (answer) conn.say({ id: message.id, ...answer });
    if (message.presence && answer?.type === 'subscribed') {
      conn.say(this.everybody(String(message.channel)));
    }
    if (type === 'subscribe' && answer?.type === 'subscribed' && message.channel) {
      this.#catchUp(conn, String(message.channel), answer);
    }
    if (type === 'connect' && answer) this.#grant(conn);
  }

  #connect(conn: Conn, { token, session }: Loose): Loose | undefined {
    const code = this.judge(token);
    if (code) {
      conn.close(code, 'token');
      return undefined;
    }
    const client = this.sessions.get(String(session));
    this.sessions.delete(String(session));
    for (const other of this.conns) {
      if (client !== undefined && other !== conn && other.client === client) {
        other.close(4409, 'taken over');
      }
    }
    conn.connected = true;
    conn.client = client ?? `c${++this.#ids}`;
    conn.session = `s${++this.#ids}`;
    this.sessions.set(conn.session, conn.client);
    return {
      type: 'connected',
      client: conn.client,
      session: conn.session,
      resumed: client !== undefined,
      ping: 25_000,
      sessionWindow: 120_000,
      messageBytesMax: 1 << 20,
      server: 'test/0',
      ...this.greeting,
    };
  }

  #grant(conn: Conn): void {
    for (const name of this.granted) {
      const { epoch, top } = this.channel(name);
      conn.subscriptions.set(name, { options: {} });
      const offset = top;
      conn.say({ type: 'subscribed', channel: name, epoch, offset, top, recoverable: true });
    }
  }

  #subscribe(conn: Conn, message: Loose): Loose {
    const { pattern } = message;
    if (typeof pattern === 'string') {
      conn.patterns.add(pattern);
      return { type: 'subscribed', pattern };
    }
    const name = String(message.channel);
    if (conn.subscriptions.has(name)) {
      return { type: 'error', code: 'already_subscribed', message: 'twice', channel: name };
    }
    const channel = this.channel(name);
    const { epoch, top } = channel;
    const since = message.since as { epoch: string; offset: number } | undefined;
    conn.subscriptions.set(name, { options: message });
    const base = { type: 'subscribed', channel: name, epoch, top, recoverable: true };
    const oldest = channel.messages[0]?.offset ?? top + 1;
    if (!since) {
      const offset = top - Math.min(Number(message.rewind ?? 0), channel.messages.length);
      return { ...base, offset };
    }
    if (since.epoch !== epoch) {
      const offset = oldest - 1;
      const gap = { from: since.offset + 1, to: 0, reason: 'epoch' };
      return { ...base, offset, recovered: false, gap };
    }
    if (since.offset + 1 < oldest && since.offset < top) {
      const offset = oldest - 1;
      const gap = { from: since.offset + 1, to: offset, reason: 'evicted' };
      return { ...base, offset, recovered: false, gap };
    }
    return { ...base, offset: since.offset, recovered: true };
  }

  #catchUp(conn: Conn, name: string, answer: Loose): void {
    const after = Number(answer.offset);
    const missed = this.channel(name).messages.filter(({ offset }) => offset > after);
    if (missed.length > 0) {
      conn.say(...missed.map((message) => ({ type: 'message', channel: name, ...message })));
    }
  }

  #unsubscribe(conn: Conn, { channel, pattern }: Loose): Loose {
    const had = pattern
      ? conn.patterns.delete(String(pattern))
      : conn.subscriptions.delete(String(channel));
    return had ? { type: 'ok' } : { type: 'error', code: 'not_subscribed', message: 'no' };
  }

  #publish(conn: Conn, message: Loose): Loose {
    const { channel: name, idempotencyKey, messageId, id: _, type: __, ...rest } = message;
    const channel = this.channel(String(name));
    const key = String(idempotencyKey);
    const first = channel.keys.get(key);
    if (first) return { type: 'published', ...first, duplicate: true };
    const own = { client: conn.client, ...(messageId !== undefined && { id: messageId }) };
    const offset = this.publish(String(name), { ...rest, ...own });
    const position = { epoch: channel.epoch, offset };
    if (idempotencyKey) channel.keys.set(key, position);
    return { type: 'published', ...position };
  }

  /** Somebody publishes; everybody who is subscribed hears of it. */
  publish(name: string, members: Loose = { data: null }): number {
    const channel = this.channel(name);
    const message: Stored = { offset: ++channel.top, time: 1000 + channel.top, ...members };
    channel.messages.push(message);
    this.published.push({ channel: name, ...message });
    this.#fanOut(name, { type: 'message', channel: name, ...message }, message.client);
    return message.offset;
  }

  #fanOut(name: string, push: Loose, publisher: unknown): void {
    for (const conn of this.conns) {
      const subscription = conn.subscriptions.get(name);
      if (subscription) {
        const own = subscription.options.own === false && conn.client === publisher;
        const { offset } = push;
        conn.say(own ? { type: 'advance', channel: name, offset } : push);
      }
      for (const pattern of subscription ? [] : conn.patterns) {
        const source = pattern.replaceAll('*', '.*').replaceAll('?', '.');
        if (new RegExp(`^${source}$`).test(name)) conn.say(push);
      }
    }
  }

  #history(query: Loose): Loose {
    const { epoch, top, messages } = this.channel(String(query.channel));
    const { after = 0, before = Number.POSITIVE_INFINITY, limit = 100 } = query as never as Query;
    let found = messages.filter(({ offset }) => offset > after && offset < before);
    if (query.order === 'backward') found = found.toReversed();
    const more = found.length > limit;
    const oldest = messages[0]?.offset ?? top + 1;
    return { type: 'history', epoch, top, oldest, more, messages: found.slice(0, limit) };
  }

  // ---- presence

  #enter(conn: Conn, { channel, info }: Loose): Loose {
    const member = { client: conn.client, ...(info !== undefined && { info }) };
    this.presence(String(channel), { join: [member] });
    return { type: 'ok' };
  }

  #leave(conn: Conn, { channel }: Loose): Loose {
    const name = String(channel);
    if (!this.channel(name).members.has(conn.client)) {
      return { type: 'error', code: 'not_present', message: 'no' };
    }
    this.presence(name, { leave: [{ client: conn.client, reason: 'left' }] });
    return { type: 'ok' };
  }

  /** A change of presence, told to everybody who watches; `join` of a member is an update. */
  presence(name: string, change: { join?: Loose[]; leave?: Loose[] }, more: Loose = {}): Loose {
    const channel = this.channel(name);
    const { members } = channel;
    const fresh = (change.join ?? []).filter(({ client }) => !members.has(String(client)));
    const known = (change.join ?? []).filter(({ client }) => members.has(String(client)));
    for (const member of change.join ?? []) members.set(String(member.client), member);
    for (const { client } of change.leave ?? []) members.delete(String(client));
    const push = {
      type: 'presence',
      channel: name,
      epoch: channel.presenceEpoch,
      from: channel.version,
      version: ++channel.version,
      count: members.size,
      users: members.size,
      ...(fresh.length > 0 && { join: fresh }),
      ...(known.length > 0 && { update: known }),
      ...(change.leave && { leave: change.leave }),
      ...more,
    };
    for (const conn of this.conns) {
      if (conn.subscriptions.get(name)?.options.presence) conn.say(push);
    }
    return push;
  }

  /** The first push after a subscription with presence. */
  everybody(name: string): Loose {
    const { members, presenceEpoch: epoch, version } = this.channel(name);
    const counts = { count: members.size, users: members.size };
    const base = { type: 'presence', channel: name, epoch, version, ...counts };
    return this.large
      ? { ...base, partial: true }
      : { ...base, all: true, join: [...members.values()] };
  }

  #members(query: Loose): Loose {
    const { members, presenceEpoch, version } = this.channel(String(query.channel));
    const { after = '', limit = 100 } = query as { after?: string; limit?: number };
    const all = [...members.values()].sort((a, b) =>
      String(a.client) < String(b.client) ? -1 : 1,
    );
    const found = all.filter(({ client }) => String(client) > after);
    return {
      type: 'members',
      channel: query.channel,
      epoch: presenceEpoch,
      version,
      count: members.size,
      users: members.size,
      more: found.length > limit,
      members: found.slice(0, limit),
    };
  }
}

interface Query {
  readonly after?: number;
  readonly before?: number;
  readonly limit?: number;
}

function toData(frame: unknown): string | ArrayBuffer {
  if (typeof frame === 'string') return frame;
  const view = frame as Uint8Array<ArrayBuffer>;
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}
