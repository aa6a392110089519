// RFC 6455 8.1 and RFC 3629: text is UTF-8, checked as early as the bytes allow.
import { binary, close, fragments, kPong, more, ping, text } from '../support/frames.mjs';
import { suite } from '../support/suite.mjs';

const hex = (digits) => Buffer.from(digits.replace(/ /g, ''), 'hex');

const kValid = [
  ['kosme with accents', 'ceba e1bdb9 cf83 cebc ceb5'],
  ['U+0000', '00'], ['U+007F', '7f'], ['U+0080', 'c280'], ['U+07FF', 'dfbf'],
  ['U+0800', 'e0a080'], ['U+0FFF', 'e0bfbf'], ['U+1000', 'e18080'], ['U+CFFF', 'ecbfbf'],
  ['U+D000', 'ed8080'], ['U+D7FF', 'ed9fbf'], ['U+E000', 'ee8080'], ['U+FFFD', 'efbfbd'],
  ['U+FFFE', 'efbfbe'], ['U+FFFF', 'efbfbf'], ['U+FEFF, a byte order mark', 'efbbbf'],
  ['U+10000', 'f0908080'], ['U+3FFFF', 'f0bfbfbf'], ['U+40000', 'f1808080'], ['U+FFFFF', 'f3bfbfbf'],
  ['U+100000', 'f4808080'], ['U+10FFFF', 'f48fbfbf'], ['U+1FFFE', 'f09fbfbe'], ['U+FDD0', 'efb790'],
  ['an emoji with a joiner', 'f09f91a9 e2808d f09f92bb'],
  ['all lengths in a row', '24 c2a2 e282ac f0908d88'],
];

// `at`: how many bytes of the sample it takes until no continuation can make it valid.
const kInvalid = [
  ['a lone continuation byte 80', '80', 1], ['a lone continuation byte BF', 'bf', 1],
  ['two continuation bytes', '80bf', 1], ['C0', 'c0', 1], ['C1', 'c1', 1],
  ['F5', 'f5', 1], ['F6', 'f6', 1], ['F7', 'f7', 1], ['F8', 'f8', 1], ['FB', 'fb', 1], ['FC', 'fc', 1],
  ['FD', 'fd', 1], ['FE', 'fe', 1], ['FF', 'ff', 1], ['FE FE FF FF', 'fefeffff', 1],
  ['an overlong slash in two', 'c0af', 1], ['an overlong slash in three', 'e080af', 2],
  ['an overlong slash in four', 'f08080af', 2], ['a slash in five', 'f8808080af', 1],
  ['a slash in six', 'fc80808080af', 1],
  ['overlong U+007F', 'c1bf', 1], ['overlong U+07FF', 'e09fbf', 2], ['overlong U+FFFF', 'f08fbfbf', 2],
  ['overlong NUL', 'c080', 1], ['overlong NUL in three', 'e08080', 2],
  ['surrogate U+D800', 'eda080', 2], ['surrogate U+DB7F', 'edadbf', 2], ['surrogate U+DBFF', 'edafbf', 2],
  ['surrogate U+DC00', 'edb080', 2], ['surrogate U+DFFF', 'edbfbf', 2],
  ['a surrogate pair', 'eda080edb080', 2],
  ['U+110000', 'f4908080', 2], ['U+13FFFF', 'f4bfbfbf', 2], ['U+140000', 'f5808080', 1],
  ['a two-byte lead and ASCII', 'c220', 2], ['a two-byte lead and a lead', 'c2c2', 2],
  ['a three-byte lead and ASCII', 'e120', 2], ['three bytes cut by ASCII', 'e18041', 3],
  ['four bytes cut by ASCII', 'f1808041', 4], ['four bytes cut early', 'f141', 2],
  ['four bytes cut by a lead', 'f180c280', 3],
  ['text with a Latin-1 letter', '666fe9 6f', 4],
  ['kosme and a surrogate', 'ceba e1bdb9 cf83 cebc ceb5 eda080 656469746564', 13],
];

const kUnfinished = ['c2', 'df', 'e0', 'e0a0', 'e1', 'e180', 'ed', 'ed9f', 'ef', 'efbf', 'f0', 'f090',
  'f09080', 'f1', 'f180', 'f18080', 'f4', 'f48f', 'f48fbf'];


