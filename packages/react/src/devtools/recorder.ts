import {
  AnywireError,
  type Client,
  type ClientSnapshot,
  type Frame,
  frameScheduler,
  type Inspector,
  inspect,
  type Unsubscribe,
  type WireMessage,
} from '@anywire/client';
import { ChannelBook, type ChannelFacts } from './channels';
import { Ring } from './ring';
import { Traffic } from './traffic';

/** One line of the timeline. */
export interface Entry {
  readonly id: number;
  /** Milliseconds as the client's clock counts. */
  readonly at: number;
  /** `here`: not a frame, but a change of the connection's state. */
  readonly direction: 'in' | 'out' | 'here';
  readonly type: string;
  readonly channel: string | undefined;
  readonly bytes: number | undefined;
  readonly transport: string | undefined;
  readonly message: WireMessage;
}

/** Something that went wrong; `count` times in a row. */
export interface Problem {
  readonly id: number;
  readonly at: number;
  readonly code: string;
  readonly message: string;
  readonly advice: string | undefined;
  readonly channel: string | undefined;
  readonly count: number;
  /** The server's word, or the client's. */
  readonly from: 'frame' | 'client';
}

export interface Counters {
  readonly sent: number;
  readonly received: number;
  /** Messages that the server says are lost. */
  readonly lost: number;
  /** Messages that a schema refused, and commands that found no room. */
  readonly dropped: number;
}

/** Frames kept. */
export const entriesMax = 500;
const problemsMax = 100;
/** More than this between two updates is a flood; then updates come less often. */
const floodSize = 64;
const floodDelayMs = 100;
/** Bridges the remounts of StrictMode, Activity and hot updates. */
const lingerMs = 1000;
/** Codes of what the client itself gave up. */
const drops: ReadonlySet<string> = new Set(['schema', 'queue_full', 'pushed_out']);

/**
 * Watches one client and remembers a bounded past of it. It only looks: it never connects, and a
 * client does not know whether it is watched. Get one by `leaseRecorder`.
 */
export class Recorder {
  readonly client: Client;
  readonly traffic: Traffic = new Traffic();
  readonly #inspector: Inspector;
  readonly #entries = new Ring<Entry>(entriesMax);
  readonly #channels = new ChannelBook();
  readonly #listeners = new Set<() => void>();
  readonly #leave: readonly Unsubscribe[];
  #problems: readonly Problem[] = [];
  #seen = new WeakSet<object>();
  #counters: Counters = { sent: 0, received: 0, lost: 0, dropped: 0 };
  #expires: number | undefined;
  #openedAt: number | undefined;
  #offline = false;
  #ids = 0;
  #news = 0;
  #flooded = false;
  #cancel: (() => void) | undefined;

  constructor(client: Client) {
    this.client = client;
    this.#inspector = inspect(client);
    this.#leave = [
      this.#inspector.on('frame', (frame) => this.#frame(frame)),
      this.#inspector.on('error', (error) => this.#error(error)),
      client.on('state', (now, before) => this.#state(now, before)),
    ];
    if (client.snapshot.error) this.#error(client.snapshot.error);
  }

  get entries(): readonly Entry[] {
    return this.#entries.list;
  }

  /** Newest last. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  get channels(): readonly ChannelFacts[] {
    return this.#channels.list;
  }

  get counters(): Counters {
    return this.#counters;
  }

  /** When the token ends, Unix milliseconds, if the server has said so since we look. */
  get expires(): number | undefined {
    return this.#expires;
  }

  /** Since when the connection is open. */
  get openedAt(): number | undefined {
    return this.#openedAt;
  }

  /** Where the client connects to; undefined until it has tried. */
  get url(): string | undefined {
    return this.#inspector.url;
  }

  get offline(): boolean {
    return this.#offline;
  }

