// Every case runs plain and over TLS, with one loop and with two: a suite is declared once and
// registered for each mode. ANYWIRE_MODES names other modes, such as "plain-2", or "all" four.
import { after, before, describe, it } from 'node:test';
import { Peer, Wire } from './peer.mjs';
import { startServer } from './server.mjs';

const kAll = [
  { name: 'plain-1', secure: false, loops: 1 },
  { name: 'plain-2', secure: false, loops: 2 },
  { name: 'tls-1', secure: true, loops: 1 },
  { name: 'tls-2', secure: true, loops: 2 },
];

const wanted = (process.env.ANYWIRE_MODES ?? 'plain-1,tls-2').split(',');
export const modes = kAll.filter(({ name }) => wanted.includes('all') || wanted.includes(name));

export const kEcho = '/conformance/echo';

/**
 * Declares cases against one server per mode. `declare` gets `it(name, work)`, where work receives
 * the context: `server`, `open(options)` for a Peer on `path`, and `wire()` for a bare socket.
 */
export function suite(title, options, declare) {
  const { flags = {}, path = kEcho, concurrency = 8, only = () => true, ...rest } = options;
  for (const mode of modes.filter(only)) {
    describe(`${title} [${mode.name}]`, { concurrency }, () => {
      let server;
      before(async () => {
        server = await startServer({ ...mode, ...rest, flags });
      });
      after(async () => {
        const { code, signal } = (await server?.stop()) ?? { code: 0 };
        if (code !== 0) throw new Error(`the server ended with ${code ?? signal}:\n${server.output}`);
      });
      declare((name, work, { timeout = 30000 } = {}) => it(name, { timeout }, async () => {
        const opened = [];
        const keep = (thing) => (opened.push(thing), thing);
        try {
          await work({
            server,
            mode,
            open: async (peerOptions = {}) =>
              keep(await Peer.open(server, peerOptions.path ?? path, peerOptions)),
            wire: async (more) => keep(await Wire.connect({ ...server.target, ...more })),
          });
        } finally {
          opened.forEach((thing) => thing.destroy());
        }
      }));
    });
  }
}
