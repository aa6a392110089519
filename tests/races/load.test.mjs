// What crosses loops, under load and, when ANYWIRE_BIN is built so, under ThreadSanitizer: a race
// makes the server exit with another status than 0, which fails the run.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import WebSocket from 'ws';
import { until, within } from '../support/poll.mjs';
import { sharedCertificate, startServer } from '../support/server.mjs';

const kLoops = 4;
const kChannels = 6;
const kMembersEach = 8;
const kMessagesEach = 40;
const kDeadlineMs = 120000;

/** A member counts what it gets and notes the order of the numbers it saw per sender. */
class Member {
  received = 0;
  sequence = [];
  constructor(socket) {
    this.socket = socket;
    socket.on('message', (data) => {
      this.received++;
      this.sequence.push(data.toString());
    });
  }

  static async join(server, path, options) {
    const socket = new WebSocket(server.url(path), { rejectUnauthorized: false, ...options });
    await within('joining', once(socket, 'open'), kDeadlineMs);
    return new Member(socket);
  }

  async leave() {
    this.socket.close(1000);
    await within('leaving', once(this.socket, 'close'), kDeadlineMs);
  }
}

async function finish(server) {
  const { code, signal } = await server.stop({ deadlineMs: kDeadlineMs });
  assert.equal(code, 0, `the server ended with ${code ?? signal}:\n${server.output}`);
}

for (const secure of [false, true]) {
  const name = secure ? 'TLS' : 'plain';
  test(`channels over ${kLoops} loops keep one order for everybody [${name}]`, async () => {
    const server = await startServer({ loops: kLoops, secure });
    try {
      const rooms = await Promise.all(Array.from({ length: kChannels }, (_, channel) =>
        Promise.all(Array.from({ length: kMembersEach }, (_, member) =>
          Member.join(server, `/raw/room-${channel}`, { perMessageDeflate: member % 2 === 0 })))));
      const padding = 'x'.repeat(300);
      for (let n = 0; n < kMessagesEach; n++) {
        for (const room of rooms) {
          room.forEach((member, who) => member.socket.send(`${who}:${n}:${padding}`));
        }
      }
      const total = kMembersEach * kMessagesEach;
      await until('everybody got everything', () =>
        rooms.every((room) => room.every((member) => member.received >= total)),
      { deadlineMs: kDeadlineMs });
      for (const room of rooms) {
        const expected = room[0].sequence;
        assert.equal(new Set(expected).size, total, 'nothing doubled, nothing lost');
        for (const member of room) assert.deepEqual(member.sequence, expected);
      }
      await Promise.all(rooms.flat().map((member) => member.leave()));
    } finally {
      await finish(server);
    }
  });
}

test('members come and go while messages fly', async () => {
  const server = await startServer({ loops: kLoops });
  try {
    const talkers = await Promise.all(Array.from({ length: kChannels }, (_, channel) =>
      Member.join(server, `/raw/busy-${channel}`)));
    let talking = true;
    const talk = (async () => {
      for (let n = 0; talking; n++) {
        talkers.forEach((talker) => talker.socket.send(`talk ${n}`));
        await until('the echo of what was said', () => talkers.every((t) => t.received > n),
          { deadlineMs: kDeadlineMs });
      }
    })();
    // Every visitor hears its own word, so its subscription was in force when it was let in.
    const visit = async (who) => {
      for (let round = 0; round < 12; round++) {
        const visitor = await Member.join(server, `/raw/busy-${(who + round) % kChannels}`);
        const word = `visitor ${who} round ${round}`;
        visitor.socket.send(word);
        await until('the own word', () => visitor.sequence.includes(word),
          { deadlineMs: kDeadlineMs });
        if (round % 2 === 0) await visitor.leave();
        else visitor.socket.terminate();
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, who) => visit(who)));
    talking = false;
    await talk;
    await Promise.all(talkers.map((talker) => talker.leave()));
  } finally {
    await finish(server);
  }
});

test('certificates are reloaded and the server drains under load', async () => {
  const server = await startServer({ loops: kLoops, certificate: sharedCertificate() });
  let members = [];
  try {
    members = await Promise.all(Array.from({ length: 16 }, (_, i) =>
      Member.join(server, `/raw/reload-${i % 3}`)));
    const reloads = () => server.log.filter((event) => event.msg === 'certificate reloaded').length;
    for (let round = 1; round <= 5; round++) {
      server.signal('SIGHUP');
      members.forEach((member) => member.socket.send(`round ${round}`));
      await until('the reload', () => reloads() >= round, { deadlineMs: kDeadlineMs });
      const late = await Member.join(server, '/raw/reload-0');
      await late.leave();
    }
    const closed = members.map((member) => once(member.socket, 'close'));
    const sender = setInterval(() => members.forEach((m) => m.socket.readyState === 1 &&
      m.socket.send('still here')), 1);
    server.signal('SIGTERM');
    const codes = (await within('goodbyes', Promise.all(closed), kDeadlineMs)).map(([code]) => code);
    clearInterval(sender);
    assert.deepEqual(new Set(codes), new Set([1001]));
  } finally {
    members.forEach((member) => member.socket.terminate());
    await finish(server);
  }
});
