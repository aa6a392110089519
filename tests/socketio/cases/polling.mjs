// Sessions over polling: bodies, requests at the same time, ends (fact sheet, 3 and 4).

const connected = async (stage, options) => {
  const poll = await stage.poll('poll', options);
  await poll.post('40');
  await poll.drain();
  return poll;
};

// [name, body, packets that come back]: POSTs of a connected session that are in order.
const kBodies = [
  ['one event', '420["echo",1]', 1],
  ['three events', ['420["echo",1]', '421["echo",2]', '422["echo",3]'], 3],
  ['a binary event', ['451-0["echo",{"_placeholder":true,"num":0}]', 'bAQID'], 2],
  ['a binary event of nothing', ['451-0["echo",{"_placeholder":true,"num":0}]', 'b'], 2],
  ['a binary event with padding', ['451-0["echo",{"_placeholder":true,"num":0}]', 'bAQIDBA=='], 2],
  ['a binary event and others', ['420["echo","a"]',
    '451-1["echo",{"_placeholder":true,"num":0}]', 'bAQID', '422["echo","b"]'], 4],
  ['two binary values', ['452-0["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
    'bAA==', 'b/////w=='], 3],
  ['text beyond ASCII', '420["echo","é€😀\\u0000\\ud800"]', 1],
  ['two namespaces', ['40/chat,', '42/chat,0["echo",1]', '420["echo",2]'], 3],
  ['a pong nobody asked for', ['3', '420["echo",1]'], 1],
  ['a noop', ['6', '420["echo",1]'], 1],
];

const bodies = kBodies.map(([name, body, count]) => ({
  name: `polling: ${name}`,
  async run(stage) {
    const poll = await connected(stage);
    await poll.post(body);
    await poll.drain(count);
  },
}));

// [name, body]: POSTs that end the session.
const kBadBodies = [
  ['an empty body', ''],
  ['an unknown packet', 'x'],
  ['a digit that is no type', '9'],
  ['a ping', '2'],
  ['an event, then an unknown packet', ['420["echo",1]', 'abc']],
  ['only a separator', '\x1e'],
  ['a separator at the end', '420["echo",1]\x1e'],
  ['a separator at the start', '\x1e420["echo",1]'],
  ['a binary packet nobody announced', 'bAQID'],
  ['an empty message', '4'],
];

const badBodies = kBadBodies.map(([name, body]) => ({
  name: `polling: bad: ${name}`,
  async run(stage) {
    const watcher = await stage.watch();
    const poll = await stage.poll('poll');
    await poll.post(`40{"tag":"${stage.tag}"}`);
    await poll.drain();
    const answers = await poll.post(body);
    if (answers.status !== 200) await poll.get();
    else await poll.get();
    await poll.get();
    await watcher.sees('gone');
  },
}));

export default [
  ...bodies, ...badBodies,
  {
    name: 'polling: an answer waits for a packet',
    async run(stage) {
      const poll = await connected(stage);
      const parked = await poll.park();
      await poll.post('420["echo",1]');
      await parked.answer;
    },
  },
  {
    name: 'polling: packets of between two polls come in one answer',
    async run(stage) {
      const poll = await connected(stage);
      await poll.post(['420["echo",1]', '421["echo",2]']);
      await poll.post('422["echo",3]');
      const { body } = await poll.get();
      poll.note(body.split('\x1e').length);
    },
  },
  {
    name: 'polling: a second GET ends the session',
    async run(stage) {
      const watcher = await stage.watch();
      const poll = await stage.poll('poll');
      await poll.post(`40{"tag":"${stage.tag}"}`);
      await poll.drain();
      const both = await Promise.all([1, 2].map(() =>
        stage.http('unshown').ask('GET', { sid: poll.sid })));
      stage.logOf('unshown').length = 0;
      stage.logOf('both').push(...both.map(({ status, body }) => `${status} ${body}`).sort());
      await poll.get();
      await watcher.sees('gone');
    },
  },
  {
    name: 'polling: the second of two parked GETs is the one that is refused',
    async run(stage) {
      const poll = await connected(stage);
      const parked = await poll.park();
      await poll.get();
      await parked.answer;
    },
  },
  {
    name: 'polling: a GET that the client gives up ends the session',
    async run(stage) {
      const watcher = await stage.watch();
      const poll = await stage.poll('poll');
      await poll.post(`40{"tag":"${stage.tag}"}`);
      await poll.drain();
      const parked = await poll.park();
      parked.abort();
      await watcher.sees('gone');
      await poll.get();
    },
  },
  {
    name: 'polling: a close of the client, a GET waiting',
    async run(stage) {
      const watcher = await stage.watch();
      const poll = await stage.poll('poll');
      await poll.post(`40{"tag":"${stage.tag}"}`);
      await poll.drain();
      const parked = await poll.park();
      await poll.post('1');
      await parked.answer;
      await watcher.sees('gone');
      await poll.get();
      await poll.post('420["echo",1]');
    },
  },
  {
    name: 'polling: a close of the client, no GET waiting',
    async run(stage) {
      const watcher = await stage.watch();
      const poll = await stage.poll('poll');
      await poll.post(`40{"tag":"${stage.tag}"}`);
      await poll.drain();
      await poll.post('1');
      await watcher.sees('gone');
      await poll.get();
    },
  },
  {
    name: 'polling: a close of the server, a GET waiting',
    async run(stage) {
      const poll = await connected(stage);
      const parked = await poll.park();
      await poll.post('42["kick",true]');
      await parked.answer;
      const { status } = await poll.get();
      if (status === 200) await poll.get();
    },
  },
  {
    name: 'polling: a close of the server, no GET waiting',
    async run(stage) {
      const poll = await connected(stage);
      await poll.post('42["kick",true]');
      const { body } = await poll.get();
      if (!body.endsWith('1')) await poll.get();
      await poll.get();
    },
  },
  {
    name: 'polling: a POST while a GET waits',
    async run(stage) {
      const poll = await connected(stage);
      const parked = await poll.park();
      await poll.post('42["nothing"]');
      await poll.post('420["echo"]');
      await parked.answer;
    },
  },
  {
    name: 'polling: headers of its answers',
    async run(stage) {
      const poll = await stage.poll('poll');
      const http = stage.http();
      await http.ask('POST', { sid: poll.sid }, { body: '40' });
      const { body } = await http.ask('GET', { sid: poll.sid });
      stage.secrets.learn(body);
    },
  },
  {
    name: 'polling: many small packets in one POST',
    async run(stage) {
      const poll = await connected(stage);
      await poll.post(Array.from({ length: 500 }, (_, i) => `42${i}["echo",${i}]`));
      await poll.drain(500);
    },
  },
  {
    name: 'polling: sessions know nothing of each other',
    async run(stage) {
      const one = await connected(stage);
      const two = await stage.poll('two');
      await two.post('1');
      await two.get();
      await one.post('420["echo",1]');
      await one.drain();
    },
  },
  ...[1, 2, 3, 5, 8, 13].map((n) => ({
    name: `polling: ${n * 70_000} bytes there and back`,
    async run(stage) {
      const poll = await connected(stage);
      await poll.post(`420["echo","${'x'.repeat(n * 70_000)}"]`);
      await poll.drain();
    },
  })),
];
