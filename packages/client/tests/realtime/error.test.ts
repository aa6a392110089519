import { afterEach, describe, expect, it, vi } from 'vitest';
import { AnywireError, fromWire } from '../../src/realtime/error';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

describe('an error', () => {
  it('has a code, and is certain and final unless it says otherwise', () => {
    const error = new AnywireError('forbidden');
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'AnywireError',
      code: 'forbidden',
      message: 'forbidden',
      retry: false,
      uncertain: false,
    });
    expect(error.channel).toBeUndefined();
    expect(error.issues).toBeUndefined();
  });

  it('has what is known besides', () => {
    const cause = new Error('why');
    const issues = [{ message: 'not a string', path: ['text'] }];
    const more = { retry: true, uncertain: true, channel: 'a', issues, cause };
    const error = new AnywireError('schema', 'words', more);
    expect(error).toMatchObject({ ...more, code: 'schema', message: 'words' });
    // As in other errors, so that it is not printed twice.
    expect(Object.keys(error)).not.toContain('cause');
  });

  it('shows code and words in a log', () => {
    const { stack } = new AnywireError('queue_full', 'too much');
    expect(stack).toContain('too much');
    expect(stack).toContain('error.test');
  });

  it('has advice while one develops', () => {
    vi.stubEnv('NODE_ENV', 'development');
    expect(new AnywireError('forbidden').advice).toMatch(/capability/);
    expect(new AnywireError('no_such_code').advice).toBeUndefined();
  });

  it('has none in production', () => {
    vi.stubEnv('NODE_ENV', 'production');
    expect(new AnywireError('forbidden').advice).toBeUndefined();
    expect(new AnywireError('forbidden')).not.toHaveProperty('advice');
  });

  it('is made where there is no process and no bundler', () => {
    vi.stubGlobal('process', undefined);
    const error = new AnywireError('forbidden');
    vi.unstubAllGlobals();
    expect(error.code).toBe('forbidden');
  });
});

describe('an error of the server', () => {
  it('is what it says', () => {
    const said = { code: 'overloaded', message: 'later', retry: true, channel: 'a' };
    expect(fromWire({ type: 'error', ...said })).toMatchObject({ ...said, uncertain: false });
  });

  it('says where in the data the server found a fault, the whole of it included', () => {
    const violation = { type: 'error', code: 'schema_violation', channel: 'a' };
    expect(fromWire({ ...violation, path: '/text' }).path).toBe('/text');
    expect(fromWire({ ...violation, path: '' }).path).toBe('');
    expect(fromWire({ type: 'error', code: 'forbidden' }).path).toBeUndefined();
  });

  it('has what the application says to programs, apart from its words for people', () => {
    const refusal = { type: 'error', code: 'refused', message: 'Be kind.', reason: 'rude' };
    expect(fromWire(refusal)).toMatchObject({ message: 'Be kind.', reason: 'rude' });
    expect(fromWire({ type: 'error', code: 'refused' }).reason).toBeUndefined();
  });

  it('is about the channel that the caller knows better', () => {
    expect(fromWire({ type: 'error', code: 'forbidden' }, 'mine').channel).toBe('mine');
    expect(fromWire({ type: 'error', code: 'forbidden', channel: 'a' }).channel).toBe('a');
  });

  it.each([[undefined], [null], ['yes'], [1], [false]])('with retry %j is final', (retry) => {
    expect(fromWire({ type: 'error', code: 'x', retry }).retry).toBe(false);
  });

  it('without words has those of its code', () => {
    expect(fromWire({ type: 'error', code: 'x' }).message).toBe('x');
  });

  it('is uncertain where the command had gone out', () => {
    expect(fromWire({ type: 'error', code: 'x' }, 'a', true).uncertain).toBe(true);
  });
});
