// Socket.IO packets, frame by frame over WebSocket (fact sheet, 10): what is answered, and what
// ends the session, with the reason that the server sees and what its other namespace sees.

// [name, frames, packets that come back] after connecting to `/`.
const kGood = [
  ['an event', ['42["echo",1]'], 1],
  ['an event of no arguments', ['42["echo"]'], 1],
  ['an event with an ack', ['420["echo",1]'], 1],
  ['an ack of nothing', ['4212["echo"]'], 1],
  ['an ack id of many digits', ['42123456789["echo",1]'], 1],
  ['an ack id with zeros in front', ['42007["echo",1]'], 1],
  ['the same ack id twice', ['425["echo",1]', '425["echo",2]'], 2],
  ['an event named by a number', ['42[7,"x"]'], 1],
  ['an event named by the text of a number', ['42["7","x"]'], 1],
  ['an event with an empty name', ['42["",1]', '42["echo",2]'], 1],
  ['an event nobody knows', ['420["whatever",1]', '421["echo"]'], 1],
  ['an event named like a property', ['420["__proto__"]', '421["constructor"]', '422["echo"]'], 1],
  ['an event whose ack never comes', ['420["nothing"]', '421["echo"]'], 1],
  ['an event with its echo before its ack', ['420["both",1]'], 2],
  ['two acks of which one counts', ['420["twice",1]', '421["echo"]'], 2],
  ['JSON with spaces', ['420[ "echo" , { "a" : [ 1 , 2 ] } ]'], 1],
  ['nested values', ['420["echo",{"a":{"b":[null,true,{"c":[]}]}},[[[]]]]'], 1],
  ['numbers', ['420["echo",0,-1,1.5,1e3,123456789012]'], 1],
  ['escapes', ['420["echo","\\u00e9\\n\\t\\"\\\\\\/"]'], 1],
  ['a member named __proto__', ['420["echo",{"__proto__":1}]'], 1],
  ['text beyond ASCII', ['420["echo","é€😀"]'], 1],
  ['a placeholder in a text event is plain data', ['420["echo",{"_placeholder":true,"num":0}]'], 1],
  ['an ack nobody asked for', ['430["x"]', '420["echo"]'], 1],
  ['an ack id beyond any', ['43999999999[]', '420["echo"]'], 1],
  ['one binary value', ['451-["echo",{"_placeholder":true,"num":0}]', Buffer.from([1, 2])], 2],
  ['one binary value, with an ack', ['451-3["echo",{"_placeholder":true,"num":0}]', Buffer.from([1])], 2],
  ['an empty binary value', ['451-3["echo",{"_placeholder":true,"num":0}]', Buffer.alloc(0)], 2],
  ['two binary values in reverse', ['452-3["echo",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]',
    Buffer.from([1]), Buffer.from([2])], 3],
  ['a binary value deep inside', ['451-3["echo",{"a":[{"b":{"_placeholder":true,"num":0}}]}]',
    Buffer.from([9])], 2],
  ['ten binary values', [`4510-3["echo",${Array.from({ length: 10 }, (_, i) =>
    `{"_placeholder":true,"num":${i}}`)}]`, ...Array.from({ length: 10 }, (_, i) => Buffer.from([i]))], 11],
  ['binary values, then text', ['451-3["echo",{"_placeholder":true,"num":0}]', Buffer.from([1]),
    '424["echo","t"]'], 3],
  ['a pong nobody asked for', ['3', '420["echo"]'], 1],
  ['a noop', ['6', '420["echo"]'], 1],
  ['an upgrade packet', ['5', '420["echo"]'], 1],
  ['an open packet', ['0', '420["echo"]'], 1],
  ['a second namespace', ['40/chat,', '42/chat,["echo",1]', '42["echo",2]'], 3],
  ['a second namespace without its comma', ['40/chat', '42/chat,["echo",1]'], 2],
  ['an ack in a namespace', ['40/chat,', '42/chat,5["echo",1]'], 2],
  ['a binary event in a namespace', ['40/chat,', '451-/chat,5["echo",{"_placeholder":true,"num":0}]',
    Buffer.from([1])], 3],
  ['a namespace left', ['40/chat,', '41/chat,', '420["echo"]'], 2],
  ['a namespace left without a comma', ['40/chat,', '41/chat', '420["echo"]'], 2],
  ['a namespace left and joined again', ['40/chat,', '41/chat,', '40/chat,', '42/chat,["echo"]'], 3],
  ['the main namespace left, the session lives on', ['40/chat,', '41', '42/chat,["echo"]'], 2],
  ['the main namespace left and joined again', ['40/chat,', '41', '40', '42["echo"]'], 3],
  ['a namespace nobody knows', ['40/random,', '42["echo"]'], 2],
  ['a namespace whose name is a slash twice', ['40//,', '42["echo"]'], 2],
  ['a namespace in capitals', ['40/CHAT,', '42["echo"]'], 2],
  ['a namespace of several parts', ['40/a/b,', '42/a/b,["echo"]'], 2],
  ['a CONNECT with auth', ['40/chat,{"a":1}', '42/chat,0["who"]'], 0],
  ['a refusal with data', ['40/chat,{"refuse":{"code":7,"list":[1]}}', '42["echo"]'], 2],
  ['a refusal with data of null', ['40/chat,{"refuse":null}', '42["echo"]'], 2],
  ['a refusal, then a second try', ['40/gate,{"token":"x"}', '40/gate,{"token":"open"}',
    '42/gate,["echo"]'], 3],
].filter(([, , count]) => count > 0);

