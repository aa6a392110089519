import { same } from './index';
import { memory } from './memory';

same('in memory', memory);
