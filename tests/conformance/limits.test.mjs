// Limits on messages: refused with 1009 (RFC 6455 7.4.1) as soon as the size is known.
import { binary, fragments, frame, kPong, more, ping, text } from '../support/frames.mjs';
import { randomBytes } from '../support/poll.mjs';
import { suite } from '../support/suite.mjs';

const kMiB = 1024 * 1024;

suite('the default limit of 1 MiB', {}, (it) => {
  it('lets exactly 1 MiB through', async ({ open }) => {
    const peer = await open();
    await peer.send(binary(randomBytes(kMiB, 1)));
    await peer.expectMessage('binary', randomBytes(kMiB, 1));
    await peer.finish();
  });
  it('lets exactly 1 MiB in fragments through', async ({ open }) => {
    const peer = await open();
    await peer.send(...fragments(2, randomBytes(kMiB, 1), [kMiB / 2, kMiB / 4]));
    await peer.expectMessage('binary', randomBytes(kMiB, 1));
    await peer.finish();
  });
  it('refuses one byte more, written whole', async ({ open }) => {
    const peer = await open();
    peer.send(binary(Buffer.alloc(kMiB + 1)));
    await peer.expectClose(1009);
  });
  for (const claim of [kMiB + 1, 2 ** 31, 2 ** 32, 2 ** 32 + 5, 2 ** 53, (1n << 63n) - 1n]) {
    for (const opcode of [1, 2]) {
      it(`refuses a claim of ${claim} with opcode ${opcode} by its head alone`, async ({ open }) => {
        const peer = await open();
        await peer.send(frame(opcode, '', { form: 64, claim }));
        await peer.expectClose(1009);
      });
    }
  }
  it('refuses fragments whose sum is one byte too much', async ({ open }) => {
    const peer = await open();
    await peer.send(binary(Buffer.alloc(kMiB), { fin: false }), ping('full'));
    await peer.expectFrame(kPong, 'full');
    await peer.send(more('x'));
    await peer.expectClose(1009);
  });
  it('allows empty fragments at the limit', async ({ open }) => {
    const peer = await open();
    await peer.send(binary(Buffer.alloc(kMiB), { fin: false }), more('', { fin: false }), more(''));
    await peer.expectMessage('binary', Buffer.alloc(kMiB));
    await peer.finish();
  });
  it('refuses a sum that would wrap around 64 bits', async ({ open }) => {
    const peer = await open();
    await peer.send(binary('1234', { fin: false }), more('', { form: 64, claim: (1n << 63n) - 2n }));
    await peer.expectClose(1009);
  });
  it('starts counting again with each message', async ({ open }) => {
    const peer = await open();
    for (let i = 0; i < 3; i++) {
      await peer.send(binary(Buffer.alloc(kMiB - 10, i)));
      await peer.expectMessage('binary', Buffer.alloc(kMiB - 10, i));
    }
    await peer.finish();
  });
});

suite('a limit of 1000 bytes', { flags: { 'websocket.message_bytes_max': '1000' } }, (it) => {
  for (const size of [999, 1000]) {
    it(`lets ${size} bytes through`, async ({ open }) => {
      const peer = await open();
      await peer.send(text('x'.repeat(size)));
      await peer.expectMessage('text', 'x'.repeat(size));
      await peer.finish();
    });
  }
  for (const size of [1001, 65535]) {
    it(`refuses ${size} bytes`, async ({ open }) => {
      const peer = await open();
      await peer.send(text('x'.repeat(size)));
      await peer.expectClose(1009);
    });
  }
  it('refuses the fragment that goes over before its payload comes', async ({ open }) => {
    const peer = await open();
    await peer.send(text('x'.repeat(900), { fin: false }), more('', { fin: false, form: 7, claim: 101 }));
    await peer.expectClose(1009);
  });
});
