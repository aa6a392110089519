// Module resolution for catalogue.mjs: node:test becomes the recorder.
const recorder = new URL('./recorder.mjs', import.meta.url).href;

export const resolve = (specifier, context, next) =>
  specifier === 'node:test' ? { url: recorder, shortCircuit: true } : next(specifier, context);
