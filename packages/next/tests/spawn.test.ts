import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secret } from '../../server/tests/support/tokens';
import { DevServer, type DevServerOptions, ensureDevServer } from '../src/config/spawn';
import { readTarget, type Target } from '../src/config/target';
import { alive, close, listen, Programs, refusal, until, vacant } from './support/programs';

let programs: Programs;
let target: Target;
let lines: string[];
const servers: DevServer[] = [];

beforeEach(async () => {
  programs = new Programs();
  target = await vacant();
  lines = [];
});
afterEach(() => {
  for (const server of servers.splice(0)) server.stop('SIGKILL');
  programs.remove();
});

const make = (options: Partial<DevServerOptions> = {}): DevServer => {
  const server = new DevServer({
    target,
    env: { PATH: programs.folder },
    say: (line) => lines.push(line),
    watchMs: 20,
    ...options,
  });
  servers.push(server);
  return server;
};
const said = (text: string) =>
  until(`"${text}" in ${lines.join('\n')}`, () => lines.some((line) => line.includes(text)));
const up = () => said('INFO  listening');

describe('where nobody listens', () => {
  it('the program is started on the port, and its log is shown without times', async () => {
    await make().start();
    await up();
    expect(lines).toEqual([`starting at http://127.0.0.1:${target.port}`, 'INFO  listening']);
    const [first, ...others] = programs.started;
    expect(others).toEqual([]);
    expect(first?.args).toEqual(['dev', '--port', `${target.port}`]);
  });

  it('arguments of the application are passed on as they are', async () => {
    await make({ args: ['--config', 'any wire.toml', '$HOME'] }).start();
    await up();
    expect(programs.started[0]?.args.slice(3)).toEqual(['--config', 'any wire.toml', '$HOME']);
  });

  it('the program sees its settings and the secret, and nothing it would refuse', async () => {
    const env = {
      PATH: programs.folder,
      ANYWIRE_BIN: 'anywire',
      ANYWIRE_URL: target.href,
      ANYWIRE_SECRET: secret,
      ANYWIRE_LOG_LEVEL: 'debug',
    };
    await make({ env }).start();
    await up();
    expect(programs.started[0]?.env).toEqual({
      ANYWIRE_AUTH_HS256_SECRET: secret,
      ANYWIRE_LOG_LEVEL: 'debug',
    });
  });

  it('a secret that is meant for the program stays', async () => {
    const env = { PATH: programs.folder, ANYWIRE_SECRET: 'a', ANYWIRE_AUTH_HS256_SECRET: 'b' };
    await make({ env }).start();
    await up();
    expect(programs.started[0]?.env).toEqual({ ANYWIRE_AUTH_HS256_SECRET: 'b' });
  });

  it('a secret that the program would refuse is said in the words of whoever set it', async () => {
    const env = { PATH: programs.folder, ANYWIRE_SECRET: 'short' };
    await make({ env }).start();
    expect(lines).toEqual([
      'not started: ANYWIRE_SECRET has 5 bytes, and must have at least 32. ' +
        '"openssl rand -hex 32" prints one.',
    ]);
    expect(programs.started).toEqual([]);
  });

  it('a secret counts by its bytes', async () => {
    const env = { PATH: programs.folder, ANYWIRE_SECRET: 'ä'.repeat(16) };
    await make({ env }).start();
    await up();
    expect(programs.started).toHaveLength(1);
  });

  it('the program may be named by an option or a variable', async () => {
    const quiet = (text: string) => `console.error('${text}'); setInterval(() => {}, 1000);`;
    programs.add('one', quiet('one runs'));
    programs.add('two', quiet('two runs'));
    const env = { PATH: programs.folder, ANYWIRE_BIN: 'one' };
    await make({ env }).start();
    await said('one runs');
    await make({ env, bin: `${programs.folder}/two` }).start();
    await said('two runs');
  });
});

describe('the end', () => {
  it('comes when it is asked for', async () => {
    const server = make();
    await server.start();
    await up();
    const pid = programs.started[0]?.pid ?? 0;
    expect(alive(pid)).toBe(true);
    server.stop();
    await until('it is gone', () => !alive(pid));
    expect(lines.join()).not.toContain('ended');
    server.stop();
  });

  it('by itself is told', async () => {
    const bin = programs.add('brief', 'console.error("ERROR no licence"); process.exit(3);');
    await make({ bin }).start();
    await said('ended (3)');
    expect(lines).toContain('ERROR no licence');
  });

  it('by a signal is told', async () => {
    await make().start();
    await up();
    process.kill(programs.started[0]?.pid ?? 0, 'SIGKILL');
    await said('ended (137)');
  });

  it('before it was clear who listens: nothing is started', async () => {
    const server = make();
    const starting = server.start();
    server.stop();
    await starting;
    expect(lines).toEqual([]);
    expect(programs.started).toEqual([]);
  });
});

describe('where something listens', () => {
  it('a server that runs already is used', async () => {
    const [other, where] = await listen(refusal);
    await make({ target: where }).start();
    expect(lines).toEqual([`using the server that runs at http://127.0.0.1:${where.port}`]);
    expect(programs.started).toEqual([]);
    await close(other);
  });

  it('when that goes away, one of our own takes its place', async () => {
    const [other, where] = await listen(refusal);
    await make({ target: where }).start();
    await close(other);
    await up();
    expect(programs.started).toHaveLength(1);
  });

  it('and is not started once it is not wanted any more', async () => {
    const [other, where] = await listen(refusal);
    const server = make({ target: where });
    await server.start();
    server.stop();
    await close(other);
    const [later, there] = await listen(refusal);
    await make({ target: there }).start();
    await close(later);
    await up();
    expect(programs.started.map(({ args }) => args[2])).toEqual([`${there.port}`]);
  });

  it('something else is named, with advice, and left alone', async () => {
    const [other, where] = await listen((_, response) => response.end('hello'));
    await make({ target: where }).start();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`something else than Anywire listens on port ${where.port}`);
    expect(lines[0]).toContain(`ANYWIRE_URL=http://127.0.0.1:${where.port + 1}`);
    expect(programs.started).toEqual([]);
    await close(other);
  });

  it('of two that start at once one has the port, and the other uses it', async () => {
    await Promise.all([make().start(), make().start()]);
    await said('cannot listen: EADDRINUSE');
    await said('using the server that runs');
    const running = programs.started.filter(({ pid }) => alive(pid));
    expect(running).toHaveLength(1);
  });
});

describe('what cannot be started is told', () => {
  it('there is no such program', async () => {
    await make({ env: { PATH: '/nowhere' } }).start();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('there is no program "anywire"');
    expect(lines[0]).toContain('ANYWIRE_BIN');
  });

  it.each(['http://10.0.0.5:3001', 'https://localhost:3001', 'wss://rt.example.com'])(
    '%s is elsewhere, or not plain HTTP',
    async (address) => {
      await make({ target: readTarget(address) }).start();
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain('is not plain HTTP on this machine');
      expect(programs.started).toEqual([]);
    },
  );
});

describe('in one process', () => {
  it('there is one server for each address, however often the configuration is read', async () => {
    const options = {
      target,
      env: { PATH: programs.folder },
      say: (line: string) => lines.push(line),
    };
    ensureDevServer(options);
    ensureDevServer(options);
    ensureDevServer({ ...options, target: { ...target } });
    await up();
    ensureDevServer(options);
    await until('it has been started', () => programs.started.length > 0);
    expect(programs.started).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('starting'))).toHaveLength(1);
  });
});
