import { describe, expect, it } from 'vitest';
import { kAccounts } from '../lib/accounts';
import { kGuest, type Said } from '../lib/contract';
import { judgeMessage, judgeVisit } from '../lib/moderation';

const [ada, grace] = kAccounts as [Said['from'], Said['from']];
const guest = { id: 'a-tab', name: 'Brave Fox', hue: 10 };

describe('who may come in', () => {
  it('is everybody, but for the room of members', () => {
    expect(judgeVisit('room:lobby', undefined)).toBeUndefined();
    expect(judgeVisit('room:members', ada.id)).toBeUndefined();
    for (const user of [undefined, '', 'somebody', '__proto__']) {
      expect(judgeVisit('room:members', user)?.details.reason).toBe('members');
    }
  });
});

describe('what is said', () => {
  it('by a guest stays as it is', () => {
    expect(judgeMessage({ text: 'hello', from: guest }, undefined)).toBeUndefined();
  });

  it.each(['darn', 'What the HECK!', 'a blasted thing'])('is not rude: %s', (text) => {
    for (const user of [undefined, ada.id]) {
      const verdict = judgeMessage({ text, from: guest }, user);
      expect(verdict).toMatchObject({ message: 'Please be kind.', details: { reason: 'rude' } });
    }
  });

  it('may have rude words as part of others', () => {
    expect(judgeMessage({ text: 'checkmate, darning', from: guest }, undefined)).toBeUndefined();
  });

  it('by whoever has signed in is under that name', () => {
    const verdict = judgeMessage({ text: 'hi', from: grace }, ada.id);
    expect(verdict).toEqual({ data: { text: 'hi', from: ada } });
  });

  it('by others is never under the name of an account', () => {
    for (const user of [undefined, 'somebody']) {
      const verdict = judgeMessage({ text: 'hi', from: ada }, user);
      expect(verdict).toEqual({ data: { text: 'hi', from: kGuest } });
    }
  });
});
