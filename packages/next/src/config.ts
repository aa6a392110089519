import type { NextConfig } from 'next';
import { mergeRewrites, serverRewrites } from './config/rewrites';
import { ensureDevServer } from './config/spawn';
import { readPath, readTarget } from './config/target';

/** What `withAnywire` takes. */
export interface AnywireConfig {
  /** The path of this site under which the server is reached. Default `/anywire`. */
  readonly path?: string;
  /**
   * The server's address as this Next.js server sees it: http, https, ws or wss. Without a path it
   * is that of the native protocol, `/anywire`. Default: the variable `ANYWIRE_URL`, else
   * `http://127.0.0.1:3001`. `next build` writes it into its output.
   */
  readonly target?: string | undefined;
  /**
   * `dev`: `next dev` starts `anywire dev` on the target's port, shows its log, and ends it when it
   * ends itself. A server that listens there already is used as it is. Default `false`.
   */
  readonly spawn?: false | 'dev';
  /** The program that `spawn` starts. Default: the variable `ANYWIRE_BIN`, else `anywire`. */
  readonly bin?: string | undefined;
  /** Further arguments of it, such as `['--config', 'anywire.toml']`. Default none. */
  readonly args?: readonly string[];
}

/** A configuration that is asked for, as Next.js allows it. */
export type NextConfigFunction = (
  phase: string,
  context: { defaultConfig: NextConfig },
) => NextConfig | Promise<NextConfig>;

/**
 * Puts the server behind a path of the site, so that pages reach it on their own origin: no CORS,
 * no second host name, no certificate of its own. WebSocket, event streams and polls all pass, in
 * `next dev`, `next start` and standalone output.
 *
 * What it is given may be an object or a function; an object stays one, so that other plug-ins can
 * be put around it in any order. Throws an Error when path or target cannot be used.
 */
export function withAnywire(config?: NextConfig, options?: AnywireConfig): NextConfig;
export function withAnywire(
  config: NextConfigFunction,
  options?: AnywireConfig,
): NextConfigFunction;
export function withAnywire(
  config: NextConfig | NextConfigFunction = {},
  options: AnywireConfig = {},
): NextConfig | NextConfigFunction {
  if (typeof config !== 'function') return extend(config, options);
  return async (phase, context) => extend(await config(phase, context), options);
}

function extend(config: NextConfig, options: AnywireConfig): NextConfig {
  const path = readPath(options.path ?? '/anywire');
  const target = readTarget(options.target ?? process.env.ANYWIRE_URL);
  const ours = serverRewrites(path, target, config);
  return {
    ...config,
    // Next.js asks for rewrites in one process only, the one that serves: a configuration is read
    // in several. `next build` asks too, and is not development.
    rewrites: async () => {
      if (options.spawn === 'dev' && process.env.NODE_ENV === 'development') {
        ensureDevServer({ target, bin: options.bin, args: options.args });
      }
      return mergeRewrites(ours, config);
    },
  };
}
