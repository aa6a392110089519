import { describe, expect, it } from 'vitest';
import { arrivalText, comingsAndGoings, type Person, peopleOf, typingText } from '../lib/people';

const person = (name: string, typing = false): Person => ({
  id: name.toLowerCase(),
  name,
  hue: 0,
  typing,
});
const member = (info: Person | undefined, client = 'c') => ({ client, info });

describe('peopleOf', () => {
  it('is in the order of names, whoever came first', () => {
    const people = peopleOf([member(person('Grace')), member(person('Ada'))]);
    expect(people.map(({ name }) => name)).toEqual(['Ada', 'Grace']);
  });

  it('takes a person in two windows for one, who types when either does', () => {
    const all = [member(person('Ada', true), '1'), member(person('Ada'), '2')];
    expect(peopleOf(all)).toEqual([person('Ada', true)]);
    expect(peopleOf([...all].reverse())).toEqual([person('Ada', true)]);
  });

  it('leaves out members of whom nothing is known', () => {
    const odd = { id: '', name: '', hue: 0, typing: false };
    expect(peopleOf([member(undefined), member(odd), member(person('Ada'))])).toHaveLength(1);
  });
});

describe('typingText', () => {
  it.each([
    [[], ''],
    [['Ada'], 'Ada is typing'],
    [['Ada', 'Bob'], 'Ada and Bob are typing'],
    [['Ada', 'Bob', 'Cy'], '3 people are typing'],
  ])('of %j', (names, text) => {
    expect(typingText(names)).toBe(text);
  });
});

describe('comings and goings', () => {
  const [ada, bob, cy] = ['Ada', 'Bob', 'Cy'].map((name) => person(name)) as [
    Person,
    Person,
    Person,
  ];

  it('are none when the list becomes known', () => {
    expect(comingsAndGoings(undefined, [ada, bob])).toEqual({ joined: [], left: [] });
  });

  it('are told apart', () => {
    expect(comingsAndGoings([ada, bob], [bob, cy])).toEqual({ joined: [cy], left: [ada] });
  });

  it('are none when somebody only types or is called something else', () => {
    const now = [{ ...ada, typing: true, name: 'Countess' }];
    expect(comingsAndGoings([ada], now)).toEqual({ joined: [], left: [] });
  });

  it.each([
    [[], [], ''],
    [[ada], [], 'Ada joined'],
    [[], [bob], 'Bob left'],
    [[ada, bob], [], '2 people joined'],
    [[ada], [bob], 'Ada joined, Bob left'],
  ])('in words %#', (joined, left, text) => {
    expect(arrivalText(joined, left)).toBe(text);
  });
});
