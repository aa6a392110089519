import type { Position } from '@anywire/client';
import { byteLength, isName, parsePattern } from './glob';
import { type Refusal, refusal } from './refusal';
import type { HistoryQuery, Payload } from './stream';

/** Commands as docs/protocol.md has them, checked. */
export interface Connect {
  readonly token: string | undefined;
  readonly session: string | undefined;
  readonly agent: string;
}

export interface Subscribe {
  readonly channel: string;
  readonly pattern: boolean;
  readonly since: Position | undefined;
  readonly rewind: number;
  readonly presence: boolean;
  readonly occupancy: boolean;
  readonly own: boolean;
  readonly filter: Readonly<Record<string, readonly string[]>>;
}

export interface Publish {
  readonly channel: string;
  readonly payload: Payload;
  readonly event: string | undefined;
  readonly messageId: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
}

/** To a call that the server made. */
export interface Answer {
  readonly call: number;
  readonly data: unknown;
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

export interface Commands {
  connect: Connect;
  auth: { readonly token: string };
  subscribe: Subscribe;
  unsubscribe: { readonly channel: string; readonly pattern: boolean };
  publish: Publish;
  history: {
    readonly channel: string;
    readonly epoch: string | undefined;
    readonly query: HistoryQuery;
  };
  enter: { readonly channel: string; readonly info: unknown };
  leave: { readonly channel: string };
  members: { readonly channel: string; readonly after: string; readonly limit: number };
  occupancy: { readonly channel: string };
  ping: object;
  rpc: { readonly method: string; readonly data: unknown };
  answer: Answer;
}

/** The commands of docs/protocol.md. */
export type CommandType = keyof Commands;

/** One command, or why it is none. */
export interface Incoming {
  /** 0: there is none, or it could not be read. */
  readonly id: number;
  /** What the message names, for the error; empty if nothing readable. */
  readonly channel: string;
  readonly command:
    | {
        readonly [Type in CommandType]: { readonly type: Type; readonly of: Commands[Type] };
      }[CommandType]
    | undefined;
  readonly refusal: Refusal | undefined;
}

const limits = {
  agent: 128,
  event: 255,
  messageId: 128,
  idempotencyKey: 64,
  conflationKey: 128,
  tags: 16,
  tagName: 64,
  tagValue: 256,
  filterTags: 16,
  filterValues: 32,
  info: 4096,
  answerError: 1024,
  page: 1000,
} as const;

type Fields = Readonly<Record<string, unknown>>;
const makers: { readonly [Type in CommandType]: (reader: Reader) => Commands[Type] } = {
  connect: (reader) => ({
    token: reader.text('token'),
    session: reader.text('session'),
    agent: reader.text('agent', limits.agent) ?? '',
  }),
  auth: (reader) => ({ token: reader.requiredText('token') }),
  subscribe: (reader) => reader.subscribe(),
  unsubscribe: (reader) => reader.channelOrPattern(),
  publish: (reader) => reader.publish(),
  history: (reader) => reader.history(),
  enter: (reader) => ({ channel: reader.channel(), info: reader.info() }),
  leave: (reader) => ({ channel: reader.channel() }),
  members: (reader) => ({
    channel: reader.channel(),
    after: reader.text('after') ?? '',
    limit: reader.page(),
  }),
  occupancy: (reader) => ({ channel: reader.channel() }),
  ping: () => ({}),
  rpc: (reader) => ({
    method: reader.requiredText('method', limits.event),
    data: reader.get('data'),
  }),
  answer: (reader) => reader.answer(),
};

/** Reads one message of a frame; whatever is wrong with it is a refusal. */
export function readCommand(message: unknown): Incoming {
  if (!isObject(message)) {
    const words = refusal('bad_message', 'a message is an object');
    return { id: 0, channel: '', command: undefined, refusal: words };
  }
  const reader = new Reader(message);
  const type = reader.requiredText('type');
  const id = reader.id(type !== 'publish' && type !== 'answer');
  const channel = reader.named();
  const make = Object.hasOwn(makers, type) ? makers[type as CommandType] : undefined;
  if (!make) reader.refuse('unknown_type', `there is no command "${type.slice(0, 64)}"`);
  const of = make && !reader.refusal ? make(reader) : undefined;
  const command = (reader.refusal ? undefined : { type, of }) as Incoming['command'];
  return { id, channel, command, refusal: reader.refusal };
}

/** Takes members out of a message. The first thing that is wrong counts. */
class Reader {
  readonly #fields: Fields;
  refusal: Refusal | undefined;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  refuse(code: string, message: string): void {
    this.refusal ??= refusal(code, message);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name);
  }

