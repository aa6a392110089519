// npm `socket.io`, WebSocket transport: event "m" is echoed to clients whose URL asks for echo,
// and goes to everybody on the channel otherwise.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const server = createServer();
const io = new Server(server, { serveClient: false, maxHttpBufferSize: 4 * 1024 * 1024 });
io.on('connection', (socket) => {
  const mode = socket.handshake.query.mode;
  if (mode === 'echo') socket.on('m', (data) => socket.emit('m', data));
  if (mode === 'room') {
    socket.join('bench');
    socket.on('m', (data) => io.to('bench').emit('m', data));
  }
});
server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0), backlog: 4096 }, () => {
  console.log(`listening ${server.address().port}`);
});
