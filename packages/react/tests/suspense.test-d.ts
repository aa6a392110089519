import { describe, expectTypeOf, it } from 'vitest';
import type { Client } from '../../client/src/index';
import { AnywireDevtools, type AnywireDevtoolsProps } from '../src/devtools';
import * as plain from '../src/index';
import * as suspense from '../src/suspense';

describe('the Suspense entry', () => {
  it('has the hooks of the main one, with their types', () => {
    expectTypeOf(suspense.useChannel).toEqualTypeOf<typeof plain.useChannel>();
    expectTypeOf(suspense.useHistory).toEqualTypeOf<typeof plain.useHistory>();
    expectTypeOf(suspense.useLatest).toEqualTypeOf<typeof plain.useLatest>();
    expectTypeOf(suspense.usePresence).toEqualTypeOf<typeof plain.usePresence>();
  });

  it('passes on what does not suspend', () => {
    expectTypeOf(suspense.useRpc).toEqualTypeOf(plain.useRpc);
    expectTypeOf(suspense.useAnywire).returns.toEqualTypeOf<Client>();
    expectTypeOf<keyof typeof suspense>().toEqualTypeOf<
      Exclude<keyof typeof plain, 'useWebSocket'>
    >();
  });

  it('infers like the main one', () => {
    const named = () => suspense.useChannel<{ text: string }>('room').messages;
    expectTypeOf(named).returns.items.toHaveProperty('data').toEqualTypeOf<{ text: string }>();
    const chosen = () => suspense.useLatest('room', ({ offset }) => offset, { initial: 0 });
    expectTypeOf(chosen).returns.toEqualTypeOf<number>();
    const counted = () => suspense.usePresence('room', null, { select: ({ count }) => count });
    expectTypeOf(counted).returns.toEqualTypeOf<number>();
  });
});

describe('the devtools', () => {
  it('need nothing, and take corner, theme and clients', () => {
    expectTypeOf(AnywireDevtools).parameter(0).toEqualTypeOf<AnywireDevtoolsProps>();
    expectTypeOf<object>().toExtend<AnywireDevtoolsProps>();
    expectTypeOf<AnywireDevtoolsProps['position']>().toEqualTypeOf<
      'bottom-right' | 'bottom-left' | 'top-right' | 'top-left' | undefined
    >();
    // @ts-expect-error: there is no such corner.
    AnywireDevtools({ position: 'middle' });
    // @ts-expect-error: several clients have names.
    AnywireDevtools({ clients: [] as Client[] });
  });
});
