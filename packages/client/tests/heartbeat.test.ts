import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../src/heartbeat';
import { FakeClock } from './support/fake-clock';

function setup(options: ConstructorParameters<typeof Heartbeat>[0] = {}) {
  const clock = new FakeClock();
  const log = { asked: 0, dead: 0 };
  const heartbeat = new Heartbeat(
    options,
    clock,
    () => log.asked++,
    () => log.dead++,
  );
  return { clock, log, heartbeat };
}

describe('Heartbeat', () => {
  it('asks after 20 s of silence and gives up 8 s later', () => {
    const { clock, log } = setup();
    clock.advance(19_999);
    expect(log).toEqual({ asked: 0, dead: 0 });
    clock.advance(1);
    expect(log).toEqual({ asked: 1, dead: 0 });
    clock.advance(7999);
    expect(log).toEqual({ asked: 1, dead: 0 });
    clock.advance(1);
    expect(log).toEqual({ asked: 1, dead: 1 });
  });

  it('does not ask while anything arrives', () => {
    const { clock, log, heartbeat } = setup();
    for (let i = 0; i < 20; i++) {
      clock.advance(15_000);
      heartbeat.seen();
    }
    expect(log.asked).toBe(0);
    clock.advance(20_000);
    expect(log.asked).toBe(1);
  });

  it('counts silence from the last arrival, not from its own timer', () => {
    const { clock, log, heartbeat } = setup({ interval: 1000 });
    clock.advance(900);
    heartbeat.seen();
    clock.advance(999);
    expect(log.asked).toBe(0);
    clock.advance(1);
    expect(log.asked).toBe(1);
  });

  it('takes any arrival for an answer', () => {
    const { clock, log, heartbeat } = setup({ interval: 1000, timeout: 500 });
    clock.advance(1400);
    heartbeat.seen();
    clock.advance(999);
    expect(log).toEqual({ asked: 1, dead: 0 });
    clock.advance(1);
    expect(log.asked).toBe(2);
  });

  it('probes at once with the short wait', () => {
    const { clock, log, heartbeat } = setup();
    heartbeat.probe();
    expect(log.asked).toBe(1);
    clock.advance(2499);
    expect(log.dead).toBe(0);
    clock.advance(1);
    expect(log.dead).toBe(1);
  });

  it('probes with an even shorter wait on demand', () => {
    const { clock, log, heartbeat } = setup();
    heartbeat.probe(500);
    clock.advance(500);
    expect(log.dead).toBe(1);
  });

  it('asks later than anything under way can arrive, whatever arrives until then', () => {
    const { clock, log, heartbeat } = setup();
    heartbeat.probeLater();
    clock.advance(999);
    heartbeat.seen();
    expect(log.asked).toBe(0);
    clock.advance(1);
    expect(log).toEqual({ asked: 1, dead: 0 });
    clock.advance(2499);
    expect(log.dead).toBe(0);
    clock.advance(1);
    expect(log.dead).toBe(1);
  });

  it('forgets an earlier question when it asks later, and a later one when it asks now', () => {
    const { clock, log, heartbeat } = setup();
    heartbeat.probe();
    heartbeat.probeLater();
    clock.advance(1000);
    expect(log).toEqual({ asked: 2, dead: 0 });
    heartbeat.seen();
    heartbeat.probeLater();
    heartbeat.probe(500);
    heartbeat.seen();
    clock.advance(5000);
    expect(log).toEqual({ asked: 3, dead: 0 });
  });

  it('asks nothing later once it was stopped', () => {
    const { clock, log, heartbeat } = setup();
    heartbeat.stop();
    heartbeat.probeLater();
    clock.advance(60_000);
    expect(log).toEqual({ asked: 0, dead: 0 });
  });

  it('hurries a question that is under way and never slows one', () => {
    const { clock, log, heartbeat } = setup({ interval: 1000, timeout: 8000 });
    clock.advance(1000);
    heartbeat.probe(500);
    clock.advance(400);
    heartbeat.probe();
    clock.advance(100);
    expect(log.dead).toBe(1);
  });

  it('asks once more when its timer comes late by far: the device slept', () => {
    const { clock, log, heartbeat } = setup();
    clock.advance(20_000);
    clock.sleep(3_600_000);
    expect(log).toEqual({ asked: 2, dead: 0 });
    heartbeat.seen();
    clock.advance(10_000);
    expect(log.dead).toBe(0);
  });

  it('but only once, for in a hidden page every timer is late', () => {
    const { clock, log } = setup();
    clock.advance(20_000);
    clock.sleep(60_000);
    clock.sleep(60_000);
    expect(log).toEqual({ asked: 2, dead: 1 });
  });

  it('reports death once and leaves no timer', () => {
    const { clock, log } = setup();
    clock.advance(1_000_000);
    expect(log.dead).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('is silent once stopped', () => {
    const { clock, log, heartbeat } = setup();
    heartbeat.stop();
    heartbeat.probe();
    clock.advance(1_000_000);
    expect(log).toEqual({ asked: 0, dead: 0 });
    expect(clock.pending).toBe(0);
  });

  it('may be stopped from inside the question', () => {
    const clock = new FakeClock();
    let dead = 0;
    const heartbeat: Heartbeat = new Heartbeat(
      {},
      clock,
      () => heartbeat.stop(),
      () => dead++,
    );
    heartbeat.probe();
    clock.advance(1_000_000);
    expect(dead).toBe(0);
    expect(clock.pending).toBe(0);
  });
});
