// Stands in for node:test while the catalogue is taken: runs the bodies of suites, but no hook and
// no case, and notes the names. Only what the suites import from node:test is here.
export const names = [];
const path = [];

const work = (args) => args.find((arg) => typeof arg === 'function');

export function describe(title, ...args) {
  path.push(title);
  work(args)();
  path.pop();
}

export function it(name) {
  names.push([...path, name].join(' > '));
}

export const test = it;
export const before = () => {};
export const after = () => {};
export const beforeEach = () => {};
export const afterEach = () => {};
