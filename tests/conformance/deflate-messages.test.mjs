// RFC 7692 7.2: compressed messages of every size and kind, whole, in fragments, in odd blocks.
import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { Deflater, Inflater, kTail } from '../support/deflate.mjs';
import { fragments, frame, kPong, more, ping, text } from '../support/frames.mjs';
import { inflate } from '../support/inflate.mjs';
import { randomBytes } from '../support/poll.mjs';
import { suite } from '../support/suite.mjs';

const kFlags = { 'websocket.compression_bytes_min': '0', 'websocket.message_bytes_max': '17MiB',
  'websocket.queue_bytes_max': '40MiB' };
const kSizes = [16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072];
const kOffers = {
  'the defaults': 'permessage-deflate',
  'no context on either side':
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  'windows of 9 bits': 'permessage-deflate; server_max_window_bits=9; client_max_window_bits=9',
  'a server window of 11 bits, no client context':
    'permessage-deflate; server_max_window_bits=11; client_no_context_takeover',
};

const words = 'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod'.split(' ');
function prose(size) {
  const picks = randomBytes(Math.ceil(size / 3), size);
  let out = '';
  for (let i = 0; out.length < size; i++) out += `${words[picks[i % picks.length] % words.length]} `;
  return Buffer.from(out.slice(0, size));
}
function json(size) {
  const rows = [];
  for (let i = 0, length = 0; length < size; i++) {
    rows.push(`{"id":${i},"name":"user ${i % 17}","active":${i % 2 === 0}},`);
    length += rows.at(-1).length;
  }
  return Buffer.from(rows.join('').slice(0, size));
}
const kContents = {
  prose: ['text', prose], json: ['text', json],
  'random bytes': ['binary', (size) => randomBytes(size, size)],
  zeros: ['binary', (size) => Buffer.alloc(size)],
};
const hex = (digits) => Buffer.from(digits.replace(/ /g, ''), 'hex');
const first = { rsv: 4 };

for (const mode of ['dedicated', 'shared']) {
  suite(`deflated messages, compression = ${mode}`, {
    flags: { ...kFlags, 'websocket.compression': mode },
  }, (it) => {
    for (const [offerName, offer] of Object.entries(kOffers)) {
      for (const [name, [kind, make]] of Object.entries(kContents)) {
        it(`echoes ${name} of 16 to 131072 bytes with ${offerName}`, async ({ open }) => {
          const peer = await open({ extensions: offer });
          for (const size of kSizes) {
            for (let round = 0; round < 3; round++) {
              await peer.sendMessage(kind, make(size));
              await peer.expectMessage(kind, make(size));
            }
          }
          await peer.finish();
        });
      }
    }
    it('sends data that ends as 7.2.1 says, without its tail', async ({ open }) => {
      const peer = await open({ extensions: 'permessage-deflate; server_no_context_takeover' });
      for (const [kind, data] of [['text', prose(50)], ['text', prose(5000)], ['text', 'Hello'],
        ['binary', Buffer.alloc(70000)], ['binary', randomBytes(70000, 3)]]) {
        await peer.sendMessage(kind, data);
        const { rsv, payload, opcode } = await peer.next();
        assert.equal(opcode, kind === 'text' ? 1 : 2, 'the kind stays');
        assert.ok(rsv === 0 || rsv === 4);
        if (rsv === 0) continue;
        assert.notEqual(payload.subarray(-4).toString('hex'), '0000ffff', 'the tail is off');
        const judged = inflate(Buffer.concat([payload, kTail]));
        assert.equal(judged.state, 'whole');
        assert.ok(judged.data.equals(Buffer.from(data)));
      }
      await peer.finish();
    });
    it('starts each message afresh where it promised to (7.2.1)', async ({ open }) => {
      const peer = await open({ extensions: 'permessage-deflate; server_no_context_takeover' });
      const sent = [];
      for (let i = 0; i < 3; i++) {
        await peer.sendMessage('text', prose(3000));
        sent.push((await peer.next()).payload);
      }
      assert.ok(sent.every((payload) => payload.equals(sent[0])), 'no message leans on another');
      await peer.finish();
    });
    it('keeps plain messages out of the window (7.2.2)', async ({ open }) => {
      const peer = await open({ extensions: 'permessage-deflate' });
      for (let i = 0; i < 3; i++) {
        await peer.sendMessage('text', prose(3000));
        await peer.expectMessage('text', prose(3000));
        await peer.sendMessage('binary', randomBytes(40000, i), { plain: true });
        await peer.expectMessage('binary', randomBytes(40000, i));
      }
      await peer.finish();
    });
    it('compresses what is worth it', async ({ open }) => {
      const peer = await open({ extensions: 'permessage-deflate' });
      await peer.sendMessage('text', prose(20000));
      const got = await peer.expectMessage('text', prose(20000));
      assert.ok(got.compressed && got.wireBytes < 10000, `${got.wireBytes} bytes on the wire`);
      await peer.finish();
    });
  });
}

