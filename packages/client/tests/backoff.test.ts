import { describe, expect, it } from 'vitest';
import { Backoff } from '../src/backoff';
import { FakeClock } from './support/fake-clock';

function delays(options: ConstructorParameters<typeof Backoff>[0], chance: number, count: number) {
  const clock = new FakeClock();
  clock.chance = chance;
  const backoff = new Backoff(options, clock);
  return Array.from({ length: count }, () => Math.round(backoff.next(1006)));
}

describe('Backoff', () => {
  it('doubles the largest delay from 250 ms to 20 s', () => {
    expect(delays({}, 0.999_999, 9)).toEqual([
      250, 500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000,
    ]);
  });

  it('takes any delay from zero up: full jitter', () => {
    expect(delays({}, 0, 4)).toEqual([0, 0, 0, 0]);
    expect(delays({}, 0.5, 4)).toEqual([125, 250, 500, 1000]);
  });

  it('can do without jitter', () => {
    expect(delays({ jitter: 'none', min: 100, factor: 3, max: 1000 }, 0, 4)).toEqual([
      100, 300, 900, 1000,
    ]);
  });

  it('starts anew when the count is reset', () => {
    const clock = new FakeClock();
    const backoff = new Backoff({ jitter: 'none' }, clock);
    backoff.next(1006);
    backoff.next(1006);
    backoff.failures = 0;
    expect(backoff.next(1006)).toBe(250);
  });

  it.each([1001, 1012, 1013])(
    'spreads over a whole second when all were sent away by %i',
    (code) => {
      const clock = new FakeClock();
      clock.chance = 0.5;
      expect(new Backoff({}, clock).next(code)).toBe(500);
    },
  );

  it('keeps even that below the maximum', () => {
    expect(new Backoff({ max: 400, jitter: 'none' }, new FakeClock()).next(1001)).toBe(400);
  });

  it('stays finite however often it fails', () => {
    expect(delays({ jitter: 'none' }, 0, 3000).at(-1)).toBe(20_000);
  });

  it('tries slowly while offline, between half of the maximum and all of it', () => {
    const clock = new FakeClock();
    clock.chance = 0;
    const backoff = new Backoff({}, clock);
    expect(backoff.slow()).toBe(10_000);
    clock.chance = 0.5;
    expect(backoff.slow()).toBe(15_000);
    expect(backoff.failures).toBe(2);
    expect(new Backoff({ jitter: 'none' }, clock).slow()).toBe(20_000);
  });

  it('brings 200 clients back spread out, none with another', () => {
    const times = Array.from({ length: 200 }, (_, i) => {
      const clock = new FakeClock();
      clock.chance = ((i * 7919) % 200) / 200;
      return new Backoff({}, clock).next(1001);
    }).sort((a, b) => a - b);
    expect(new Set(times).size).toBe(200);
    expect(times.at(-1)).toBeLessThan(1000);
    expect(times[100]).toBeGreaterThan(400);
    expect(times[100]).toBeLessThan(600);
  });
});
