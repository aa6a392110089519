// Everything a scenario needs, started once: servers, proxies, the apps and the browser.
import { createHmac } from 'node:crypto';
import { startServer } from '../../support/server.mjs';
import { launch } from './browser.mjs';
import { apps, build, buildStandalone, start, targetOfBuild } from './next.mjs';
import { FaultProxy } from './proxy.mjs';

export const kModes = ['start', 'dev', 'standalone'];
export const kSecret = 'a secret for browser tests, 32 bytes and more';
export const kAppSecret = 'a secret for the hooks of browser tests, 32 bytes and more';

export const kOpen = {
  subscribe: 'anyone',
  publish: 'anyone',
  history_access: 'anyone',
  presence_access: 'anyone',
};
export const kChannels = [
  { pattern: 'short:*', history_messages: 10, ...kOpen },
  { pattern: 'none:*', history_messages: 0, ...kOpen },
  {
    pattern: 'here:*',
    history_messages: 100,
    presence: true,
    presence_grace: '1s',
    occupancy: true,
    ...kOpen,
  },
  { pattern: 'users:*', history_messages: 100, subscribe: 'users', publish: 'users' },
  { pattern: 'closed:*', history_messages: 100 },
  { pattern: '*', history_messages: 30_000, history_bytes_max: '16MiB', presence: true, ...kOpen },
];

/** What examples/nextjs-chat asks of its server; some rooms remember less, so that they forget. */
const kRooms = [
  { pattern: 'room:short*', history_messages: 5, presence: true, ...kOpen },
  { pattern: 'room:*', history_messages: 5000, presence: true, presence_grace: '2s', ...kOpen },
  { pattern: '*', ...kOpen },
];

/** The server as `anywire dev` sets it up: `/` is the lobby and greets. */
export const lobbyServer = (options = {}) =>
  startServer({
    conformance: false,
    flags: {
      'raw.root': 'channel:lobby',
      'raw.root_greeting': 'true',
      'auth.anonymous': 'true',
      channels: JSON.stringify(kRooms),
    },
    ...options,
  });

export const echoServer = () => startServer({ conformance: false, flags: { 'raw.root': 'echo' } });

/** For the native protocol: anonymous clients and tokens of `kSecret`; see kChannels for rights. */
export const nativeServer = (options = {}) =>
  startServer({
    conformance: false,
    ...options,
    flags: {
      'auth.anonymous': 'true',
      'auth.hs256_secret': kSecret,
      'auth.leeway': '0s',
      channels: JSON.stringify(kChannels),
      ...options.flags,
    },
  });

const kRoutes = {
  seed: ['/'],
  chat: ['/', '/room/warm-up', '/room/-', '/nowhere'],
  scenarios: [
    '/probe',
    '/away',
    '/kept/a',
    '/kept/b',
    '/seed?url=ws://127.0.0.1:9',
    '/native',
    '/live/a',
    '/live/b',
    '/strict-policy',
    '/api/token',
    '/api/gate',
    '/api/hooks',
    '/api/publish',
    '/preloaded',
    '/server-side',
    '/devtools',
    '/streamed',
  ],
};

const target = (server) => ({ host: '127.0.0.1', port: server.port });
const kNowhere = { host: '127.0.0.1', port: 9 };
const httpOf = (proxy) => proxy.url('').replace('ws:', 'http:');

export class Stage {
  /** `modes`: those that will be started; `skipBuild`: their last builds are used. */
  static async open({ modes, skipBuild }) {
    const stage = new Stage();
    // Servers are there before the app that stands behind them has a port.
    stage.upstream = await FaultProxy.start(kNowhere);
    const flags = { 'front.upstream': httpOf(stage.upstream) };
    const [lobby, echo, native] = await Promise.all([
      lobbyServer(),
      echoServer(),
      nativeServer({ flags }),
    ]);
    Object.assign(stage, { lobby, echo, native });
    // The seed's address is part of its text, so the browser is told where that leads.
    stage.seedProxy = await FaultProxy.start(target(stage.lobby));
    stage.chatProxy = await FaultProxy.start(target(stage.lobby));
    const port = skipBuild ? await builtPort(modes) : 0;
    stage.siteProxy = await FaultProxy.start(target(stage.native), { port });
    stage.browser = await launch({ seedPort: stage.seedProxy.port });
    if (!skipBuild) await buildApps(modes, stage.siteProxy);
    return stage;
  }

