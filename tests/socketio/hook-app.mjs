// The application of APPLICATION.md as a hook application: it is asked, and its answer says what is
// to be done. All that it takes for granted of the questions and answers is this:
//
//   {type: "connect", client: {id, protocol: "socketio"}, namespace, auth, query, recovered?}
//     -> {} | {allow: false, message, data?} and, if allowed, all of the below
//   {type: "emit", client: {id}, namespace, event, args, ack: bool}
//     -> {ack?: [...], emits?: [{to, except?, event, args, volatile?}], joins?, leaves?,
//         disconnect?: "namespace" | "connection"}
//   {type: "events", events: [{type: "disconnected", client, namespace, reason}]}
//     -> {emits?: [{namespace, to, event, args}]}
//
// `to` is "self", "all", "others", or {rooms: [...], others?: true}; emits of one answer happen in
// their order and before its ack, unless `ackFirst` says otherwise. A binary value is {binary:
// base64}, in questions and in answers.

const isText = (value) => typeof value === 'string';
const isRooms = (value) => isText(value) || (Array.isArray(value) && value.every(isText));
const isFlag = (value) => typeof value === 'boolean';
const isCount = (min, max) => (value) => Number.isInteger(value) && value >= min && value <= max;
const isAny = () => true;
const kReserved = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener',
  'removeListener'];
const isEvent = (value) => isText(value) && !kReserved.includes(value);
const isSome = (value) => isText(value) || (isRooms(value) && value.length > 0);

const kNamespaces = ['/', '/chat', '/a/b', '/gate', '/late', '/greet', '/full'];
const list = (rooms) => [rooms].flat();
const binary = (n) => ({ binary: Buffer.from(Uint8Array.from({ length: n }, (_, i) => i))
  .toString('base64') });

/** One emit of an answer. */
const emit = (to, event, args, more = {}) => ({ to, event, args, ...more });
const toRooms = (rooms, [event, ...args], more) => emit({ rooms: list(rooms) }, event, args, more);

// Each event: the types of its arguments, and the answer.
const kEvents = {
  echo: [[], ({ asked }, ...args) =>
    (asked ? { ack: args } : { emits: [emit('self', 'echo', args)] })],
  both: [[], (_, ...args) => ({ emits: [emit('self', 'echo', args)], ack: args })],
  twice: [[], (_, ...args) => ({ ack: args })],
  7: [[], (_, ...args) => ({ emits: [emit('self', 'seven', args)] })],
  who: [[], ({ socket }) => ({ ack: [socket.who] })],
  bytes: [[isCount(0, 2_000_000)], ({ asked }, n) =>
    (asked ? { ack: [binary(n)] } : { emits: [emit('self', 'bytes', [binary(n)])] })],
  burst: [[isCount(0, 10_000)], (_, n) => ({ ack: [n],
    emits: Array.from({ length: n }, (_unused, i) => emit('self', 'burst', [i])) })],
  set: [[isText, isAny], ({ socket }, key, value) => (socket.data.set(key, value), { ack: [] })],
  get: [[isText], ({ socket }, key) => ({ ack: [socket.data.get(key) ?? null] })],
  join: [[isRooms], ({ socket }, rooms) => {
    for (const room of list(rooms)) socket.rooms.add(room);
    return { joins: list(rooms), ack: [] };
  }],
  leave: [[isRooms], ({ socket }, rooms) => {
    for (const room of list(rooms)) socket.rooms.delete(room);
    return { leaves: list(rooms), ack: [] };
  }],
  rooms: [[], ({ socket }) => ({ ack: [[...socket.rooms].sort()] })],
  say: [[isSome, isEvent], (_, rooms, ...event) =>
    ({ emits: [emit({ rooms: list(rooms), others: true }, event[0], event.slice(1))] })],
  tell: [[isSome, isEvent], (_, rooms, ...event) => ({ emits: [toRooms(rooms, event)] })],
  except: [[isSome, isRooms, isEvent], (_, rooms, not, ...event) =>
    ({ emits: [toRooms(rooms, event, { except: list(not) })] })],
  shout: [[isEvent], (_, event, ...args) => ({ emits: [emit('others', event, args)] })],
  all: [[isEvent], (_, event, ...args) => ({ emits: [emit('all', event, args)] })],
  flash: [[isEvent], (_, event, ...args) =>
    ({ emits: [emit('self', event, args, { volatile: true })] })],
  flashRoom: [[isSome, isEvent], (_, rooms, ...event) =>
    ({ emits: [toRooms(rooms, event, { volatile: true })] })],
  mixed: [[isEvent], (_, event, ...args) => ({ emits: [emit('self', event, args),
    emit('self', event, ['volatile'], { volatile: true }), emit('self', event, args)] })],
  kick: [[isFlag], (_, close) => ({ disconnect: close ? 'connection' : 'namespace' })],
  watch: [[isText], ({ socket }, tag) => {
    socket.rooms.add(`watch:${tag}`);
    return { joins: [`watch:${tag}`], ack: [] };
  }],
};

