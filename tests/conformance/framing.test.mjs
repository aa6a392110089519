// RFC 6455 5.2: every length form, both kinds of data, however the bytes are cut on the way.
import { kText, binary, close, frame, text } from '../support/frames.mjs';
import { randomBytes } from '../support/poll.mjs';
import { suite } from '../support/suite.mjs';

const kKiB = 1024;
const kMiB = 1024 * kKiB;
const kSizes = [0, 1, 2, 124, 125, 126, 127, 128, 129, 255, 256, 1023, 1024, 4095, 4096, 16383, 16384,
  32767, 32768, 65534, 65535, 65536, 65537, 131071, 131072, kMiB - 1, kMiB, kMiB + 1];
const kFlags = { 'websocket.message_bytes_max': '17MiB',
  'websocket.queue_bytes_max': '40MiB', 'websocket.compression': 'off' };

const ascii = (size) => Buffer.alloc(size, 'The quick brown fox jumps over the lazy dog. ');
const content = (kind, size) => (kind === 'text' ? ascii(size) : randomBytes(size, size + 1));
const opcodes = { text: 1, binary: 2 };

suite('framing', { flags: kFlags }, (it) => {
  for (const kind of ['text', 'binary']) {
    for (const size of kSizes) {
      it(`echoes a ${kind} message of ${size} bytes`, async ({ open }) => {
        const peer = await open();
        await peer.send(frame(opcodes[kind], content(kind, size)));
        await peer.expectMessage(kind, content(kind, size));
        await peer.finish();
      });
    }
    for (const size of [0, 1, 125, 126, 127, 300]) {
      it(`reads a ${kind} frame of ${size} bytes written byte by byte`, async ({ open }) => {
        const peer = await open();
        await peer.wire.writeChopped(frame(opcodes[kind], content(kind, size)), 1);
        await peer.expectMessage(kind, content(kind, size));
        await peer.finish();
      });
    }
    for (const [size, chop] of [[1000, 7], [65535, 997], [65536, 997], [65537, 1300],
      [131072, 4099], [kMiB, 64 * kKiB - 1]]) {
      it(`reads a ${kind} frame of ${size} bytes in writes of ${chop}`, async ({ open }) => {
        const peer = await open();
        await peer.wire.writeChopped(frame(opcodes[kind], content(kind, size)), chop);
        await peer.expectMessage(kind, content(kind, size));
        await peer.finish();
      });
    }
    it(`echoes a ${kind} message of 16 MiB`, async ({ open }) => {
      const peer = await open();
      await peer.send(frame(opcodes[kind], content(kind, 16 * kMiB)));
      await peer.expectMessage(kind, content(kind, 16 * kMiB));
      await peer.finish();
    }, { timeout: 60000 });
  }

  for (const size of [0, 1, 125, 126, 65536]) {
    it(`reads a frame of ${size} bytes cut after each byte of its head`, async ({ open }) => {
      const peer = await open();
      const bytes = binary(randomBytes(size, 9));
      for (let cut = 1; cut <= Math.min(14, bytes.length - 1); cut++) {
        await peer.wire.write(bytes.subarray(0, cut));
        await new Promise(setImmediate);
        await peer.wire.write(bytes.subarray(cut));
        await peer.expectMessage('binary', randomBytes(size, 9));
      }
      await peer.finish();
    });
  }

  for (const count of [2, 10, 1000]) {
    it(`answers ${count} messages in one write, in order`, async ({ open }) => {
      const peer = await open();
      const texts = Array.from({ length: count }, (_, i) => `message ${i}`);
      await peer.send(...texts.map((one) => text(one)));
      for (const one of texts) await peer.expectMessage('text', one);
      await peer.finish();
    });
  }

  const kMasks = [[0, 0, 0, 0], [255, 255, 255, 255], [1, 0, 0, 0], [0, 0, 0, 1], [0x80, 0, 0x80, 0]];
  for (const mask of kMasks) {
    for (const size of [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65]) {
      it(`unmasks ${size} bytes with the mask ${mask}`, async ({ open }) => {
        const peer = await open();
        await peer.send(frame(2, randomBytes(size, size), { mask: Buffer.from(mask) }));
        await peer.expectMessage('binary', randomBytes(size, size));
        await peer.finish();
      });
    }
  }

  for (const kind of [1, 2, 9]) {
    it(`refuses an unmasked frame with opcode ${kind} (5.1)`, async ({ open }) => {
      const peer = await open();
      await peer.send(frame(kind, 'naked', { mask: false }));
      await peer.expectClose(1002);
    });
  }
  it('refuses an unmasked empty frame', async ({ open }) => {
    const peer = await open();
    await peer.send(frame(kText, '', { mask: false }));
    await peer.expectClose(1002);
  });
  it('refuses an unmasked Close', async ({ open }) => {
    const peer = await open();
    await peer.send(close(1000, '', { mask: false }));
    await peer.expectClose(1002);
  });
  it('refuses an unmasked frame after a good one', async ({ open }) => {
    const peer = await open();
    await peer.send(text('good'), frame(kText, 'naked', { mask: false }));
    await peer.expectMessage('text', 'good');
    await peer.expectClose(1002);
  });

  for (const [size, form] of [[0, 16], [1, 16], [125, 16], [0, 64], [125, 64], [126, 64], [65535, 64]]) {
    for (const opcode of [1, 2]) {
      it(`refuses length ${size} in ${form} bits with opcode ${opcode} (5.2)`, async ({ open }) => {
        const peer = await open();
        await peer.send(frame(opcode, 'x'.repeat(size), { form }));
        await peer.expectClose(1002);
      });
    }
  }
  for (const claim of [1n << 63n, (1n << 63n) + 5n, (1n << 64n) - 1n]) {
    it(`refuses a length of ${claim}, whose highest bit is set (5.2)`, async ({ open }) => {
      const peer = await open();
      await peer.send(frame(2, '', { form: 64, claim }));
      await peer.expectClose(1002);
    });
  }
});
