import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { claimsOf, secret } from '../../server/tests/support/tokens';

/** What runs edge routes in `next dev` and `next start`: a context with web standards only. */
const { EdgeRuntime } = createRequire(import.meta.url)('next/dist/compiled/edge-runtime') as {
  EdgeRuntime: new (options?: object) => { evaluate<T>(code: string): T };
};

const sources = fileURLToPath(new URL('../src', import.meta.url));
const client = fileURLToPath(new URL('../../client/src', import.meta.url));
const server = fileURLToPath(new URL('../../server/src', import.meta.url));

/** Bundles as for the edge. Whatever is not there, Node.js's modules first of all, is an error. */
async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: sources, loader: 'ts' },
    bundle: true,
    write: false,
    logLevel: 'silent',
    format: 'iife',
    target: 'es2022',
    conditions: ['edge-light', 'worker', 'browser'],
    platform: 'neutral',
    mainFields: ['module', 'main'],
    alias: {
      '@anywire/client': `${client}/index.ts`,
      '@anywire/client/contract': `${client}/contract.ts`,
      '@anywire/client/fallbacks': `${client}/fallbacks.ts`,
      '@anywire/server': `${server}/index.ts`,
      '@anywire/server/hooks': `${server}/hooks.ts`,
    },
  });
  return outputFiles[0]?.text ?? '';
}

describe('in the edge runtime', () => {
  let code: string;
  beforeAll(async () => {
    code = await bundle(`
      import { anywireToken } from './token/route';
      import { loadNewest } from './load';
      globalThis.route = anywireToken;
      globalThis.load = loadNewest;
    `);
  });

  const start = () => {
    const runtime = new EdgeRuntime();
    runtime.evaluate('globalThis.process = { env: {} }');
    runtime.evaluate('console.warn = console.error = () => {}');
    runtime.evaluate(code);
    return runtime;
  };
  const post = (headers: object, authorize: string): string => `
    route({ secret: ${JSON.stringify(secret)}, authorize: ${authorize} })
      .POST(new Request('http://a/', { method: 'POST', headers: ${JSON.stringify(headers)} }))
      .then(async (answer) => JSON.stringify([answer.status, await answer.json()]))`;

  it('the token route signs tokens', async () => {
    const text = await start().evaluate<Promise<string>>(post({}, '() => ({ user: "ann" })'));
    const [status, { token }] = JSON.parse(text) as [number, { token: string }];
    expect(status).toBe(200);
    expect((await claimsOf(token)).sub).toBe('ann');
  });

  it('it refuses as it does elsewhere', async () => {
    const runtime = start();
    const statusOf = async (headers: object, authorize: string) =>
      JSON.parse(await runtime.evaluate<Promise<string>>(post(headers, authorize)))[0];
    expect(await statusOf({}, 'async () => null')).toBe(401);
    expect(await statusOf({ origin: 'https://evil.test' }, '() => null')).toBe(403);
    expect(await statusOf({}, '() => { throw new Error("no") }')).toBe(500);
  });

  it('history is asked for by fetch, and trouble is an answer', async () => {
    const runtime = start();
    runtime.evaluate('globalThis.fetch = () => Promise.reject(new TypeError("fetch failed"))');
    const text = await runtime.evaluate<Promise<string>>(
      `load('http://rt.internal', 'room:1', undefined, 50, 3000, false).then(JSON.stringify)`,
    );
    expect(JSON.parse(text)).toMatchObject({ channel: 'room:1', error: { code: 'network' } });
  });
});

describe('in the edge runtime, the application’s side', () => {
  const start = async () => {
    const runtime = new EdgeRuntime();
    runtime.evaluate('globalThis.process = { env: {} }; console.error = () => {}');
    runtime.evaluate(
      await bundle(`
        import { anywireHooks } from './hooks';
        import { createApi } from '@anywire/server';
        Object.assign(globalThis, { hooks: anywireHooks, createApi });
      `),
    );
    return runtime;
  };

  it('publishes, with a token of its own making', async () => {
    const runtime = await start();
    runtime.evaluate(`globalThis.fetch = async (url, init) => {
      globalThis.sent = { url, ...init };
      return Response.json({ epoch: 'e', offset: 1, duplicate: false });
    }`);
    const text = await runtime.evaluate<Promise<string>>(`
      createApi({ url: 'https://rt.example', secret: ${JSON.stringify(secret)} })
        .publish('room', { n: 1 }).then((done) => JSON.stringify([done, sent]))`);
    const [done, sent] = JSON.parse(text) as [
      object,
      { url: string; headers: { authorization: string } },
    ];
    expect(done).toEqual({ epoch: 'e', offset: 1, duplicate: false });
    expect(sent.url).toBe('https://rt.example/api/v1/publish');
    const token = sent.headers.authorization.replace('Bearer ', '');
    expect(await claimsOf(token)).toMatchObject({ capability: { '*': ['*', 'manage'] } });
  });

  it('answers hooks that are signed, and no others', async () => {
    const runtime = await start();
    const body = JSON.stringify({ type: 'rpc', id: '1', client: {}, method: 'add', data: [1, 2] });
    const timestamp = String(Math.floor(Date.now() / 1000));
    const mac = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    const ask = async (signature: string) =>
      JSON.parse(
        await runtime.evaluate<Promise<string>>(`
          hooks({ secret: ${JSON.stringify(secret)}, onRpc: { add: ([a, b]) => a + b } })
            .POST(new Request('https://app.example/', {
              method: 'POST',
              body: ${JSON.stringify(body)},
              headers: {
                'anywire-timestamp': '${timestamp}',
                'anywire-signature': '${signature}',
              },
            }))
            .then(async (answer) => JSON.stringify([answer.status, await answer.text()]))`),
      );
    expect(await ask(`v1=${mac}`)).toEqual([200, '{"data":3}']);
    expect((await ask(`v1=${'0'.repeat(64)}`))[0]).toBe(401);
  });
});

describe('what uses Node.js', () => {
  it('is the configuration alone', async () => {
    await expect(bundle("export * from './config';")).rejects.toThrow('node:child_process');
    const rest = ['token/route', 'load', 'config/target', 'config/rewrites'];
    const code = rest.map((name) => `export * from './${name}';`).join('');
    expect((await bundle(code)).length).toBeGreaterThan(1000);
  });
});
