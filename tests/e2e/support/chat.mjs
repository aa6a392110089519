// What a person does in the chat of examples/nextjs-chat, and sees there.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { newProfile, newTab } from './browser.mjs';
import { Member } from './member.mjs';
import { until } from './poll.mjs';

const kArtifacts = fileURLToPath(new URL('../artifacts/', import.meta.url));

/** The chat under test. `stage` is asked when it is used, as there is none before. */
export function chatOf(stage, mode) {
  const address = (name) => stage().apps.chat.url(name === 'lobby' ? '/' : `/room/${name}`);
  const enter = async (context, name) => {
    const tab = await newTab(context, address(name), kGivenUp);
    await pill(tab, 'open').waitFor();
    await tab.getByRole('button', { name: /Your name/ }).waitFor();
    return tab;
  };
  return {
    address,
    enter,
    /** Another person, in a browser of their own. */
    visit: async (t, name, options) => enter(await newProfile(t, stage().browser, options), name),
    /** A plain WebSocket client in the room, past the page's proxy. */
    join: (t, name) => Member.join(t, stage().lobby.url(`/raw/room:${name}`)),
    /** Keeps what it looks like in artifacts/. */
    async shoot(tab, name) {
      await mkdir(kArtifacts, { recursive: true });
      await tab.screenshot({ path: `${kArtifacts}${name}-${mode}.png`, animations: 'disabled' });
    },
  };
}

export const pill = (tab, state) => tab.locator(`.pill[data-state=${state}]`);
export const bubble = (tab, text) => tab.locator('.bubble', { hasText: text });
// The chat has another way when a WebSocket takes too long to come, as on a machine that has much to
// do, and the browser tells of the one that was given up.
const kGivenUp = /WebSocket is closed before the connection is established/;

export const exactly = (tab, text) => tab.locator('.bubble').getByText(text, { exact: true });
export const line = (tab, status) => tab.locator(`.line[data-status=${status}]`);
/** The box is laid out from its end, so that is where 0 is. */
export const atEnd = (log) => log.evaluate((box) => Math.abs(box.scrollTop) < 5);
/** In pixels and parts of them. */
export const topOf = (locator) => locator.evaluate((item) => item.getBoundingClientRect().top);
export const faces = (tab, text) => tab.locator('.people summary', { hasText: text }).waitFor();

/** What stood at `before` still does. A box stands on whole pixels, a line may be between two. */
export async function heldStill(locator, before) {
  const moved = (await topOf(locator)) - before;
  assert.ok(Math.abs(moved) < 1, `what is read moved by ${moved} px`);
}

export async function rename(tab, name) {
  await tab.getByRole('button', { name: /Your name/ }).click();
  await tab.getByLabel('Your name').fill(name);
  await tab.keyboard.press('Enter');
  await tab.getByRole('button', { name: `Your name: ${name}` }).waitFor();
}

/** Types and sends; whether it arrives is another matter. */
export async function write(tab, text) {
  const field = tab.getByLabel(/^Message to/);
  await field.fill(text);
  await field.press('Enter');
  await until('the field is free again', async () => (await field.inputValue()) === '');
}

/** Writes and waits until the room has given it back. */
export async function say(tab, text) {
  await write(tab, text);
  await tab
    .locator('.line[data-status=sent] .bubble', { hasText: text.split('\n')[0] })
    .last()
    .waitFor();
}

/** Distances of a bubble from the sides of the conversation. */
export async function edges(tab, text) {
  return await bubble(tab, text).evaluate((item) => {
    const [box, own] = [item.closest('.log'), item].map((node) => node.getBoundingClientRect());
    return { left: own.left - box.left, right: box.right - own.right };
  });
}
