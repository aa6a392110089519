// RFC 6455 5.5: pings, pongs, and control frames where they may and may not be.
import { close, frame, kPing, kPong, more, ping, pong, text } from '../support/frames.mjs';
import { randomBytes } from '../support/poll.mjs';
import { suite } from '../support/suite.mjs';

suite('control frames', { flags: { 'websocket.ping_interval': '60s' } }, (it) => {
  for (const size of [0, 1, 2, 4, 64, 124, 125]) {
    it(`answers a ping of ${size} bytes with the same bytes`, async ({ open }) => {
      const peer = await open();
      await peer.send(ping(randomBytes(size, size + 3)));
      await peer.expectFrame(kPong, randomBytes(size, size + 3));
      await peer.finish();
    });
    it(`answers a ping of ${size} bytes written byte by byte`, async ({ open }) => {
      const peer = await open();
      await peer.wire.writeChopped(ping(randomBytes(size, size + 3)), 1);
      await peer.expectFrame(kPong, randomBytes(size, size + 3));
      await peer.finish();
    });
    it(`ignores an unsolicited pong of ${size} bytes`, async ({ open }) => {
      const peer = await open();
      await peer.send(pong(randomBytes(size, 1)), ping('after'));
      await peer.expectFrame(kPong, 'after');
      await peer.finish();
    });
  }
  it('does not look at the bytes of a ping', async ({ open }) => {
    const peer = await open();
    await peer.send(ping(Buffer.from([0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff])));
    await peer.expectFrame(kPong, Buffer.from([0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff]));
    await peer.finish();
  });
  it('answers ten pings in one write, in order', async ({ open }) => {
    const peer = await open();
    const names = Array.from({ length: 10 }, (_, i) => `ping ${i}`);
    await peer.send(...names.map((name) => ping(name)));
    for (const name of names) await peer.expectFrame(kPong, name);
    await peer.finish();
  });
  it('answers ten pings written byte by byte, in order', async ({ open }) => {
    const peer = await open();
    const names = Array.from({ length: 10 }, (_, i) => `ping ${i}`);
    await peer.wire.writeChopped(Buffer.concat(names.map((name) => ping(name))), 1);
    for (const name of names) await peer.expectFrame(kPong, name);
    await peer.finish();
  });
  it('keeps pings and messages in the order they came', async ({ open }) => {
    const peer = await open();
    await peer.send(ping('1'), text('2'), ping('3'), text('4'));
    await peer.expectFrame(kPong, '1');
    await peer.expectMessage('text', '2');
    await peer.expectFrame(kPong, '3');
    await peer.expectMessage('text', '4');
    await peer.finish();
  });

  const kKinds = { ping: 9, pong: 10, close: 8 };
  for (const [name, opcode] of Object.entries(kKinds)) {
    for (const size of [126, 127, 65535, 65536]) {
      it(`refuses a ${name} of ${size} bytes (5.5)`, async ({ open }) => {
        const peer = await open();
        await peer.send(frame(opcode, Buffer.alloc(size, 3)));
        await peer.expectClose(1002);
      });
    }
    for (const form of [16, 64]) {
      it(`refuses a ${name} with its length in ${form} bits`, async ({ open }) => {
        const peer = await open();
        await peer.send(frame(opcode, 'ab', { form }));
        await peer.expectClose(1002);
      });
    }
    it(`refuses a fragmented ${name} (5.5)`, async ({ open }) => {
      const peer = await open();
      await peer.send(frame(opcode, 'ab', { fin: false }));
      await peer.expectClose(1002);
    });
    it(`refuses a ${name} in two fragments`, async ({ open }) => {
      const peer = await open();
      await peer.send(frame(opcode, 'ab', { fin: false }), more('cd'));
      await peer.expectClose(1002);
    });
    it(`refuses a fragmented ${name} inside a message`, async ({ open }) => {
      const peer = await open();
      await peer.send(text('first', { fin: false }), frame(opcode, '', { fin: false }));
      await peer.expectClose(1002);
    });
    it(`refuses a ${name} over the limit by its head alone`, async ({ open }) => {
      const peer = await open();
      await peer.send(frame(opcode, '', { form: 16, claim: 126 }));
      await peer.expectClose(1002);
    });
  }

  for (const [name, opcode] of [['ping', kPing], ['pong', kPong]]) {
    it(`allows a ${name} between two fragments`, async ({ open }) => {
      const peer = await open();
      await peer.send(text('frag', { fin: false }), frame(opcode, 'between'), more('ment'));
      if (opcode === kPing) await peer.expectFrame(kPong, 'between');
      await peer.expectMessage('text', 'fragment');
      await peer.finish();
    });
  }
  it('answers a ping inside a message before the message ends', async ({ open }) => {
    const peer = await open();
    await peer.send(text('frag', { fin: false }), ping('now'));
    await peer.expectFrame(kPong, 'now');
    await peer.send(more('ment'));
    await peer.expectMessage('text', 'fragment');
    await peer.finish();
  });
  it('answers a ping between every fragment of twenty', async ({ open }) => {
    const peer = await open();
    for (let i = 0; i < 20; i++) {
      await peer.send((i ? more : text)(`${i};`, { fin: i === 19 }));
      if (i === 19) break;
      await peer.send(ping(`p${i}`));
      await peer.expectFrame(kPong, `p${i}`);
    }
    await peer.expectMessage('text', Array.from({ length: 20 }, (_, i) => `${i};`).join(''));
    await peer.finish();
  });
  it('does not answer a ping that comes after a Close (5.5.2)', async ({ open }) => {
    const peer = await open();
    await peer.send(close(1000), ping('late'));
    await peer.expectClose(1000, { answer: false });
  });
});

suite('dead peers', {
  flags: { 'websocket.ping_interval': '300ms', 'websocket.ping_timeout': '400ms' },
}, (it) => {
  it('pings a quiet peer and keeps it while it answers', async ({ open }) => {
    const peer = await open();
    for (let i = 0; i < 4; i++) {
      const got = await peer.expectFrame(kPing);
      await peer.send(pong(got.payload));
    }
    await peer.send(text('alive'));
    await peer.expectMessage('text', 'alive');
    await peer.finish();
  });
  it('drops a peer that does not answer pings', async ({ open }) => {
    const peer = await open();
    await peer.expectFrame(kPing);
    for (let got; (got = await peer.next(5000)); ) {
      if (got.opcode === 8) continue;
      if (got.opcode !== kPing) throw new Error(`a ping or a Close, not opcode ${got.opcode}`);
    }
  });
});
