import type { NextConfig } from 'next';
import type { Target } from './target';

/** One rewrite, as Next.js takes it. */
export type Rewrite = Extract<
  Awaited<ReturnType<NonNullable<NextConfig['rewrites']>>>,
  readonly unknown[]
>[number];

/** The three lists that `rewrites()` may answer with. */
export interface RewriteLists {
  beforeFiles: Rewrite[];
  afterFiles: Rewrite[];
  fallback: Rewrite[];
}

/**
 * The rewrites from `path` to the server. Next.js puts a base path before the source, and leaves
 * the external destination alone; with `trailingSlash` the same sources match with a slash.
 */
export function serverRewrites(
  path: string,
  { href }: Pick<Target, 'href'>,
  { i18n }: Pick<NextConfig, 'i18n'>,
): Rewrite[] {
  const locale = i18n ? { locale: false as const } : {};
  return [
    { source: path, destination: href, ...locale },
    { source: `${path}/:rest*`, destination: `${href}/:rest*`, ...locale },
  ];
}

/**
 * Puts `ours` before what the application's own `rewrites` say, in whichever of the forms that are
 * allowed. Ours come first and before files, so that neither a catch-all nor a page hides them.
 */
export async function mergeRewrites(
  ours: readonly Rewrite[],
  config: NextConfig,
): Promise<RewriteLists> {
  const given: unknown = config.rewrites;
  const theirs = (await (typeof given === 'function' ? given.call(config) : given)) as
    | readonly Rewrite[]
    | Partial<RewriteLists>
    | undefined;
  const lists: Partial<Record<keyof RewriteLists, readonly Rewrite[]>> | undefined = isList(theirs)
    ? { afterFiles: theirs }
    : theirs;
  return {
    beforeFiles: [...ours, ...(lists?.beforeFiles ?? [])],
    afterFiles: [...(lists?.afterFiles ?? [])],
    fallback: [...(lists?.fallback ?? [])],
  };
}

function isList(theirs: unknown): theirs is readonly Rewrite[] {
  return Array.isArray(theirs);
}
