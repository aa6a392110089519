/** Turns what arrived into what is drawn: repeats removed, one heading per run of one person. */

import { continues, type Group, type Message } from './message';

/** A break of the link: what others wrote meanwhile may be missing at this place. */
export interface Break {
  /** The last message before it; undefined when there was none. */
  readonly after: string | undefined;
  readonly since: number;
  readonly until: number;
}

export type Entry =
  | { readonly kind: 'group'; readonly key: string; readonly group: Group }
  | { readonly kind: 'break'; readonly key: string; readonly gap: Break };

export function timeline(messages: readonly Message[], breaks: readonly Break[]): Entry[] {
  const entries: Entry[] = [];
  const seen = new Set<string>();
  let open: Message[] | undefined;
  const place = (gap: Break) => {
    open = undefined;
    entries.push({ kind: 'break', key: `break-${gap.until}`, gap });
  };
  for (const gap of breaks) if (gap.after === undefined) place(gap);
  for (const message of messages) {
    // A repeat is the same message sent again by somebody who could not know that it had arrived.
    if (seen.has(message.id)) continue;
    seen.add(message.id);
    const last = open?.at(-1);
    if (open && last && continues(last, message)) {
      open.push(message);
    } else {
      open = [message];
      const group = { key: message.id, from: message.from, messages: open };
      entries.push({ kind: 'group', key: message.id, group });
    }
    for (const gap of breaks) if (gap.after === message.id) place(gap);
  }
  return entries;
}
