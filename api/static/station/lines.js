/**
 * The list of what was scanned, newest on top, each line with its number, its verdict in colour, icon and words. A line is
 * `{id, text, how, severity, verdict, words, weapon, model, quantity, lot, condition}`; `severity` "asking" until the verdict is there.
 */

import { element } from "./elements.js";
import { newKey } from "./keys.js";
import { say } from "./words.js";

export const ICONS = { ready: "✓", attention: "!", stop: "✕", asking: "…" };
export const GOES = new Set(["ready", "brought by another", "not asked"]);
export const CONDITIONS = ["serviceable", "unserviceable", "unknown"];

/** Severity in words, for who can't see the icon. */
export const SAID = {
  ready: () => say("Ready"),
  attention: () => say("Attention"),
  stop: () => say("Stop"),
  asking: () => say("Asking"),
};
/** A condition in words. */
export const CONDITION_SAID = {
  serviceable: () => say("serviceable"),
  unserviceable: () => say("unserviceable"),
  unknown: () => say("condition unknown"),
};

/**
 * How people call what a line is about.
 * @param {{name?: string, weapon?: object, model?: string, quantity?: number, text?: string}} line
 * @returns {string}
 */
export function named(line) {
  if (line.weapon?.tracked_by === "serial") {
    return [line.weapon.model, line.weapon.serial_number || line.weapon.asset_tag].filter(Boolean).join(" ");
  }
  if (line.name) return line.name;
  if (isCounted(line)) return `${line.quantity} × ${line.model}${line.lot ? `, ${line.lot}` : ""}`;
  return line.text || line.weapon?.model || "";
}

/** What a line says of itself; the answer said more, once. */
function short(line) {
  return line.verdict === "brought by another" ? line.weapon.where : line.words;
}

/** A list on the page; `onChange` hears every change of it. */
export class Lines {
  /** @param {{label: string, conditions?: boolean, onChange: () => void}} options */
  constructor({ label, conditions = false, onChange }) {
    this.conditions = conditions;
    this.onChange = onChange;
    this.all = [];
    this.selectedId = null;
    this.element = element("ol", { class: conditions ? "lines has-conditions" : "lines", "aria-label": label, reversed: true });
    this.element.addEventListener("click", (event) => this._pressed(event));
  }

  /** Takes the lines that were kept. */
  load(lines) {
    this.all = lines;
    this.selectedId = null;
    this.element.replaceChildren(...lines.map((line) => this._row(line)).reverse());
    this._renumber();
  }

  /** Adds a line; the newest is on top, and is what one key removes. */
  add(line) {
    const added = { id: newKey(), severity: "asking", verdict: null, words: "", ...line };
    this.all.push(added);
    this.selectedId = null;
    this.element.prepend(this._row(added));
    this._renumber();
    this.onChange();
    return added;
  }

  /** Changes a line; one that was removed meanwhile stays so. */
  change(line, fields) {
    if (!this.all.includes(line)) return;
    Object.assign(line, fields);
    this._rowOf(line).replaceWith(this._row(line));
    this._renumber();
    this.onChange();
  }

  /** Takes a line off the list. */
  remove(line) {
    const at = this.all.indexOf(line);
    if (at < 0) return;
    this._rowOf(line).remove();
    this.all.splice(at, 1);
    this.selectedId = null;
    this._renumber();
    this.onChange();
  }

  /** The line that keys are about: the selected one, else the newest. */
  get current() {
    return this.all.find((line) => line.id === this.selectedId) || this.all.at(-1) || null;
  }

  /** Selects the next line downward (1) or upward (-1) as they are shown. */
  select(step) {
    if (!this.all.length) return;
    const at = this.selectedId ? this.all.findIndex((line) => line.id === this.selectedId) : this.all.length;
    const next = Math.min(Math.max(at - step, 0), this.all.length - 1);
    this.selectedId = this.all[next].id;
    this._renumber();
    this._rowOf(this.all[next]).scrollIntoView({ block: "nearest" });
  }

  /** The lines that can be confirmed, in the order they were scanned. */
  get going() {
    return this.all.filter((line) => GOES.has(line.verdict));
  }

  /** The lines that something speaks against. */
  get staying() {
    return this.all.filter((line) => !GOES.has(line.verdict));
  }

  /** Says the next condition of the current line, or this one. */
  condition(wanted = null) {
    const line = this.current;
    if (!line || !this.conditions) return;
    const next = wanted || CONDITIONS[(CONDITIONS.indexOf(line.condition) + 1) % CONDITIONS.length];
    const selected = this.selectedId;
    this.change(line, { condition: next });
    this.selectedId = selected;
    this._renumber();
  }

  /** The list as an act's verdict wants it: items by their key, what is counted by its model. */
  soFar() {
    return this.all.map((line) => {
      if (isCounted(line)) return counted(line);
      return line.weapon ? { item: line.weapon.item_id } : { scan: line.text };
    });
  }

  _rowOf(line) {
    return this.element.querySelector(`[data-id="${line.id}"]`);
  }

  _renumber() {
    this.all.forEach((line, n) => {
      const row = this._rowOf(line);
      row.querySelector(".number").textContent = n + 1;
      row.classList.toggle("selected", line.id === this.selectedId);
    });
  }

  _row(line) {
    const tag = line.weapon && line.weapon.asset_tag;
    return element(
      "li",
      { class: `line ${line.severity}`, "data-id": line.id },
      element("span", { class: "number" }),
      element("span", { class: "icon", role: "img", "aria-label": SAID[line.severity]() }, ICONS[line.severity]),
      element(
        "span",
        { class: "what" },
        element("bdi", { class: "name" }, named(line)),
        element("span", { class: "words" }, short(line), tag && GOES.has(line.verdict) ? element("bdi", { class: "tag" }, tag) : null),
        line.accessories ? element("span", { class: "words" }, say("with {list}", { list: line.accessories })) : null,
      ),
      this.conditions && line.severity !== "asking" ? this._condition(line) : null,
      element("button", { type: "button", class: "remove", "data-press": "remove", "aria-label": say("Remove {name}", { name: named(line) }) }, "×"),
    );
  }

  _condition(line) {
    const words = CONDITION_SAID[line.condition || "unknown"]();
    return element("button", { type: "button", class: `condition ${line.condition}`, "data-press": "condition" }, words);
  }

  _pressed(event) {
    const row = event.target.closest("[data-id]");
    if (!row) return;
    const line = this.all.find((one) => one.id === row.dataset.id);
    const press = event.target.closest("[data-press]")?.dataset.press;
    this.selectedId = line.id;
    if (press === "remove") this.remove(line);
    else if (press === "condition") this.condition();
    else this._renumber();
  }
}

/** Whether a line is told by number, under its model's name. */
export function isCounted(line) {
  return Boolean(line.model && !line.text);
}

/** A line of what is counted, as requests have it. */
export function counted(line) {
  return { model: line.model, quantity: line.quantity, ...(line.lot ? { lot: line.lot } : {}) };
}
