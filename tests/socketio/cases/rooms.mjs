// Who gets what: rooms, exceptions, broadcasts, acks of many, volatile events.

/** Clients a, b, c, … in `namespace`, each in the rooms named for it. */
async function members(stage, namespace, rooms) {
  const all = {};
  for (const [name, list] of Object.entries(rooms)) {
    all[name] = await stage.connect(name, namespace);
    await all[name].ask('join', list.map((room) => stage.room(room)));
  }
  return all;
}

const kRooms = { a: ['x'], b: ['x', 'y'], c: ['y'], d: ['z'], e: [] };

// [name, event, arguments with rooms as {r: name or list}, how many get it]; `a` sends it.
const kSendings = [
  ['say to a room of the sender', 'say', [{ r: 'x' }, 'ev', 1], 1],
  ['say to a room of others', 'say', [{ r: 'y' }, 'ev', 1], 2],
  ['say to several rooms, each once', 'say', [{ r: ['x', 'y'] }, 'ev', 1], 2],
  ['say to all rooms', 'say', [{ r: ['x', 'y', 'z'] }, 'ev', 1], 3],
  ['say to an empty room', 'say', [{ r: 'nobody' }, 'ev', 1], 0],
  ['say to no room', 'say', [[], 'ev', 1], 0],
  ['tell a room of the sender', 'tell', [{ r: 'x' }, 'ev', 1], 2],
  ['tell a room of others', 'tell', [{ r: 'z' }, 'ev', 1], 1],
  ['tell several rooms, each once', 'tell', [{ r: ['x', 'y'] }, 'ev', 1], 3],
  ['tell a room twice', 'tell', [{ r: ['x', 'x'] }, 'ev', 1], 2],
  ['tell no room', 'tell', [[], 'ev', 1], 0],
  ['tell no arguments', 'tell', [{ r: 'x' }, 'ev'], 2],
  ['tell several arguments', 'tell', [{ r: 'x' }, 'ev', 1, 'two', [3], null], 2],
  ['tell one list', 'tell', [{ r: 'x' }, 'ev', [1, 2]], 2],
  ['tell text', 'tell', [{ r: 'x' }, 'ev', 'text'], 2],
  ['tell text like JSON', 'tell', [{ r: 'x' }, 'ev', '{"a":1}'], 2],
  ['tell bytes', 'tell', [{ r: 'x' }, 'ev', Buffer.from([1, 2, 3])], 2],
  ['tell bytes inside', 'tell', [{ r: 'x' }, 'ev', { b: Buffer.from([1]) }, Buffer.from([2])], 2],
  ['tell with a name beyond ASCII', 'tell', [{ r: 'x' }, 'é 😀', 1], 2],
  ['tell with a name like a number', 'tell', [{ r: 'x' }, '8', 1], 2],
  ['tell with an empty name', 'tell', [{ r: 'x' }, '', 1], 2],
  ['except a room', 'except', [{ r: 'x' }, { r: 'y' }, 'ev', 1], 1],
  ['except several rooms', 'except', [{ r: ['x', 'y', 'z'] }, { r: ['y', 'z'] }, 'ev', 1], 1],
  ['except an empty room', 'except', [{ r: 'x' }, { r: 'nobody' }, 'ev', 1], 2],
  ['except nobody', 'except', [{ r: 'x' }, [], 'ev', 1], 2],
  ['except all', 'except', [{ r: 'x' }, { r: 'x' }, 'ev', 1], 0],
  ['shout', 'shout', ['ev', 1, 2], 4],
  ['all', 'all', ['ev', 1, 2], 5],
  ['all, with bytes', 'all', ['ev', Buffer.from([7])], 5],
  ['volatile to a room', 'flashRoom', [{ r: 'x' }, 'ev', 1], 2],
];

const sendings = kSendings.map(([name, event, args, count]) => ({
  name: `rooms: ${name}`,
  async run(stage) {
    const all = Object.values(await members(stage, stage.space, kRooms));
    const named = ({ r }) => (Array.isArray(r) ? r.map((room) => stage.room(room)) : stage.room(r));
    all[0].emit(event, ...args.map((one) => (one?.r ? named(one) : one)));
    const got = () => all.filter(({ log }) => log.some(([kind]) => kind === 'event')).length;
    for (const one of all) {
      const wanted = one.when('what was sent', () => got() >= count);
      wanted.catch(() => {});
      one.sent = wanted;
    }
    await Promise.race(all.map(({ sent }) => sent));
    await stage.settle();
  },
}));

