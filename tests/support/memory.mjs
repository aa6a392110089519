// What a process costs, read from outside by its id (Linux).
import { readFileSync, readdirSync } from 'node:fs';

const kMiB = 1024 * 1024;

function field(text, name) {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text);
  return match ? Number(match[1]) * 1024 : undefined;
}

/** Private memory of the process (Pss without file pages where the kernel tells), in bytes. */
export function memoryBytes(pid) {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const anonymous = field(rollup, 'Pss_Anon');
    if (anonymous !== undefined) return anonymous;
    const pss = field(rollup, 'Pss');
    if (pss !== undefined) return pss;
  } catch {
    // Without smaps_rollup (old kernels, containers) the resident size has to do.
  }
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return field(status, 'RssAnon') ?? field(status, 'VmRSS');
}

export const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

export const mib = (bytes) => `${(bytes / kMiB).toFixed(2)} MiB`;

/** Samples the process until stopped; the peak is what matters. */
export class MemoryWatch {
  constructor(pid, everyMs = 10) {
    this.pid = pid;
    this.before = memoryBytes(pid);
    this.peak = this.before;
    this.timer = setInterval(() => this.sample(), everyMs);
  }

  sample() {
    this.peak = Math.max(this.peak, memoryBytes(this.pid));
  }

  stop() {
    clearInterval(this.timer);
    this.sample();
    this.after = memoryBytes(this.pid);
    return this;
  }

  get growth() {
    return this.peak - this.before;
  }

  toString() {
    return `before ${mib(this.before)}, peak ${mib(this.peak)}, after ${mib(this.after)}, ` +
      `growth ${mib(this.growth)}`;
  }
}
