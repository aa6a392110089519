import type { Data, Sendable } from '@anywire/client';

/** As the usual hand-written hook does: JSON where the text is JSON, else the text itself. */
export function parseJson(data: Data): unknown {
  if (typeof data !== 'string') return data;
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

/** Text and binary as they are, all else as JSON; throws when there is no JSON for it. */
export function serialize(data: unknown): Sendable {
  if (typeof data === 'string' || data instanceof ArrayBuffer) return data;
  if (ArrayBuffer.isView(data)) return data as ArrayBufferView<ArrayBuffer>;
  if (typeof Blob !== 'undefined' && data instanceof Blob) {
    throw new TypeError('A Blob is read asynchronously; send await blob.arrayBuffer()');
  }
  const json: string | undefined = JSON.stringify(data);
  if (json === undefined) throw new TypeError(`There is no JSON for ${typeof data}`);
  return json;
}
