import { setupVitest } from '@anywire/testing/vitest';

setupVitest();
