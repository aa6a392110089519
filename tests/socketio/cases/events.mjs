// Events, acks and binary values through the real client, over each transport and both parsers.
import msgpack from 'socket.io-msgpack-parser';

const bytes = (n) => Buffer.from(Uint8Array.from({ length: n }, (_, i) => i * 7));

// [name, arguments]: they come back as they are, or as the protocol has them.
const kValues = [
  ['nothing', []],
  ['null', [null]],
  ['undefined', [undefined]],
  ['undefined between others', [1, undefined, 2]],
  ['booleans', [true, false]],
  ['integers', [0, 1, -1, 127, 128, 255, 256, -128, -129, 65535, 65536]],
  ['large integers', [2 ** 31, -(2 ** 31) - 1, 2 ** 32, 2 ** 53 - 1, -(2 ** 53) + 1]],
  ['fractions', [0.1, -1.5, 1e21, 5e-324, 1.7976931348623157e308]],
  ['an empty string', ['']],
  ['text', ['hello']],
  ['text beyond ASCII', ['é € 😀 \u2028 \u0000 \u001e "\\']],
  ['long text', ['x'.repeat(70_000)]],
  ['an empty list', [[]]],
  ['an empty object', [{}]],
  ['several arguments', [1, 'two', { three: 3 }, [4]]],
  ['many arguments', Array.from({ length: 100 }, (_, i) => i)],
  ['nested lists', [[[[[[1]]]]]]],
  ['an object of many members', [Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i]))]],
  ['a list of 70000', [Array.from({ length: 70_000 }, (_, i) => i % 100)]],
  ['names beyond ASCII', [{ 'ü "': 1, '': 2, __proto__x: 3 }]],
  ['a member of undefined', [{ a: undefined, b: 1 }]],
  ['a date', [new Date(1_700_000_000_000)]],
  ['an object like a placeholder', [{ _placeholder: false, num: 0 }]],
  ['an array as the only argument', [[1, 2]]],
  ['an object with toJSON', [{ toJSON: () => 'made' }]],
  ['a byte', [bytes(1)]],
  ['no bytes', [bytes(0)]],
  ['300 bytes', [bytes(300)]],
  ['70000 bytes', [bytes(70_000)]],
  ['bytes among others', ['a', bytes(3), { b: bytes(4), c: [bytes(5)] }, 'd']],
  ['a typed array', [Uint8Array.from([1, 2, 3])]],
];

const kWays = [
  ['websocket', {}],
  ['polling', { transports: ['polling'] }],
  ['msgpack', { parser: msgpack }],
  ['msgpack over polling', { parser: msgpack, transports: ['polling'] }],
];

const values = kWays.flatMap(([way, options]) => kValues.flatMap(([name, args]) => ({
  name: `echo over ${way}: ${name}`,
  profile: way.startsWith('msgpack') ? 'msgpack' : 'plain',
  async run(stage) {
    const client = await stage.connect('client', '/', options);
    client.emit('echo', ...args);
    await client.sees('echo');
    await client.ask('echo', ...args);
  },
})));

const inEachWay = (name, run) => kWays.map(([way, options]) => ({
  name: `events over ${way}: ${name}`,
  profile: way.startsWith('msgpack') ? 'msgpack' : 'plain',
  run: (stage) => run(stage, options),
}));

