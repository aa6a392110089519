// What clients have been told, and whether it can all be true: the judge of the kill trials. It
// knows of no sockets, so its own test can plant every fault it has to find.
//
// A key is `<publisher>-<number>`: a publisher numbers its messages from 1 and publishes them in
// that order, also when it repeats some after a crash. So in a channel the numbers of one publisher
// grow by one, or something was lost, doubled or moved.

class Channel {
  epoch = undefined;
  keys = [undefined];   // by offset
  offsets = new Map();  // by key: as acknowledged or delivered, whichever was first
  acknowledged = new Set();
  top = 0;              // the highest offset anybody was told of
}

export class Ledger {
  #channels = new Map();
  acknowledgements = 0;
  duplicates = 0;
  deliveries = 0;

  #channel(name) {
    if (!this.#channels.has(name)) this.#channels.set(name, new Channel());
    return this.#channels.get(name);
  }

  #fail(name, text) {
    throw new Error(`${name}: ${text}`);
  }

  #epoch(name, epoch) {
    const channel = this.#channel(name);
    channel.epoch ??= epoch;
    if (epoch !== channel.epoch) this.#fail(name, `the epoch was ${channel.epoch}, is ${epoch}`);
    return channel;
  }

  /** `key` is at `offset`, and nowhere else. */
  #place(name, key, offset) {
    const channel = this.#channel(name);
    const other = channel.keys[offset];
    if (other !== undefined && other !== key) {
      this.#fail(name, `offset ${offset} was ${other}, is ${key}`);
    }
    const before = channel.offsets.get(key);
    if (before !== undefined && before !== offset) {
      this.#fail(name, `${key} was at ${before}, is at ${offset}`);
    }
    channel.keys[offset] = key;
    channel.offsets.set(key, offset);
    channel.top = Math.max(channel.top, offset);
  }

  /** The answer to a publish. */
  published(name, key, { epoch, offset, duplicate = false }) {
    const channel = this.#epoch(name, epoch);
    if (channel.acknowledged.has(key)) this.#fail(name, `${key} was acknowledged twice`);
    this.#place(name, key, offset);
    channel.acknowledged.add(key);
    this.acknowledgements += 1;
    if (duplicate) this.duplicates += 1;
  }

  /**
   * A new cursor, from a `subscribed` that followed a subscribe with `since`, or without (null).
   * `before` is the ledger's top when that was sent.
   */
  subscribed(name, { since, before }, { epoch, offset, top, recovered, gap }) {
    this.#epoch(name, epoch);
    if (top < before) this.#fail(name, `lost: there was ${before}, the top is ${top}`);
    if (since) {
      if (!recovered || gap) this.#fail(name, `not recovered: ${JSON.stringify(gap)}`);
      if (offset !== since.offset) {
        this.#fail(name, `the cursor was ${since.offset}, is ${offset}`);
      }
    }
    return { epoch, offset };
  }

  /** A delivered message; the cursor moves. */
  delivered(name, cursor, { offset, key }) {
    if (offset !== cursor.offset + 1) {
      this.#fail(name, `a hole or a repetition: the cursor is ${cursor.offset}, came ${offset}`);
    }
    this.#place(name, key, offset);
    cursor.offset = offset;
    this.deliveries += 1;
  }

  /** What nobody may be told in these trials: gaps, ended subscriptions, errors. */
  refused(name, message) {
    this.#fail(name ?? '?', `unexpected: ${JSON.stringify(message)}`);
  }

  top(name) {
    return this.#channel(name).top;
  }

  /** When everybody has everything: all of it in order, complete and once. */
  finish() {
    for (const [name, channel] of this.#channels) {
      const next = new Map();
      for (let offset = 1; offset <= channel.top; offset++) {
        const key = channel.keys[offset];
        if (key === undefined) this.#fail(name, `nobody has seen offset ${offset}`);
        const [publisher, number] = [key.slice(0, key.lastIndexOf('-')),
          Number(key.slice(key.lastIndexOf('-') + 1))];
        const expected = next.get(publisher) ?? 1;
        if (number !== expected) {
          this.#fail(name, `of ${publisher} came ${number} where ${expected} was due`);
        }
        next.set(publisher, number + 1);
        if (!channel.acknowledged.has(key)) this.#fail(name, `${key} was never acknowledged`);
      }
    }
  }
}
