/** How figures are written in the panel. All of it is English, as error texts are. */

/** `14:03:09.120`, local time. */
export function clockTime(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

/** `840 ms`, `9.4 s`, `4 min 05 s`, `2 h 10 min`. */
export function span(ms: number): string {
  const left = Math.max(0, ms);
  if (left < 1000) return `${Math.round(left)} ms`;
  if (left < 60_000) return `${(Math.floor(left / 100) / 10).toFixed(1)} s`;
  const minutes = Math.floor(left / 60_000);
  const two = (value: number) => String(value).padStart(2, '0');
  if (minutes < 60) return `${minutes} min ${two(Math.floor((left % 60_000) / 1000))} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** `96 B`, `1.4 kB`, `2.0 MB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** `1 message`, `2 messages`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Host and path; no query, where people put secrets. */
export function place(url: string | undefined): string {
  if (url === undefined) return '–';
  try {
    const { host, pathname, protocol } = new URL(url);
    return host === '' ? protocol : host + pathname;
  } catch {
    return url.split(/[?#]/)[0] ?? '';
  }
}
