import { describe, expect, it } from 'vitest';
import { createMockServer } from '../src/index';
import { setupVitest } from '../src/vitest';

setupVitest();

describe('toHavePublished', () => {
  const server = () => {
    const made = createMockServer();
    made.publish('room', { text: 'hi', tags: ['a', 'b'], more: { deep: 1, and: 2 } });
    made.publish('room', 'text', { event: 'chat', user: 'ann', tags: { lang: 'en' } });
    made.publish('room', new Uint8Array([1, 2]));
    return made;
  };

  it('compares what is expected, and lets more be there', () => {
    const made = server();
    expect(made).toHavePublished('room');
    expect(made).toHavePublished('room', { text: 'hi' });
    expect(made).toHavePublished('room', { more: { deep: 1 } });
    expect(made).toHavePublished('room', { text: expect.stringMatching(/^h/) });
    expect(made).toHavePublished('room', 'text');
    expect(made).toHavePublished('room', new Uint8Array([1, 2]));
    expect(made).toHavePublished({ name: 'room' }, 'text');
    expect(made).not.toHavePublished('room', { text: 'ho' });
    expect(made).not.toHavePublished('room', { tags: ['a'] });
    expect(made).not.toHavePublished('room', new Uint8Array([1, 3]));
    expect(made).not.toHavePublished('elsewhere');
  });

  it('compares the rest of the message, of the same one', () => {
    const made = server();
    expect(made).toHavePublished('room', 'text', { event: 'chat', tags: { lang: 'en' } });
    expect(made).toHavePublished('room', undefined, { user: 'ann' });
    expect(made).not.toHavePublished('room', { text: 'hi' }, { user: 'ann' });
    expect(made).not.toHavePublished('room', 'text', { event: 'other' });
  });

  it('says what there is', () => {
    const made = server();
    expect(() => expect(made).toHavePublished('room', { text: 'ho' })).toThrow(
      /expected a published message in "room" like .*ho.*; there are 3, the newest:/s,
    );
    expect(() => expect(made).not.toHavePublished('room', 'text')).toThrow(/expected no published/);
    expect(() => expect(made).toHavePublished('elsewhere')).toThrow(/there are none/);
  });

  it('is for servers only', () => {
    expect(() => expect({}).toHavePublished('room')).toThrow(TypeError);
    expect(() => expect(null).toHaveMember('room')).toThrow(/createMockServer/);
  });
});

describe('toHaveMember', () => {
  it('finds who is present', () => {
    const made = createMockServer();
    made.enter('room', { name: 'Ann', age: 5 }, { user: 'ann' });
    expect(made).toHaveMember('room');
    expect(made).toHaveMember('room', { user: 'ann' });
    expect(made).toHaveMember('room', { info: { name: 'Ann' } });
    expect(made).not.toHaveMember('room', { user: 'bob' });
    expect(made).not.toHaveMember('elsewhere');
    expect(() => expect(made).toHaveMember('room', { user: 'bob' })).toThrow(
      /expected a member in "room" .*; there is 1/s,
    );
  });
});

describe('a server of one test', () => {
  let former: ReturnType<typeof createMockServer> | undefined;

  it('is made', async () => {
    former = createMockServer();
    const client = former.createClient();
    await client.connect();
    expect(former.connections).toHaveLength(1);
  });

  it('is closed in the next', () => {
    expect(former?.connections).toEqual([]);
  });

  it('may be closed by the test itself', () => {
    createMockServer().close();
  });
});
