// What all who take part in a case have in common: a log, and waiting for what it is to hold.
import { within } from '../../support/poll.mjs';

const kDeadlineMs = 20_000;

export class Actor {
  #waiting = new Set();

  constructor(stage, name) {
    this.stage = stage;
    this.name = name;
    this.log = stage.logOf(name);
  }

  note(...entry) {
    this.log.push(entry.length === 1 ? entry[0] : entry);
    for (const check of this.#waiting) check();
  }

  /** Resolves once `probe(log)` is true. */
  when(what, probe) {
    const met = new Promise((resolve) => {
      const check = () => {
        if (!probe(this.log)) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
    return within(`${this.name}: ${what}, after ${JSON.stringify(this.log).slice(-600)}`, met,
      kDeadlineMs);
  }

  /** Resolves once the log has `count` entries. */
  until(count) {
    return this.when(`${count} entries`, (log) => log.length >= count);
  }
}
