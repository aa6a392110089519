// The native probe of a page of tests/e2e/app: see components/native.
import { within } from '../../support/poll.mjs';
import { newProfile, newTab } from './browser.mjs';
import { until } from './poll.mjs';

const kMountMs = 10_000;

export class Native {
  constructor(page, name = 'main') {
    this.page = page;
    this.name = name;
  }

  async ready() {
    await this.page.waitForFunction((name) => window.natives?.[name], this.name);
    return this;
  }

  /** Mounts these hooks below these providers, and nothing else; resolves when that is done. */
  async show(spec) {
    const shown = this.page.evaluate(
      ([name, what]) => window.natives[name].show(what),
      [this.name, spec],
    );
    await within('the hooks are mounted', shown, kMountMs);
  }

  /** What the hook said so far; see components/native/record.ts. */
  async read(id) {
    return await this.page.evaluate(
      ([name, hook]) => {
        const native = window.natives?.[name];
        const seen = native?.read(hook);
        return seen && { ...seen, network: native.network };
      },
      [this.name, id],
    );
  }

  async until(id, what, holds, options) {
    let last;
    try {
      return await until(
        `${id}: ${what}`,
        async () => {
          last = await this.read(id);
          return last && holds(last) ? last : undefined;
        },
        options,
      );
    } catch (error) {
      const { messages, result, ...rest } = last ?? {};
      const brief = { ...result, messages: result?.messages?.length };
      throw new Error(`${error.message}; last seen: ${JSON.stringify({ ...rest, result: brief })}`);
    }
  }

  untilStatus(id, status, options) {
    return this.until(id, `status ${status}`, ({ result }) => result.status === status, options);
  }

  untilState(id, state, options) {
    return this.until(id, `state ${state}`, ({ result }) => result.state === state, options);
  }

  untilSeen(id, count, options) {
    return this.until(id, `${count} messages`, ({ seen }) => seen >= count, options);
  }

  /** Calls it once per item in one turn of the page; each outcome is told as `outcome`. */
  async begin(id, action, ...items) {
    await this.page.evaluate(
      ([name, hook, what, lists]) => window.natives[name].begin(hook, what, lists),
      [this.name, id, action, items.map((item) => [item])],
    );
  }

  /** Calls a function of the hook's result; its outcome as `{ ok, value }` or `{ ok, error }`. */
  async call(id, action, ...args) {
    return await this.page.evaluate(
      ([name, hook, what, list]) => window.natives[name].call(hook, what, list),
      [this.name, id, action, args],
    );
  }
}

/** A page with a native probe that shows `spec` from the server's HTML on. */
export async function openNative(t, stage, spec, options = {}) {
  const { path = '/native', context = await newProfile(t, stage.browser) } = options;
  const query = spec ? `?spec=${encodeURIComponent(JSON.stringify(spec))}` : '';
  const page = await newTab(context, stage.apps.scenarios.url(path + query));
  const native = await new Native(page, options.name).ready();
  return { page, native };
}

export const kQuick = { min: 50, max: 1000 };

/** One provider and hooks below it; `state` is always among them. */
export function below(url, hooks, provider = {}) {
  return {
    providers: { main: { url, backoff: kQuick, ...provider } },
    hooks: [{ id: 'state', kind: 'state' }, ...hooks].map((hook) => ({
      provider: 'main',
      ...hook,
    })),
  };
}

export const told = (seen, what) => seen.told.filter((entry) => entry.what === what);
export const numbers = (seen) => seen.messages.map(({ data }) => data.n);
export const offsets = (list) => list.map(({ offset }) => offset);
export const range = (from, to) => Array.from({ length: to - from }, (_, at) => from + at);
