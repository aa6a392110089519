// The application of APPLICATION.md on npm's `socket.io`: what every other one is compared with.
// `startReference(profile)` serves it on a port of the kernel's choice.
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as later } from 'node:timers/promises';
import { Server } from 'socket.io';
import msgpackParser from 'socket.io-msgpack-parser';

/** What each profile changes of npm's defaults. */
export const profiles = {
  plain: {},
  quick: { pingInterval: 400, pingTimeout: 600, upgradeTimeout: 300, connectTimeout: 400 },
  small: { maxHttpBufferSize: 10_000 },
  recovery: { connectionStateRecovery: { maxDisconnectionDuration: 120_000 } },
  msgpack: { parser: msgpackParser },
  cors: { cors: { origin: ['http://one.example', 'http://two.example'], credentials: true } },
  cookie: { cookie: true },
  polling: { transports: ['polling'] },
  websocket: { transports: ['websocket'] },
};

const kNamespaces = ['/', '/chat', '/a/b', '/gate', '/late', '/greet', '/full', /^\/dyn-\d+$/];
const kReserved = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener',
  'removeListener'];
const kOfEngine = ['EIO', 'transport', 'sid', 't', 'b64'];

const isText = (value) => typeof value === 'string';
const isRooms = (value) => isText(value) || (Array.isArray(value) && value.every(isText));
const isEvent = (value) => isText(value) && !kReserved.includes(value);
const isFlag = (value) => typeof value === 'boolean';
const isCount = (min, max) => (value) => Number.isInteger(value) && value >= min && value <= max;
const isAny = () => true;

function refusal(message, data) {
  const error = new Error(message);
  if (data !== undefined) error.data = data;
  return error;
}

/** The verdict of a namespace on `auth`: an error, or undefined. */
function judge(namespace, auth) {
  if ('refuse' in auth) return refusal('refused', auth.refuse);
  if (namespace !== '/gate' || auth.token === 'open') return undefined;
  return 'token' in auth ? refusal('wrong token', { code: 7 }) : refusal('token missing');
}

function who(socket) {
  const { auth, query } = socket.handshake;
  const own = Object.entries(query).filter(([name]) => !kOfEngine.includes(name));
  return {
    id: socket.id,
    namespace: socket.nsp.name,
    auth,
    query: Object.fromEntries(own),
    user: socket.data.user ?? null,
    recovered: socket.recovered,
  };
}

const ownRooms = (socket) => [...socket.rooms].filter((room) => room !== socket.id).sort();

function askRoom(socket, ms, rooms, args) {
  const { nsp } = socket;
  nsp.in(rooms).fetchSockets().then((all) => {
    if (all.length === 0) {
      socket.emit('answered', { values: [], complete: true });
      return;
    }
    nsp.to(rooms).timeout(ms).emit('question', ...args, (error, answers) => {
      const values = answers.map((value) => value ?? null)
        .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
      socket.emit('answered', { values, complete: !error });
    });
  });
}