const good = kGood.map(([name, frames, count]) => ({
  name: `packet: ${name}`,
  async run(stage) {
    const link = await stage.link('link');
    await link.say('40');
    const wanted = link.log.length + count;
    for (const frame of frames) {
      // npm's server ends the session if anything for a namespace comes before its answer, or a
      // CONNECT in the same turn as its DISCONNECT.
      if (`${frame}`.startsWith('40')) await link.say(frame);
      else link.send(frame);
      if (`${frame}`.startsWith('41')) await link.settle(frame === '41' ? '/chat' : '/');
    }
    await link.until(wanted);
    if (!frames.includes('41')) await link.settle();
  },
}));

const kGarbage = [
  ['an unknown Socket.IO type', ['47']],
  ['a Socket.IO type that is no digit', ['4x']],
  ['an empty message', ['4']],
  ['an event of an object', ['42{"a":1}']],
  ['an event of a string', ['42"echo"']],
  ['an event of an empty array', ['42[]']],
  ['an event whose name is null', ['42[null,1]']],
  ['an event whose name is an object', ['42[{},1]']],
  ['an event whose name is true', ['42[true]']],
  ['an event named connect', ['42["connect"]']],
  ['an event named connect_error', ['42["connect_error"]']],
  ['an event named disconnect', ['42["disconnect"]']],
  ['an event named disconnecting', ['42["disconnecting"]']],
  ['an event named newListener', ['42["newListener"]']],
  ['an event named removeListener', ['42["removeListener"]']],
  ['an event of bad JSON', ['42["echo",]']],
  ['an event of half a JSON', ['42["echo"']],
  ['an event with text behind', ['42["echo"]x']],
  ['an event with a negative ack id', ['42-1["echo"]']],
  ['an ack of an object', ['430{"a":1}']],
  ['an ack of a string', ['430"x"']],
  ['a CONNECT to a namespace joined already', ['40']],
  ['a CONNECT with an array', ['40/chat,[1]']],
  ['a CONNECT with a string', ['40/chat,"x"']],
  ['a CONNECT with bad JSON', ['40/chat,{']],
  ['a DISCONNECT with a payload', ['41{"a":1}']],
  ['a CONNECT_ERROR', ['44{"message":"x"}']],
  ['a CONNECT_ERROR for another namespace', ['44/chat,{"message":"x"}']],
  ['an event for a namespace not joined', ['42/chat,["echo"]']],
  ['an ack for a namespace not joined', ['43/chat,0[]']],
  ['a DISCONNECT of a namespace not joined', ['41/chat,']],
  ['a binary event without attachments', ['450-["echo"]']],
  ['a binary event without a count', ['45["echo"]']],
  ['a binary event with a count that is none', ['45x-["echo",{"_placeholder":true,"num":0}]']],
  ['a binary event without its dash', ['451["echo",{"_placeholder":true,"num":0}]']],
  ['a binary event with eleven attachments', [`4511-["echo",${Array.from({ length: 11 }, (_, i) =>
    `{"_placeholder":true,"num":${i}}`)}]`]],
  ['a binary event of a huge count', ['45999999999-["echo",{"_placeholder":true,"num":0}]']],
  ['a placeholder out of range', ['451-["echo",{"_placeholder":true,"num":1}]', Buffer.from([1])]],
  ['a placeholder with a negative number', ['451-["echo",{"_placeholder":true,"num":-1}]', Buffer.from([1])]],
  ['a placeholder whose number is a string', ['451-["echo",{"_placeholder":true,"num":"0"}]', Buffer.from([1])]],
  ['a placeholder without a number', ['451-["echo",{"_placeholder":true}]', Buffer.from([1])]],
  ['text while an attachment is missing', ['451-["echo",{"_placeholder":true,"num":0}]', '42["echo"]']],
  ['a binary frame nobody announced', [Buffer.from([1, 2, 3])]],
  ['a binary frame too many', ['451-["nothing",{"_placeholder":true,"num":0}]', Buffer.from([1]), Buffer.from([2])]],
  ['a binary ack of nothing', ['460-1[]']],
  ['an Engine.IO type that is none', ['7']],
  ['text that is no packet', ['hello']],
  ['an empty frame', ['']],
  ['a ping', ['2']],
  ['a probe', ['2probe']],
];

