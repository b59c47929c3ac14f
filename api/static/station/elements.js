/** Making elements: text goes in as text, so that nothing anybody typed can become markup. */

import { inItsDirection } from "./words.js";

/**
 * An element with attributes and children. `on` maps events to listeners; null and false children are left out.
 * @param {string} name tag name
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | number | null | false | undefined)} children
 * @returns {HTMLElement}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") Object.entries(value).forEach(([event, listener]) => made.addEventListener(event, listener));
    else if (key === "value") made.value = value;
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...nodes(children));
  return made;
}

/**
 * Puts children in place of those an element has; null and false are left out.
 * @param {HTMLElement} parent
 * @param {...(Node | string | number | null | false | undefined)} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...nodes(children));
}

function nodes(children) {
  return children.filter((child) => child !== null && child !== undefined && child !== false).map(asNode);
}

function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(inItsDirection(child));
}

/**
 * A button that says its key.
 * @param {string} words
 * @param {string | null} key as people read it on a keyboard
 * @param {() => void} press
 * @param {Record<string, any>} [attributes]
 * @returns {HTMLElement}
 */
export function button(words, key, press, attributes = {}) {
  const shown = key ? element("kbd", { "aria-hidden": "true" }, key) : null;
  return element("button", { type: "button", "aria-keyshortcuts": key || null, on: { click: press }, ...attributes }, words, shown);
}

/**
 * A number whose parts stay whole: where it must be broken, it is broken after a slash.
 * @param {string} number
 * @returns {(string | Node)[]}
 */
export function breakable(number) {
  return number.split(/(?<=\/)/).flatMap((part, n) => (n ? [element("wbr"), part] : [part]));
}