  get #env() {
    return {
      ANYWIRE_URL: this.chatProxy.url('/'),
      ANYWIRE_TARGET: httpOf(this.siteProxy),
      ANYWIRE_SECRET: kSecret,
      ANYWIRE_APP_SECRET: kAppSecret,
    };
  }

  async startApps(mode) {
    const names = mode === 'standalone' ? ['scenarios'] : Object.keys(apps);
    const started = await Promise.all(names.map((name) => start(apps[name], mode, this.#env)));
    this.mode = mode;
    this.apps = Object.fromEntries(names.map((name, at) => [name, started[at]]));
    this.upstream.target = { host: '127.0.0.1', port: this.apps.scenarios.port };
    // Standalone output is one app; the seed's chat is a page of it.
    this.apps.seed ??= { url: (where = '') => this.apps.scenarios.url(`/seed-chat${where}`) };
    // `next dev` compiles a route when it is first asked for; that is not what the tests time.
    for (const name of names) {
      for (const where of kRoutes[name]) await (await fetch(this.apps[name].url(where))).text();
    }
  }

  /** The same, but for the scenarios' app: pages of it come through a server in front of it. */
  behind({ port } = this.native) {
    const scenarios = { port, url: (where = '/') => `http://localhost:${port}${where}` };
    return Object.assign(Object.create(this), { apps: { ...this.apps, scenarios } });
  }

  async stopApps() {
    await Promise.all(Object.values(this.apps ?? {}).map((app) => app.stop?.()));
    this.apps = undefined;
  }

  /** A proxy of the test's own in front of the shared server. */
  async proxy(t, server = this.lobby) {
    const proxy = await FaultProxy.start(target(server));
    t.after(() => proxy.stop());
    return proxy;
  }

  pointSeedAt(server) {
    this.seedProxy.target = target(server);
  }

  async close() {
    await this.browser?.close();
    await this.stopApps();
    const proxies = [this.seedProxy, this.chatProxy, this.siteProxy, this.upstream];
    await Promise.all(proxies.map((proxy) => proxy?.stop()));
    await Promise.all([this.lobby, this.echo, this.native].map((server) => server?.stop()));
  }
}

/** Builds what these modes need, with rewrites that lead to `proxy`. */
export async function buildApps(modes, proxy) {
  const given = { ANYWIRE_TARGET: httpOf(proxy) };
  if (modes.includes('start')) {
    for (const dir of Object.values(apps)) await build(dir, given);
  }
  if (modes.includes('standalone')) await buildStandalone(given);
}

/** Rewrites are part of a build: whoever uses the last one has to be where it points. */
async function builtPort(modes) {
  const built = modes.filter((mode) => mode !== 'dev');
  const ports = new Set(await Promise.all(built.map(targetOfBuild)));
  if (ports.has(undefined) || ports.size > 1) throw new Error('no common build: build first');
  return ports.values().next().value ?? 0;
}

const base64url = (value) => Buffer.from(value).toString('base64url');

/** A token for `sub`, good for ten minutes. */
export function mintToken(sub, claims = {}) {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const parts = [
    { alg: 'HS256', typ: 'JWT' },
    { sub, exp, ...claims },
  ];
  const input = parts.map((part) => base64url(JSON.stringify(part))).join('.');
  return `${input}.${createHmac('sha256', kSecret).update(input).digest('base64url')}`;
}

let serial = 0;
/** A channel or room that no other test uses. */
export const freshName = (prefix) => `${prefix}-${process.pid}-${++serial}`;
