// The binary (ANYWIRE_BIN) with the application of APPLICATION.md: by its own handler, which
// `--conformance` switches on, or by the hook application.
import { App, flagsFor } from '../application/app.mjs';
import { startServer } from '../support/server.mjs';
import { HookApp } from './hook-app.mjs';

const kOpen = { subscribe: 'anyone', publish: 'anyone', presence: true, presence_access: 'anyone',
  presence_grace: '0s' };

/** The profiles of APPLICATION.md in the words of the binary's configuration. */
export const flags = {
  plain: {},
  quick: { 'engine.ping_interval': '400ms', 'engine.ping_timeout': '600ms',
    'engine.upgrade_timeout': '300ms', 'socketio.connect_timeout': '400ms' },
  small: { 'engine.max_payload': 10_000 },
  recovery: { 'socketio.recovery_window': '120s' },
  msgpack: {},
  cors: { 'http.allowed_origins': 'http://one.example,http://two.example' },
  cookie: { 'engine.cookie': 'io' },
  polling: { 'engine.transports': 'polling' },
  websocket: { 'engine.transports': 'websocket' },
};

const common = {
  'auth.anonymous': true,
  'socketio.enabled': true,
  channels: JSON.stringify([{ pattern: '*', history_messages: 100, ...kOpen }]),
};

const asTarget = (server, more = async () => {}) => ({
  url: server.url('', 'http'),
  server,
  async stop() {
    const { code, signal } = await server.stop();
    await more();
    if (code !== 0) throw new Error(`the server ended with ${code ?? signal}:\n${server.output}`);
  },
});

export async function startOurs(profile = 'plain', { loops = 2 } = {}) {
  return asTarget(await startServer({ loops, flags: { ...common, ...flags[profile] } }));
}

export async function startOursWithHooks(profile = 'plain', { loops = 2 } = {}) {
  const hooks = new HookApp();
  const app = await new App().listen();
  app.onHook = (question) => hooks.answer(question);
  const server = await startServer({ loops, conformance: false, flags: {
    ...flagsFor(app), 'app.hooks': 'connect,emit,events', ...common, ...flags[profile] } });
  return asTarget(server, () => app.stop());
}
