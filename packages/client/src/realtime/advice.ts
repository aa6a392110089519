/**
 * What to do about an error, by its code: one sentence for the developer. docs/errors.md has the
 * same sentences beside their causes. Only development builds hold them.
 */
const advice: Readonly<Record<string, string>> = {
  // The client's own.
  closed: 'Call `client.connect()` first, or do not use the client after `close()`.',
  timeout:
    'Show it as not sent and offer to repeat it with the same `idempotencyKey`, which cannot ' +
    'publish twice.',
  aborted: 'Ignore it: your own `signal` asked for it.',
  queue_full:
    'Wait for earlier answers, send less while offline, or raise `queue.max` and ' +
    '`queue.bytes`.',
  pushed_out: "Use `overflow: 'reject'` where the oldest matters more than the newest.",
  bad_data:
    'Send plain JSON values, text or bytes; BigInt and bytes within a value need `msgpack()`.',
  connection_lost:
    'Repeat it if doing so twice does no harm; `publish` and `history` are repeated by ' +
    'themselves.',
  epoch_changed: 'Forget the old positions and begin with the newest page again.',
  options_conflict: 'Use the same options wherever this channel is used, or another channel.',
  bad_url: 'Give an absolute URL such as `wss://example.com/anywire`, or a path when in a browser.',
  unsupported:
    'Pass `WebSocket` (npm `ws` in older Node.js), use `wss:` on a page of `https:`, check that ' +
    '`url` leads to Anywire itself, or add fallbacks.',
  no_transport: 'Leave `transports` out or put `websocket()` into it.',
  token:
    'See the message and the token route; when somebody has signed in, call `client.connect()` ' +
    'again.',
  unauthorized:
    'See the message: sign with the `auth.hs256_secret` of this server, and give a route or ' +
    'function, as a string ends.',
  refused: 'Read the reason in the message; trying again is of no use until its cause is mended.',
  network:
    'Wait; if it stays, check that the server runs, that `url` leads to it, and that its ' +
    '`allowed_origins` have this page.',

  // Of a contract, and of hooks.
  schema: 'Compare `issues` with the contract; who sends may have an older version of it.',
  unknown_channel:
    'Add the channel to the contract or mend the name; the message names those that come ' +
    'near.',
  unknown_rpc:
    'Add the method to the contract or mend the name; the message names those that come near.',
  bad_contract:
    'Write a part as `{id}`, a brace as `{{`, something like `:` behind a part, and use a ' +
    'Standard Schema.',
  no_channel: 'Wait until there is a channel before you publish; `status` is `off` until then.',
  no_method: 'Wait until there is a method before you call it.',
  no_provider: "Put `<AnywireProvider>` around it, in a component that begins with `'use client'`.",

  // On your own server (@anywire/next).
  bad_secret:
    "Put the server's `auth.hs256_secret` into the variable `ANYWIRE_SECRET` of the Next.js " +
    'process.',
  bad_claims: 'Mend what `authorize` returns; the message says which member is wrong.',
  client_gone: 'Do without its answer, or call it again when it is back.',

  // The server's.
  bad_message:
    'Check the options of this call against their types; if they are right, client and server' +
    ' do not fit.',
  unknown_type: 'Update the server: this client uses something newer.',
  not_connected: 'Report it: the client should never do so.',
  already_connected: 'Report it: the client should never do so.',
  id_in_use: 'Report it: the client should never do so.',
  bad_channel:
    'Give a name of 1 to 255 bytes, and every part of it as text or a number that is not ' +
    'empty.',
  forbidden: 'Let the token route put the channel and the operation into `capability`.',
  user_mismatch: 'Do nothing, or make a new client when another user signs in.',
  already_subscribed: 'Report it: the client shares one subscription by itself.',
  not_subscribed: 'Ignore it: the subscription had ended already.',
  too_many_channels:
    "Subscribe to fewer channels at a time, use a pattern, or raise the server's limit.",
  too_large: "Send less at once, or raise the server's limit; docs/limits.md has them all.",
  no_history: "Give the channel a rule with history in the server's configuration.",
  no_presence: "Give the channel a rule with presence in the server's configuration.",
  no_occupancy: "Give the channel a rule with occupancy in the server's configuration.",
  too_many_members: "Try later, or raise the limit of members in the channel's rule.",
  not_present: 'Ignore it: one is not present, which was what was wanted.',
  idempotency_conflict: 'Make a new key for each message; leave it out and the client does.',
  no_handler: 'Mend the name of the method, or let the application behind the server answer it.',
  too_many_pending: 'Wait for earlier answers before you ask for more.',
  rate_limited: 'Send less often: throttle what is sent at each keystroke or movement.',
  overloaded: 'Wait; if it stays, give the server more resources or fewer connections.',
  schema_violation:
    'Compare the data at `path` with the contract; the server may have a newer one than this page.',
  app_unavailable:
    'Wait; if it stays, look at the application that the server asks: its log, its address and ' +
    'the secret of its hooks.',
  unavailable: "Wait, and see to the store that the server's configuration names.",
};

/** What to do about an error with this code; undefined for one that nobody has thought of. */
export function adviceFor(code: string): string | undefined {
  return Object.hasOwn(advice, code) ? advice[code] : undefined;
}
