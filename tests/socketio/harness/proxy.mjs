// A TCP proxy that gives each connection to the next of several servers, and reads the status of
// each answer that passes.
import { once } from 'node:events';
import net from 'node:net';

/** `targets` are {host, port}; `statuses` of the result counts what passed. */
export async function startProxy(targets) {
  let next = 0;
  const statuses = new Map();
  const open = new Set();
  const server = net.createServer((client) => {
    const upstream = net.connect(targets[next++ % targets.length]);
    let first = true;
    upstream.on('data', (chunk) => {
      const status = first && /^HTTP\/1\.1 (\d+)/.exec(chunk.toString('latin1', 0, 12))?.[1];
      first = false;
      if (status) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
    for (const [one, other] of [[client, upstream], [upstream, client]]) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => (open.delete(one), other.destroy()));
      one.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    statuses,
    connections: () => next,
    async stop() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
