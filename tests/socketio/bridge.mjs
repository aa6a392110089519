// npm's server that asks hook-app.mjs and does what it answers: so that the hook application is held
// to the recorded logs without the binary.
import { once } from 'node:events';
import http from 'node:http';
import { Server } from 'socket.io';
import { HookApp } from './hook-app.mjs';
import { profiles } from './reference.mjs';

const kOfEngine = ['EIO', 'transport', 'sid', 't', 'b64'];

/** Replaces binary values by {binary: base64}, and back. */
const map = (value, change) => {
  const changed = change(value);
  if (changed !== undefined) return changed;
  if (Array.isArray(value)) return value.map((one) => map(one, change));
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, map(one, change)]));
};
const toHook = (value) => map(value, (one) => {
  if (!ArrayBuffer.isView(one) && !(one instanceof ArrayBuffer)) return undefined;
  const bytes = one instanceof ArrayBuffer ? Buffer.from(one)
    : Buffer.from(one.buffer, one.byteOffset, one.byteLength);
  return { binary: bytes.toString('base64') };
});
const fromHook = (value) => map(value, (one) =>
  (typeof one?.binary === 'string' ? Buffer.from(one.binary, 'base64') : undefined));

function emit(namespace, socket, { to, except = [], event, args, volatile = false }) {
  const operators = {
    self: () => socket,
    all: () => namespace.except([]),
    others: () => socket.broadcast,
  };
  let operator = isRooms(to) ? (to.others ? socket : namespace).to(to.rooms) : operators[to]();
  if (except.length > 0) operator = operator.except(except);
  if (volatile) operator = operator.volatile;
  operator.emit(event, ...fromHook(args));
}

const isRooms = (to) => typeof to === 'object';

function carryOut(socket, answer, ack) {
  for (const room of answer.joins ?? []) socket.join(room);
  for (const room of answer.leaves ?? []) socket.leave(room);
  for (const one of answer.emits ?? []) emit(socket.nsp, socket, one);
  if (answer.ack) ack?.(...fromHook(answer.ack));
  if (answer.disconnect) socket.disconnect(answer.disconnect === 'connection');
}

const about = (socket) => ({
  client: { id: socket.id, protocol: 'socketio' },
  namespace: socket.nsp.name,
});

function attach(app, namespace) {
  namespace.use(async (socket, next) => {
    const { auth } = socket.handshake;
    const query = Object.fromEntries(Object.entries(socket.handshake.query)
      .filter(([name]) => !kOfEngine.includes(name)));
    const answer = await app.answer({ type: 'connect', ...about(socket), auth, query });
    if (answer.allow !== false) {
      socket.data.answer = answer;
      return next();
    }
    const error = new Error(answer.message);
    if ('data' in answer) error.data = answer.data;
    next(error);
  });
  namespace.on('connection', (socket) => {
    socket.onAny((event, ...args) => {
      const ack = typeof args.at(-1) === 'function' ? args.pop() : undefined;
      carryOut(socket, app.answer({ type: 'emit', ...about(socket), event: `${event}`,
        args: toHook(args), ack: ack !== undefined }), ack);
    });
    socket.on('disconnect', (reason) => {
      const { emits } = app.answer({ type: 'events', events: [
        { type: 'disconnected', ...about(socket), reason }] });
      for (const { namespace: name, ...one } of emits) emit(socket.nsp, socket, one);
    });
    carryOut(socket, socket.data.answer ?? {});
  });
}

export async function startBridge(profile = 'plain') {
  const app = new HookApp();
  const server = http.createServer((request, response) => response.writeHead(404).end());
  const io = new Server(server, profiles[profile]);
  const kNames = ['/', '/chat', '/a/b', '/gate', '/late', '/greet', '/full', /^\/dyn-\d+$/];
  for (const name of kNames) attach(app, io.of(name));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      const over = once(server, 'close');
      io.close();
      server.closeAllConnections();
      await over;
    },
  };
}
