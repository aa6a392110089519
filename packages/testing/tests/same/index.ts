import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { access } from './access';
import { faults } from './faults';
import { paging } from './history';
import { attendance } from './presence';
import { publishing } from './publishing';
import { recovery } from './recovery';
import { Stage, type World } from './stage';
import { subscribing } from './subscribing';
import { walks } from './walk';

/** What every Anywire server does, said once for the one in memory and for the binary. */
export function same(name: string, begin: () => Promise<World>): void {
  const parts = { publishing, subscribing, recovery, paging, attendance, faults, access, walks };
  describe.each(Object.entries(parts))(`${name}: %s`, (_, cases) => {
    const stage = new Stage();
    beforeAll(async () => {
      stage.world = await begin();
    });
    afterEach(() => stage.clear());
    afterAll(() => stage.world.close());
    cases(stage);
  });
}
