import type { CloseInfo, Drop, Snapshot } from './types';

/** What a socket shows before anything has happened. */
export const start: Snapshot = /* @__PURE__ */ Object.freeze({
  state: 'idle',
  attempt: 0,
  retryAt: undefined,
  error: undefined,
  lastClose: undefined,
  dropped: 0,
  opens: 0,
});

/** How a link ended, for whoever is told later. */
export interface Ending {
  /** Absent when the link never opened: that is a failed try, not a loss. */
  readonly close: CloseInfo | undefined;
  readonly change: Partial<Snapshot>;
  readonly drops: readonly Drop[];
  readonly gone: Promise<void>;
}

export function localClose(code: number, reason: string): CloseInfo {
  return { code, reason, wasClean: true, by: 'local' };
}

export function deadClose(by: CloseInfo['by']): CloseInfo {
  return { code: 1006, reason: '', wasClean: false, by };
}