export default [
  ...sendings,
  {
    name: 'rooms: a room does not reach another namespace',
    async run(stage) {
      const a = await stage.connect('a', '/');
      const b = await stage.connect('b', '/chat');
      for (const one of [a, b]) await one.ask('join', stage.room('r'));
      a.emit('tell', stage.room('r'), 'ev', 1);
      await a.sees('ev');
      await stage.settle();
    },
  },
  {
    name: 'rooms: dynamic namespaces are apart',
    async run(stage) {
      const a = await stage.connect('a', stage.space);
      const b = await stage.connect('b', `${stage.space}0`);
      a.emit('all', 'ev', 1);
      await a.sees('ev');
      await stage.settle();
    },
  },
  {
    name: 'rooms: joined, listed, left',
    async run(stage) {
      const a = await stage.connect('a');
      await a.ask('rooms');
      await a.ask('join', ['c', 'a', 'b'].map((room) => stage.room(room)));
      await a.ask('join', stage.room('a'));
      await a.ask('rooms');
      await a.ask('leave', stage.room('b'));
      await a.ask('leave', stage.room('never joined'));
      await a.ask('join', []);
      await a.ask('leave', []);
      await a.ask('rooms');
      a.emit('tell', stage.room('b'), 'left', 1);
      a.emit('tell', stage.room('a'), 'joined', 1);
      await a.sees('joined');
    },
  },
  ...['', ' ', 'é 😀', 'a/b', 'a:b', 'a,b', '#a', 'x'.repeat(100), '"', '__proto__'].map((name, i) => ({
    name: `rooms: a room named ${JSON.stringify(name).slice(0, 20)}`,
    async run(stage) {
      const a = await stage.connect('a', stage.space);
      const b = await stage.connect('b', stage.space);
      for (const one of [a, b]) await one.ask('join', name);
      await a.ask('rooms');
      a.emit('tell', name, 'ev', i);
      await Promise.all([a, b].map((one) => one.sees('ev')));
    },
  })),
  {
    name: 'rooms: one\'s own room is one\'s id',
    async run(stage) {
      const a = await stage.connect('a');
      const b = await stage.connect('b');
      a.emit('tell', b.id, 'to b', 1);
      a.emit('say', a.id, 'to nobody', 1);
      a.emit('say', [a.id, b.id], 'to b again', 1);
      await b.sees('to b again');
      await stage.settle();
    },
  },
  {
    name: 'rooms: one\'s own room can be left',
    async run(stage) {
      const [a, b] = [await stage.connect('a'), await stage.connect('b')];
      await b.ask('leave', b.id);
      a.emit('tell', b.id, 'to b', 1);
      await a.ask('echo');
      await b.ask('rooms');
    },
  },
  {
    name: 'rooms: the room of another can be joined',
    async run(stage) {
      const [a, b] = [await stage.connect('a'), await stage.connect('b')];
      await a.ask('join', b.id);
      b.emit('tell', b.id, 'to both', 1);
      await Promise.all([a, b].map((one) => one.sees('to both')));
    },
  },
  {
    name: 'rooms: left at the end of the socket',
    async run(stage) {
      const [a, b] = [await stage.connect('a'), await stage.connect('b')];
      for (const one of [a, b]) await one.ask('join', stage.room('r'));
      b.socket.disconnect();
      await b.connect();
      await b.when('both connects', (log) => log.filter(([kind]) => kind === 'connect').length > 1);
      await b.ask('rooms');
      a.emit('tell', stage.room('r'), 'ev', 1);
      await a.sees('ev');
      await stage.settle();
    },
  },
  {
    name: 'rooms: everybody is moved into another',
    async run(stage) {
      const { a, b, c } = await members(stage, '/', { a: ['x'], b: ['x'], c: [] });
      await a.ask('moveRoom', stage.room('x'), stage.room('w'));
      for (const one of [a, b, c]) await one.ask('rooms');
      c.emit('tell', stage.room('w'), 'ev', 1);
      await Promise.all([a, b].map((one) => one.sees('ev')));
    },
  },
  {
    name: 'rooms: one order for all members',
    async run(stage) {
      const { a, b, c } = await members(stage, '/', { a: ['x'], b: ['x'], c: ['x'] });
      for (let i = 0; i < 50; i++) for (const one of [a, b]) one.emit('tell', stage.room('x'), 'ev', one.name, i);
      await Promise.all([a, b, c].map((one) => one.sees('ev', 100)));
      const orders = [a, b, c].map(({ log }) => JSON.stringify(log.splice(1)));
      a.note(['one order', new Set(orders).size]);
      for (const name of ['a', 'b']) {
        const own = JSON.parse(orders[0]).filter(([, , from]) => from === name).map(([, , , i]) => i);
        a.note([name, own.length, own.every((value, i) => value === i)]);
      }
    },
  },
  {
    name: 'rooms: asked, all answer',
    async run(stage) {
      const { a, b, c } = await members(stage, '/', { a: ['x'], b: ['x'], c: [] });
      a.answer = () => ['from a', 'ignored'];
      b.answer = (value) => [{ got: value }];
      c.emit('askRoom', 5000, stage.room('x'), 'q');
      await c.sees('answered');
    },
  },
  {
    name: 'rooms: asked, one does not answer',
    async run(stage) {
      const { a, c } = await members(stage, '/', { a: ['x'], b: ['x'], c: [] });
      a.answer = () => [1];
      c.emit('askRoom', 100, stage.room('x'));
      await c.sees('answered');
    },
  },
  {
    name: 'rooms: asked, answered with nothing and with bytes',
    async run(stage) {
      const { a, b } = await members(stage, '/', { a: ['x'], b: ['x'] });
      a.answer = () => [];
      b.answer = () => [7];
      a.emit('askRoom', 5000, stage.room('x'), Buffer.from([1]));
      await a.sees('answered');
    },
  },
  {
    name: 'rooms: asked, nobody is there',
    async run(stage) {
      const a = await stage.connect('a');
      a.emit('askRoom', 5000, stage.room('nobody'));
      await a.sees('answered');
    },
  },
  {
    name: 'volatile: to a sender that is ready',
    async run(stage) {
      const link = await stage.link('link');
      await link.say('40');
      await link.say('42["flash","ev",1]');
    },
  },
  {
    name: 'volatile: dropped for a polling client between two GETs',
    async run(stage) {
      const poll = await stage.poll('poll');
      await poll.post('40');
      await poll.drain();
      await poll.post('42["flash","dropped",1]');
      await poll.post('420["echo","kept"]');
      await poll.drain();
    },
  },
  {
    name: 'volatile: for a polling client whose GET waits',
    async run(stage) {
      const poll = await stage.poll('poll');
      await poll.post('40');
      await poll.drain();
      const parked = await poll.park();
      await poll.post('42["flash","ev",1]');
      await parked.answer;
    },
  },
];
