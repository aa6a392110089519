// Connection state recovery (fact sheet, 11): the five scenarios of the field, and what is around.

const kComesBack = { reconnection: true, reconnectionDelay: 1, reconnectionDelayMax: 20 };

const connects = (log) => log.filter(([kind]) => kind === 'connect').length;

/** Cuts the connection under `client`, has `meanwhile` done, and awaits its return. */
async function cut(client, meanwhile = async () => {}) {
  const before = connects(client.log);
  const manager = client.socket.io;
  manager.reconnection(false);
  manager.engine.transport.ws.terminate();
  await client.when('the cut', (log) => log.at(-1)[0] === 'disconnect');
  await client.watcher.sees('gone', before);
  await meanwhile();
  client.socket.connect();
  await client.when('the return', (log) => connects(log) > before);
}

/** Someone to be cut, and someone who stays; both in a room. */
async function pair(stage, options = {}) {
  const watcher = await stage.watch();
  const client = await stage.connect('client', '/', { ...kComesBack, auth: { tag: stage.tag }, ...options });
  client.watcher = watcher;
  await client.ask('join', stage.room('r'));
  const other = await stage.connect('other');
  return { client, other, room: stage.room('r') };
}

const scenario = (name, before, { meanwhile = true, after = async () => {} } = {}) => ({
  name: `recovery: ${name}`,
  profile: 'recovery',
  async run(stage) {
    const all = await pair(stage);
    const { client, other, room } = all;
    await before(all);
    const id = client.id;
    await cut(client, async () => {
      if (!meanwhile) return;
      for (let i = 0; i < 3; i++) other.emit('tell', room, 'missed', { i });
      await other.ask('echo');
    });
    client.note(['same id', client.id === id]);
    if (client.socket.recovered && meanwhile) await client.sees('missed', 3);
    await client.ask('rooms');
    await after(all);
    await stage.settle();
  },
});

const told = async ({ client, other, room }, event = 'plain') => {
  other.emit('tell', room, event, { n: 1 });
  await client.sees(event);
};

export default [
  scenario('a plain event, then a cut', (all) => told(all)),
  scenario('the last event volatile, with an object', async (all) => {
    await told(all);
    all.other.emit('flashRoom', all.room, 'volatile', { n: 2 });
    await all.client.sees('volatile');
  }),
  scenario('the last event with an ack', async (all) => {
    await told(all);
    all.client.answer = () => [1];
    all.client.emit('ask', 5000, { q: 1 });
    await all.client.sees('question');
  }),
  scenario('no event before the cut', async () => {}),
  scenario('the last event volatile, ending in a string', async (all) => {
    await told(all);
    all.other.emit('flashRoom', all.room, 'volatile', 's:text');
    await all.client.sees('volatile');
  }),
  scenario('nothing was missed', (all) => told(all), { meanwhile: false }),
  scenario('what comes after is not doubled', (all) => told(all), { async after(all) {
    all.other.emit('tell', all.room, 'later', { n: 9 });
    await all.client.sees('later');
  } }),
  scenario('data are kept', async (all) => {
    await told(all);
    await all.client.ask('set', 'k', { v: 1 });
  }, { after: ({ client }) => client.ask('get', 'k') }),
  scenario('who says so', (all) => told(all), { after: ({ client }) => client.ask('who') }),
  {
    name: 'recovery: twice in a row',
    profile: 'recovery',
    async run(stage) {
      const all = await pair(stage);
      await told(all);
      for (let i = 1; i <= 2; i++) {
        await cut(all.client, async () => {
          all.other.emit('tell', all.room, `missed ${i}`, { i });
          await all.other.ask('echo');
        });
        if (all.client.socket.recovered) await all.client.sees(`missed ${i}`);
      }
    },
  },
  {
    name: 'recovery: not after the client has left',
    profile: 'recovery',
    async run(stage) {
      const all = await pair(stage);
      await told(all);
      all.client.socket.disconnect();
      await all.client.watcher.sees('gone');
      all.client.socket.connect();
      await all.client.when('the return', (log) => connects(log) === 2);
      await all.client.ask('rooms');
    },
  },
  {
    name: 'recovery: not after a kick',
    profile: 'recovery',
    async run(stage) {
      const all = await pair(stage);
      await told(all);
      all.client.emit('kick', true);
      await all.client.ends();
      all.client.socket.connect();
      await all.client.when('the return', (log) => connects(log) === 2);
      await all.client.ask('rooms');
    },
  },
  {
    name: 'recovery: missed events of other rooms and senders are left out',
    profile: 'recovery',
    async run(stage) {
      const all = await pair(stage);
      await told(all);
      await cut(all.client, async () => {
        all.other.emit('tell', stage.room('elsewhere'), 'not for it', {});
        all.other.emit('except', all.room, all.room, 'excepted', {});
        all.other.emit('flashRoom', all.room, 'volatile', {});
        all.other.emit('tell', all.room, 'missed', {});
        await all.other.ask('echo');
      });
      await all.client.sees('missed');
      await stage.settle();
    },
  },
  {
    name: 'recovery: missed bytes',
    profile: 'recovery',
    async run(stage) {
      const all = await pair(stage);
      await told(all);
      await cut(all.client, async () => {
        all.other.emit('tell', all.room, 'missed', Buffer.from([1, 2, 3]));
        await all.other.ask('echo');
      });
      await all.client.sees('missed');
    },
  },
  {
    name: 'recovery: middleware is not asked again',
    profile: 'recovery',
    async run(stage) {
      const watcher = await stage.connect('watcher', '/gate', { auth: { token: 'open' } });
      await watcher.ask('watch', stage.tag);
      const auth = { token: 'open', user: 'ann', tag: stage.tag };
      const client = await stage.connect('client', '/gate', { auth });
      await client.ask('who');
      client.emit('echo', { first: 1 });
      await client.sees('echo');
      client.socket.auth = { token: 'wrong by now', tag: stage.tag };
      client.socket.io.engine.transport.ws.terminate();
      await watcher.sees('gone');
      await client.ends();
      await client.connect();
    },
  },
  ...[
    ['an unknown pid', '40{"pid":"AAAAAAAAAAAAAAAAAAAA","offset":"x"}'],
    ['a pid that is no string', '40{"pid":1,"offset":"x"}'],
    ['an offset without a pid', '40{"offset":"x"}'],
    ['a pid of nothing', '40{"pid":"","offset":""}'],
  ].map(([name, frame]) => ({
    name: `recovery: ${name} is a new start`,
    profile: 'recovery',
    async run(stage) {
      const link = await stage.link('link');
      await link.say(frame);
      await link.say('42["echo",{"a":1}]');
    },
  })),
  {
    name: 'recovery: offsets behind plain events and those with bytes, not behind acks',
    profile: 'recovery',
    async run(stage) {
      const link = await stage.link('link');
      await link.say('40');
      await link.say('42["echo",{"a":1}]');
      await link.say('42["echo"]');
      await link.say('420["echo",{"a":1}]');
      await link.say(['451-["echo",{"_placeholder":true,"num":0}]', Buffer.from([1])], 2);
      await link.say('42["ask",5000,{"a":1}]');
    },
  },
];