// What npm's server bears, although the protocol does not know it: ours may be stricter.
const kBorne = [
  ['an event without a payload', ['42']],
  ['an ack without a payload', ['430']],
  ['a CONNECT with a number', ['40/chat,1']],
  ['a placeholder whose number is broken', ['451-["echo",{"_placeholder":true,"num":0.5}]',
    Buffer.from([1])]],
  ['an Engine.IO close over WebSocket', ['1']],
];

const borne = kBorne.map(([name, frames]) => ({
  name: `borne packet: ${name}`,
  async run(stage) {
    const link = await stage.link('link');
    await link.say('40');
    link.send(...frames);
    await link.settle();
  },
}));

const bad = kGarbage.map(([name, frames]) => ({
  name: `bad packet: ${name}`,
  async run(stage) {
    const [watcher, other] = [await stage.watch(), await stage.watch('watcher of /a/b', '/a/b')];
    const link = await stage.link('link');
    await link.say(`40{"tag":"${stage.tag}"}`);
    await link.say(`40/a/b,{"tag":"${stage.tag}"}`);
    link.send(...frames);
    await link.ends();
    await Promise.all([watcher, other].map((one) => one.sees('gone')));
  },
}));

// [name, frames] as the first of a session: nothing is connected yet.
const kFirst = [
  ['an event', ['42["echo"]']], ['an event for a namespace', ['42/chat,["echo"]']],
  ['an ack', ['430[]']], ['a DISCONNECT', ['41']], ['a CONNECT_ERROR', ['44{"message":"x"}']],
  ['a CONNECT with an array', ['40[]']], ['a CONNECT with null', ['40null']],
  ['a CONNECT with a string', ['40"x"']], ['garbage', ['4abc']],
  ['a binary frame', [Buffer.from([1])]],
  ['a binary frame like msgpack, but no packet', [Buffer.from('81a161a162', 'hex')]],
  ['a binary CONNECT', ['401-{"_placeholder":true,"num":0}']],
];

const first = kFirst.map(([name, frames]) => ({
  name: `first packet: ${name}`,
  async run(stage) {
    const link = await stage.link('link');
    link.send(...frames);
    await link.ends();
  },
}));

