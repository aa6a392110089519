// Recovery where ours is to be better than npm's: all scenarios of the field, the unmodified client.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { io } from 'socket.io-client';
import { until, within } from '../support/poll.mjs';
import { chosenTarget } from './targets.mjs';

// [name, what happens before the cut]; `told` sends the client a plain event.
const kScenarios = [
  ['a plain event, then a cut', ({ told }) => told()],
  ['the last event volatile, with an object', async ({ told, tell }) => {
    await told();
    await tell('flashRoom', { n: 2 });
  }],
  ['the last event with an ack', async ({ told, client, sees }) => {
    await told();
    client.once('question', (value, ack) => ack(value));
    client.emit('ask', 5000, 's');
    await sees('answered');
  }],
  ['no event before the cut', async () => {}],
  ['the last event volatile, ending in a string', async ({ told, tell }) => {
    await told();
    await tell('flashRoom', 's');
  }],
];

describe('recovery', { concurrency: false }, () => {
  let target;
  const ends = [];
  before(async () => (target = await chosenTarget().start('recovery', { loops: 4 })));
  after(async () => {
    for (const end of ends) end();
    await target?.stop();
  });

  async function connect(room) {
    const socket = io(target.url, { forceNew: true, reconnectionDelay: 1, transports: ['websocket'] });
    ends.push(() => socket.disconnect());
    socket.log = [];
    socket.onAny((...event) => socket.log.push(event));
    await within('a socket', new Promise((resolve) => socket.once('connect', resolve)));
    if (room) await socket.timeout(15_000).emitWithAck('join', room);
    return socket;
  }

  for (const dead of [true, false]) {
    for (const [name, before_] of kScenarios) {
      it(`${name}${dead ? '' : ', the old connection not known to be dead'}`, async () => {
        const room = `${name} ${dead}`;
        const [client, other] = [await connect(room), await connect()];
        const sees = (event, count = 1) => until(`${count} of ${event}`, () =>
          client.log.filter(([one]) => one === event).length >= count);
        const tell = async (kind, value) => {
          other.emit(kind, room, 'told', value);
          await sees('told', client.log.filter(([one]) => one === 'told').length + 1);
        };
        await before_({ client, sees, tell, told: () => tell('tell', { n: 1 }) });

        const { id } = client;
        const { ws } = client.io.engine.transport;
        const back = new Promise((resolve) => client.once('connect', resolve));
        // A client may know of the end before the server does: its network is another one now.
        if (dead) ws.terminate();
        else {
          ws._socket.pause();
          ws.onclose();
        }
        for (let i = 0; i < 3; i++) other.emit('tell', room, 'missed', { i });
        await within('the return', back);
        assert.deepEqual([client.recovered, client.id], [true, id]);
        await sees('missed', 3);
        other.emit('tell', room, 'live', {});
        await sees('live');
        assert.deepEqual(client.log.filter(([one]) => one === 'missed').map(([, { i }]) => i),
          [0, 1, 2]);
        ws._socket?.destroy();
      });
    }
  }
});
