// TLS in front of the app, as an operator would put it: https to the browser, HTTP behind it.
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { sharedCertificate } from '../../support/server.mjs';

/** Ends at the end of the test. Returns the https address of what listens on `port`. */
export async function startTlsEdge(t, port) {
  const { certificate, key } = sharedCertificate();
  const sockets = new Set();
  const server = tls.createServer(
    { cert: readFileSync(certificate), key: readFileSync(key), ALPNProtocols: ['http/1.1'] },
    (client) => {
      const upstream = net.connect({ host: 'localhost', port });
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
      }
      client.pipe(upstream).pipe(client);
    },
  );
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `https://localhost:${server.address().port}`;
}