// [name, CONNECT, namespace]: answered, and then?
const kConnects = [
  ['plain', '40'], ['with an empty object', '40{}'], ['with auth', '40{"token":"x","n":[1]}'],
  ['with a slash', '40/,'], ['to a namespace first', '40/chat,'],
  ['to a namespace without its comma', '40/chat'], ['to an unknown namespace', '40/nowhere,{"a":1}'],
  ['refused in the main namespace', '40{"refuse":"no"}'],
  ['refused with false', '40{"refuse":false}'], ['refused with a list', '40{"refuse":[1,{"a":2}]}'],
  ['refused without data', '40/gate,'], ['refused with data', '40/gate,{"token":"bad"}'],
  ['allowed', '40/gate,{"token":"open"}'], ['late', '40/late,'],
  ['to a dynamic namespace', '40/dyn-7,'], ['to what is nearly one', '40/dyn-x,'],
  ['to what is nearly one, behind', '40/dyn-7x,'], ['to what begins like one', '40/chatter,'],
  ['to a namespace with a query', '40/chat?token=x,'],
  ['to a name of other letters', '40/chät,'], ['to constructor', '40/constructor,'],
  ['to __proto__', '40/__proto__,'],
];

const connects = kConnects.map(([name, frame]) => ({
  name: `connect: ${name}`,
  async run(stage) {
    const link = await stage.link('link');
    await link.say(frame);
    const lives = link.log.at(-1)[0] !== 'close';
    if (lives) await link.say('40/a/b,');
  },
}));

export default [
  ...good, ...borne, ...bad, ...first, ...connects,
  {
    name: 'connect: a greeting comes behind the answer',
    async run(stage) {
      const link = await stage.link('link');
      await link.say('40/greet,', 2);
    },
  },
  {
    name: 'connect: sent away at once',
    async run(stage) {
      const link = await stage.link('link');
      await link.say('40');
      await link.say('40/full,', 3);
      await link.settle();
    },
  },
  {
    name: 'connect: nothing within the time ends the session',
    profile: 'quick',
    async run(stage) {
      const link = await stage.link('link');
      await link.ends();
    },
  },
  {
    name: 'connect: only refusals within the time end the session',
    profile: 'quick',
    async run(stage) {
      const link = await stage.link('link');
      await link.say('40/random,');
      await link.ends();
    },
  },
  {
    name: 'connect: packets before the answer are no harm when the namespace takes its time',
    async run(stage) {
      const link = await stage.link('link');
      await link.say('40');
      await link.say(['40/late,', '42["echo"]'], 2);
      await link.say('42/late,["echo"]');
    },
  },
  {
    name: 'connect: an event before the late answer ends the session',
    async run(stage) {
      const link = await stage.link('link');
      await link.say('40');
      link.send('40/late,', '42/late,["echo"]');
      await link.ends();
    },
  },
  {
    name: 'packet: ids are new for each namespace and connection',
    async run(stage) {
      const link = await stage.link('link');
      const ids = new Set([link.sid]);
      for (const frame of ['40', '40/chat,', '40/a/b,']) {
        await link.say(frame);
        ids.add(link.id);
      }
      await link.say('41', 0);
      await link.settle('/chat');
      await link.say('40');
      ids.add(link.id);
      link.note(ids.size, [...ids].every((id) => /^[\w-]{20,}$/.test(id)));
    },
  },
  {
    name: 'packet: an event behind the kick of its namespace',
    async run(stage) {
      const watcher = await stage.watch();
      const link = await stage.link('link');
      await link.say(`40{"tag":"${stage.tag}"}`);
      await link.say(['40/chat,']);
      await link.say('42/chat,["kick",false]');
      link.send('42/chat,["echo",1]', '42["echo",2]');
      await link.when('an end or an echo', (log) => log.at(-1)[0] === 'close' ||
        log.at(-1) === '42["echo",2]');
      if (link.log.at(-1)[0] === 'close') await watcher.sees('gone');
    },
  },
  {
    name: 'packet: a client ends its connection',
    async run(stage) {
      const watcher = await stage.watch();
      const link = await stage.link('link');
      await link.say(`40{"tag":"${stage.tag}"}`);
      link.socket.close();
      await watcher.sees('gone');
    },
  },
];
