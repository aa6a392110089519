// RFC 6455 5.5.1, 7: the closing handshake from either side, its codes, and what may not follow.
import assert from 'node:assert/strict';
import { binary, close, closeBody, frame, kClose, kPing, more, ping, text } from '../support/frames.mjs';
import { until } from '../support/poll.mjs';
import { suite } from '../support/suite.mjs';

// 1012-1014 were registered after the RFC; 3000-4999 belong to libraries and applications (7.4.2).
const kGood = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999,
  4000, 4001, 4999];
const kBad = [0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1017, 1100, 1999, 2000, 2999, 5000, 5001,
  32768, 65535];

suite('closing', {}, (it) => {
  it('answers an empty Close and ends the connection first', async ({ open }) => {
    const peer = await open();
    await peer.send(close());
    await peer.expectClose([null, 1000], { answer: false });
  });
  for (const code of kGood) {
    it(`echoes the code ${code}`, async ({ open }) => {
      const peer = await open();
      await peer.send(close(code));
      await peer.expectClose(code, { answer: false });
    });
    it(`echoes the code ${code} given with a reason`, async ({ open }) => {
      const peer = await open();
      await peer.send(close(code, 'because of this'));
      await peer.expectClose(code, { answer: false });
    });
  }
  for (const code of kBad) {
    it(`refuses the code ${code} (7.4)`, async ({ open }) => {
      const peer = await open();
      await peer.send(close(code));
      await peer.expectClose(1002, { answer: false });
    });
    it(`refuses the code ${code} given with a reason`, async ({ open }) => {
      const peer = await open();
      await peer.send(close(code, 'because of this'));
      await peer.expectClose(1002, { answer: false });
    });
  }
  it('refuses a body of one octet (5.5.1)', async ({ open }) => {
    const peer = await open();
    await peer.send(frame(kClose, Buffer.from([3])));
    await peer.expectClose(1002, { answer: false });
  });
  for (const reason of ['', 'x', 'x'.repeat(122), 'x'.repeat(123), 'Straße', '你好', '\u{1f44b}']) {
    it(`takes a reason of ${Buffer.byteLength(reason)} bytes`, async ({ open }) => {
      const peer = await open();
      await peer.send(close(1000, reason));
      await peer.expectClose(1000, { answer: false });
    });
  }
  it('refuses a reason of 124 bytes', async ({ open }) => {
    const peer = await open();
    await peer.send(close(1000, 'x'.repeat(124)));
    await peer.expectClose(1002);
  });
  for (const digits of ['ff', 'c0af', 'eda080', 'c2', 'f48f', 'f4908080']) {
    it(`refuses a reason that is not UTF-8: ${digits}`, async ({ open }) => {
      const peer = await open();
      await peer.send(frame(kClose, Buffer.concat([closeBody(1000), Buffer.from(digits, 'hex')])));
      await peer.expectClose(1007, { answer: false });
    });
  }

  const kAfter = { 'a text': text('late'), 'a binary': binary('late'), 'a ping': ping('late'),
    'a second Close': close(1001), 'a bad frame': frame(5, 'late'), 'a lone continuation': more('late') };
  for (const [name, late] of Object.entries(kAfter)) {
    it(`ignores ${name} after a Close (5.5.1)`, async ({ open }) => {
      const peer = await open();
      await peer.send(close(1000), late);
      await peer.expectClose(1000, { answer: false });
    });
  }
  it('answers what came before a Close, then closes', async ({ open }) => {
    const peer = await open();
    await peer.send(text('one'), binary('two'), close(3333, 'enough'));
    await peer.expectMessage('text', 'one');
    await peer.expectMessage('binary', 'two');
    await peer.expectClose(3333, { answer: false });
  });
  it('delivers a whole large echo before closing', async ({ open }) => {
    const peer = await open();
    await peer.send(text('z'.repeat(500000)), close(1000));
    await peer.expectMessage('text', 'z'.repeat(500000));
    await peer.expectClose(1000, { answer: false });
  });
  it('closes in the middle of a message', async ({ open }) => {
    const peer = await open();
    await peer.send(text('never', { fin: false }), close(1000));
    await peer.expectClose(1000, { answer: false });
  });
  it('ignores the rest of a message after its Close', async ({ open }) => {
    const peer = await open();
    await peer.send(text('never', { fin: false }), close(1000), more('ends'));
    await peer.expectClose(1000, { answer: false });
  });
  it('reads a Close byte by byte', async ({ open }) => {
    const peer = await open();
    await peer.wire.writeChopped(close(1000, 'slowly'), 1);
    await peer.expectClose(1000, { answer: false });
  });
  it('sends one Close only when both sides close at once', async ({ open }) => {
    const peer = await open();
    await peer.send(frame(3), close(1000));
    await peer.expectClose(1002, { answer: false });
  });
  it('ends the TCP connection at once after the closing handshake (7.1.1)', async ({ open }) => {
    const peer = await open();
    const begun = performance.now();
    await peer.send(close(1000));
    await peer.expectClose(1000, { answer: false });
    assert.ok(performance.now() - begun < 1000, 'within a second');
  });
  const kFaults = { 1002: frame(3, 'reserved'), 1007: text(Buffer.from([0xff])),
    1009: frame(2, '', { form: 64, claim: 2 ** 40 }) };
  for (const [code, fault] of Object.entries(kFaults)) {
    for (const [name, late] of Object.entries(kAfter)) {
      it(`processes no ${name.replace(/^an? /, '')} after it failed with ${code} (7.1.7)`,
        async ({ open }) => {
          const peer = await open();
          await peer.send(fault, late, text('late'));
          await peer.expectClose(Number(code), { answer: false });
        });
    }
    it(`says ${code} to who goes on sending, and ends without a reset (7.1.1)`, async ({ open }) => {
      const peer = await open();
      const flood = Buffer.alloc(1 << 20, 'late');
      const sending = peer.send(fault, flood);
      await peer.expectFrame(kClose);
      await sending;
      assert.equal(await peer.next(), undefined);
      assert.equal(peer.wire.error, undefined);
    });
  }
  it('ends without a reset after the closing handshake (7.1.1)', async ({ open }) => {
    for (const frames of [[close(1000)], [text('one'), close(1000, 'bye')], [close(), ping('late')]]) {
      const peer = await open();
      await peer.send(...frames);
      while ((await peer.next())?.opcode !== kClose);
      assert.equal(await peer.next(), undefined, 'the server ends first (7.1.1)');
      assert.equal(peer.wire.error, undefined);
    }
  });
  it('lives with a client that just vanishes', async ({ open, server }) => {
    for (let i = 0; i < 20; i++) {
      const peer = await open();
      await peer.send(text('half', { fin: false }));
      if (i % 2) peer.wire.reset();
      else peer.destroy();
    }
    const peer = await open();
    await peer.send(text('still here'));
    await peer.expectMessage('text', 'still here');
    await peer.finish();
    assert.equal(server.exit, undefined);
  });
  it('ends when the client half-closes without a Close', async ({ open }) => {
    const peer = await open();
    await peer.send(text('last words'));
    await peer.expectMessage('text', 'last words');
    peer.wire.socket.end();
    for (let got; (got = await peer.next(4000)); ) assert.equal(got.opcode, kClose);
  });
});

