// Run by scenario 40 in a process of its own: renders every hook as a server would, and prints what
// it looked at and what it left behind.
const touched = [];
for (const name of [
  'window',
  'document',
  'navigator',
  'WebSocket',
  'localStorage',
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

const { createElement, StrictMode } = await import('react');
const { renderToString } = await import('react-dom/server');
const anywire = await import('@anywire/react');
await import('@anywire/client');

const args = {
  useWebSocket: [
    ['ws://127.0.0.1:9/raw/x'],
    ['/relative', { heartbeat: true, token: async () => 't', queue: { max: 1 }, onMessage() {} }],
    [null],
    ['not a scheme://'],
  ],
};
const hooks = Object.keys(anywire).filter((name) => /^use[A-Z]/.test(name));
const rendered = {};
for (const hook of hooks) {
  rendered[hook] = (args[hook] ?? []).map((list) => {
    const Component = () => {
      const { connected, messages, state } = anywire[hook](...list);
      return `${state} ${connected} ${messages.length}`;
    };
    return renderToString(createElement(StrictMode, null, createElement(Component)));
  });
}
const timers = process
  .getActiveResourcesInfo()
  .filter((name) => /Timeout|Immediate|TCP/.test(name));
process.stdout.write(JSON.stringify({ hooks, rendered, touched, timers }));
