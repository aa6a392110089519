// Engine.IO as HTTP: which request gets which status, headers and body (fact sheet, 1, 2 and 4).
import { pathOf } from '../harness/http.mjs';

const kUnknown = 'AAAAAAAAAAAAAAAAAAAA';
const kText = { 'content-type': 'text/plain;charset=UTF-8' };

// [name, method, query or path, options]: one request, its whole answer.
const kRequests = [
  ['a handshake', 'GET', {}],
  ['a handshake with b64', 'GET', { b64: '1' }],
  ['a handshake with t', 'GET', { t: 'abc' }],
  ['a handshake with a query of the user', 'GET', { a: '1', b: 'ü&=' }],
  ['a handshake with an empty sid', 'GET', { sid: '' }],
  ['no transport', 'GET', { transport: undefined }],
  ['an empty transport', 'GET', { transport: '' }],
  ['an unknown transport', 'GET', { transport: 'tobi' }],
  ['a transport in capitals', 'GET', { transport: 'POLLING' }],
  ['webtransport', 'GET', { transport: 'webtransport' }],
  ['a transport named like a property', 'GET', { transport: 'constructor' }],
  ['a transport of __proto__', 'GET', { transport: '__proto__' }],
  ['websocket without an upgrade', 'GET', { transport: 'websocket' }],
  ['an unknown sid', 'GET', { sid: kUnknown }],
  ['a sid named like a property', 'GET', { sid: '__proto__' }],
  ['a sid of one character', 'GET', { sid: 'x' }],
  ['a sid of 4000 characters', 'GET', { sid: 'x'.repeat(4000) }],
  ['a POST to an unknown sid', 'POST', { sid: kUnknown }, { body: '40', headers: kText }],
  ['an unknown sid for websocket without an upgrade', 'GET', { sid: kUnknown, transport: 'websocket' }],
  ['an unknown sid and an unknown transport', 'GET', { sid: kUnknown, transport: 'tobi' }],
  ['an unknown sid of an old client', 'GET', { sid: kUnknown, EIO: '3' }],
  ['a POST without a sid', 'POST', {}, { body: '40', headers: kText }],
  ['a POST without a sid and body', 'POST', {}],
  ['a PUT without a sid', 'PUT', {}],
  ['a DELETE without a sid', 'DELETE', {}],
  ['a PATCH without a sid', 'PATCH', {}],
  ['OPTIONS without CORS', 'OPTIONS', {}],
  ['a preflight without CORS', 'OPTIONS', {}, { headers: { origin: 'http://one.example',
    'access-control-request-method': 'POST' } }],
  ['a handshake with an origin, without CORS', 'GET', {}, { headers: { origin: 'http://x.example' } }],
  ['EIO=3', 'GET', { EIO: '3' }],
  ['EIO=5', 'GET', { EIO: '5' }],
  ['EIO=2', 'GET', { EIO: '2' }],
  ['no EIO', 'GET', { EIO: undefined }],
  ['an empty EIO', 'GET', { EIO: '' }],
  ['EIO=abc', 'GET', { EIO: 'abc' }],
  ['EIO=4.0', 'GET', { EIO: '4.0' }],
  ['EIO=04', 'GET', { EIO: '04' }],
  ['EIO=3 by POST: the method first', 'POST', { EIO: '3' }],
  ['EIO=3 with websocket: the upgrade first', 'GET', { EIO: '3', transport: 'websocket' }],
  ['no query', 'GET', '/socket.io/'],
  ['a path without its slash', 'GET', pathOf({}, '/socket.io')],
  ['a path below', 'GET', pathOf({}, '/socket.io/x')],
  ['a path beside', 'GET', pathOf({}, '/socket.iox/')],
  ['EIO twice, the same', 'GET', '/socket.io/?EIO=4&EIO=4&transport=polling'],
  ['the transport twice', 'GET', '/socket.io/?EIO=4&transport=polling&transport=polling'],
  ['a query with a bad escape', 'GET', '/socket.io/?EIO=4&transport=polling&a=%ZZ'],
  ['an escaped query', 'GET', '/socket.io/?EIO=%34&transport=%70olling'],
];

const requests = kRequests.map(([name, method, target, options]) => ({
  name: `http: ${name}`,
  run: (stage) => stage.http().ask(method, target, options),
}));

