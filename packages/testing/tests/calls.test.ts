import { AnywireError, type Client, handle } from '@anywire/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMockServer, ManualClock, type MockConnection, type MockServer } from '../src/index';

let server: MockServer;
let client: Client;
let connection: MockConnection;

beforeEach(async () => {
  server = createMockServer({ clock: new ManualClock() });
  client = server.createClient({});
  await client.connect();
  connection = server.connections[0] as MockConnection;
});
afterEach(() => server.close());

describe('calls of the server', () => {
  it('are answered by the client', async () => {
    handle(client, 'sum', (data) => (data as number[]).reduce((a, b) => a + b, 0));
    handle(client, 'nothing', () => undefined);
    expect(await connection.call('sum', [1, 2])).toBe(3);
    expect(await connection.call('nothing')).toBeUndefined();
  });

  it('bring the error of the client', async () => {
    handle(client, 'sum', () => {
      throw new AnywireError('busy', 'not now');
    });
    await expect(connection.call('sum')).rejects.toMatchObject({ code: 'busy' });
    await expect(connection.call('other')).rejects.toMatchObject({ code: 'no_handler' });
  });

  it('end with the connection', async () => {
    handle(client, 'slow', () => new Promise(() => {}));
    const lost = expect(connection.call('slow')).rejects.toMatchObject({ code: 'client_gone' });
    await server.settled();
    connection.drop();
    await lost;
    await expect(connection.call('slow')).rejects.toMatchObject({ code: 'client_gone' });
  });

  it.each([
    [{}, '"call" is missing'],
    [{ call: 'x' }, '"call" must be a whole number from 0 up'],
    [{ call: 1, error: 5 }, 'an "error" has a "code" and a "message", two strings'],
    [{ call: 1, data: 1, error: {} }, 'either "data" or "error", not both'],
  ])('refuse the answer %j', async (members, message) => {
    const { client: id } = connection;
    expect(id).toBeDefined();
    const core = client as unknown as {
      calls: { make(m: object, done: (reply: object) => void): unknown };
      send(calls: unknown[]): void;
    };
    const reply = await new Promise<object>((resolve) => {
      core.send([core.calls.make({ type: 'answer', ...members }, resolve)]);
    });
    expect(reply).toMatchObject({ type: 'error', code: 'bad_message', message });
  });
});
