// All cases, by the file of `recorded/` that they are recorded in.
import ends from './ends.mjs';
import events from './events.mjs';
import http from './http.mjs';
import limits from './limits.mjs';
import packets from './packets.mjs';
import polling from './polling.mjs';
import recovery from './recovery.mjs';
import rooms from './rooms.mjs';
import upgrade from './upgrade.mjs';

export const cases = { http, polling, upgrade, packets, events, rooms, ends, recovery, limits };
