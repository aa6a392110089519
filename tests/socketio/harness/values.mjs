// How what was seen is written down, so that two servers' logs can be compared as text: values of
// all kinds as JSON, packets with their JSON parsed and written again, secrets by number.
import { createHash } from 'node:crypto';

const kShownBytes = 32;
const kShownText = 2000;

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/** A value as plain JSON; what JSON has no form for becomes an object with one `$` member. */
export function plain(value) {
  if (value === undefined) return { $undefined: true };
  if (typeof value === 'function') return { $ack: true };
  if (typeof value === 'bigint') return { $bigint: `${value}` };
  if (typeof value === 'number' && !Number.isFinite(value)) return { $number: `${value}` };
  if (Object.is(value, -0)) return { $number: '-0' };
  if (typeof value === 'string') return shortened(value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof ArrayBuffer) return plain(Buffer.from(value));
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return bytes.length <= kShownBytes ? { $binary: bytes.toString('hex') }
      : { $binary: digest(bytes), bytes: bytes.length };
  }
  if (value instanceof Date) return { $date: value.toISOString() };
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}

function shortened(text) {
  return text.length <= kShownText ? text : `${text.slice(0, 40)}… ${text.length} ${digest(text)}`;
}

const sorted = (value) => (value === null || typeof value !== 'object' || Array.isArray(value)
  ? value : Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))));

function parsed(text) {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/**
 * An Engine.IO packet: what JSON it holds is written anew, so that spaces and the form of numbers
 * do not count; the members of an answer to a handshake or a CONNECT come sorted.
 */
export function packet(raw) {
  const head = /^(?:0|4[0-6](?:\d+-)?(?:\/[^,]*,)?\d*)/.exec(raw)?.[0];
  if (head === undefined) return shortened(raw);
  const body = parsed(raw.slice(head.length));
  if (!body) return shortened(raw);
  const ordered = /^(?:0$|40)/.test(head) ? sorted(body.value) : body.value;
  return head + shortened(JSON.stringify(plain(ordered)));
}

/** The packets of a poll's body. */
export const packets = (body) => body.split('\x1e').map(packet);

/** Replaces what differs from run to run, each by a name and the order in which it is first seen. */
export class Secrets {
  #kinds = new Map();

  add(value, kind) {
    if (typeof value === 'string' && value.length > 5 && !this.#kinds.has(value)) {
      this.#kinds.set(value, kind);
    }
  }

  /** Finds those that the application tells in an event or an ack named `name`. */
  told(name, value) {
    if (name === 'gone') this.add(value?.id, 'socket');
    if (name === 'who') this.add(value?.auth?.pid, 'private');
  }

  /** Finds those that a packet tells. */
  learn(raw) {
    const session = /^0(\{.*\})$/.exec(raw);
    if (session) this.add(parsed(session[1])?.value.sid, 'session');
    const socket = /^40(?:\/[^,]*,)?(\{.*\})$/.exec(raw);
    if (socket) {
      const { sid, pid } = parsed(socket[1])?.value ?? {};
      this.add(sid, 'socket');
      this.add(pid, 'private');
    }
  }

  /** The log with all of them replaced; `fixed` are further [text, name] pairs. */
  hide(log, fixed) {
    let text = JSON.stringify(log);
    for (const [value, name] of fixed) text = text.replaceAll(value, name);
    if (this.#kinds.size === 0) return JSON.parse(text);
    const counts = new Map();
    const names = new Map();
    // The longest first: one may begin as another does.
    const longest = [...this.#kinds.keys()].sort((a, b) => b.length - a.length);
    const any = longest.map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    text = text.replaceAll(new RegExp(any.join('|'), 'g'), (value) => {
      if (!names.has(value)) {
        const kind = this.#kinds.get(value);
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        names.set(value, kind === 'offset' ? '<offset>' : `<${kind} ${counts.get(kind)}>`);
      }
      return names.get(value);
    });
    return JSON.parse(text);
  }
}
