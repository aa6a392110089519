// @vitest-environment jsdom
import { useChannel, usePresence } from '@anywire/react';
import { createMockServer } from '@anywire/testing';
import { renderWithAnywire } from '@anywire/testing/react';
import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import './vitest.setup';

function Room() {
  const { messages, status } = useChannel<string>('room:42');
  const { count } = usePresence('room:42', { name: 'Ann' });
  return (
    <main title={status}>
      <h1>{count} here</h1>
      {messages.map(({ epoch, offset, data }) => (
        <p key={`${epoch}:${offset}`}>{data}</p>
      ))}
    </main>
  );
}

it('shows the room', async () => {
  const server = createMockServer();
  const view = await renderWithAnywire(<Room />, { server }); // in StrictMode
  expect(server).toHaveMember('room:42', { info: { name: 'Ann' } });

  await view.act(() => {
    server.enter('room:42', { name: 'Bob' });
    server.publish('room:42', 'hello');
  });

  expect(screen.getByText('2 here')).toBeDefined();
  expect(screen.getByText('hello')).toBeDefined();
});
