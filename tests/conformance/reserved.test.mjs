// RFC 6455 5.2: reserved bits and reserved opcodes fail the connection wherever they turn up.
import { frame, kPong, more, ping, text } from '../support/frames.mjs';
import { suite } from '../support/suite.mjs';

const kOpcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

suite('reserved bits', { flags: { 'websocket.compression': 'off' } }, (it) => {
  for (let rsv = 1; rsv <= 7; rsv++) {
    for (const [name, opcode] of Object.entries(kOpcodes)) {
      for (const payload of ['', 'ab']) {
        const what = `bits ${rsv.toString(2).padStart(3, '0')} on a ${name} of ${payload.length} bytes`;
        it(`refuses ${what}`, async ({ open }) => {
          const peer = await open();
          await peer.send(frame(opcode, payload, { rsv }));
          await peer.expectClose(1002);
        });
        if (!payload) continue;
        it(`refuses ${what} after a message and a ping`, async ({ open }) => {
          const peer = await open();
          await peer.send(text('good'), ping('p'), frame(opcode, payload, { rsv }), text('never'));
          await peer.expectMessage('text', 'good');
          await peer.expectFrame(kPong, 'p');
          await peer.expectClose(1002);
        });
      }
    }
    it(`refuses bits ${rsv} on the second fragment`, async ({ open }) => {
      const peer = await open();
      await peer.send(text('one', { fin: false }), more('two', { rsv }));
      await peer.expectClose(1002);
    });
    it(`refuses bits ${rsv} written byte by byte`, async ({ open }) => {
      const peer = await open();
      await peer.wire.writeChopped(text('slow', { rsv }), 1);
      await peer.expectClose(1002);
    });
  }
});

suite('reserved opcodes', {}, (it) => {
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    const hex = `0x${opcode.toString(16)}`;
    it(`refuses ${hex} without payload`, async ({ open }) => {
      const peer = await open();
      await peer.send(frame(opcode));
      await peer.expectClose(1002);
    });
    it(`refuses ${hex} with payload`, async ({ open }) => {
      const peer = await open();
      await peer.send(frame(opcode, 'reserved opcode'));
      await peer.expectClose(1002);
    });
    it(`refuses ${hex} after a message`, async ({ open }) => {
      const peer = await open();
      await peer.send(text('good'), frame(opcode, 'bad'), ping('never'));
      await peer.expectMessage('text', 'good');
      await peer.expectClose(1002);
    });
    it(`refuses ${hex} between fragments`, async ({ open }) => {
      const peer = await open();
      await peer.send(text('one', { fin: false }), frame(opcode, 'bad'), more('two'));
      await peer.expectClose(1002);
    });
    it(`refuses ${hex} without FIN`, async ({ open }) => {
      const peer = await open();
      await peer.send(frame(opcode, 'bad', { fin: false }));
      await peer.expectClose(1002);
    });
    it(`refuses ${hex} byte by byte`, async ({ open }) => {
      const peer = await open();
      await peer.wire.writeChopped(frame(opcode, 'bad'), 1);
      await peer.expectClose(1002);
    });
  }
});