export default [
  ...values,
  ...inEachWay('keep their order', async (stage, options) => {
    const client = await stage.connect('client', '/', options);
    for (let i = 0; i < 100; i++) client.emit('echo', i, i % 10 === 0 ? bytes(i) : null);
    await client.sees('echo', 100);
  }),
  ...inEachWay('a burst, in order', async (stage, options) => {
    const client = await stage.connect('client', '/', options);
    await client.ask('burst', 200);
    await client.sees('burst', 200);
    const seen = client.log.splice(1).map(([, , i]) => i);
    client.note(['burst', seen.length, seen.every((value, i) => value === i)]);
  }),
  ...inEachWay('many acks at once', async (stage, options) => {
    const client = await stage.connect('client', '/', options);
    const all = await Promise.all(Array.from({ length: 100 }, (_, i) => client.ask('echo', i)));
    client.acks.length = 0;
    client.note(['acks', all.every(([value], i) => value === i)]);
  }),
  ...inEachWay('the server asks, the client answers', async (stage, options) => {
    const client = await stage.connect('client', '/', options);
    client.answer = (...args) => [...args, 'mine'];
    client.emit('ask', 5000, 1, { a: 2 });
    await client.sees('answered');
  }),
  ...inEachWay('the server asks, the client answers nothing', async (stage, options) => {
    const client = await stage.connect('client', '/', options);
    client.answer = () => [];
    client.emit('ask', 5000);
    await client.sees('answered');
  }),
  ...inEachWay('the server asks, bytes are the answer', async (stage, options) => {
    const client = await stage.connect('client', '/', options);
    client.answer = (value) => [value, bytes(5)];
    client.emit('ask', 5000, bytes(3));
    await client.sees('answered');
  }),
  ...inEachWay('the server asks in vain', async (stage, options) => {
    const client = await stage.connect('client', '/', options);
    client.emit('ask', 50, 'x');
    await client.sees('answered');
  }),
  ...inEachWay('the server asks several times at once', async (stage, options) => {
    const client = await stage.connect('client', '/', options);
    client.answer = (i) => [i * 2];
    for (let i = 0; i < 10; i++) client.emit('ask', 5000, i);
    await client.sees('answered', 10);
  }),
  ...inEachWay('bytes from the server', async (stage, options) => {
    const client = await stage.connect('client', '/', options);
    for (const n of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) await client.ask('bytes', n);
    client.emit('bytes', 10);
    await client.sees('bytes');
  }),
  ...inEachWay('numbers as names', async (stage, options) => {
    const client = await stage.connect('client', '/', options);
    client.emit(7, 'x');
    client.emit('7', 'y');
    await client.sees('seven', 2);
  }),
  ...inEachWay('of wrong arguments do nothing', async (stage, options) => {
    const client = await stage.connect('client', '/', options);
    for (const args of [['bytes', -1], ['bytes', 'x'], ['bytes'], ['burst', 1.5], ['join', 1],
      ['join', [1]], ['say', 'r'], ['tell', 'r', 1], ['kick', 'yes'], ['set', 1, 1], ['ask', 0],
      ['watch', null], ['tell', 'r', 'connect'], ['all', 'disconnect'], ['unknown', 1], ['']]) {
      client.emit(...args, () => client.note('ack', args));
    }
    await stage.settle();
  }),
  ...inEachWay('who one is', async (stage, options) => {
    const client = await stage.connect('client', '/gate', { ...options,
      auth: { token: 'open', user: 'ann', more: [1] }, query: { a: '1', b: 'ü & =' } });
    await client.ask('who');
  }),
  ...inEachWay('refused with data', async (stage, options) => {
    await stage.connect('refused', '/', { ...options, auth: { refuse: { code: 1, deep: [{}] } } });
    await stage.connect('missing', '/gate', options);
    await stage.connect('wrong', '/gate', { ...options, auth: { token: 'x' } });
    await stage.connect('unknown', '/nowhere', options);
  }),
  ...inEachWay('several namespaces on one connection', async (stage, options) => {
    const main = await stage.connect('main', '/', options);
    const chat = await stage.connect('chat', '/chat', { beside: main });
    const refused = await stage.connect('refused', '/nowhere', { beside: main });
    const late = await stage.connect('late', '/late', { beside: main });
    const greet = await stage.connect('greet', '/greet', { beside: main });
    await greet.sees('hello');
    for (const one of [main, chat, late]) await one.ask('echo', one.name);
    refused.note(['active', refused.socket.active]);
    await chat.ask('who');
    chat.socket.disconnect();
    await main.ask('echo', 'still here');
  }),
  {
    name: 'events: what was emitted before the connection comes after it',
    async run(stage) {
      const client = stage.socket('client');
      client.emit('echo', 'early');
      client.socket.volatile.emit('echo', 'volatile and early');
      await client.connect();
      await client.sees('echo');
      await stage.settle();
    },
  },
  {
    name: 'events: a timeout of the client for an ack that never comes',
    async run(stage) {
      const client = await stage.connect('client');
      await client.socket.timeout(30).emitWithAck('nothing')
        .catch((error) => client.note(['error', error.message]));
    },
  },
  {
    name: 'events: retries come again until acknowledged',
    async run(stage) {
      const client = stage.socket('client', '/', { retries: 2, ackTimeout: 40 });
      await client.connect();
      await new Promise((resolve) => client.socket.emit('nothing', (error) => {
        client.note(['gave up', error.message]);
        resolve();
      }));
      await new Promise((resolve) => client.socket.emit('echo', 1, (error, value) => {
        client.note(['echo', error, value]);
        resolve();
      }));
    },
  },
  {
    name: 'events: auth by a function, asked at each connection',
    async run(stage) {
      let asked = 0;
      const client = stage.socket('client', '/', { auth: (give) => give({ time: ++asked }) });
      await client.connect();
      await client.ask('who');
      client.socket.disconnect();
      await client.connect();
      await client.when('a second connect', (log) =>
        log.filter(([kind]) => kind === 'connect').length === 2);
      await client.ask('who');
    },
  },
];
