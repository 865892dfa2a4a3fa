/** A part of the page that shows something, and can be told of another. */
export interface View<T> {
  readonly node: HTMLElement;
  show(item: T): void;
}

export function byId(id: string): HTMLElement {
  const node = document.getElementById(id);
  if (node === null) throw new Error(`index.html has no #${id}`);
  return node;
}

/** @param children texts go in as text: what stands in etcd is anybody's, and never becomes markup */
export function element(tag: string, className = '', ...children: readonly (Node | string)[]): HTMLElement {
  const node = document.createElement(tag);
  if (className !== '') node.className = className;
  node.append(...children);
  return node;
}

/** Touches the page only where it changes. */
export function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setClass(node: HTMLElement, className: string): void {
  if (node.className !== className) node.className = className;
}

/** A value with its name, which wide screens show at the head of the column instead. */
export function labelled(
  className: string,
  label: string,
): { readonly node: HTMLElement; readonly value: HTMLElement } {
  const value = element('span');
  return { node: element('span', className, element('span', 'label', `${label} `), value), value };
}

/**
 * Keeps the children of a node in step with items, by key: what stays is moved and not made anew, and what is the same object
 * as before is not touched.
 */
export function listIn<T>(
  parent: HTMLElement,
  { keyOf, create }: { keyOf: (item: T) => string; create: (item: T) => View<T> },
): (items: readonly T[]) => void {
  const shown = new Map<string, { view: View<T>; item: T }>();
  return (items) => {
    const keys = new Set(items.map(keyOf));
    for (const [key, { view }] of shown) {
      if (keys.has(key)) continue;
      view.node.remove();
      shown.delete(key);
    }
    let next = parent.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      let entry = shown.get(key);
      if (entry === undefined) {
        entry = { view: create(item), item };
        entry.view.show(item);
        shown.set(key, entry);
      } else if (entry.item !== item) {
        entry.view.show(item);
        entry.item = item;
      }
      if (entry.view.node === next) next = next.nextElementSibling;
      else parent.insertBefore(entry.view.node, next);
    }
  };
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/**
 * Lets a node glow for a moment. Not by a class: to begin one anew, the page must be laid out in between, and a thousand
 * endpoints that change at once would do that a thousand times.
 */
export function glow(node: HTMLElement): void {
  if (!calm.matches) node.animate([{ backgroundColor: 'var(--glow)' }, {}], { duration: 2_600, easing: 'ease-out' });
}
