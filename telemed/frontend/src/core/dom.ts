/** Elements without a framework: `h("button", {class: "quiet", onclick: save}, t("ui.save"))`. */

export type Child = Node | string | number | null | undefined | false;
type Listener = (event: never) => void;
type Value = string | number | boolean | null | undefined | Listener;
export type Props = Record<string, Value>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value as unknown as EventListener);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.filter(present).map(asNode));
  return element;
}

function present(child: Child): child is Node | string | number {
  return child !== null && child !== undefined && child !== false && child !== "";
}

function asNode(child: Node | string | number): Node | string {
  return typeof child === "number" ? String(child) : child;
}

/** Sets a text only when it differs, so that a ticking clock does not disturb a screen reader or a selection. */
export function setText(element: Element, value: string): void {
  if (element.textContent !== value) element.textContent = value;
}

export function find<T extends Element>(selector: string, root: ParentNode = document): T {
  const element = root.querySelector<T>(selector);
  if (!element) throw new Error(`the page has no ${selector}`);
  return element;
}

/** True while keys belong to a text field. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement)
    return !["checkbox", "radio", "button", "range"].includes(target.type);
  return (
    target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
  );
}

/** Keeps the elements of a list that did not change: `key` names an item, `version` tells its content. */
export function reconcile<T>(
  parent: Element,
  items: readonly T[],
  key: (item: T) => string,
  version: (item: T) => string,
  render: (item: T) => HTMLElement,
): void {
  const old = new Map<string, HTMLElement>();
  for (const element of Array.from(parent.children)) {
    if (element instanceof HTMLElement && element.dataset.key) old.set(element.dataset.key, element);
  }
  let at: Element | null = parent.firstElementChild;
  for (const item of items) {
    const known = old.get(key(item));
    let element = known;
    if (!element || element.dataset.version !== version(item)) {
      element = render(item);
      element.dataset.key = key(item);
      element.dataset.version = version(item);
      if (known) {
        if (at === known) at = known.nextElementSibling;
        known.replaceWith(element);
      }
    }
    old.delete(key(item));
    if (at === element) at = element.nextElementSibling;
    else parent.insertBefore(element, at);
  }
  for (const element of old.values()) element.remove();
}
