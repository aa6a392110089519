// Everything a scenario needs, started once: servers, proxies, the apps and the browser.
import { startServer } from '../../support/server.mjs';
import { launch } from './browser.mjs';
import { apps, build, start } from './next.mjs';
import { FaultProxy } from './proxy.mjs';

export const kModes = ['start', 'dev'];

/** The server as `anywire dev` sets it up: `/` is the lobby and greets. */
export const lobbyServer = (options = {}) =>
  startServer({
    conformance: false,
    flags: { 'raw.root': 'channel:lobby', 'raw.root_greeting': 'true' },
    ...options,
  });

export const echoServer = () => startServer({ conformance: false, flags: { 'raw.root': 'echo' } });

const kRoutes = {
  seed: ['/'],
  chat: ['/', '/room/warm-up', '/room/-', '/nowhere'],
  scenarios: ['/probe', '/away', '/kept/a', '/kept/b', '/seed?url=ws://127.0.0.1:9'],
};

const target = (server) => ({ host: '127.0.0.1', port: server.port });

export class Stage {
  static async open() {
    const stage = new Stage();
    [stage.lobby, stage.echo] = await Promise.all([lobbyServer(), echoServer()]);
    // The seed's address is part of its text, so the browser is told where that leads.
    stage.seedProxy = await FaultProxy.start(target(stage.lobby));
    stage.chatProxy = await FaultProxy.start(target(stage.lobby));
    stage.browser = await launch({ seedPort: stage.seedProxy.port });
    return stage;
  }

  async build() {
    for (const dir of Object.values(apps)) await build(dir);
  }

  async startApps(mode) {
    const env = { ANYWIRE_URL: this.chatProxy.url('/') };
    const names = Object.keys(apps);
    const started = await Promise.all(names.map((name) => start(apps[name], mode, env)));
    this.mode = mode;
    this.apps = Object.fromEntries(names.map((name, at) => [name, started[at]]));
    // `next dev` compiles a route when it is first asked for; that is not what the tests time.
    for (const name of names) {
      for (const where of kRoutes[name]) await (await fetch(this.apps[name].url(where))).text();
    }
  }

  async stopApps() {
    await Promise.all(Object.values(this.apps ?? {}).map((app) => app.stop()));
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
    await Promise.all([this.seedProxy?.stop(), this.chatProxy?.stop()]);
    await Promise.all([this.lobby?.stop(), this.echo?.stop()]);
  }
}

let serial = 0;
/** A channel or room that no other test uses. */
export const freshName = (prefix) => `${prefix}-${process.pid}-${++serial}`;
