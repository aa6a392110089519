import type { NextConfig } from 'next';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withAnywire } from '../src/config';
import type { RewriteLists } from '../src/config/rewrites';
import { ensureDevServer } from '../src/config/spawn';

vi.mock('../src/config/spawn', () => ({ ensureDevServer: vi.fn() }));

const rewritesOf = async (config: NextConfig): Promise<RewriteLists> =>
  (await config.rewrites?.()) as RewriteLists;
const destinationOf = async (config: NextConfig): Promise<string | undefined> =>
  (await rewritesOf(config)).beforeFiles[0]?.destination;

beforeEach(() => vi.stubEnv('ANYWIRE_URL', undefined));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.clearAllMocks();
});

describe('withAnywire', () => {
  it('keeps the rest of the configuration, and what it was given as it was', () => {
    const given = { reactStrictMode: true, basePath: '/docs' };
    const config = withAnywire(given);
    expect(config).toMatchObject(given);
    expect(given).toEqual({ reactStrictMode: true, basePath: '/docs' });
  });

  it('needs no configuration at all', async () => {
    expect(await destinationOf(withAnywire())).toBe('http://127.0.0.1:3001/anywire');
  });

  it("adds to the application's rewrites", async () => {
    const old = { source: '/old', destination: '/new' };
    const lists = await rewritesOf(withAnywire({ rewrites: async () => [old] }));
    expect(lists.beforeFiles.map(({ source }) => source)).toEqual(['/anywire', '/anywire/:rest*']);
    expect(lists.afterFiles).toEqual([old]);
  });

  it('takes path and target as options', async () => {
    const options = { path: '/live', target: 'wss://rt.example.com' };
    const { beforeFiles } = await rewritesOf(withAnywire({}, options));
    expect(beforeFiles[0]).toEqual({
      source: '/live',
      destination: 'https://rt.example.com/anywire',
    });
  });

  it('takes the target from the environment, as it is when the configuration is read', async () => {
    vi.stubEnv('ANYWIRE_URL', 'http://rt.internal:4000');
    const config = withAnywire({});
    vi.stubEnv('ANYWIRE_URL', 'http://elsewhere');
    expect(await destinationOf(config)).toBe('http://rt.internal:4000/anywire');
  });

  it('puts an option above the environment, and ignores an empty variable', async () => {
    vi.stubEnv('ANYWIRE_URL', 'http://rt.internal:4000');
    expect(await destinationOf(withAnywire({}, { target: 'http://b' }))).toBe('http://b/anywire');
    vi.stubEnv('ANYWIRE_URL', '');
    expect(await destinationOf(withAnywire({}))).toBe('http://127.0.0.1:3001/anywire');
  });

  it('says at once what is wrong with path or target', () => {
    expect(() => withAnywire({}, { target: 'nowhere' })).toThrow('is no URL');
    expect(() => withAnywire({}, { path: 'anywire' })).toThrow('begins with a slash');
    vi.stubEnv('ANYWIRE_URL', 'localhost:3001');
    expect(() => withAnywire({})).toThrow('has the scheme localhost:');
  });

  it('stays an object, so that other plug-ins can be put around it', () => {
    const other = (config: NextConfig): NextConfig => ({ ...config, poweredByHeader: false });
    expect(typeof other(withAnywire({})).rewrites).toBe('function');
    expect(typeof withAnywire(other({})).rewrites).toBe('function');
  });

  it('stays a function, which gets what Next.js gives it', async () => {
    const given = vi.fn((phase: string) => ({ distDir: phase }));
    const config = withAnywire(given);
    expect(given).not.toHaveBeenCalled();
    const context = { defaultConfig: {} };
    const made = await config('phase-x', context);
    expect(given).toHaveBeenCalledWith('phase-x', context);
    expect(made.distDir).toBe('phase-x');
    expect(await destinationOf(made)).toBe('http://127.0.0.1:3001/anywire');
  });

  it('a function may be asynchronous, and may fail', async () => {
    const context = { defaultConfig: {} };
    const later = withAnywire(async () => ({ distDir: 'later' }));
    expect((await later('', context)).distDir).toBe('later');
    const never = withAnywire(() => Promise.reject(new Error('no secrets')));
    await expect(never('', context)).rejects.toThrow('no secrets');
    const wrong = withAnywire(async () => ({}), { target: 'nowhere' });
    await expect(wrong('', context)).rejects.toThrow('is no URL');
  });

  it('may be used twice, for two servers', async () => {
    const inner = withAnywire({}, { path: '/a', target: 'http://a' });
    const both = withAnywire(inner, { path: '/b', target: 'http://b' });
    const { beforeFiles } = await rewritesOf(both);
    const sources = beforeFiles.map(({ source }) => source);
    expect(sources).toEqual(['/b', '/b/:rest*', '/a', '/a/:rest*']);
  });
});

describe('a server of its own', () => {
  const started = vi.mocked(ensureDevServer);

  it('is started by development, when the rewrites are asked for', async () => {
    vi.stubEnv('NODE_ENV', 'development');
    const config = withAnywire({}, { spawn: 'dev', bin: './anywire', args: ['--loops', '1'] });
    expect(started).not.toHaveBeenCalled();
    await rewritesOf(config);
    expect(started).toHaveBeenCalledTimes(1);
    const options = started.mock.calls[0]?.[0];
    expect(options).toMatchObject({ bin: './anywire', args: ['--loops', '1'] });
    expect(options?.target).toMatchObject({ port: 3001, local: true });
  });

  it.each(['production', 'test'])('is not started in %s', async (mode) => {
    vi.stubEnv('NODE_ENV', mode);
    await rewritesOf(withAnywire({}, { spawn: 'dev' }));
    expect(started).not.toHaveBeenCalled();
  });

  it('is not started unless asked for', async () => {
    vi.stubEnv('NODE_ENV', 'development');
    await rewritesOf(withAnywire({}));
    await rewritesOf(withAnywire({}, { spawn: false }));
    expect(started).not.toHaveBeenCalled();
  });
});
