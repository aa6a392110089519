import type { Client } from './api';
import type { Core } from './client';
import type { RpcRef } from './types';
import type { WireMessage } from './wire';

/** Answers one method; what it throws is told to the caller, with its `code` if it has one. */
export type Handler<In = unknown, Out = unknown> = (data: In) => Out | Promise<Out>;

/** What a client answers, and which of its connections is the present one. */
interface Desk {
  readonly methods: Map<string, Handler>;
  connection: number;
}

const desks = /* @__PURE__ */ new WeakMap<Core, Desk>();

/**
 * Answers calls of the application's server (`POST /api/v1/rpc`). Returns how to stop. A method has
 * one handler: the last one counts.
 */
export function handle<In = unknown, Out = unknown>(
  client: Client,
  method: string,
  handler: Handler<In, Out>,
): () => void;
export function handle<In, Out>(
  client: Client,
  method: RpcRef<In, Out>,
  handler: Handler<In, Out>,
): () => void;
export function handle(
  client: Client,
  method: string | RpcRef,
  handler: Handler<never>,
): () => void {
  const core = client as Core;
  const { name, check } = typeof method === 'string' ? { name: method } : method;
  const { methods } = desks.get(core) ?? open(core);
  const plain = handler as Handler;
  const own: Handler = check
    ? async (data) => check.output(await plain(check.input(data)))
    : (data) => plain(data);
  methods.set(name, own);
  return () => {
    if (methods.get(name) === own) methods.delete(name);
  };
}

/** Hangs itself into the client: bundles without `handle` do not pay for it. */
function open(core: Core): Desk {
  const desk: Desk = { methods: new Map(), connection: 0 };
  desks.set(core, desk);
  const push = core.push.bind(core);
  const parted = core.parted.bind(core);
  core.push = (message) => {
    if (message.type === 'call') void answer(core, desk, message);
    else push(message);
  };
  core.parted = () => {
    // The server has forgotten the calls of a connection that is lost; their numbers come again.
    desk.connection++;
    parted();
  };
  return desk;
}

async function answer(core: Core, desk: Desk, message: WireMessage): Promise<void> {
  const { connection } = desk;
  const reply = await outcome(desk, message);
  if (!core.live || connection !== desk.connection) return;
  const say = (members: object) =>
    core.send([core.calls.make({ type: 'answer', call: message.call, ...members })]);
  try {
    say(reply);
  } catch (cause) {
    say({ error: failure(cause) });
  }
}

async function outcome(desk: Desk, message: WireMessage): Promise<object> {
  const { method, data, text, json } = message;
  const handler = desk.methods.get(String(method));
  if (!handler) return { error: { code: 'no_handler', message: 'nobody answers this method' } };
  try {
    // MessagePack cannot say every number that JSON can; such a value comes as its JSON text.
    const result = await handler(json ? JSON.parse(String(text)) : data);
    return result === undefined ? {} : { data: result };
  } catch (cause) {
    return { error: failure(cause) };
  }
}

/** The server takes codes of 255 bytes and messages of 1024; a character has at most three. */
function failure(cause: unknown): { readonly code: string; readonly message: string } {
  const { code, message = String(cause) } = Object(cause) as { code?: unknown; message?: unknown };
  return {
    code: typeof code === 'string' && code !== '' ? code.slice(0, 85) : 'failed',
    message: String(message).slice(0, 340),
  };
}
