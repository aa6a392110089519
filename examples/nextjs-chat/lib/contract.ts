/**
 * What travels in a room, said once: the types of every hook and what is checked on arrival come
 * from here. A room is open to any WebSocket client, so what arrives is anybody's text; it is
 * checked and cut to size before the page sees it.
 */

import { define } from '@anywire/client/contract';
import * as v from 'valibot';

export const kTextLengthMax = 2000;
export const kNameLengthMax = 32;
export const kTopicLengthMax = 80;
const kIdLengthMax = 64;

const cut = (lengthMax: number) =>
  v.pipe(
    v.string(),
    v.transform((text) => text.trim().slice(0, lengthMax).trim()),
    v.nonEmpty(),
  );

/** Somebody who writes. Without an account, a browser tab is whoever it says it is. */
const author = v.object({
  id: cut(kIdLengthMax),
  name: cut(kNameLengthMax),
  /** Degrees on the colour wheel. */
  hue: v.pipe(
    v.number(),
    v.transform((hue) => ((Math.round(hue) % 360) + 360) % 360),
  ),
});
export type Author = v.InferOutput<typeof author>;

/** What this page publishes. */
const said = v.object({ text: cut(kTextLengthMax), from: author });
export type Said = v.InferOutput<typeof said>;

/** Who writes from a terminal has neither name nor colour. */
export const kGuest: Author = { id: 'guest', name: 'Guest', hue: 250 };

/** Text of a plain client: `hello`, the `{"msg":"hello"}` of the seed, or JSON as this page's. */
const raw = v.pipe(
  v.string(),
  v.transform(readRaw),
  v.union([
    v.pipe(
      v.object({ msg: cut(kTextLengthMax) }),
      v.transform(({ msg }): Said => ({ text: msg, from: kGuest })),
    ),
    said,
  ]),
);

function readRaw(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Not JSON: somebody has just typed it.
  }
  return { msg: text };
}

/** What a room is about, and who said so. */
const topic = v.object({ topic: cut(kTopicLengthMax), by: cut(kNameLengthMax) });

export const rt = define({
  channels: {
    'room:{name}': {
      message: v.union([said, raw]),
      presence: v.object({ ...author.entries, typing: v.boolean() }),
    },
    'topic:{name}': { message: topic },
  },
  rpc: {
    'topic.set': {
      input: v.object({ room: cut(kNameLengthMax), topic: cut(kTopicLengthMax) }),
      output: topic,
    },
  },
});

/** One channel for each room; its name is that of `/raw/room:NAME`, too. */
export const roomChannel = (room: string) => rt.channel(`room:${room}`);
export const topicChannel = (room: string) => rt.channel(`topic:${room}`);
