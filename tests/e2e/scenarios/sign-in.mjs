// The chat with its application behind it: sign-in, private rooms, moderation, a method, sign-out.
// Built only: a second `next dev` of one folder would be refused.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { createApi } from '@anywire/server';
import { startServer } from '../../support/server.mjs';
import { newProfile, newTab } from '../support/browser.mjs';
import { bubble, line, pill, say, write } from '../support/chat.mjs';
import { apps, start } from '../support/next.mjs';
import { until } from '../support/poll.mjs';
import { FaultProxy } from '../support/proxy.mjs';
import { freshName } from '../support/stage.mjs';

const kConfig = fileURLToPath(
  new URL('../../../examples/nextjs-chat/anywire.toml', import.meta.url),
);
const secret = () => randomBytes(32).toString('hex');

export function signInScenarios(stage, mode) {
  if (mode !== 'start') return;
  describe('the chat with its application', { concurrency: false }, () => {
    const on = { secret: secret() };

    before(async () => {
      const app = secret();
      // The server asks the page, which asks the server: one of them has to have an address first.
      on.hooks = await FaultProxy.start({ host: '127.0.0.1', port: 1 });
      on.server = await startServer({
        conformance: false,
        loops: 2,
        flags: {
          config: kConfig,
          'auth.hs256_secret': on.secret,
          'app.url': on.hooks.url('/api/anywire/hooks').replace('ws:', 'http:'),
          'app.secret': app,
          // The machine has more to do.
          'app.timeout': '30s',
        },
      });
      on.chat = await start(apps.chat, mode, {
        ANYWIRE_URL: on.server.url('', 'http'),
        ANYWIRE_SECRET: on.secret,
        ANYWIRE_APP_SECRET: app,
        SESSION_SECRET: secret(),
      });
      on.hooks.target = { host: '127.0.0.1', port: on.chat.port };
      on.api = createApi({ url: on.server.url('', 'http'), secret: on.secret });
    });
    after(async () => {
      await on.chat?.stop();
      await on.hooks?.stop();
      await on.server?.stop();
    });

    const visit = async (t, room, context) => {
      const own = context ?? (await newProfile(t, stage().browser));
      const tab = await newTab(own, on.chat.url(`/room/${room}`));
      await pill(tab, 'open').waitFor();
      return tab;
    };
    const signIn = async (tab, name) => {
      await tab.locator('.profile').getByRole('link', { name: 'Sign in' }).click();
      await tab.getByRole('button', { name }).click();
      await tab.getByRole('button', { name: 'Sign out' }).waitFor();
      await pill(tab, 'open').waitFor();
    };

    test('guests talk at once, and what is rude is refused with words', async (t) => {
      const room = freshName('kind');
      const [one, other] = [await visit(t, room), await visit(t, room)];
      await say(one, 'Hello there');
      await bubble(other, 'Hello there').waitFor();
      await write(one, 'What a darn day');
      await line(one, 'failed').getByText('Not sent: Please be kind.').waitFor();
      await say(one, 'What a lovely day');
      await bubble(other, 'What a lovely day').waitFor();
      assert.equal(await bubble(other, 'darn').count(), 0);
      assert.deepEqual(one.complaints, []);
    });

    test('a room for members opens for who signs in, under their own name', async (t) => {
      const door = 'This room is for people who have signed in';
      const guest = await newTab(
        await newProfile(t, stage().browser),
        on.chat.url('/room/members'),
      );
      await guest.getByText(door).waitFor();
      const member = await visit(t, 'lobby');
      await signIn(member, 'Grace');
      await member.getByRole('link', { name: 'members' }).click();
      await member.getByRole('heading', { name: 'members', exact: true }).waitFor();
      const text = freshName('among us');
      await say(member, text);
      // A page of the server's, for her alone, has it as well; that of the guest does not.
      await member.reload();
      await bubble(member, text).waitFor();
      assert.equal(await bubble(guest, text).count(), 0);
      await guest.reload();
      await guest.getByText(door).waitFor();
      assert.equal(await bubble(guest, text).count(), 0);
      const { messages } = await on.api.history('room:members');
      assert.deepEqual([messages[0].user, messages[0].data.from.name], ['grace', 'Grace']);
    });

    test('nobody speaks under the name of an account but its owner', async () => {
      const room = `room:${freshName('forged')}`;
      const { port, host } = on.server;
      const socket = new (await import('ws')).WebSocket(`ws://${host}:${port}/raw/${room}`);
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      const from = { id: 'ada', name: 'Ada', hue: 265 };
      socket.send(JSON.stringify({ text: 'I am Ada', from }));
      const [message] = await until('the message', async () => {
        const { messages } = await on.api.history(room);
        return messages.length > 0 && messages;
      });
      socket.terminate();
      assert.deepEqual([message.data.text, message.data.from.id], ['I am Ada', 'guest']);
    });

    test('the topic is a method of the application, and everybody sees it', async (t) => {
      const room = freshName('topic');
      const guest = await visit(t, room);
      const member = await visit(t, room);
      await signIn(member, 'Linus');
      await member.goto(on.chat.url(`/room/${room}`));
      await member.getByRole('button', { name: 'Change the topic' }).click();
      await member.getByLabel('Topic of this room').fill('Penguins');
      await member.keyboard.press('Enter');
      await guest.locator('.topic', { hasText: 'Penguins' }).waitFor();
      await member.locator('.topic', { hasText: 'Penguins' }).waitFor();
      assert.equal(await guest.getByRole('button', { name: 'Change the topic' }).count(), 0);
      const late = await visit(t, room);
      await late.locator('.topic', { hasText: 'Penguins' }).waitFor();
    });

    test('scenario 24: signing out ends every connection of the person', async (t) => {
      const context = await newProfile(t, stage().browser);
      const tab = await visit(t, freshName('leave'), context);
      await signIn(tab, 'Ada');
      const second = await visit(t, freshName('leave'), context);
      await second.getByRole('button', { name: 'Sign out' }).waitFor();
      await until('both tabs', async () => (await on.api.connections('ada')).length === 2);
      await tab.getByRole('button', { name: 'Sign out' }).click();
      await tab.getByRole('link', { name: 'Sign in' }).waitFor();
      await until('nobody is left', async () => (await on.api.connections('ada')).length === 0);
      // As a guest it goes on at once.
      await pill(tab, 'open').waitFor();
      await say(tab, 'I am a guest now');
    });
  });
}