// Each event: the types of its arguments, and what is done. `ack` can always be called.
const kEvents = {
  echo: [[], (socket, ack, ...args) => (ack.wanted ? ack(...args) : socket.emit('echo', ...args))],
  both: [[], (socket, ack, ...args) => (socket.emit('echo', ...args), ack(...args))],
  twice: [[], (socket, ack, ...args) => (ack(...args), ack('again'))],
  7: [[], (socket, ack, ...args) => socket.emit('seven', ...args)],
  who: [[], (socket, ack) => ack(who(socket))],
  bytes: [[isCount(0, 2_000_000)], (socket, ack, n) => {
    const bytes = Buffer.from(Uint8Array.from({ length: n }, (_, i) => i));
    ack.wanted ? ack(bytes) : socket.emit('bytes', bytes);
  }],
  burst: [[isCount(0, 10_000)], (socket, ack, n) => {
    for (let i = 0; i < n; i++) socket.emit('burst', i);
    ack(n);
  }],
  set: [[isText, isAny], (socket, ack, key, value) => ((socket.data[`$${key}`] = value), ack())],
  get: [[isText], (socket, ack, key) => ack(socket.data[`$${key}`] ?? null)],
  join: [[isRooms], (socket, ack, rooms) => (socket.join(rooms), ack())],
  leave: [[isRooms], (socket, ack, rooms) => ([rooms].flat().forEach((r) => socket.leave(r)), ack())],
  rooms: [[], (socket, ack) => ack(ownRooms(socket))],
  say: [[isRooms, isEvent], (socket, ack, rooms, ...event) => socket.to(rooms).emit(...event)],
  tell: [[isRooms, isEvent], (socket, ack, rooms, ...event) => socket.nsp.to(rooms).emit(...event)],
  except: [[isRooms, isRooms, isEvent], (socket, ack, rooms, not, ...event) =>
    socket.nsp.to(rooms).except(not).emit(...event)],
  shout: [[isEvent], (socket, ack, ...event) => socket.broadcast.emit(...event)],
  all: [[isEvent], (socket, ack, ...event) => socket.nsp.emit(...event)],
  flash: [[isEvent], (socket, ack, ...event) => socket.volatile.emit(...event)],
  flashRoom: [[isRooms, isEvent], (socket, ack, rooms, ...event) =>
    socket.nsp.volatile.to(rooms).emit(...event)],
  mixed: [[isEvent], (socket, ack, event, ...args) => {
    socket.emit(event, ...args);
    socket.volatile.emit(event, 'volatile');
    socket.emit(event, ...args);
  }],
  ask: [[isCount(1, 10_000)], (socket, ack, ms, ...args) =>
    socket.timeout(ms).emit('question', ...args, (error, ...values) =>
      socket.emit('answered', error ? { error: 'timeout' } : { values }))],
  askRoom: [[isCount(1, 10_000), isRooms], (socket, ack, ms, rooms, ...args) =>
    askRoom(socket, ms, rooms, args)],
  kick: [[isFlag], (socket, ack, close) => socket.disconnect(close)],
  kickRoom: [[isRooms, isFlag], (socket, ack, rooms, close) => {
    socket.nsp.in(rooms).disconnectSockets(close);
    if (socket.connected) ack();
  }],
  moveRoom: [[isRooms, isText], (socket, ack, rooms, into) =>
    (socket.nsp.in(rooms).socketsJoin(into), ack())],
  watch: [[isText], (socket, ack, tag) => (socket.join(`watch:${tag}`), ack())],
};

const isEmpty = (value) => Array.isArray(value) && value.length === 0;
const kToRooms = ['say', 'tell', 'except', 'flashRoom', 'kickRoom', 'moveRoom'];

// To npm's emitter no room means everybody; to this application, nobody.
const namesNobody = (event, args) =>
  (kToRooms.includes(event) && isEmpty(args[0])) || (event === 'askRoom' && isEmpty(args[1]));

function onEvent(socket, event, args) {
  const rule = Object.hasOwn(kEvents, event) ? kEvents[event] : undefined;
  const last = args.at(-1);
  const ack = typeof last === 'function' ? args.pop() : () => {};
  ack.wanted = ack === last;
  if (!rule || !rule[0].every((fits, i) => i < args.length && fits(args[i]))) return;
  if (namesNobody(event, args)) return;
  rule[1](socket, ack, ...args);
}

function onConnection(socket) {
  const { auth } = socket.handshake;
  const tag = auth.tag;
  socket.onAny((event, ...args) => onEvent(socket, `${event}`, args));
  socket.on('disconnect', (reason) => {
    if (isText(tag)) socket.nsp.to(`watch:${tag}`).emit('gone', { id: socket.id, reason });
  });
  if (socket.recovered) return;
  if (socket.nsp.name === '/gate' && isText(auth.user)) socket.data.user = auth.user;
  if (socket.nsp.name === '/greet') socket.emit('hello', socket.id);
  if (socket.nsp.name === '/full') {
    socket.emit('bye');
    socket.disconnect();
  }
}

function serve(io) {
  for (const name of kNamespaces) {
    const namespace = io.of(name);
    namespace.use((socket, next) => next(judge(socket.nsp.name, socket.handshake.auth)));
    if (name === '/late') namespace.use((socket, next) => later(50).then(() => next()));
    namespace.on('connection', onConnection);
  }
}

/** Starts it; `stop()` ends all sessions, and the server with them. */
export async function startReference(profile = 'plain', { port = 0 } = {}) {
  const server = http.createServer((request, response) => response.writeHead(404).end());
  const io = new Server(server, profiles[profile]);
  serve(io);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    url: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      const over = once(server, 'close');
      io.close();
      server.closeAllConnections();
      await over;
    },
  };
}