suite('UTF-8', {}, (it) => {
  for (const [name, digits] of kValid) {
    const bytes = hex(digits);
    it(`echoes ${name}`, async ({ open }) => {
      const peer = await open();
      await peer.send(text(bytes));
      await peer.expectMessage('text', bytes);
      await peer.finish();
    });
    it(`echoes ${name} split at every byte over fragments`, async ({ open }) => {
      const peer = await open();
      await peer.send(...fragments(1, bytes, Array(Math.max(0, bytes.length - 1)).fill(1)));
      await peer.expectMessage('text', bytes);
      for (let cut = 1; cut < bytes.length; cut++) {
        await peer.send(...fragments(1, bytes, [cut]));
        await peer.expectMessage('text', bytes);
      }
      await peer.finish();
    });
    it(`echoes ${name} at the end of 61 to 67 other bytes, written byte by byte`, async ({ open }) => {
      const peer = await open();
      for (const pad of [61, 62, 63, 64, 65, 66, 67]) {
        const whole = Buffer.concat([Buffer.alloc(pad, 'x'), bytes]);
        await peer.wire.writeChopped(text(whole), 16);
        await peer.expectMessage('text', whole);
      }
      await peer.finish();
    });
  }

  for (const [name, digits, at] of kInvalid) {
    const bytes = hex(digits);
    it(`refuses ${name}`, async ({ open }) => {
      const peer = await open();
      await peer.send(text(bytes));
      await peer.expectClose(1007);
    });
    it(`refuses ${name} after 60 to 70 good bytes`, async ({ open }) => {
      for (const pad of [60, 63, 64, 70]) {
        const peer = await open();
        await peer.send(text(Buffer.concat([Buffer.alloc(pad, 'x'), bytes, Buffer.from(' tail')])));
        await peer.expectClose(1007);
      }
    });
    it(`refuses ${name} in a first fragment before the message ends`, async ({ open }) => {
      const peer = await open();
      await peer.send(text(Buffer.concat([Buffer.from('ok '), bytes.subarray(0, at)]), { fin: false }));
      await peer.expectClose(1007);
    });
    it(`refuses ${name} byte by byte in fragments as soon as it is hopeless`, async ({ open }) => {
      const peer = await open();
      for (let i = 0; i < at - 1; i++) {
        await peer.send((i ? more : text)(bytes.subarray(i, i + 1), { fin: false }), ping('still'));
        await peer.expectFrame(kPong, 'still');
      }
      const last = bytes.subarray(at - 1, at);
      await peer.send((at > 1 ? more : text)(last, { fin: false }));
      await peer.expectClose(1007);
    });
  }

  for (const digits of kUnfinished) {
    const bytes = hex(digits);
    it(`refuses a message that stops within a code point: ${digits}`, async ({ open }) => {
      const peer = await open();
      await peer.send(text(Buffer.concat([Buffer.from('abc'), bytes])));
      await peer.expectClose(1007);
    });
    it(`refuses one that stops there by an empty last fragment: ${digits}`, async ({ open }) => {
      const peer = await open();
      await peer.send(text(bytes, { fin: false }), ping('open'));
      await peer.expectFrame(kPong, 'open');
      await peer.send(more(''));
      await peer.expectClose(1007);
    });
    it(`does not carry ${digits} over into the next message`, async ({ open }) => {
      const peer = await open();
      await peer.send(binary(bytes), text('fresh'));
      await peer.expectMessage('binary', bytes);
      await peer.expectMessage('text', 'fresh');
      await peer.finish();
    });
  }

  it('fails on the frame still arriving once a byte is bad', async ({ open }) => {
    const peer = await open();
    const whole = Buffer.concat([Buffer.from('good start '), hex('c0'), Buffer.alloc(4000, 'y')]);
    await peer.wire.write(text(whole).subarray(0, 200));
    await peer.expectClose(1007);
  });
  it('leaves binary messages alone', async ({ open }) => {
    const peer = await open();
    for (const [, digits] of kInvalid) {
      await peer.send(binary(hex(digits)));
      await peer.expectMessage('binary', hex(digits));
    }
    await peer.finish();
  });
  it('checks every position of a long message', async ({ open }) => {
    for (const at of [0, 1, 15, 16, 31, 32, 33, 63, 64, 127, 128, 1000, 4095, 4096, 9999]) {
      const peer = await open();
      const whole = Buffer.alloc(10000, 'z');
      whole[at] = 0xff;
      await peer.send(text(whole));
      await peer.expectClose(1007);
    }
  });
  it('checks the reason of a Close too (5.5.1)', async ({ open }) => {
    for (const [, digits] of kInvalid.slice(0, 20)) {
      const peer = await open();
      await peer.send(close(1000, hex(digits)));
      await peer.expectClose([1007, 1002]);
    }
  });
});
