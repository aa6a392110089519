/** The newest so many items. Adding is cheap, and `list` is the same array until something is added. */
export class Ring<T> {
  readonly #limit: number;
  #items: T[] = [];
  #list: readonly T[] | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get list(): readonly T[] {
    this.#list ??= this.#items.slice(-this.#limit);
    return this.#list;
  }

  add(item: T): void {
    this.#items.push(item);
    if (this.#items.length > 2 * this.#limit) this.#items = this.#items.slice(-this.#limit);
    this.#list = undefined;
  }

  clear(): void {
    this.#items = [];
    this.#list = undefined;
  }
}