// A server of its own, so that no other case's failures have used up what may be logged.
suite('a failed connection', {}, (it) => {
  it('is logged with its code and reason (7.1.7)', async ({ open, server }) => {
    const peer = await open();
    await peer.send(close(999));
    await peer.expectClose(1002, { answer: false });
    const line = await until('the log line', () =>
      server.log.find((event) => event.msg === 'websocket failed'));
    assert.equal(line.code, 1002);
    assert.match(line.reason, /close/i);
  });
});

suite('closing deadlines', { flags: { 'websocket.close_timeout': '700ms' } }, (it) => {
  it('waits for the answer to its own Close, and not for ever', async ({ open }) => {
    const peer = await open();
    const begun = performance.now();
    await peer.send(frame(3));
    await peer.expectFrame(kClose);
    assert.equal(await peer.next(4000), undefined);
    assert.ok(performance.now() - begun < 3000, 'cut at the deadline');
  });
  it('does not wait for a client that never ends its side', async ({ open }) => {
    const peer = await open();
    await peer.send(close(1000));
    await peer.expectFrame(kClose);
    assert.equal(await peer.next(2000), undefined);
  });
  it('is not held up by a client that keeps sending', async ({ open }) => {
    const peer = await open();
    await peer.send(frame(3));
    let over = false;
    const talking = (async () => {
      while (!over && (await peer.send(ping('on and on')))) await new Promise(setImmediate);
    })();
    await peer.expectFrame(kClose);
    assert.equal(await peer.next(4000), undefined);
    over = true;
    peer.destroy();
    await talking;
  });
});

suite('idle connections', {
  flags: { 'websocket.idle_timeout': '600ms', 'websocket.ping_interval': '60s' },
}, (it) => {
  it('closes a connection that says nothing for too long', async ({ open }) => {
    const peer = await open();
    const begun = performance.now();
    let got;
    while ((got = await peer.next(6000)) && got.opcode === kPing);
    assert.ok(performance.now() - begun > 300, 'not at once');
    if (got) assert.equal(got.opcode, kClose);
  });
});