/** What a hook's answer has no words for; differences.mjs says which cases need it. */
export const kBeyondHooks = ['ask', 'askRoom', 'kickRoom', 'moveRoom'];

export class HookApp {
  #sockets = new Map();

  /** The answer to a question. */
  answer(question) {
    if (question.type === 'connect') return this.#connect(question);
    if (question.type === 'emit') return this.#emit(question);
    if (question.type === 'events') return { emits: question.events.flatMap((one) => this.#told(one)) };
    return {};
  }

  async #connect({ client, namespace, auth = {}, query = {}, recovered = false }) {
    const known = kNamespaces.includes(namespace) || /^\/dyn-\d+$/.test(namespace);
    if (!known) return { allow: false, message: 'Invalid namespace' };
    if ('refuse' in auth && !recovered) {
      return { allow: false, message: 'refused', data: auth.refuse };
    }
    if (namespace === '/gate' && auth.token !== 'open' && !recovered) {
      return 'token' in auth ? { allow: false, message: 'wrong token', data: { code: 7 } }
        : { allow: false, message: 'token missing' };
    }
    const user = namespace === '/gate' && isText(auth.user) ? auth.user : null;
    const who = { id: client.id, namespace, auth, query, user, recovered };
    const before = recovered ? this.#sockets.get(client.id) : undefined;
    this.#sockets.set(client.id, before
      ? { ...before, who: { ...who, user: before.who.user } }
      : { who, data: new Map(), rooms: new Set() });
    if (recovered) return {};
    if (namespace === '/late') await new Promise((resolve) => setTimeout(resolve, 50));
    if (namespace === '/greet') return { emits: [emit('self', 'hello', [client.id])] };
    if (namespace === '/full') return { emits: [emit('self', 'bye', [])], disconnect: 'namespace' };
    return {};
  }

  #emit({ client, event, args, ack }) {
    const socket = this.#sockets.get(client.id);
    const rule = Object.hasOwn(kEvents, event) ? kEvents[event] : undefined;
    if (!socket || !rule) return {};
    if (!rule[0].every((fits, i) => i < args.length && fits(args[i]))) return {};
    const answer = rule[1]({ socket, asked: ack }, ...args);
    if (!ack) delete answer.ack;
    return answer;
  }

  #told({ type, client, namespace, reason }) {
    const id = client?.id ?? client;
    const socket = this.#sockets.get(id);
    if (type !== 'disconnected' || !socket) return [];
    const { tag } = socket.who.auth;
    // Kept for its return if its state may be recovered.
    if (/namespace disconnect|parse error/.test(reason)) this.#sockets.delete(id);
    if (!isText(tag)) return [];
    return [{ namespace, ...emit({ rooms: [`watch:${tag}`] }, 'gone', [{ id, reason }]) }];
  }
}
