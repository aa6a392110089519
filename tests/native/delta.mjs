// What docs/protocol.md says of deltas, written from it.

const kDigits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~';

/** The bytes that `delta` makes of `base`; throws if they are not the ones that were meant. */
export function applyDelta(base, delta) {
  let at = 0;
  const number = () => {
    let value = 0;
    for (let digit; (digit = kDigits.indexOf(String.fromCharCode(delta[at]))) >= 0; ++at) {
      value = value * 64 + digit;
    }
    return value;
  };
  const next = () => String.fromCharCode(delta[at++]);
  const size = number();
  if (next() !== '\n') throw new Error('not a delta');
  const parts = [];
  for (;;) {
    const count = number();
    const command = next();
    if (command === '@') {
      const from = number();
      if (next() !== ',') throw new Error('not a delta');
      parts.push(base.subarray(from, from + count));
    } else if (command === ':') {
      parts.push(delta.subarray(at, at + count));
      at += count;
    } else if (command === ';') {
      const result = Buffer.concat(parts);
      let sum = 0;
      result.forEach((byte, i) => (sum = (sum + byte * 2 ** (24 - 8 * (i % 4))) % 2 ** 32));
      if (result.length !== size || sum !== count) throw new Error('of another base');
      return result;
    } else {
      throw new Error('not a delta');
    }
  }
}