  get(name: string): unknown {
    return this.has(name) ? this.#fields[name] : undefined;
  }

  id(needed: boolean): number {
    const id = this.get('id');
    if (id === undefined && !needed) return 0;
    if (Number.isSafeInteger(id) && (id as number) >= 1) return id as number;
    this.refuse('bad_message', `"id" must be a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`);
    return 0;
  }

  /** The channel that the message names, if that is one. */
  named(): string {
    const channel = this.get('channel');
    return typeof channel === 'string' && isName(channel) ? channel : '';
  }

  text(name: string, bytesMax: number = Number.POSITIVE_INFINITY): string | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string') {
      this.#wrongType(name, 'a string');
      return undefined;
    }
    if (byteLength(value) > bytesMax) this.#tooLarge(name, bytesMax);
    return value;
  }

  requiredText(name: string, bytesMax?: number): string {
    if (!this.has(name)) this.refuse('bad_message', `"${name}" is missing`);
    return this.text(name, bytesMax) ?? '';
  }

  number(name: string): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (Number.isInteger(value) && (value as number) >= 0) return value as number;
    this.#wrongType(name, 'a whole number from 0 up');
    return undefined;
  }

  offset(name: string): number | undefined {
    const value = this.number(name);
    if (value !== undefined && value > Number.MAX_SAFE_INTEGER) {
      this.#wrongType(name, `at most ${Number.MAX_SAFE_INTEGER}`);
    }
    return value;
  }

  boolean(name: string, otherwise: boolean): boolean {
    const value = this.get(name);
    if (value === undefined || typeof value === 'boolean') return value ?? otherwise;
    this.#wrongType(name, 'true or false');
    return otherwise;
  }

  channel(): string {
    const name = this.requiredText('channel');
    if (!isName(name)) {
      this.refuse('bad_channel', "a channel's name has 1 to 255 bytes and no control characters");
    }
    return name;
  }

  channelOrPattern(): { readonly channel: string; readonly pattern: boolean } {
    if (!this.has('pattern')) return { channel: this.channel(), pattern: false };
    if (this.has('channel')) {
      this.refuse('bad_message', 'either "channel" or "pattern", not both');
    }
    const pattern = parsePattern(this.requiredText('pattern'));
    if (pattern === undefined) {
      this.refuse('bad_channel', 'a pattern has 1 to 255 bytes and no control characters');
    }
    return { channel: pattern ?? '', pattern: true };
  }

  page(): number {
    const limit = this.number('limit') ?? 100;
    if (limit >= 1 && limit <= limits.page) return limit;
    this.refuse('bad_message', `"limit" is 1 to ${limits.page}`);
    return 100;
  }

  subscribe(): Subscribe {
    const { channel, pattern } = this.channelOrPattern();
    const subscribe: Subscribe = {
      channel,
      pattern,
      since: this.#since(),
      rewind: this.number('rewind') ?? 0,
      presence: this.boolean('presence', false),
      occupancy: this.boolean('occupancy', false),
      own: this.boolean('own', true),
      filter: this.#filter(),
    };
    this.boolean('delta', false);
    const { since, presence, occupancy } = subscribe;
    if (pattern && (since || this.has('rewind') || presence || occupancy)) {
      const words = 'a pattern has neither "since" nor "rewind", "presence" or "occupancy"';
      this.refuse('bad_message', words);
    }
    if (since && this.has('rewind')) {
      this.refuse('bad_message', '"rewind" is for subscriptions without "since"');
    }
    return subscribe;
  }

  publish(): Publish {
    // In this order, as the first thing that is wrong counts.
    const channel = this.channel();
    const payload = this.#payload();
    const event = this.text('event', limits.event) || undefined;
    const messageId = this.text('messageId', limits.messageId) || undefined;
    this.text('conflationKey', limits.conflationKey);
    const idempotencyKey = this.text('idempotencyKey', limits.idempotencyKey) || undefined;
    return { channel, payload, event, messageId, idempotencyKey, tags: this.#tags() };
  }

  history(): Commands['history'] {
    const channel = this.channel();
    const epoch = this.text('epoch');
    const order = this.text('order');
    if (this.has('order') && order !== 'forward' && order !== 'backward') {
      this.refuse('bad_message', '"order" is "forward" or "backward"');
    }
    const after = this.offset('after');
    const before = this.offset('before');
    const from = this.number('from');
    const to = this.number('to');
    const query: HistoryQuery = {
      ...(after !== undefined && { after }),
      ...(before !== undefined && { before }),
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      backward: order === 'backward',
      limit: this.page(),
    };
    return { channel, epoch, query };
  }

  answer(): Answer {
    const call = this.number('call') ?? 0;
    if (!this.has('call')) this.refuse('bad_message', '"call" is missing');
    const error = this.get('error');
    const answer = { call, data: this.get('data'), error: undefined };
    if (error === undefined) return answer;
    if (this.has('data')) this.refuse('bad_message', 'either "data" or "error", not both');
    const { code, message } = isObject(error) ? error : ({} as Fields);
    if (typeof code !== 'string' || typeof message !== 'string') {
      const words = 'an "error" has a "code" and a "message", two strings';
      this.refuse('bad_message', words);
      return answer;
    }
    if (byteLength(code) > limits.event || byteLength(message) > limits.answerError) {
      this.#tooLarge('error', limits.answerError);
    }
    return { ...answer, error: { code, message } };
  }

  info(): unknown {
    const info = this.get('info');
    if (info !== undefined && byteLength(JSON.stringify(info)) > limits.info) {
      this.#tooLarge('info', limits.info);
    }
    return info;
  }

  #since(): Position | undefined {
    if (!this.has('since')) return undefined;
    const since = this.get('since');
    const { epoch, offset } = isObject(since) ? since : ({} as Fields);
    if (typeof epoch !== 'string' || !Number.isInteger(offset) || (offset as number) < 0) {
      const words = '"since" must have an "epoch", a string, and an "offset", a whole number';
      this.refuse('bad_message', words);
      return undefined;
    }
    if ((offset as number) > Number.MAX_SAFE_INTEGER) {
      this.refuse('bad_message', `the "offset" is at most ${Number.MAX_SAFE_INTEGER}`);
    }
    return { epoch, offset: offset as number };
  }

  #payload(): Payload {
    const forms = ['data', 'text', 'binary'].filter((name) => this.has(name));
    if (forms.length !== 1) {
      this.refuse('bad_message', 'exactly one of "data", "text" and "binary" is needed');
      return {};
    }
    if (forms[0] === 'data') return { data: this.get('data') };
    if (forms[0] === 'text') return { text: this.text('text') ?? '' };
    const binary = this.get('binary');
    if (typeof binary !== 'string' || !isBase64(binary)) {
      this.#wrongType('binary', 'bytes: bin in MessagePack, base64 in JSON');
    }
    return { binary: String(binary) };
  }

  #filter(): Subscribe['filter'] {
    const filter = this.get('filter');
    if (filter === undefined) return {};
    if (!isObject(filter)) {
      this.#wrongType('filter', 'an object of arrays of strings');
      return {};
    }
    const rules = Object.entries(filter);
    const { filterTags, filterValues, tagName, tagValue } = limits;
    if (rules.length > filterTags || rules.some(([tag]) => byteLength(tag) > tagName)) {
      const words = `a filter has at most ${filterTags} tags, of ${tagName} bytes each`;
      this.refuse('too_large', words);
    }
    for (const [, values] of rules) {
      if (!Array.isArray(values) || values.some((value) => typeof value !== 'string')) {
        this.#wrongType('filter', 'an object of arrays of strings');
      } else if (
        values.length > filterValues ||
        values.some((value) => byteLength(value as string) > tagValue)
      ) {
        const words = `a filter has at most ${filterValues} values for a tag`;
        this.refuse('too_large', `${words}, of ${tagValue} bytes each`);
      }
    }
    return filter as Subscribe['filter'];
  }

  #tags(): Publish['tags'] {
    const tags = this.get('tags');
    if (tags === undefined) return undefined;
    if (!isObject(tags) || Object.values(tags).some((value) => typeof value !== 'string')) {
      this.#wrongType('tags', 'an object of strings');
      return undefined;
    }
    const all = Object.entries(tags as Readonly<Record<string, string>>);
    const { tags: most, tagName, tagValue } = limits;
    const large = ([name, value]: [string, string]) =>
      byteLength(name) > tagName || byteLength(value) > tagValue;
    if (all.length > most || all.some(large)) {
      const words = `a message has at most ${most} tags, with ${tagName} bytes for the name`;
      this.refuse('too_large', `${words} and ${tagValue} for the value`);
    }
    return all.length > 0 ? Object.fromEntries(all) : undefined;
  }

  #wrongType(name: string, wanted: string): void {
    this.refuse('bad_message', `"${name}" must be ${wanted}`);
  }

  #tooLarge(name: string, bytesMax: number): void {
    this.refuse('too_large', `"${name}" has at most ${bytesMax} bytes`);
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 4648 section 4, with padding. */
function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
