import { toPayload } from '../message';
import type { Action, PublishAnswer, Verdict } from './types';
import { Refusal } from './types';

/** A verdict as the server reads it (docs/hooks.md). */
export function encodeAnswer(verdict: Verdict<PublishAnswer & object>): object {
  if (verdict === undefined || verdict === true) return {};
  if (verdict === false) return { allow: false };
  if (verdict instanceof Refusal) return encodeRefusal(verdict);
  const { data, actions, ...rest } = verdict;
  return {
    ...rest,
    ...(data !== undefined && toPayload(data)),
    ...encodeActions(actions),
  };
}

/** "No". */
export function encodeRefusal({ message, details }: Refusal): object {
  const { actions, ...rest } = details;
  return { allow: false, message, ...rest, ...encodeActions(actions) };
}

/** What a method gives. */
export function encodeRpc(result: unknown): object {
  return { data: result === undefined ? null : result };
}

/** What a method says instead: its `reason` is the code. */
export function encodeRpcRefusal({ message, details }: Refusal): object {
  const { reason = 'refused', retry, actions } = details;
  return {
    error: { code: reason, message, ...(retry !== undefined && { retry }) },
    ...encodeActions(actions),
  };
}

function encodeActions(actions: readonly Action[] | undefined): object {
  if (!actions) return {};
  return {
    actions: actions.map((action) => {
      if (action.do !== 'publish') return action;
      const { data, ...rest } = action;
      return { ...rest, ...toPayload(data) };
    }),
  };
}
