/**
 * Turns anything into text that may be shown: bounded, without secrets, and without ever throwing,
 * whatever getters, cycles or sizes a value has.
 */
export interface DescribeOptions {
  /** Several lines, indented. Default: one line. */
  readonly pretty?: boolean;
  /** About so many characters at most; what is left out is told by an ellipsis. Default 20 000. */
  readonly max?: number;
}

/** Members that open a session or stand for a person, wherever they occur. */
const secrets: ReadonlySet<string> = new Set(['token', 'session', 'stream']);
const depthMax = 12;
const itemsMax = 200;
const stringMax = 2000;
const bytesShown = 16;

export function describe(value: unknown, options: DescribeOptions = {}): string {
  const writer = new Writer(options.pretty === true, options.max ?? 20_000);
  try {
    writer.value(value, 0);
  } catch (error) {
    writer.raw(`[cannot be shown: ${nameOf(error)}]`);
  }
  return writer.text;
}

class Writer {
  text = '';
  readonly #pretty: boolean;
  readonly #max: number;
  /** The objects that the one being written is inside of. */
  readonly #around: object[] = [];

  constructor(pretty: boolean, max: number) {
    this.#pretty = pretty;
    this.#max = max;
  }

  get full(): boolean {
    return this.text.length >= this.#max;
  }

  raw(text: string): void {
    this.text += text;
  }

  value(value: unknown, depth: number): void {
    if (typeof value === 'string') this.string(value);
    else if (typeof value === 'bigint') this.raw(`${value}n`);
    else if (typeof value === 'function') this.raw('[function]');
    else if (typeof value === 'object' && value !== null) this.object(value, depth);
    else this.raw(String(value));
  }

  string(value: string): void {
    const room = Math.max(0, Math.min(stringMax, this.#max - this.text.length));
    const cut = value.length - room;
    this.raw(JSON.stringify(cut > 0 ? value.slice(0, room) : value));
    if (cut > 0) this.raw(`… ${cut} more`);
  }

  object(value: object, depth: number): void {
    const special = this.#around.includes(value) ? '[circular]' : specially(value);
    if (special !== undefined || depth >= depthMax) {
      this.raw(special ?? '[deeper]');
      return;
    }
    this.#around.push(value);
    if (Array.isArray(value)) {
      this.#items('[]', value.length, depth, (i) => this.value(value[i], depth + 1));
    } else {
      const keys = Object.keys(value);
      this.#items('{}', keys.length, depth, (i) => this.#member(value, keys[i] ?? '', depth));
    }
    this.#around.pop();
  }

  #member(owner: object, key: string, depth: number): void {
    this.string(key);
    this.raw(this.#pretty ? ': ' : ':');
    let member: unknown;
    try {
      member = (owner as Record<string, unknown>)[key];
    } catch (error) {
      this.raw(`[cannot be read: ${nameOf(error)}]`);
      return;
    }
    if (!secrets.has(key) || member === undefined || member === null) this.value(member, depth + 1);
    else this.raw('[redacted]');
  }

  #items(brackets: string, count: number, depth: number, write: (i: number) => void): void {
    if (count === 0) {
      this.raw(brackets);
      return;
    }
    this.raw(brackets.charAt(0));
    let i = 0;
    for (; i < Math.min(count, itemsMax) && !this.full; i++) {
      if (i > 0) this.raw(',');
      this.#line(depth + 1);
      write(i);
    }
    if (i < count) {
      if (i > 0) this.raw(',');
      this.#line(depth + 1);
      this.raw(`… ${count - i} more`);
    }
    this.#line(depth);
    this.raw(brackets.charAt(1));
  }

  #line(depth: number): void {
    if (this.#pretty) this.raw(`\n${'  '.repeat(depth)}`);
  }
}

/** What is not shown member by member. */
function specially(value: object): string | undefined {
  if (value instanceof ArrayBuffer) return bytes(new Uint8Array(value));
  if (ArrayBuffer.isView(value)) {
    return bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  if (value instanceof Date) return String(value.getTime());
  if (value instanceof Map || value instanceof Set) return `[${value.size} entries]`;
  if (value instanceof Error) return `[${value.name}: ${value.message}]`;
  return undefined;
}

function bytes(view: Uint8Array): string {
  const shown = [...view.subarray(0, bytesShown)].map((byte) => byte.toString(16).padStart(2, '0'));
  const rest = view.length > bytesShown ? ' …' : '';
  return `[${view.length} bytes${shown.length > 0 ? `: ${shown.join(' ')}${rest}` : ''}]`;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}