// [name, query, headers]: upgrades that are refused.
const kUpgrades = [
  ['without a transport', { transport: undefined }],
  ['with an unknown transport', { transport: 'tobi' }],
  ['with an unknown sid', { sid: kUnknown }],
  ['with EIO=3', { EIO: '3' }],
  ['without EIO', { EIO: undefined }],
  ['with EIO=5', { EIO: '5' }],
  ['with transport=polling', { transport: 'polling' }],
  ['with an unknown sid and transport=polling', { sid: kUnknown, transport: 'polling' }],
];

const upgrades = kUpgrades.map(([name, query, headers]) => ({
  name: `upgrade: refused ${name}`,
  run: (stage) => stage.link('link', { query, headers, greeted: false })
    .then((link) => link.open && link.ends()),
}));

// [name, method, query, options] on a live polling session; then what it answers to a message.
const kOnSession = [
  ['PUT', 'PUT', {}],
  ['DELETE', 'DELETE', {}],
  ['PATCH', 'PATCH', {}],
  ['another transport', 'GET', { transport: 'tobi' }],
  ['websocket without an upgrade', 'GET', { transport: 'websocket' }],
  ['EIO=3', 'POST', { EIO: '3' }, { body: '40', headers: kText }],
  ['no EIO', 'POST', { EIO: undefined }, { body: '40', headers: kText }],
  ['octet-stream', 'POST', {}, { body: '40', headers: { 'content-type': 'application/octet-stream' } }],
];

const onSession = kOnSession.map(([name, method, query, options]) => ({
  name: `session: ${name}`,
  async run(stage) {
    const poll = await stage.poll('poll');
    await stage.http().ask(method, { sid: poll.sid, ...query }, options);
    const { status } = await poll.post('40');
    if (status === 200) await poll.drain();
  },
}));

// [name, content type] of a POST that is as good as any.
const kTypes = [
  ['text/plain', 'text/plain'], ['text/plain in capitals', 'TEXT/PLAIN; CHARSET=UTF-8'],
  ['application/json', 'application/json'], ['a form', 'application/x-www-form-urlencoded'],
  ['none', undefined],
];

const types = kTypes.map(([name, type]) => ({
  name: `post: content type ${name}`,
  async run(stage) {
    const poll = await stage.poll('poll');
    await stage.http().ask('POST', { sid: poll.sid },
      { body: '40', headers: type ? { 'content-type': type } : {} });
    await poll.drain();
  },
}));

export default [
  ...requests, ...upgrades, ...onSession, ...types,
  {
    name: 'handshake: over WebSocket has no upgrades to offer',
    run: (stage) => stage.link('link'),
  },
  {
    name: 'handshake: over WebSocket gives no cookie and no subprotocol',
    async run(stage) {
      const link = await stage.link('link', { protocols: undefined });
      link.note('protocol', link.socket.protocol);
    },
  },
  {
    name: 'handshake: with a port that offers polling only',
    profile: 'polling',
    async run(stage) {
      await stage.http().ask('GET');
      await stage.link('link', { greeted: false });
    },
  },
  {
    name: 'handshake: with a port that offers WebSocket only',
    profile: 'websocket',
    async run(stage) {
      await stage.http().ask('GET');
      await stage.link('link');
    },
  },
  {
    name: 'handshake: times and limits are as configured',
    profile: 'quick',
    run: (stage) => stage.http().ask('GET'),
  },
  {
    name: 'handshake: the limit of messages is as configured',
    profile: 'small',
    run: (stage) => stage.http().ask('GET'),
  },
  {
    name: 'handshake: a cookie if so configured, on the handshake only',
    profile: 'cookie',
    async run(stage) {
      const http = stage.http();
      const { body } = await http.ask('GET');
      const { sid } = JSON.parse(body.slice(1));
      await http.ask('POST', { sid }, { body: '40', headers: kText });
      await http.ask('GET', { sid });
    },
  },
  {
    name: 'session: every one has a sid of its own',
    async run(stage) {
      const sids = new Set();
      for (let i = 0; i < 20; i++) {
        const { body } = await stage.http(`unshown`).ask('GET');
        sids.add(JSON.parse(body.slice(1)).sid);
      }
      stage.logOf('unshown').length = 0;
      stage.logOf('sids').push(sids.size, [...sids].every((sid) => /^[\w-]{20,}$/.test(sid)));
    },
  },
];
