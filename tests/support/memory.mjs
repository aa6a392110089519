// What a process costs, read from outside by its id (Linux).
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';

const kMiB = 1024 * 1024;

function field(text, name) {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text);
  return match ? Number(match[1]) * 1024 : undefined;
}

const status = (pid) => readFileSync(`/proc/${pid}/status`, 'utf8');

/** Private memory of the process (anonymous pages, not the program's own file), in bytes. */
export function memoryBytes(pid) {
  const text = status(pid);
  return field(text, 'RssAnon') ?? field(text, 'VmRSS');
}

const residentBytes = (pid) => field(status(pid), 'VmRSS');
const highWaterBytes = (pid) => field(status(pid), 'VmHWM');

/** Makes the kernel forget the highest resident size so far; false where it will not. */
function forgetHighWater(pid) {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
    return true;
  } catch {
    return false;
  }
}

export const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

/** Processor time used so far, user and system, in milliseconds (ticks of 10 ms). */
export function processorMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export const mib = (bytes) => `${(bytes / kMiB).toFixed(2)} MiB`;

/**
 * The peak between start and stop: the kernel's own high-water mark, which misses nothing, and
 * samples of the private memory for where that cannot be reset.
 */
export class MemoryWatch {
  constructor(pid, everyMs = 10) {
    this.pid = pid;
    this.exact = forgetHighWater(pid);
    this.residentBefore = residentBytes(pid);
    this.before = memoryBytes(pid);
    this.peak = this.before;
    this.timer = setInterval(() => this.#sample(), everyMs);
  }

  #sample() {
    try {
      this.peak = Math.max(this.peak, memoryBytes(this.pid));
    } catch {
      clearInterval(this.timer);
    }
  }

  stop() {
    clearInterval(this.timer);
    this.#sample();
    this.after = memoryBytes(this.pid);
    this.growth = this.peak - this.before;
    if (this.exact) this.growth = Math.max(this.growth, highWaterBytes(this.pid) - this.residentBefore);
    return this;
  }

  toString() {
    return `before ${mib(this.before)}, after ${mib(this.after)}, peak growth ${mib(this.growth)}` +
      (this.exact ? '' : ' (sampled)');
  }
}
