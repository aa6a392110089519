import type { AnyContract, StandardSchema } from '@anywire/client/contract';
import { encodeAnswer, encodeRefusal, encodeRpc, encodeRpcRefusal } from './hooks/answer';
import type { HookHandlers } from './hooks/handlers';
import { patternOf } from './hooks/pattern';
import { type Question, readQuestion } from './hooks/question';
import { Refusal, type RpcHook, refuse } from './hooks/types';
import { HookRefused, secretsOf, type VerifyOptions, verifyHook } from './hooks/verify';

export type { AnyRpcHandler, HookHandlers, RpcHandler, RpcHandlers } from './hooks/handlers';
export type {
  Action,
  ConnectAnswer,
  ConnectHook,
  EventsHook,
  HookClient,
  HookEvent,
  PublishAnswer,
  PublishHook,
  RefusalDetails,
  RpcHook,
  SubscribeAnswer,
  SubscribeHook,
  Verdict,
} from './hooks/types';
export { Refusal, refuse } from './hooks/types';
export { HookRefused, type VerifyOptions, verifyHook } from './hooks/verify';

/** Answers the requests of an Anywire server. */
export type HookHandler = (request: Request) => Promise<Response>;

/**
 * A handler for the hooks of an Anywire server (docs/hooks.md), in any runtime with web standards:
 *
 *   const handler = createHookHandler({
 *     onSubscribe: async ({ channel, client }) => (await isMember(client.user, channel)) || refuse('Members only'),
 *   });
 *
 * What is not signed with the secret is answered 401 before any handler runs. What a handler throws
 * is answered 500, which to the server is a failure of the application and to clients nothing more.
 */
export function createHookHandler<const C extends AnyContract = AnyContract>(
  handlers: HookHandlers<C>,
): HookHandler {
  const { onError = (error) => console.error('[anywire] a hook failed:', error) } = handlers;
  return async (request) => {
    if (request.method !== 'POST') return plain(405, 'Hooks are posted', { allow: 'POST' });
    try {
      const question = readQuestion(await verifyHook(request, handlers));
      return json(await answer(question, handlers as HookHandlers));
    } catch (error) {
      if (error instanceof HookRefused) return plain(error.status, error.message);
      onError(error);
      return plain(500, 'The hook failed');
    }
  };
}

/** Throws an AnywireError `bad_secret` where no hook could ever be answered. */
export function checkHookSecret(options: VerifyOptions): void {
  secretsOf(options);
}

async function answer(question: Question, handlers: HookHandlers): Promise<object> {
  const { contract } = handlers;
  try {
    switch (question.type) {
      case 'connect':
        return encodeAnswer(await handlers.onConnect?.(question));
      case 'subscribe':
        return encodeAnswer(
          await handlerFor(handlers.onSubscribe, question.channel, contract)?.(question),
        );
      case 'publish': {
        const onPublish = handlerFor(handlers.onPublish, question.channel, contract);
        if (!onPublish && !contract) return {};
        const check = contract?.find(question.channel)?.check;
        const data = check
          ? checked(() => check.message(question.data, question.event))
          : question.data;
        return encodeAnswer(await onPublish?.({ ...question, data }));
      }
      case 'rpc':
        return await answerRpc(question, handlers);
      case 'events':
        await handlers.onEvents?.(question);
        return {};
    }
  } catch (error) {
    if (error instanceof Refusal && question.type !== 'events') return encodeRefusal(error);
    throw error;
  }
}

/** The one function, or that of the pattern which the channel belongs to. */
function handlerFor<F extends (hook: never) => unknown>(
  handlers: F | object | undefined,
  channel: string,
  contract: AnyContract | undefined,
): F | undefined {
  if (typeof handlers === 'function') return handlers as F;
  const pattern = handlers && contract && patternOf(contract)(channel);
  return pattern === undefined ? undefined : (ownMember(handlers, pattern) as F | undefined);
}

async function answerRpc(
  question: Question & { readonly type: 'rpc' },
  { onRpc, contract }: HookHandlers,
): Promise<object> {
  const { method } = question;
  const own = typeof onRpc === 'function' ? onRpc : ownMember(onRpc, method);
  if (!own) return { error: { code: 'no_handler', message: `nobody handles "${method}"` } };
  const input = contract && Object.hasOwn(contract.rpcs, method) && contract.rpcs[method]?.input;
  try {
    const data = input ? await parse(input, question.data) : question.data;
    const result =
      typeof onRpc === 'function'
        ? await onRpc({ ...question, data })
        : await (own as (data: unknown, hook: RpcHook) => unknown)(data, question);
    if (result instanceof Refusal) return encodeRpcRefusal(result);
    // A wrong answer is the application's own mistake, and thrown as such.
    contract?.findRpc(method)?.check?.output(result);
    return encodeRpc(result);
  } catch (error) {
    if (error instanceof Refusal) return encodeRpcRefusal(error);
    throw error;
  }
}

/** Never something of the prototype: the name is a client's. */
function ownMember(members: object | undefined, name: string): unknown {
  return members && Object.hasOwn(members, name)
    ? (members as Record<string, unknown>)[name]
    : undefined;
}

/** What the schema gives. What it refuses, the client did wrong. */
async function parse(schema: StandardSchema, value: unknown): Promise<unknown> {
  const result = await schema['~standard'].validate(value);
  if (!result.issues) return result.value;
  throw refuse(result.issues.map(({ message }) => message).join('; '), { reason: 'schema' });
}

/** The same where the contract does it. */
function checked<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw refuse((error as Error).message, { reason: 'schema' });
  }
}

function json(body: object): Response {
  return Response.json(body, { headers: { 'cache-control': 'no-store' } });
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: {
      ...headers,
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
    },
  });
}
