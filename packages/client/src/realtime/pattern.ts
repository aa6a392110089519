import type { Client, Pattern } from './api';
import { Feed } from './channel';
import type { Core } from './client';
import type { Room } from './room';
import type { ChannelOptions, NoEvents } from './types';
import type { WireMessage } from './wire';

/** How many messages are remembered where several subscriptions may bring the same one. */
const recentMax = 256;
/** Clients that deliver to patterns, too. */
const widened = /* @__PURE__ */ new WeakSet<Core>();

/** All channels that match: `*` is any run of characters, `?` one of them. */
export function pattern<T = unknown, E = NoEvents>(
  client: Client,
  match: string,
  { own, filter }: Omit<ChannelOptions, 'rewind'> = {},
): Pattern<T, E> {
  const core = client as Core;
  if (!widened.has(core)) {
    widened.add(core);
    core.deliver = delivery(core);
  }
  return new Feed<T, E>(core, 'pattern', match, { own, filter } as ChannelOptions);
}

/**
 * A push does not say which subscription it is for. A channel subscribed to by its name is left to
 * that subscription, and patterns see what is new in it, not what it brings back; where patterns
 * overlap none may see a message twice.
 */
function delivery(core: Core): Core['deliver'] {
  const recent = new Set<string>();
  const globs = new WeakMap<Room, RegExp>();
  const takes = (room: Room, name: string) => {
    const known = globs.get(room) ?? glob(room.name);
    globs.set(room, known);
    return known.test(name);
  };
  return (message: WireMessage) => {
    const name = String(message.channel);
    const room = core.rooms.get(`channel${name}`);
    const matching = [...core.rooms.values()].filter(
      (one) => one.kind === 'pattern' && one.on && takes(one, name),
    );
    let seen = room?.on === true && Number(message.offset) <= room.repeated;
    if (!seen && matching.length + (room?.on ? 1 : 0) > 1) {
      const key = `${message.offset} ${message.time} ${name}`;
      seen = recent.has(key);
      recent.add(key);
      if (recent.size > recentMax) {
        const [oldest] = recent;
        recent.delete(oldest as string);
      }
    }
    room?.push(message);
    if (!seen) for (const one of matching) one.push(message);
  };
}

/** `*` is any run of characters, `?` one of them. */
function glob(pattern: string): RegExp {
  const source = pattern.replace(/[\\^$.*+?()[\]{}|]/g, (char) =>
    char === '*' ? '[^]*' : char === '?' ? '[^]' : `\\${char}`,
  );
  return new RegExp(`^${source}$`, 'u');
}
