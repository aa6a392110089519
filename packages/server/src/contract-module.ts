import { createRequire, register } from 'node:module';
import { resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import type { ToJsonSchema } from './contract';

export interface LoadedModule {
  readonly exports: Readonly<Record<string, unknown>>;
  /** Valibot's helper, where the application has it. */
  readonly toJsonSchema?: ToJsonSchema;
}

/**
 * Imports a module of the application, as its folder sees the world. TypeScript is translated by the
 * application's own `typescript`, which knows its `tsconfig.json` (extensionless imports, `@/...`);
 * without one by Node, from 22.18 on.
 */
export async function loadModule(file: string): Promise<LoadedModule> {
  const path = resolve(file);
  const require = createRequire(path);
  if (/\.[cm]?tsx?$/.test(path)) prepare(require, path);
  const url = pathToFileURL(path).href;
  const exports = (await import(url)) as Record<string, unknown>;
  const helper = await optional(require, '@valibot/to-json-schema');
  const toJsonSchema = helper?.toJsonSchema as ToJsonSchema | undefined;
  return { exports, ...(toJsonSchema && { toJsonSchema }) };
}

async function optional(
  require: NodeJS.Require,
  name: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  let found: string;
  try {
    found = require.resolve(name);
  } catch {
    return undefined;
  }
  return (await import(pathToFileURL(found).href)) as Record<string, unknown>;
}

function prepare(require: NodeJS.Require, path: string): void {
  let typescript: string | undefined;
  try {
    const found = require.resolve('typescript');
    // Later ones are programs and have no functions to call.
    if (typeof require(found).transpileModule === 'function') typescript = found;
  } catch {}
  if (typescript !== undefined) {
    register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: { typescript, path } });
  } else if (!(process.features as { typescript?: unknown }).typescript) {
    throw new Error(
      `Node ${process.versions.node} does not read TypeScript: npm install --save-dev typescript, or use Node 22.18 or later`,
    );
  }
}

/** Node's module hooks; they run on a thread of their own, so they are text. */
const hooks = `
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

let ts;
let options = {};

export function initialize({ typescript, path }) {
  ts = createRequire(typescript)(typescript);
  const config = ts.findConfigFile(dirname(path), ts.sys.fileExists);
  if (config) {
    const { config: read } = ts.readConfigFile(config, ts.sys.readFile);
    options = ts.parseJsonConfigFileContent(read ?? {}, ts.sys, dirname(config)).options;
  }
}

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    const from = context.parentURL;
    if (!from?.startsWith('file:')) throw error;
    const { resolvedModule: found } = ts.resolveModuleName(
      specifier,
      fileURLToPath(from),
      { ...options, moduleResolution: ts.ModuleResolutionKind.Bundler, module: ts.ModuleKind.ESNext },
      ts.sys,
    );
    if (!found || found.resolvedFileName.endsWith('.d.ts')) throw error;
    return { url: pathToFileURL(found.resolvedFileName).href, shortCircuit: true };
  }
}

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !/\\.[cm]?tsx?$/.test(url)) return next(url, context);
  const fileName = fileURLToPath(url);
  const { outputText } = ts.transpileModule(readFileSync(fileName, 'utf8'), {
    fileName,
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      jsx: ts.JsxEmit.ReactJSX,
    },
  });
  return { format: 'module', source: outputText, shortCircuit: true };
}
`;
