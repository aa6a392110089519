// Run by scenario 40 in a process of its own: renders every hook as a server would, and prints what
// it looked at and what it left behind.
const touched = [];
for (const name of [
  'window',
  'document',
  'navigator',
  'WebSocket',
  'EventSource',
  'localStorage',
  'sessionStorage',
  'requestAnimationFrame',
]) {
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      const { stack } = new Error();
      if (/packages[\\/](client|react)[\\/]/.test(stack)) touched.push(name);
      return undefined;
    },
  });
}
let fetches = 0;
globalThis.fetch = async () => {
  fetches++;
  throw new Error('no server is asked while rendering');
};

const { createElement, StrictMode } = await import('react');
const { renderToString } = await import('react-dom/server');
const plain = await import('@anywire/react');
const suspense = await import('@anywire/react/suspense');
const { AnywireDevtools } = await import('@anywire/react/devtools');
await import('@anywire/client');
await import('@anywire/client/fallbacks');

const { AnywireProvider, HistoryBoundary } = plain;
const room = [['room-42'], [null], ['room-42', { limit: 10, onMessage() {}, onGap() {} }]];
const args = {
  useWebSocket: [
    ['ws://127.0.0.1:9/raw/x'],
    ['/relative', { heartbeat: true, token: async () => 't', queue: { max: 1 }, onMessage() {} }],
    [null],
    ['not a scheme://'],
  ],
  useAnywire: [[]],
  useConnectionState: [[]],
  useChannel: room,
  useChannelEvent: [
    ['room-42', () => {}],
    [null, () => {}],
    ['room-42', 'typing', () => {}],
  ],
  useLatest: [['room-42'], [null], ['room-42', ({ data }) => data]],
  usePresence: [['room-42'], [null], ['room-42', { name: 'ann' }]],
  useHistory: room,
  useOptimisticPublish: room,
  useRpc: [['math.add']],
};
/** What a page would draw of what a hook returned. */
const drawn = (result) => {
  const { status, state, messages, count, isPending } = result ?? {};
  return JSON.stringify({ status, state, messages: messages?.length, count, isPending });
};

function render(hook, list, wrap = (child) => child) {
  const Component = () => drawn(hook(...list));
  const child = createElement(StrictMode, null, wrap(createElement(Component)));
  const provider = { url: 'ws://127.0.0.1:9/anywire', token: async () => 't' };
  const html = renderToString(
    createElement(AnywireProvider, provider, child, createElement(AnywireDevtools)),
  );
  return JSON.parse(html.replaceAll('&quot;', '"'));
}

const state = {
  channel: 'room-42',
  epoch: 'e',
  messages: [{ channel: 'room-42', epoch: 'e', offset: 1, time: 1, data: 1, kind: 'json' }],
  top: 1,
  oldest: 1,
  more: false,
};
const bounded = (child) => createElement(HistoryBoundary, { state }, child);
const rendered = {};
const preloaded = {};
for (const [entry, hooks] of Object.entries({ plain, suspense })) {
  for (const name of Object.keys(hooks).filter((one) => /^use[A-Z]/.test(one))) {
    rendered[`${entry} ${name}`] = (args[name] ?? []).map((list) => render(hooks[name], list));
  }
  for (const name of ['useChannel', 'useHistory', 'useOptimisticPublish']) {
    preloaded[`${entry} ${name}`] = render(hooks[name], ['room-42'], bounded);
  }
}
const timers = process
  .getActiveResourcesInfo()
  .filter((name) => /Timeout|Immediate|TCP/.test(name));
process.stdout.write(JSON.stringify({ rendered, preloaded, touched, fetches, timers }));
