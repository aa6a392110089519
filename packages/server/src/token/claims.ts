import { AnywireError } from '@anywire/client/contract';

/**
 * What a token may allow on the channels of a pattern. `*` is all of them but `manage`, which is for
 * the HTTP API's calls about other people's connections and has to be written.
 */
export type Operation = 'subscribe' | 'publish' | 'presence' | 'history' | 'rpc' | 'manage' | '*';

/** Which operations are allowed where: channel patterns and what each allows. */
export type Capability = Readonly<Record<string, readonly Operation[]>>;

/** Whom a token speaks for, and what it allows: docs/protocol.md section 8. */
export interface Claims {
  /** The user's id, 1 to 255 bytes; `null`: a guest without one. */
  readonly user: string | null;
  /** The presence info of whoever does not enter with another; JSON of at most 4 KiB. */
  readonly info?: unknown;
  /** Channels that are subscribed to at once, and may be; at most 128. */
  readonly channels?: readonly string[];
  /**
   * Which operations are allowed where. `*` in a pattern is any run of characters, `?` one of them;
   * at most 256 patterns. Absent: what the server's channel rules allow everybody, or users.
   */
  readonly capability?: Capability;
  /** The token's own id (`jti`), by which it can be revoked; 1 to 255 bytes. */
  readonly id?: string;
}

const operations: readonly string[] = [
  'subscribe',
  'publish',
  'presence',
  'history',
  'rpc',
  'manage',
  '*',
] satisfies Operation[];
const userBytesMax = 255;
const nameBytesMax = 255;
const infoBytesMax = 4096;
const channelsMax = 128;
const patternsMax = 256;
/** The longest token that the server reads. */
export const tokenBytesMax = 8192;

/**
 * The claims of a token. The server would refuse the whole token for any of the mistakes found
 * here, and the browser would learn no more than that; so they are an AnywireError `bad_claims`
 * that says which one it is.
 */
export function toPayload(claims: Claims): Record<string, unknown> {
  const { user, info, channels, capability, id } = claims;
  return {
    ...(user !== null && { sub: checkText(user, 'user', ', or null for a guest') }),
    ...(id !== undefined && { jti: checkText(id, 'id', '') }),
    ...(info !== undefined && { info: checkInfo(info) }),
    ...(channels && { channels: checkChannels(channels) }),
    ...(capability && { capability: checkCapability(capability) }),
  };
}

function checkText(text: unknown, name: string, orElse: string): string {
  if (typeof text !== 'string') {
    throw mistake(`"${name}" must be a string${orElse}; it is ${show(text)}`);
  }
  const bytes = bytesOf(text);
  if (bytes === 0 || bytes > userBytesMax) {
    throw mistake(`"${name}" must have 1 to ${userBytesMax} bytes; it has ${bytes}`);
  }
  return text;
}

function checkInfo(info: unknown): unknown {
  const text = jsonOf(info);
  if (text === undefined) throw mistake('"info" cannot be written as JSON');
  const bytes = bytesOf(text);
  if (bytes > infoBytesMax) {
    throw mistake(`"info" may have ${infoBytesMax} bytes of JSON; it has ${bytes}`);
  }
  return info;
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function checkChannels(channels: readonly string[]): readonly string[] {
  if (!Array.isArray(channels) || channels.length > channelsMax) {
    throw mistake(`"channels" must be a list of at most ${channelsMax} names`);
  }
  for (const name of channels) checkName(name, 'channels');
  return channels;
}

export function checkCapability(capability: Capability): Capability {
  const entries = Object.entries(capability);
  if (Array.isArray(capability) || entries.length > patternsMax) {
    throw mistake(`"capability" must be an object of at most ${patternsMax} patterns`);
  }
  for (const [pattern, allowed] of entries) {
    checkName(pattern, 'capability');
    const wrong = Array.isArray(allowed)
      ? allowed.find((one) => !operations.includes(one))
      : (allowed ?? null);
    if (wrong !== undefined) {
      throw mistake(
        `"capability" of ${show(pattern)} must be a list of ${operations.join(', ')}; ` +
          `it has ${show(wrong)}`,
      );
    }
  }
  return capability;
}

function checkName(name: unknown, where: string): void {
  const bytes = typeof name === 'string' ? bytesOf(name) : 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is them that names may not have.
  const bad = typeof name !== 'string' || /[\u0000-\u001f\u007f]/.test(name);
  if (bad || bytes === 0 || bytes > nameBytesMax) {
    throw mistake(
      `${show(name)} in "${where}" is no name of a channel: 1 to ${nameBytesMax} bytes, none of ` +
        'them control characters',
    );
  }
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function show(value: unknown): string {
  const text = jsonOf(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

/** An error of whoever wrote the application, not of whoever uses it. */
export function mistake(message: string): AnywireError {
  return new AnywireError('bad_claims', message);
}
