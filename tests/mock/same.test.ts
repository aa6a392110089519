// What packages/testing says of every Anywire server, said of the binary: whatever differs is a
// fault of the server in memory, or of this one.
import { same } from '../../packages/testing/tests/same/index';
import { binary } from './binary';

same('the binary', binary);
