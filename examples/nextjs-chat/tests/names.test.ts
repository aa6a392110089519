import { describe, expect, it } from 'vitest';
import { describeState, describeTransport, isBack, keptText } from '../lib/connection';
import { roomFromPath, roomFromSegment, roomName, roomPath } from '../lib/rooms';

describe('rooms', () => {
  it.each([
    ['  Tea Kitchen ', 'tea-kitchen'],
    ['#General', 'general'],
    ['Büro_2', 'büro-2'],
    ['-', undefined],
    ['', undefined],
    ['a/b', undefined],
    ['..', undefined],
    ['x'.repeat(40), 'x'.repeat(32)],
  ])('%j is called %j', (typed, name) => {
    expect(roomName(typed)).toBe(name);
  });

  it.each(['lobby', 'tea-kitchen', 'büro-2', '東京'])('%s is found again by its path', (room) => {
    expect(roomFromPath(roomPath(room))).toBe(room);
  });

  it.each(['/', '/nowhere', '/room/', '/room/%2F..%2Fetc', '/room/%', '/room/A'])(
    '%s shows the lobby',
    (path) => {
      expect(roomFromPath(path)).toBe('lobby');
    },
  );

  it.each(['%', '%2F', 'A', 'a b', ''])('no room is called %j', (segment) => {
    expect(roomFromSegment(segment)).toBeUndefined();
  });
});

describe('the connection in words', () => {
  const link = (state: Parameters<typeof describeState>[0]['state'], attempt = 0) => ({
    state,
    attempt,
    transport: undefined,
  });

  it.each([
    [link('idle'), false, 'Joining'],
    [link('connecting'), false, 'Joining'],
    [link('connecting'), true, 'Reconnecting'],
    [link('connecting', 2), false, 'Reconnecting'],
    [link('open'), true, 'Online'],
    [link('waiting', 1), true, 'Reconnecting'],
    [link('offline'), true, 'Offline'],
    [link('closed'), true, 'Disconnected'],
    [link('failed'), false, 'Cannot connect'],
  ])('%j, was open: %j', (state, wasOpen, words) => {
    expect(describeState(state, wasOpen)).toBe(words);
  });

  it('is back once it was open or has been tried for', () => {
    expect(isBack({ attempt: 0 }, false)).toBe(false);
    expect(isBack({ attempt: 1 }, false)).toBe(true);
    expect(isBack({ attempt: 0 }, true)).toBe(true);
  });

  it('names what stands in for a blocked WebSocket only', () => {
    const names = ['websocket', 'sse', 'poll', undefined].map(describeTransport);
    expect(names).toEqual(['', 'event stream', 'long polling', '']);
  });

  it('says what becomes of what is written', () => {
    const texts = [0, 1, 3].map(keptText);
    expect(new Set(texts).size).toBe(3);
    expect(texts[2]).toContain('3 messages');
  });
});
