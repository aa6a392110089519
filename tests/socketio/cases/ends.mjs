// How connections end, as each side names it (fact sheet, 10), and what comes after.

const tagged = (stage, more) => ({ auth: { tag: stage.tag }, ...more });

/** A watched pair on one connection, in `/` and in /chat, and what `act` does to it. */
const ending = (name, act, { options = {}, ...more } = {}) => ({
  name: `ends: ${name}`,
  ...more,
  async run(stage) {
    const watchers = [await stage.watch(), await stage.watch('watcher of /chat', '/chat')];
    const main = await stage.connect('main', '/', tagged(stage, options));
    const chat = await stage.connect('chat', '/chat', { beside: main, auth: { tag: stage.tag } });
    await act({ stage, main, chat });
    for (const watcher of watchers) await watcher.settle();
  },
});

const kTransports = [['websocket', {}], ['polling', { transports: ['polling'] }]];

export default [
  ...kTransports.flatMap(([transport, options]) => [
    ending(`${transport}: the client leaves one namespace`, async ({ stage, main, chat }) => {
      chat.socket.disconnect();
      await main.ask('echo', 'still here');
      await stage.settle();
    }, { options }),
    ending(`${transport}: the client leaves both`, async ({ stage, main, chat }) => {
      chat.socket.disconnect();
      main.socket.disconnect();
      await stage.settle();
    }, { options }),
    ending(`${transport}: the server ends one namespace`, async ({ stage, main, chat }) => {
      chat.emit('kick', false);
      await chat.ends();
      await main.ask('echo', 'still here');
      chat.note(['active', chat.socket.active]);
      await stage.settle();
    }, { options }),
    ending(`${transport}: the server ends the connection`, async ({ main, chat }) => {
      main.emit('kick', true);
      await Promise.all([main, chat].map((one) => one.ends()));
      main.note(['active', main.socket.active]);
    }, { options }),
    ending(`${transport}: the server ends all of a room`, async ({ stage, main, chat }) => {
      const third = await stage.connect('third', '/chat', options);
      await chat.ask('join', stage.room('r'));
      await third.ask('kickRoom', stage.room('r'), false);
      await chat.ends();
      await main.ask('echo', 'still here');
    }, { options }),
    ending(`${transport}: the server ends the connections of a room`, async ({ stage, main, chat }) => {
      const third = await stage.connect('third', '/chat', options);
      await chat.ask('join', stage.room('r'));
      await third.ask('kickRoom', stage.room('r'), true);
      await Promise.all([main, chat].map((one) => one.ends()));
    }, { options }),
    ending(`${transport}: kicked, and connected again by hand`, async ({ main, chat }) => {
      chat.emit('kick', false);
      await chat.ends();
      await chat.connect();
      await chat.when('both', (log) => log.filter(([kind]) => kind === 'connect').length > 1);
      await chat.ask('echo', 'again');
      await main.ask('echo', 'still here');
    }, { options }),
    {
      name: `ends: ${transport}: the server shuts down`,
      alone: true,
      async run(stage) {
        const client = await stage.connect('client', '/', options);
        await stage.server.stop();
        await client.ends();
      },
    },
    {
      name: `ends: ${transport}: sent away at connecting`,
      async run(stage) {
        const main = await stage.connect('main', '/', options);
        const full = await stage.connect('full', '/full', { beside: main });
        await full.ends();
        await main.ask('echo', 'still here');
      },
    },
  ]),
  {
    name: 'ends: the connection is cut',
    async run(stage) {
      const watcher = await stage.watch();
      const client = await stage.connect('client', '/', tagged(stage));
      client.socket.io.engine.transport.ws.terminate();
      await client.ends();
      await watcher.sees('gone');
    },
  },
  {
    name: 'ends: the connection is cut, and the client comes back',
    async run(stage) {
      const watcher = await stage.watch();
      const client = await stage.connect('client', '/', tagged(stage,
        { reconnection: true, reconnectionDelay: 1 }));
      const first = client.id;
      client.socket.io.engine.transport.ws.terminate();
      await client.when('two connects', (log) => log.filter(([kind]) => kind === 'connect').length > 1);
      client.note(['another id', client.id !== first]);
      await watcher.sees('gone');
    },
  },
  {
    name: 'ends: kicked clients do not come back by themselves',
    async run(stage) {
      const client = await stage.connect('client', '/', { reconnection: true, reconnectionDelay: 1 });
      client.emit('kick', true);
      await client.ends();
      client.note(['active', client.socket.active]);
    },
  },
  {
    name: 'ends: an ack that is awaited at the end',
    async run(stage) {
      const client = await stage.connect('client');
      const waiting = client.socket.timeout(5000).emitWithAck('nothing')
        .catch((error) => client.note(['error', error.message]));
      client.emit('kick', false);
      await Promise.all([waiting, client.ends()]);
    },
  },
  {
    name: 'ends: the frames of a kick from all namespaces',
    async run(stage) {
      const link = await stage.link('link');
      await link.say('40');
      await link.say('40/chat,');
      link.send('42["kick",true]');
      await link.ends();
    },
  },
  {
    name: 'ends: the frame of a kick from one namespace',
    async run(stage) {
      const link = await stage.link('link');
      await link.say('40');
      await link.say('40/chat,');
      await link.say('42/chat,["kick",false]');
      await link.say('420["echo"]');
    },
  },
];
