// RFC 6455 5.4: messages in fragments, in every lawful and unlawful order.
import { binary, fragments, kPong, more, ping, pong, text } from '../support/frames.mjs';
import { randomBytes } from '../support/poll.mjs';
import { suite } from '../support/suite.mjs';

const kMiB = 1024 * 1024;
const open_ = { fin: false };

suite('fragmentation', { flags: { 'websocket.message_bytes_max': '5MiB',
  'websocket.queue_bytes_max': '12MiB' } }, (it) => {
  const kLawful = [
    ['two text fragments', [text('ab', open_), more('cd')], 'abcd'],
    ['an empty first fragment', [text('', open_), more('cd')], 'cd'],
    ['an empty last fragment', [text('ab', open_), more('')], 'ab'],
    ['only empty fragments', [text('', open_), more('', open_), more('')], ''],
    ['two empty fragments', [text('', open_), more('')], ''],
    ['an empty fragment in the middle', [text('ab', open_), more('', open_), more('cd')], 'abcd'],
    ['many empty ones around one byte', [text('', open_), ...Array(50).fill(more('', open_)),
      more('x', open_), ...Array(50).fill(more('', open_)), more('')], 'x'],
    ['fragments of one byte', fragments(1, 'fragments', [1, 1, 1, 1, 1, 1, 1, 1]), 'fragments'],
  ];
  for (const [name, frames, whole] of kLawful) {
    it(`joins ${name}`, async ({ open }) => {
      const peer = await open();
      await peer.send(...frames);
      await peer.expectMessage('text', whole);
      await peer.finish();
    });
    it(`joins ${name}, one write each`, async ({ open }) => {
      const peer = await open();
      for (const one of frames) await peer.send(one);
      await peer.expectMessage('text', whole);
      await peer.finish();
    });
    it(`joins ${name}, byte by byte`, async ({ open }) => {
      const peer = await open();
      await peer.wire.writeChopped(Buffer.concat(frames), 1);
      await peer.expectMessage('text', whole);
      await peer.finish();
    });
    it(`joins ${name} with pings between`, async ({ open }) => {
      const peer = await open();
      await peer.send(...frames.flatMap((one, i) => (i ? [ping(`${i}`), one] : [one])));
      for (let i = 1; i < frames.length; i++) await peer.expectFrame(kPong, `${i}`);
      await peer.expectMessage('text', whole);
      await peer.finish();
    });
  }
  for (const sizes of [[1], [124], [125], [126], [127, 128], [65535], [65536], [65537, 1], [1, 70000]]) {
    it(`joins binary fragments of ${sizes} and the rest of 140000`, async ({ open }) => {
      const peer = await open();
      await peer.send(...fragments(2, randomBytes(140000, 5), sizes));
      await peer.expectMessage('binary', randomBytes(140000, 5));
      await peer.finish();
    });
  }
  it('keeps the kind of each of two fragmented messages', async ({ open }) => {
    const peer = await open();
    await peer.send(text('a', open_), more('b'), binary('c', open_), more('d'), text('e'));
    await peer.expectMessage('text', 'ab');
    await peer.expectMessage('binary', 'cd');
    await peer.expectMessage('text', 'e');
    await peer.finish();
  });

  for (const fin of [true, false]) {
    const first = fin ? 'final' : 'open';
    it(`refuses a ${first} continuation with nothing to continue`, async ({ open }) => {
      const peer = await open();
      await peer.send(more('lost', { fin }));
      await peer.expectClose(1002);
    });
    it(`refuses an empty ${first} continuation with nothing to continue`, async ({ open }) => {
      const peer = await open();
      await peer.send(more('', { fin }));
      await peer.expectClose(1002);
    });
    it(`refuses a ${first} continuation after a whole message`, async ({ open }) => {
      const peer = await open();
      await peer.send(text('whole'), more('lost', { fin }));
      await peer.expectMessage('text', 'whole');
      await peer.expectClose(1002);
    });
    it(`refuses a ${first} continuation after a fragmented message`, async ({ open }) => {
      const peer = await open();
      await peer.send(text('a', open_), more('b'), more('c', { fin }));
      await peer.expectMessage('text', 'ab');
      await peer.expectClose(1002);
    });
    for (const [name, data] of [['text', text], ['binary', binary]]) {
      it(`refuses a ${first} ${name} frame inside a message`, async ({ open }) => {
        const peer = await open();
        await peer.send(text('a', open_), data('b', { fin }));
        await peer.expectClose(1002);
      });
      it(`refuses a ${first} ${name} frame after two fragments`, async ({ open }) => {
        const peer = await open();
        await peer.send(binary('a', open_), more('b', open_), data('c', { fin }));
        await peer.expectClose(1002);
      });
      it(`refuses a ${first} ${name} frame inside a message after a ping`, async ({ open }) => {
        const peer = await open();
        await peer.send(text('a', open_), ping('p'), data('b', { fin }));
        await peer.expectFrame(kPong, 'p');
        await peer.expectClose(1002);
      });
    }
    it(`refuses a ${first} continuation after a lone ping`, async ({ open }) => {
      const peer = await open();
      await peer.send(ping('p'), pong('q'), more('lost', { fin }));
      await peer.expectFrame(kPong, 'p');
      await peer.expectClose(1002);
    });
  }

  for (const [total, size] of [[256 * 1024, 1], [kMiB, 16], [4 * kMiB, 64], [4 * kMiB, 1024],
    [4 * kMiB, 65536]]) {
    it(`joins ${total} bytes in fragments of ${size}`, async ({ open }) => {
      const peer = await open();
      const whole = randomBytes(total, 3);
      const bytes = Buffer.concat(fragments(2, whole, Array(total / size - 1).fill(size)));
      const begun = performance.now();
      await peer.send(bytes);
      await peer.expectMessage('binary', whole);
      const took = performance.now() - begun;
      if (took > 10000) throw new Error(`took ${took.toFixed(0)} ms`);
      await peer.finish();
    });
  }
  for (const size of [0, 16, 1024]) {
    it(`makes a thousand round trips of ${size} bytes`, async ({ open }) => {
      const peer = await open();
      for (let i = 0; i < 1000; i++) {
        await peer.send(binary(Buffer.alloc(size, i)));
        await peer.expectMessage('binary', Buffer.alloc(size, i));
      }
      await peer.finish();
    });
  }
});
