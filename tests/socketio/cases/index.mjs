// All cases, in the order in which they are recorded.
import http from './http.mjs';
import polling from './polling.mjs';

export const cases = { http, polling };
