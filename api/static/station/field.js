/**
 * The one field: what is typed half is completed by suggestions (a combobox as the ARIA guide has it), chosen by arrow keys and Enter.
 */

import { element } from "./elements.js";

const PAUSE = 180;
const SHORTEST = 3;

/** The field with its suggestions. */
export class Field {
  /**
   * @param {HTMLInputElement} input
   * @param {HTMLElement} list
   * @param {{suggest: (text: string) => Promise<object[]> | null, pick: (weapon: object) => void, typed: () => void}} heard
   */
  constructor(input, list, heard) {
    this.input = input;
    this.list = list;
    this.heard = heard;
    this.shown = [];
    this.active = -1;
    this.asked = 0;
    input.addEventListener("input", () => this._typed());
    input.addEventListener("keydown", (event) => this._key(event));
    input.addEventListener("blur", () => this._close());
    list.addEventListener("pointerdown", (event) => this._press(event));
    window.addEventListener("keydown", (event) => this._enter(event), true);
    if (window.matchMedia("(pointer: coarse)").matches) input.inputMode = "none";
  }

  get text() {
    return this.input.value.trim();
  }

  get empty() {
    return this.input.value === "";
  }

  /** Takes the focus, where nobody types in another field. */
  focus() {
    this.input.focus({ preventScroll: true });
  }

  /** Empties the field. */
  clear() {
    this.input.value = "";
    this._close();
  }

  /** Says what is asked for. */
  prompt(words) {
    document.querySelector("label[for=scan]").textContent = words;
  }

  /** On a phone: shows its keyboard, or keeps it away. */
  toggleKeyboard() {
    this.input.inputMode = this.input.inputMode === "none" ? "text" : "none";
    this.input.blur();
    this.focus();
  }

  _typed() {
    this.heard.typed();
    clearTimeout(this.pause);
    const asked = ++this.asked;
    if (this.text.length < SHORTEST) return this._close();
    this.pause = setTimeout(() => this._suggest(asked), PAUSE);
  }

  async _suggest(asked) {
    const coming = this.heard.suggest(this.text);
    const found = coming ? await coming.catch(() => []) : [];
    if (asked !== this.asked || this.empty) return;
    this.shown = found;
    this.active = -1;
    this.list.replaceChildren(...found.map((weapon, n) => this._option(weapon, n)));
    this._open(found.length > 0);
  }

  _option(weapon, n) {
    return element(
      "li",
      { role: "option", id: `suggestion-${n}`, "aria-selected": "false" },
      element("bdi", { class: "name" }, [weapon.model, weapon.serial_number || weapon.asset_tag].join(" ")),
      element("span", { class: "words" }, weapon.where),
    );
  }

  _open(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    if (!open) this.input.removeAttribute("aria-activedescendant");
  }

  _close() {
    this.asked += 1;
    clearTimeout(this.pause);
    this.shown = [];
    this.active = -1;
    this.list.replaceChildren();
    this._open(false);
  }

  _key(event) {
    if (!this.shown.length) return;
    if (event.key === "Escape") this._close();
    else if (event.key === "ArrowDown") this._go(1);
    else if (event.key === "ArrowUp") this._go(-1);
    else return;
    event.preventDefault();
  }

  _go(step) {
    const count = this.shown.length;
    this.active = (this.active + step + count + (this.active < 0 && step < 0 ? 1 : 0)) % count;
    [...this.list.children].forEach((option, n) => option.setAttribute("aria-selected", String(n === this.active)));
    this.input.setAttribute("aria-activedescendant", `suggestion-${this.active}`);
  }

  /** Enter on a suggestion takes it, before the text is taken as it stands. */
  _enter(event) {
    if (event.key !== "Enter" || this.active < 0 || document.activeElement !== this.input) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this._take(this.active);
  }

  _press(event) {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    event.preventDefault();
    this._take([...this.list.children].indexOf(option));
  }

  _take(n) {
    const weapon = this.shown[n];
    this.clear();
    if (weapon) this.heard.pick(weapon);
  }
}
