import { describe, expect, it } from 'vitest';
import { browserNetwork, type NetworkEvent } from '../src/index';

/** A page with a window, a document and a navigator, as far as anybody looks at them. */
function page(visibilityState = 'visible', onLine: boolean | undefined = true) {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState });
  const it = {
    addEventListener: window.addEventListener.bind(window),
    removeEventListener: window.removeEventListener.bind(window),
    document,
    navigator: { ...(onLine !== undefined && { onLine }) },
  };
  const heard: NetworkEvent[] = [];
  const network = browserNetwork(it);
  const leave = network.subscribe((event) => heard.push(event));
  const fire = (target: 'window' | 'document', name: string) =>
    (target === 'window' ? window : document).dispatchEvent(new Event(name));
  return { it, network, heard, leave, fire, document };
}

describe('the network as a browser tells it', () => {
  it.each([
    ['window', 'online', 'online'],
    ['window', 'offline', 'offline'],
    ['window', 'focus', 'wake'],
    ['window', 'pagehide', 'suspend'],
    ['window', 'pageshow', 'resume'],
    ['document', 'resume', 'wake'],
    ['document', 'visibilitychange', 'wake'],
  ] as const)('%s %s means %s', (target, name, event) => {
    const p = page();
    p.fire(target, name);
    expect(p.heard).toEqual([event]);
    p.leave();
    p.fire(target, name);
    expect(p.heard).toEqual([event]);
  });

  it('is not woken by a page that is hidden, but told of all else', () => {
    const p = page('hidden');
    p.fire('document', 'visibilitychange');
    expect(p.heard).toEqual([]);
    p.fire('window', 'offline');
    p.fire('window', 'online');
    p.fire('document', 'resume');
    expect(p.heard).toEqual(['offline', 'online', 'wake']);
    p.document.visibilityState = 'visible';
    p.fire('document', 'visibilitychange');
    expect(p.heard.at(-1)).toBe('wake');
  });

  it('takes events of other names for nothing', () => {
    const p = page();
    for (const name of ['blur', 'freeze', 'load']) {
      p.fire('window', name);
      p.fire('document', name);
    }
    expect(p.heard).toEqual([]);
  });

  it('has several listeners, who leave one by one', () => {
    const p = page();
    const second: NetworkEvent[] = [];
    const leave = p.network.subscribe((event) => second.push(event));
    p.fire('window', 'offline');
    leave();
    leave();
    p.fire('window', 'online');
    expect(p.heard).toEqual(['offline', 'online']);
    expect(second).toEqual(['offline']);
  });

  it.each([
    [true, true],
    [false, false],
    [undefined, true],
  ])('is online as the device says: %s', (onLine, online) => {
    expect(page('visible', onLine).network.online).toBe(online);
  });

  it('says "online" and never speaks where there is no browser', () => {
    const network = browserNetwork({});
    expect(network.online).toBe(true);
    expect(() => network.subscribe(() => {})()).not.toThrow();
  });

  it('lives without a document, as in a worker', () => {
    const worker = new EventTarget();
    const heard: NetworkEvent[] = [];
    const leave = browserNetwork({
      addEventListener: worker.addEventListener.bind(worker),
      removeEventListener: worker.removeEventListener.bind(worker),
    }).subscribe((event) => heard.push(event));
    worker.dispatchEvent(new Event('offline'));
    leave();
    worker.dispatchEvent(new Event('online'));
    expect(heard).toEqual(['offline']);
  });
});
