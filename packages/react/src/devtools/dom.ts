type Child = Node | string | undefined;

/** Attributes by name; a function is a listener for the event of that name. */
export interface Attributes {
  readonly [name: string]: string | number | boolean | undefined | ((event: never) => void);
}

/**
 * Makes an element. Text only ever becomes text nodes, and there are no style attributes: nothing
 * that a frame says is taken for markup, and a strict Content-Security-Policy has no objection.
 */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  set(element, attributes);
  for (const child of children) if (child !== undefined) element.append(child);
  return element;
}

/** The same for the namespace of SVG. */
export function svg(tag: string, attributes: Attributes = {}, ...children: Node[]): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

/** Changes attributes; undefined and false take one away. Writes only what is different. */
export function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value as EventListener);
    else if (value === undefined || value === false) element.removeAttribute(name);
    else {
      const text = value === true ? '' : String(value);
      if (element.getAttribute(name) !== text) element.setAttribute(name, text);
    }
  }
}

/** Changes the text of an element that holds nothing else. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes the children of `parent` those of `items`, in this order: what is there already stays the
 * same element, so neither focus nor scroll position is lost.
 */
export class Keyed<T> {
  readonly #parent: Element;
  readonly #make: (item: T) => Element;
  readonly #update: (element: Element, item: T) => void;
  readonly #keyOf: (item: T) => unknown;
  #elements = new Map<unknown, Element>();

  constructor(
    parent: Element,
    keyOf: (item: T) => unknown,
    make: (item: T) => Element,
    update: (element: Element, item: T) => void = () => {},
  ) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#make = make;
    this.#update = update;
  }

  show(items: readonly T[]): void {
    const next = new Map<unknown, Element>();
    for (const item of items) {
      const key = this.#keyOf(item);
      const element = this.#elements.get(key) ?? this.#make(item);
      this.#update(element, item);
      next.set(key, element);
    }
    for (const [key, element] of this.#elements) if (!next.has(key)) element.remove();
    this.#elements = next;
    let at = this.#parent.firstElementChild;
    for (const element of next.values()) {
      if (element === at) at = at.nextElementSibling;
      else this.#parent.insertBefore(element, at);
    }
  }

  get(key: unknown): Element | undefined {
    return this.#elements.get(key);
  }
}
