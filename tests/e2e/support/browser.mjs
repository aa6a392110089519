// Debian's Chromium under Playwright, and what the scenarios need of a page.
import { chromium } from 'playwright-core';
import { until } from './poll.mjs';

const kNavigationMs = 60_000;
const kChromium = process.env.CHROMIUM ?? '/usr/bin/chromium';

/**
 * `seedPort`: where connections to the seed's hard-coded localhost:3001 really go. `keepPages`: a
 * page that is left is put aside for the way back (the "bfcache"), as in browsers of people.
 */
export async function launch({ seedPort, keepPages = false }) {
  return await chromium.launch({
    executablePath: kChromium,
    ignoreDefaultArgs: keepPages ? ['--disable-back-forward-cache'] : [],
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=MAP localhost:3001 127.0.0.1:${seedPort},MAP *.anywire.test 127.0.0.1`,
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

/**
 * A tab that remembers every complaint of the page: console errors, warnings, exceptions, but for
 * those that `overlooked` fits.
 */
export async function newTab(context, url, overlooked) {
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    // `next dev` now and then forgets a file that it has just compiled, and serves it when asked
    // again. That is between the page and its server; what WebSockets and React say is kept.
    if (/^Failed to load resource/.test(message.text())) return;
    if (overlooked?.test(message.text())) return;
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

/** What a browser tells a page that is put into the background, or shown again. */
export async function setVisibility(page, state) {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => value });
    Object.defineProperty(document, 'hidden', {
      configurable: true,
      get: () => value === 'hidden',
    });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
}

/** Used heap after a full collection. */
export async function heapOf(page) {
  const session = await page.context().newCDPSession(page);
  return async () => {
    await session.send('HeapProfiler.collectGarbage');
    return (await session.send('Runtime.getHeapUsage')).usedSize;
  };
}

/**
 * Processor time that the page's main thread has used, ms. Unlike the time on the clock it does not
 * grow with what else the machine has to do.
 */
export async function processorOf(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration').value * 1000;
  };
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
