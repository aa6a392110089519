import type { NetworkAdapter, NetworkEvent } from '../../src/index';

/** A device whose network and page do what the test says. */
export class FakeNetwork implements NetworkAdapter {
  online = true;
  readonly #listeners = new Set<(event: NetworkEvent) => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  subscribe(listener: (event: NetworkEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: NetworkEvent): void {
    if (event === 'online') this.online = true;
    if (event === 'offline') this.online = false;
    for (const listener of [...this.#listeners]) listener(event);
  }
}