  /** Tells of any change, at most once a frame. */
  subscribe(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  clear(): void {
    this.#entries.clear();
    this.#changed();
  }

  clearProblems(): void {
    this.#problems = [];
    this.#changed();
  }

  /** As if the device had lost its network, until it is called with false. */
  setOffline(offline: boolean): void {
    this.#offline = offline;
    this.#inspector.offline(offline);
    this.#changed();
  }

  /** As if the network had cut the link. */
  kill(): void {
    this.#inspector.kill();
  }

  /** A new link now, whatever the state. */
  reconnect(): void {
    if (this.#offline) this.setOffline(false);
    if (this.client.state === 'open') this.#inspector.kill();
    // What becomes of the try is told by the state, so nobody waits for this promise.
    this.client.connect().catch(() => {});
  }

  /** The client is left as if nobody had looked. */
  end(): void {
    this.#cancel?.();
    for (const leave of this.#leave) leave();
    if (this.#offline) this.#inspector.offline(false);
  }

  #frame({ at, direction, message, bytes, transport }: Frame): void {
    const { channel, pattern, type } = message;
    const name = channel ?? pattern;
    this.#add({
      at,
      direction,
      type: String(type),
      channel: typeof name === 'string' ? name : undefined,
      bytes,
      transport,
      message,
    });
    this.traffic.count(at, direction);
    const { sent, received, lost } = this.#counters;
    if (direction === 'out') {
      this.#channels.sent(message);
      this.#counters = { ...this.#counters, sent: sent + 1 };
      return;
    }
    const gone = this.#channels.came(message);
    this.#counters = { ...this.#counters, received: received + 1, lost: lost + gone };
    this.#heed(at, message);
  }

  /** What an incoming frame says about connection and errors. */
  #heed(at: number, message: WireMessage): void {
    const { type, expires, code, channel } = message;
    if (type === 'connected') this.#openedAt = at;
    if (type === 'connected' || typeof expires === 'number') {
      this.#expires = typeof expires === 'number' ? expires : undefined;
    }
    if (type !== 'error') return;
    this.#problem(
      new AnywireError(String(code), String(message.message), {
        ...(typeof channel === 'string' && { channel }),
      }),
      'frame',
    );
  }

  #state(now: ClientSnapshot, before: ClientSnapshot): void {
    if (now.error) this.#error(now.error);
    if (now.state !== before.state) {
      if (now.state !== 'open') {
        this.#openedAt = undefined;
        this.#channels.down();
      }
      const { state, attempt, transport, error } = now;
      this.#add({
        at: Date.now(),
        direction: 'here',
        type: state,
        channel: undefined,
        bytes: undefined,
        transport,
        message: { type: 'state', from: before.state, to: state, attempt, error: error?.message },
      });
    }
    this.#changed();
  }

  /** The same error may come by several ways. */
  #error(error: AnywireError): void {
    if (this.#seen.has(error)) return;
    this.#seen.add(error);
    if (drops.has(error.code)) {
      this.#counters = { ...this.#counters, dropped: this.#counters.dropped + 1 };
    }
    this.#problem(error, 'client');
  }

  #problem({ code, message, channel, advice }: AnywireError, from: Problem['from']): void {
    const last = this.#problems.at(-1);
    const again = last?.code === code && last.message === message;
    // What the server says in a frame, the client says once more to whoever asked.
    const echo = again && from === 'client' && last.from === 'frame';
    const problem = {
      id: again ? last.id : ++this.#ids,
      at: Date.now(),
      code,
      message,
      advice: advice ?? (again ? last.advice : undefined),
      channel: channel ?? (again ? last.channel : undefined),
      count: again ? last.count + (echo ? 0 : 1) : 1,
      from,
    };
    const earlier = again ? this.#problems.slice(0, -1) : this.#problems;
    this.#problems = [...earlier, problem].slice(-problemsMax);
    this.#changed();
  }

  #add(entry: Omit<Entry, 'id'>): void {
    this.#entries.add({ id: ++this.#ids, ...entry });
    this.#changed();
  }

  #changed(): void {
    this.#news++;
    if (this.#listeners.size === 0) return;
    this.#cancel ??= frameScheduler(() => this.#tell(), this.#flooded ? floodDelayMs : 0);
  }

  #tell(): void {
    this.#cancel = undefined;
    this.#flooded = this.#news > floodSize;
    this.#news = 0;
    for (const listener of [...this.#listeners]) listener();
  }
}

interface Held {
  readonly recorder: Recorder;
  users: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const recorders = new WeakMap<Client, Held>();

/** The recorder of this client, shared by all who ask; it ends a second after its last user. */
export function leaseRecorder(client: Client): { recorder: Recorder; release: () => void } {
  const held = recorders.get(client) ?? {
    recorder: new Recorder(client),
    users: 0,
    timer: undefined,
  };
  recorders.set(client, held);
  held.users++;
  clearTimeout(held.timer);
  let released = false;
  const release = () => {
    if (released) return;
    released = true;
    held.users--;
    if (held.users > 0) return;
    held.timer = setTimeout(() => {
      recorders.delete(client);
      held.recorder.end();
    }, lingerMs);
  };
  return { recorder: held.recorder, release };
}
