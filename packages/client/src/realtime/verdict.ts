import type { CloseInfo } from '../types';
import { AnywireError } from './error';

/**
 * What the end of a link means (docs/protocol.md section 6), by its code:
 *
 * - `network`, `too_large`  it may work the next time: `retry`
 * - `unauthorized`          it may work with another token
 * - `refused`, `unsupported`  it is of no use to try again
 *
 * `was`: it had been open. A reason is told as it is: it may be the application's, for people to read.
 * Where there is none the address is told, without its query, which may hold what is nobody's business.
 */
export function verdict({ code, reason, by }: CloseInfo, was: boolean, url: string): AnywireError {
  const kind = /^44/.test(`${code}`)
    ? code < 4450
      ? 'refused'
      : 'unauthorized'
    : code === 1009
      ? 'too_large'
      : // What is at the other end speaks no protocol of ours.
        code === 1002 && by === 'local' && !was
        ? 'unsupported'
        : 'network';
  return new AnywireError(kind, reason || `${code}: no answer at ${url.split('?')[0]}`, {
    retry: /network|large/.test(kind),
  });
}
