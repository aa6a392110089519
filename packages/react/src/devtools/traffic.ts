const secondsMax = 60;

/** Frames of one second. */
export interface Second {
  readonly sent: number;
  readonly received: number;
}

/** How many frames passed in each of the last sixty seconds. */
export class Traffic {
  readonly #slots: { second: number; sent: number; received: number }[] = [];

  count(at: number, direction: 'in' | 'out'): void {
    const second = Math.floor(at / 1000);
    const index = second % secondsMax;
    let slot = this.#slots[index];
    if (slot?.second !== second) {
      slot = { second, sent: 0, received: 0 };
      this.#slots[index] = slot;
    }
    if (direction === 'in') slot.received++;
    else slot.sent++;
  }

  /** The sixty seconds that end now, oldest first. */
  last(now: number): readonly Second[] {
    const end = Math.floor(now / 1000);
    return Array.from({ length: secondsMax }, (_, i) => {
      const second = end - secondsMax + 1 + i;
      const slot = this.#slots[second % secondsMax];
      return slot?.second === second
        ? { sent: slot.sent, received: slot.received }
        : { sent: 0, received: 0 };
    });
  }
}
