/**
 * Windows over the station. One at a time; F10 or the printed code confirms, Escape cancels, and a scan meanwhile is told that it was
 * not taken.
 */

import { button, element } from "./elements.js";
import { say } from "./words.js";

let open = null;

/** @returns {boolean} whether a window is open */
export function dialogOpen() {
  return open !== null;
}

/** Confirms the window that is open, as its key does. */
export function confirmDialog() {
  open?.confirm();
}

/** Closes the window that is open. */
export function cancelDialog() {
  open?.cancel();
}

/**
 * Shows a window; gives what `confirm` gave, or null when it was cancelled. `confirm` returning undefined keeps it open.
 * @param {{title: string, body: Node[], yes?: string, confirm?: () => any, buttons?: [string, string | null, () => any][], wide?: boolean}} shown
 * @returns {Promise<any>}
 */
export function ask({ title, body, yes, confirm, buttons = [], wide = false }) {
  return new Promise((resolve) => {
    const finish = (value) => {
      open = null;
      window_.close();
      window_.remove();
      resolve(value);
    };
    const tried = (attempt) => {
      const value = attempt();
      if (value !== undefined) finish(value);
    };
    const heading = element("h2", { id: "dialog-title", tabindex: "-1", autofocus: true }, title);
    const actions = element(
      "div",
      { class: "actions" },
      confirm ? button(yes, "F10", () => tried(confirm), { class: "main" }) : null,
      ...buttons.map(([words, key, press]) => button(words, key, () => tried(press))),
      button(confirm ? say("Cancel") : say("Close"), "Esc", () => finish(null)),
    );
    const window_ = element("dialog", { "aria-labelledby": "dialog-title", class: wide ? "wide" : null }, heading, ...body, actions);
    open = { confirm: () => (confirm ? tried(confirm) : finish(null)), cancel: () => finish(null) };
    window_.addEventListener("cancel", (event) => {
      event.preventDefault();
      finish(null);
    });
    // By itself: a window may stand there before the station hears any key.
    window_.addEventListener("keydown", (event) => {
      if (event.key !== "F10" || event.defaultPrevented) return;
      event.preventDefault();
      if (!event.repeat) open.confirm();
    });
    document.body.append(window_);
    window_.showModal();
    heading.focus();
  });
}
