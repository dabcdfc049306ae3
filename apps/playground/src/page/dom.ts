type Child = Node | string | undefined | false;

/** An element with its attributes and what is in it; text is text, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== undefined && child !== false) element.append(child);
  return element;
}

/** The element with an id that the page is known to have. */
export function byId<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

/** A button that does something. */
export function button(label: string, kind: "" | "second" | "quiet", act: () => void): HTMLButtonElement {
  const element = h("button", { type: "button", class: kind || undefined }, label);
  element.addEventListener("click", act);
  return element;
}
