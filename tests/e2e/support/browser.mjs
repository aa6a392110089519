// Debian's Chromium under Playwright, and what the scenarios need of a page.
import { chromium } from 'playwright-core';
import { until } from './poll.mjs';

const kNavigationMs = 60_000;
const kChromium = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** `seedPort`: where connections to the seed's hard-coded localhost:3001 really go. */
export async function launch({ seedPort }) {
  return await chromium.launch({
    executablePath: kChromium,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=MAP localhost:3001 127.0.0.1:${seedPort}`,
    ],
  });
}

/** A fresh profile, as another person's browser. Closed at the end of the test. */
export async function newProfile(t, browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, ...options });
  context.setDefaultNavigationTimeout(kNavigationMs);
  t.after(() => context.close());
  return context;
}

/** A tab that remembers every complaint of the page: console errors, warnings, exceptions. */
export async function newTab(context, url) {
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    // `next dev` now and then forgets a file that it has just compiled, and serves it when asked
    // again. That is between the page and its server; what WebSockets and React say is kept.
    if (/^Failed to load resource/.test(message.text())) return;
    page.complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  if (url) await page.goto(url);
  return page;
}

/**
 * Opens a plain WebSocket of the page to `url` and closes it. Browsers make connections to one host
 * one after the other, so whatever the page asked for earlier has reached the server by then.
 */
export async function barrier(page, url) {
  await page.evaluate(
    (where) =>
      new Promise((resolve, reject) => {
        const ws = new WebSocket(where);
        ws.onopen = () => ws.close();
        ws.onclose = (event) => (event.code === 1006 ? reject(new Error('no barrier')) : resolve());
      }),
    url,
  );
}

/** The probe of a page of tests/e2e/app: see components/Probe.tsx. */
export class Probe {
  constructor(page, name = 'main') {
    this.page = page;
    this.name = name;
  }

  async ready() {
    await this.page.waitForFunction((name) => window.probes?.[name], this.name);
    return this;
  }

  async show(...specs) {
    await this.page.evaluate(([name, list]) => window.probes[name].show(list), [this.name, specs]);
  }

  /** Everything the hook said so far, plus `now`, the page's clock. */
  async read(id) {
    return await this.page.evaluate(
      ([name, hook]) => {
        const record = window.probes[name].hooks[hook];
        if (!record) return undefined;
        const { result, ...rest } = record;
        const { connected, state, messages, attempt, error, lastClose, dropped } = result;
        const plain = error && { code: error.code, message: error.message };
        return {
          ...rest,
          connected,
          state,
          attempt,
          error: plain,
          lastClose,
          dropped,
          list: messages,
          now: performance.now(),
          network: window.probes[name].network,
        };
      },
      [this.name, id],
    );
  }

  async until(id, what, holds, options) {
    let last;
    try {
      return await until(
        what,
        async () => {
          last = await this.read(id);
          return last && holds(last) ? last : undefined;
        },
        options,
      );
    } catch (error) {
      const { messages, list, ...rest } = last ?? {};
      throw new Error(`${error.message}; last seen: ${JSON.stringify(rest)}`);
    }
  }

  untilState(id, state, options) {
    return this.until(id, `hook ${id} is ${state}`, (seen) => seen.state === state, options);
  }

  /** Calls send() once per item in one turn of the page; returns what each call returned. */
  async send(id, ...items) {
    return await this.page.evaluate(
      ([name, hook, list]) => list.map((item) => window.probes[name].hooks[hook].result.send(item)),
      [this.name, id, items],
    );
  }

  async call(id, method) {
    await this.page.evaluate(
      ([name, hook, action]) => window.probes[name].hooks[hook].result[action](),
      [this.name, id, method],
    );
  }
}