suite('deflate', { flags: { ...kFlags, 'websocket.compression': 'dedicated' } }, (it) => {
  const offer = 'permessage-deflate; client_max_window_bits';
  for (const bits of [8, 9, 10, 11, 12, 13, 14, 15]) {
    it(`keeps within a server window of ${bits} bits`, async ({ open }) => {
      const peer = await open({ extensions: `permessage-deflate; server_max_window_bits=${bits}` });
      if (bits === 8 && !peer.deflate) return;
      const agreed = Number(peer.deflate.server_max_window_bits ?? 15);
      peer.inflater = new Inflater({ windowBits: agreed, strict: true,
        takeover: !peer.deflate.server_no_context_takeover });
      const block = randomBytes(Math.min(2 ** bits + 300, 33000), bits);
      for (const data of [Buffer.concat([block, block]), block, prose(5000)]) {
        await peer.sendMessage('binary', data);
        await peer.expectMessage('binary', data);
      }
      await peer.finish();
    });
    it(`understands a client window of ${bits} bits`, async ({ open }) => {
      const peer = await open({ extensions: `permessage-deflate; client_max_window_bits=${bits}` });
      peer.deflater = new Deflater({ windowBits: Math.max(9, bits),
        takeover: !peer.deflate.client_no_context_takeover });
      const size = bits === 8 ? 250 : 2 ** bits;
      for (const data of [prose(size), randomBytes(size, 1), prose(size)]) {
        if (bits === 8) peer.deflater.reset();
        await peer.sendMessage('binary', data);
        await peer.expectMessage('binary', data);
      }
      await peer.finish();
    });
  }
  for (const sizes of [[1], [1, 1, 1], [10, 0, 10], [0], [0, 0, 5], [50, 50, 50, 50]]) {
    it(`joins a compressed message cut at ${sizes}`, async ({ open }) => {
      const peer = await open({ extensions: offer });
      for (let i = 0; i < 3; i++) {
        const body = await peer.deflater.message(prose(3000));
        await peer.send(...fragments(1, body, sizes, first));
        await peer.expectMessage('text', prose(3000));
      }
      await peer.finish();
    });
  }
  it('joins a compressed message in fragments of one byte with pings between', async ({ open }) => {
    const peer = await open({ extensions: offer });
    const body = await peer.deflater.message(prose(400));
    const frames = fragments(1, body, Array(body.length - 1).fill(1), first);
    await peer.send(...frames.flatMap((one, i) => (i ? [ping(`${i}`), one] : [one])));
    for (let i = 1; i < frames.length; i++) await peer.expectFrame(kPong, `${i}`);
    await peer.expectMessage('text', prose(400));
    await peer.finish();
  });
  it('echoes 4 MiB of prose compressed', async ({ open }) => {
    const peer = await open({ extensions: offer });
    await peer.sendMessage('text', prose(4 << 20));
    await peer.expectMessage('text', prose(4 << 20));
    await peer.finish();
  });
  it('takes blocks of every type, and many of them, in one message (7.2.1)', async ({ open }) => {
    const peer = await open({ extensions: 'permessage-deflate; client_no_context_takeover' });
    const { Z_FIXED, Z_DEFAULT_STRATEGY } = zlib.constants;
    const parts = [];
    for (const options of [{ level: 0 }, { strategy: Z_FIXED }, { strategy: Z_DEFAULT_STRATEGY }]) {
      const deflater = new Deflater({ takeover: false, ...options });
      parts.push(await deflater.message(prose(700), { whole: true }));
      deflater.reset();
    }
    const body = Buffer.concat(parts).subarray(0, -4);
    await peer.send(text(body, first));
    await peer.expectMessage('text', Buffer.concat(Array(3).fill(prose(700))));
    await peer.finish();
  });
  it('mixes compressed and plain messages', async ({ open }) => {
    const peer = await open({ extensions: offer });
    for (let i = 0; i < 20; i++) {
      await peer.sendMessage('text', prose(100 + i), { plain: i % 2 === 0 });
      await peer.expectMessage('text', prose(100 + i));
    }
    await peer.finish();
  });

  const kExamples = [
    ['the example of 7.2.3.1', [text(hex('f248cdc9c90700'), first)], 'Hello'],
    ['its two fragments', [text(hex('f248cd'), { ...first, fin: false }), more(hex('c9c90700'))], 'Hello'],
    ['a block without compression (7.2.3.3)', [text(hex('000500faff48656c6c6f00'), first)], 'Hello'],
    ['a block with BFINAL (7.2.3.4)', [text(hex('f348cdc9c9070000'), first)], 'Hello'],
    ['two blocks (7.2.3.5)', [text(hex('f24805000000ffffcac9c90700'), first)], 'Hello'],
    ['an empty message (7.2.3.6)', [text(hex('00'), first)], ''],
    ['an empty fixed block', [text(hex('0200'), first)], ''],
    ['a stored block of nothing before the text', [text(hex('000000ffff f248cdc9c90700'), first)], 'Hello'],
  ];
  for (const [name, frames, whole] of kExamples) {
    it(`reads ${name}`, async ({ open }) => {
      const peer = await open({ extensions: offer });
      await peer.send(...frames);
      await peer.expectMessage('text', whole);
      await peer.send(text(hex('f248cdc9c90700'), first));
      await peer.expectMessage('text', 'Hello');
      await peer.finish();
    });
  }
  it('reads a message that leans on the one before (7.2.3.2)', async ({ open }) => {
    const peer = await open({ extensions: offer });
    await peer.send(text(hex('f248cdc9c90700'), first));
    await peer.expectMessage('text', 'Hello');
    await peer.send(text(hex('f200110000'), first));
    await peer.expectMessage('text', 'Hello');
    await peer.finish();
  });
});

