// From polling to WebSocket (fact sheet, 6): no packet lost, doubled or out of order.

async function polling(stage) {
  const poll = await stage.poll('poll');
  await poll.post('40');
  await poll.drain();
  return poll;
}

const candidate = (stage, poll, more = {}) =>
  stage.link('link', { query: { sid: poll.sid }, ...more });

// [name, frame]: first packets of a candidate that are no probe; the polling session lives on.
const kNoProbes = [
  ['an event', '420["echo"]'], ['a ping of nothing', '2'],
  ['another probe', '2prob'], ['a pong', '3probe'], ['a binary frame', Buffer.from('2probe')],
  ['nothing', ''], ['a close', '1'],
];

const noProbes = kNoProbes.map(([name, frame]) => ({
  name: `upgrade: begun by ${name}`,
  async run(stage) {
    const poll = await polling(stage);
    const link = await candidate(stage, poll);
    link.send(frame);
    await link.ends();
    await poll.post('421["echo","alive"]');
    await poll.drain();
  },
}));

async function upgraded(stage) {
  const poll = await polling(stage);
  const link = await candidate(stage, poll);
  await link.say('2probe');
  link.send('5');
  await link.say('429["echo","upgraded"]');
  return { poll, link };
}

export default [
  ...noProbes,
  {
    name: 'upgrade: probe, answer, upgrade, event',
    run: upgraded,
  },
  {
    name: 'upgrade: a waiting GET is answered by a noop',
    async run(stage) {
      const poll = await polling(stage);
      const parked = await poll.park();
      const link = await candidate(stage, poll);
      await link.say('2probe');
      await parked.answer;
      link.send('5');
      await link.say('420["echo"]');
    },
  },
  {
    name: 'upgrade: a GET during it is answered by a noop',
    async run(stage) {
      const poll = await polling(stage);
      const link = await candidate(stage, poll);
      await link.say('2probe');
      await poll.get();
      link.send('5');
      await link.say('420["echo"]');
    },
  },
  {
    name: 'upgrade: what waits for the next GET comes by WebSocket',
    async run(stage) {
      const poll = await polling(stage);
      await poll.post(['420["echo",1]', '421["echo",2]', '422["echo",3]']);
      const link = await candidate(stage, poll);
      await link.say('2probe');
      await link.say('5', 3);
      await link.say('423["echo",4]');
    },
  },
  {
    name: 'upgrade: binary that waits for the next GET comes by WebSocket',
    async run(stage) {
      const poll = await polling(stage);
      await poll.post(['420["bytes",40]', '421["echo",1]']);
      const link = await candidate(stage, poll);
      await link.say('2probe');
      await link.say('5', 3);
    },
  },
  {
    name: 'upgrade: packets between probe and upgrade come by polling',
    async run(stage) {
      const poll = await polling(stage);
      const link = await candidate(stage, poll);
      await link.say('2probe');
      await poll.post('420["echo",1]');
      await poll.drain();
      link.send('5');
      await link.say('421["echo",2]');
    },
  },
  {
    name: 'upgrade: a polling request afterwards is refused and harms nothing',
    async run(stage) {
      const { poll, link } = await upgraded(stage);
      await poll.get();
      await poll.post('420["echo"]');
      await link.say('421["echo","alive"]');
    },
  },
  {
    name: 'upgrade: a second candidate after it',
    async run(stage) {
      const { poll, link } = await upgraded(stage);
      const second = await stage.link('second', { query: { sid: poll.sid } });
      if (second.open) await second.ends();
      await link.say('421["echo","alive"]');
    },
  },
  {
    name: 'upgrade: a second candidate during it',
    async run(stage) {
      const poll = await polling(stage);
      const link = await candidate(stage, poll);
      await link.say('2probe');
      const second = await stage.link('second', { query: { sid: poll.sid } });
      if (second.open) await second.ends();
      link.send('5');
      await link.say('421["echo","alive"]');
    },
  },
  {
    name: 'upgrade: a candidate that goes away leaves the session',
    async run(stage) {
      const poll = await polling(stage);
      const link = await candidate(stage, poll);
      await link.say('2probe');
      link.socket.close();
      await link.ends();
      await poll.post('420["echo",1]');
      await poll.drain();
    },
  },
  {
    name: 'upgrade: a candidate that comes after one that went away',
    async run(stage) {
      const poll = await polling(stage);
      const link = await candidate(stage, poll);
      link.socket.close();
      await link.ends();
      await poll.post('420["echo",1]');
      await poll.drain();
      const second = await stage.link('second', { query: { sid: poll.sid } });
      await second.say('2probe');
      second.send('5');
      await second.say('421["echo",2]');
    },
  },
  {
    name: 'upgrade: not completed in time',
    profile: 'quick',
    async run(stage) {
      const poll = await polling(stage);
      const link = await candidate(stage, poll, { quiet: false });
      await link.say('2probe');
      await link.ends();
    },
  },
  {
    name: 'upgrade: not begun in time',
    profile: 'quick',
    async run(stage) {
      const poll = await polling(stage);
      const link = await candidate(stage, poll, { quiet: false });
      await link.ends();
    },
  },
  {
    name: 'upgrade: begun by an upgrade packet',
    async run(stage) {
      const poll = await polling(stage);
      const link = await candidate(stage, poll);
      await link.say(['5', '420["echo"]']);
    },
  },
  {
    name: 'upgrade: from a session over WebSocket',
    profile: 'quick',
    async run(stage) {
      const link = await stage.link('link');
      await link.say('40');
      const second = await stage.link('second', { query: { sid: link.sid } });
      if (second.open) await second.ends();
      await link.say('420["echo","alive"]');
    },
  },
  {
    name: 'upgrade: polling on a session over WebSocket',
    async run(stage) {
      const link = await stage.link('link');
      await link.say('40');
      await stage.http().ask('GET', { sid: link.sid });
      await stage.http().ask('POST', { sid: link.sid }, { body: '42["echo"]' });
      await link.say('420["echo","alive"]');
    },
  },
  {
    name: 'upgrade: disconnected during it',
    async run(stage) {
      const poll = await polling(stage);
      const link = await candidate(stage, poll);
      await link.say('2probe');
      await poll.post('1');
      await link.ends();
      await poll.get();
    },
  },
  ...[1, 10, 100, 300].map((count) => ({
    name: `upgrade: ${count} events of the default client on its way`,
    async run(stage) {
      const client = await stage.connect('client', '/', { transports: ['polling', 'websocket'] });
      client.emit('burst', count);
      for (let i = 0; i < count; i++) client.emit('echo', i);
      await client.sees('echo', count);
      await client.sees('burst', count);
      // Which kind comes first is chance; within each kind it is not.
      const events = client.log.splice(1);
      for (const kind of ['burst', 'echo']) {
        const seen = events.filter(([, name]) => name === kind).map(([, , i]) => i);
        client.note(kind, seen.length, seen.every((value, i) => value === i));
      }
    },
  })),
  {
    name: 'upgrade: the default client ends on WebSocket',
    async run(stage) {
      const client = await stage.connect('client', '/', { transports: ['polling', 'websocket'] });
      const { engine } = client.socket.io;
      if (engine.transport.name !== 'websocket') {
        await new Promise((resolve) => engine.once('upgrade', resolve));
      }
      client.note(['transport', engine.transport.name]);
      await client.ask('echo', 1);
    },
  },
  {
    name: 'upgrade: WebSocket first, then polling, as a client may wish',
    profile: 'polling',
    async run(stage) {
      const client = await stage.connect('client', '/', { transports: ['websocket', 'polling'],
        tryAllTransports: true });
      client.note(['transport', client.socket.io.engine.transport.name]);
      await client.ask('echo', 1);
    },
  },
];
