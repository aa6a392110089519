import { beforeEach, describe, expect, it, vi } from 'vitest';

/** Web locks of one browser: one page holds a name, others wait for it or do without. */
class Locks {
  readonly #held = new Map<string, Page>();
  #waiting: { readonly name: string; readonly go: () => void }[] = [];

  request(page: Page, name: string, options: LockOptions, use: (lock: unknown) => unknown) {
    const { ifAvailable, signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const take = () => {
      this.#held.set(name, page);
      use({ name });
    };
    if (!this.#held.has(name)) take();
    else if (ifAvailable) use(null);
    else this.#waiting.push({ name, go: take });
    return new Promise((_, reject) =>
      signal?.addEventListener('abort', () => reject(signal.reason)),
    );
  }

  letGo(page: Page): void {
    for (const [name, holder] of [...this.#held]) {
      if (holder !== page) continue;
      this.#held.delete(name);
      const next = this.#waiting.find((one) => one.name === name);
      this.#waiting = this.#waiting.filter((one) => one !== next);
      next?.go();
    }
  }
}

const storage = (entries: Iterable<readonly [string, string]> = []) => {
  const map = new Map(entries);
  return {
    map,
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
  };
};
type Tab = ReturnType<typeof storage>;

interface Page {
  /** It is about to be replaced; its locks it keeps until it lets go. */
  readonly leave: () => void;
  readonly letGo: () => void;
  readonly name: () => string | undefined;
  readonly rename: (name: string) => void;
}

let locks: Locks;
let localStorage: ReturnType<typeof storage>;

beforeEach(() => {
  locks = new Locks();
  localStorage = storage();
  // On a busy machine seconds go by before a browser comes to what it has been asked for.
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) =>
    ms < 5000 ? AbortSignal.abort() : new AbortController().signal,
  );
});

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A page in a tab, which is all that it remembers. */
async function open(tab: Tab): Promise<Page> {
  const leaving: (() => void)[] = [];
  const page: Page = {
    leave: () => {
      vi.stubGlobal('window', window);
      for (const tell of leaving) tell();
    },
    letGo: () => locks.letGo(page),
    name: () => identity.snapshot()?.name,
    rename: (name: string) => identity.rename(name),
  };
  const window = {
    localStorage,
    sessionStorage: tab,
    addEventListener: (event: string, listener: () => void) => {
      if (event === 'pagehide') leaving.push(listener);
    },
  };
  vi.stubGlobal('window', window);
  vi.stubGlobal('navigator', {
    locks: {
      request: (...args: [string, LockOptions, (lock: unknown) => unknown]) =>
        locks.request(page, ...args),
    },
  });
  vi.resetModules();
  const identity = await import('../lib/identity');
  identity.subscribe(() => {});
  await settled();
  return page;
}

const people = async (...names: string[]) => {
  const tabs = names.map(() => storage());
  const pages: Page[] = [];
  for (const [at, name] of names.entries()) {
    const page = await open(tabs[at] as Tab);
    page.rename(name);
    pages.push(page);
  }
  return names.map((_, at) => ({ tab: tabs[at] as Tab, page: pages[at] as Page }));
};

describe('who is in a tab', () => {
  it('is somebody else than in the tab beside it', async () => {
    const [ada, grace] = await people('Ada', 'Grace');
    expect([ada?.page.name(), grace?.page.name()]).toEqual(['Ada', 'Grace']);
  });

  it('is the same after a reload, however late the old page lets go', async () => {
    const [ada] = await people('Ada', 'Grace');
    if (!ada) throw new Error('nobody');
    ada.page.leave();
    const anew = await open(ada.tab);
    expect(anew.name(), 'nobody else meanwhile').toBe(undefined);
    ada.page.letGo();
    await settled();
    expect(anew.name()).toBe('Ada');
  });

  it('is the same after a second reload that comes before the first is done', async () => {
    const [ada] = await people('Ada', 'Grace');
    if (!ada) throw new Error('nobody');
    ada.page.leave();
    const between = await open(ada.tab);
    between.leave();
    const anew = await open(ada.tab);
    ada.page.letGo();
    between.letGo();
    await settled();
    expect(anew.name()).toBe('Ada');
  });

  it('is another at once in a tab that was duplicated', async () => {
    const [ada] = await people('Ada');
    if (!ada) throw new Error('nobody');
    const copy = await open(storage(ada.tab.map));
    expect(copy.name()).toEqual(expect.any(String));
    expect(copy.name()).not.toBe('Ada');
    expect(ada.page.name()).toBe('Ada');
  });

  it('is another in a tab that was duplicated after a reload, too', async () => {
    const [ada] = await people('Ada');
    if (!ada) throw new Error('nobody');
    ada.page.leave();
    ada.page.letGo();
    const anew = await open(ada.tab);
    expect(anew.name()).toBe('Ada');
    const copy = await open(storage(ada.tab.map));
    expect(copy.name()).toEqual(expect.any(String));
    expect(copy.name()).not.toBe('Ada');
  });

  it('is another at once when somebody has taken the seat in the meantime', async () => {
    const [ada] = await people('Ada');
    if (!ada) throw new Error('nobody');
    ada.page.leave();
    ada.page.letGo();
    const next = await open(storage());
    expect(next.name(), 'the name belongs to the seat').toBe('Ada');
    const back = await open(ada.tab);
    expect(back.name()).toEqual(expect.any(String));
    expect(back.name()).not.toBe('Ada');
  });

  it('is the same after a crash, which says nothing but lets go', async () => {
    const [, grace] = await people('Ada', 'Grace');
    if (!grace) throw new Error('nobody');
    grace.page.letGo();
    expect((await open(grace.tab)).name()).toBe('Grace');
  });
});
