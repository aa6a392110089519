// A member of a channel that is not a browser: npm ws, writing and remembering.
import { WebSocket } from 'ws';
import { until } from './poll.mjs';

const kBufferedMax = 256 * 1024;

export class Member {
  texts = [];

  /** Resolves when it is in the channel. Leaves at the end of the test. */
  static async join(t, url) {
    const member = new Member();
    member.ws = new WebSocket(url, { perMessageDeflate: false });
    member.ws.on('error', () => undefined);
    member.ws.on('message', (data, binary) => {
      if (!member.deaf && !binary) member.texts.push(data.toString());
    });
    t.after(() => member.ws.terminate());
    await until(`joined ${url}`, () => member.ws.readyState === WebSocket.OPEN);
    return member;
  }

  say(value) {
    this.ws.send(typeof value === 'string' ? value : JSON.stringify(value));
  }

  /** Sends `count` numbered messages of about `size` bytes as fast as they are taken. */
  async flood(count, size, from = 0) {
    this.deaf = true;
    const pad = 'x'.repeat(Math.max(0, size - 24));
    for (let n = from; n < from + count; n++) {
      this.ws.send(`{"n":${n},"pad":"${pad}"}`);
      while (this.ws.bufferedAmount > kBufferedMax) await new Promise((go) => setImmediate(go));
    }
  }

  untilTexts(what, holds, options) {
    return until(what, () => holds(this.texts) && this.texts, options);
  }
}
