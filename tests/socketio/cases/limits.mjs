// Sizes at the edge (fact sheet, 1, 4 and 5), CORS (8) and heartbeats (7).

const text = (size, frame = '420["echo",""]') =>
  frame.replace('""', `"${'x'.repeat(size - frame.length)}"`);

const kPreflights = [
  ['of a listed origin', 'http://one.example', {}],
  ['of the other listed origin', 'http://two.example', {}],
  ['of another origin', 'http://three.example', {}],
  ['of a listed origin over TLS', 'https://one.example', {}],
  ['of a listed origin with a port', 'http://one.example:81', {}],
  ['of null', 'null', {}],
  ['of a session that is not there', 'http://one.example', { sid: 'AAAAAAAAAAAAAAAAAAAA' }],
];

const preflights = kPreflights.map(([name, origin, query]) => ({
  name: `cors: a preflight ${name}`,
  profile: 'cors',
  run: (stage) => stage.http().ask('OPTIONS', query, { headers: { origin,
    'access-control-request-method': 'POST', 'access-control-request-headers': 'x-mine' } }),
}));

const kOrigins = [['listed', 'http://one.example'], ['other', 'http://three.example'], ['no', undefined]];

const handshakes = kOrigins.map(([name, origin]) => ({
  name: `cors: requests of ${name} origin`,
  profile: 'cors',
  async run(stage) {
    const http = stage.http();
    const headers = origin ? { origin } : {};
    const { status, body } = await http.ask('GET', {}, { headers });
    if (status === 200) {
      const { sid } = JSON.parse(body.slice(1));
      await http.ask('POST', { sid }, { headers: { ...headers, 'content-type': 'text/plain' }, body: '40' });
      await http.ask('GET', { sid }, { headers });
    }
    await http.ask('GET', { sid: 'AAAAAAAAAAAAAAAAAAAA' }, { headers });
  },
}));

export default [
  ...preflights, ...handshakes,
  ...kOrigins.map(([name, origin]) => ({
    name: `cors: an upgrade of ${name} origin`,
    profile: 'cors',
    async run(stage) {
      await stage.link('link', { headers: origin ? { origin } : {} });
    },
  })),
  ...[9_000, 9_999, 10_000].map((size) => ({
    name: `limits: ${size} bytes by POST`,
    profile: 'small',
    async run(stage) {
      const poll = await stage.poll('poll');
      await poll.post('40');
      await poll.drain();
      await poll.post(text(size));
      await poll.drain();
    },
  })),
  ...[9_000, 9_999, 10_000].map((size) => ({
    name: `limits: ${size} bytes by WebSocket`,
    profile: 'small',
    async run(stage) {
      const link = await stage.link('link');
      await link.say('40');
      await link.say(text(size));
    },
  })),
  ...[10_001, 20_000, 200_000].map((size) => ({
    name: `limits: ${size} bytes by POST are too many`,
    profile: 'small',
    async run(stage) {
      const poll = await stage.poll('poll');
      await poll.post('40');
      await poll.drain();
      await poll.post(text(size));
    },
  })),
  ...[10_001, 20_000, 200_000].map((size) => ({
    name: `limits: ${size} bytes by WebSocket are too many`,
    profile: 'small',
    async run(stage) {
      const watcher = await stage.watch();
      const link = await stage.link('link');
      await link.say(`40{"tag":"${stage.tag}"}`);
      link.send(text(size));
      await link.ends();
      await watcher.sees('gone');
    },
  })),
  {
    name: 'limits: an attachment that is too large',
    profile: 'small',
    async run(stage) {
      const link = await stage.link('link');
      await link.say('40');
      link.send('451-["echo",{"_placeholder":true,"num":0}]', Buffer.alloc(10_001));
      await link.ends();
    },
  },
  {
    name: 'heartbeat: pings come, pongs keep the session',
    profile: 'quick',
    async run(stage) {
      const link = await stage.link('link', { quiet: false });
      await link.say('40');
      for (let i = 0; i < 3; i++) {
        await link.until(3 + i);
        link.send('3');
      }
      await link.say('420["echo"]');
    },
  },
  {
    name: 'heartbeat: no pong ends the session',
    profile: 'quick',
    async run(stage) {
      const watcher = await stage.watch();
      const link = await stage.link('link', { quiet: false });
      await link.say(`40{"tag":"${stage.tag}"}`);
      await link.ends();
      await watcher.sees('gone');
    },
  },
  {
    name: 'heartbeat: other packets are no pong',
    profile: 'quick',
    async run(stage) {
      const link = await stage.link('link', { quiet: false });
      await link.say('40');
      await link.until(3);
      link.send('42["nothing"]', '42["nothing"]', '6');
      await link.ends();
    },
  },
  {
    name: 'heartbeat: a ping ends a waiting GET',
    profile: 'quick',
    async run(stage) {
      const poll = await stage.poll('poll');
      await poll.post('40');
      await poll.drain();
      await poll.drain();
      await poll.post('3');
      await poll.drain();
    },
  },
  {
    name: 'heartbeat: a polling session that nobody polls ends',
    profile: 'quick',
    async run(stage) {
      const watcher = await stage.watch();
      const poll = await stage.poll('poll');
      await poll.post(`40{"tag":"${stage.tag}"}`);
      await watcher.sees('gone');
      await poll.get();
    },
  },
  {
    name: 'heartbeat: the real client lives on',
    profile: 'quick',
    async run(stage) {
      const client = await stage.connect('client');
      await new Promise((resolve) => {
        let pings = 0;
        client.socket.io.on('ping', () => ++pings === 3 && resolve());
      });
      await client.ask('echo', 'alive');
    },
  },
];
