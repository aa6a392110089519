// Bun's own server: echo at /echo, publish to a topic on /raw/*, nothing at /idle.
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  fetch(request, self) {
    const path = new URL(request.url).pathname;
    if (self.upgrade(request, { data: { path } })) return undefined;
    return new Response('expected a WebSocket', { status: 426 });
  },
  websocket: {
    maxPayloadLength: 4 * 1024 * 1024,
    backpressureLimit: 64 * 1024 * 1024,
    perMessageDeflate: true,
    open(socket) {
      if (socket.data.path.startsWith('/raw/')) socket.subscribe(socket.data.path);
    },
    message(socket, message) {
      const { path } = socket.data;
      if (path === '/echo') socket.send(message);
      if (path.startsWith('/raw/')) server.publish(path, message, path.startsWith('/raw/z'));
    },
  },
});
console.log(`listening ${server.port}`);
