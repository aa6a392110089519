// npm `ws`: echo at /echo, everything that comes in on another path goes to all who are there.
// Compression only for paths that begin with /raw/z, so that plain runs do not pay for the offer.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const plain = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const compressing = new WebSocketServer({
  noServer: true,
  perMessageDeflate: { serverNoContextTakeover: true, threshold: 0 },
});
const rooms = new Map();

function serve(socket, path) {
  socket.on('error', () => {});
  if (path === '/idle') return;
  if (path === '/echo') {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    return;
  }
  if (!rooms.has(path)) rooms.set(path, new Set());
  const room = rooms.get(path);
  room.add(socket);
  socket.on('close', () => room.delete(socket));
  socket.on('message', (data, binary) => {
    for (const member of room) member.send(data, { binary });
  });
}

const server = createServer();
server.on('upgrade', (request, socket, head) => {
  const path = request.url;
  const acceptor = path.startsWith('/raw/z') ? compressing : plain;
  acceptor.handleUpgrade(request, socket, head, (peer) => serve(peer, path));
});
server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0), backlog: 4096 }, () => {
  console.log(`listening ${server.address().port}`);
});