suite('deflate misused', { flags: { 'websocket.compression': 'dedicated' } }, (it) => {
  const offer = 'permessage-deflate; client_max_window_bits';
  const whole = { 'f248cdc9c90700': 'fixed', '000500faff48656c6c6f00': 'stored' };

  for (const opcode of [8, 9, 10]) {
    it(`refuses RSV1 on a control frame ${opcode} (7692 6.1)`, async ({ open }) => {
      const peer = await open({ extensions: offer });
      await peer.send(frame(opcode, '', first));
      await peer.expectClose(1002);
    });
  }
  it('refuses RSV1 on a continuation (7692 6.1)', async ({ open }) => {
    const peer = await open({ extensions: offer });
    await peer.send(text(hex('f248cd'), { ...first, fin: false }), more(hex('c9c90700'), first));
    await peer.expectClose(1002);
  });
  it('refuses RSV1 on the continuation of a plain message', async ({ open }) => {
    const peer = await open({ extensions: offer });
    await peer.send(text('plain', { fin: false }), more('x', first));
    await peer.expectClose(1002);
  });
  for (const rsv of [1, 2, 3, 5, 6, 7]) {
    it(`refuses bits ${rsv} even with deflate agreed`, async ({ open }) => {
      const peer = await open({ extensions: offer });
      await peer.send(text(hex('f248cdc9c90700'), { rsv }));
      await peer.expectClose(1002);
    });
  }
  it('refuses RSV1 when nothing was agreed', async ({ open }) => {
    const peer = await open();
    await peer.send(text(hex('f248cdc9c90700'), first));
    await peer.expectClose(1002);
  });

  const kGarbage = ['ff', 'ffffffff', '07', '0605', '000500fafe48656c6c6f00', 'ed', '04ff', '04ffffffff',
    '4b4c0489', '02ff03', '63', 'f2 48 cd c9 c9 07 06'];
  for (const digits of kGarbage) {
    const body = hex(digits);
    const { state } = inflate(Buffer.concat([body, kTail]));
    it(`refuses ${state} data: ${digits}`, async ({ open }) => {
      assert.notEqual(state, 'whole', 'the case must be a bad one');
      const peer = await open({ extensions: offer });
      await peer.send(frame(2, body, first));
      await peer.expectClose([1007, 1002]);
    });
  }
  for (const digits of Object.keys(whole)) {
    for (let cut = 1; cut < hex(digits).length; cut++) {
      const body = hex(digits).subarray(0, cut);
      const judged = inflate(Buffer.concat([body, kTail]));
      const verdict = judged.state === 'whole' ? 'reads' : 'refuses';
      it(`${verdict} a ${whole[digits]} block cut after ${cut} bytes`, async ({ open }) => {
        const peer = await open({ extensions: offer });
        await peer.send(frame(2, body, first));
        if (judged.state === 'whole') await peer.expectMessage('binary', judged.data);
        else await peer.expectClose([1007, 1002]);
      });
    }
  }
  it('refuses dynamic blocks cut anywhere', async ({ open }) => {
    const body = await new Deflater({ level: 9 }).message(prose(2000));
    for (let cut = 5; cut < body.length - 1; cut += 37) {
      const judged = inflate(Buffer.concat([body.subarray(0, cut), kTail]));
      if (judged.state === 'whole') continue;
      const peer = await open({ extensions: offer });
      await peer.send(frame(2, body.subarray(0, cut), first));
      await peer.expectClose([1007, 1002]);
    }
  });
  it('refuses a reach back before the beginning', async ({ open }) => {
    const peer = await open({ extensions: offer });
    await peer.send(text(hex('f200110000'), first));
    await peer.expectClose([1007, 1002]);
  });
  it('refuses a reach back over a dropped context', async ({ open }) => {
    const peer = await open({ extensions: 'permessage-deflate; client_no_context_takeover' });
    if (!peer.deflate.client_no_context_takeover) return;
    await peer.send(text(hex('f248cdc9c90700'), first));
    await peer.expectMessage('text', 'Hello');
    await peer.send(text(hex('f200110000'), first));
    await peer.expectClose([1007, 1002]);
  });
  it('refuses compressed text that is not UTF-8', async ({ open }) => {
    const peer = await open({ extensions: offer });
    await peer.sendMessage('text', hex('4f4b ff fe'));
    await peer.expectClose(1007);
  });
  it('refuses compressed text that stops within a code point', async ({ open }) => {
    const peer = await open({ extensions: offer });
    await peer.sendMessage('text', hex('4f4b e282'));
    await peer.expectClose(1007);
  });
  it('refuses bad text in a first compressed fragment before the message ends', async ({ open }) => {
    const peer = await open({ extensions: offer });
    const body = await peer.deflater.message(hex('4f4b ff 4f4b'), { whole: true });
    await peer.send(text(body, { ...first, fin: false }));
    await peer.expectClose(1007);
  });
  it('refuses bad deflate data in a first fragment before the message ends', async ({ open }) => {
    const peer = await open({ extensions: offer });
    await peer.send(text(hex('07ffffff'), { ...first, fin: false }));
    await peer.expectClose([1007, 1002]);
  });
  for (const size of [1 << 20, 8 << 20]) {
    it(`lets through or stops ${size} zeros by the limit`, async ({ open }) => {
      const peer = await open({ extensions: offer });
      await peer.sendMessage('binary', Buffer.alloc(size));
      if (size <= 1 << 20) await peer.expectMessage('binary', Buffer.alloc(size));
      else await peer.expectClose(1009);
    });
  }
  it('stops a message one byte too long once inflated', async ({ open }) => {
    const peer = await open({ extensions: offer });
    await peer.sendMessage('binary', Buffer.alloc((1 << 20) + 1));
    await peer.expectClose(1009);
  });
  it('stops a bomb spread over fragments', async ({ open }) => {
    const peer = await open({ extensions: offer });
    const body = await peer.deflater.message(Buffer.alloc(8 << 20));
    peer.send(...fragments(2, body, Array(Math.ceil(body.length / 64)).fill(64), first));
    await peer.expectClose(1009);
  });
});
