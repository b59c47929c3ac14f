/**
 * A list that may have thousands of lines. It is written down at every scan and survives a reload, and what a scan costs does not grow
 * with it: what is written is the part that changed, and on the page are the newest lines alone. What `voucher.js` asks of a list is
 * as in `lines.js`.
 */

import { element } from "./elements.js";
import { CONDITIONS, CONDITION_SAID, ICONS, SAID, named } from "./lines.js";
import { say } from "./words.js";

const PART = 25;
const SHOWN = 30;

/** Lines in the order in which they came. A line gets an `id` and a `number`, which stays when others are taken away. */
export class LongList {
  /** @param {object} stage @param {{label: string, conditions?: boolean, onChange?: () => void, onRemove?: (line: object) => void}} options */
  constructor(stage, { label, conditions = false, onChange = () => {}, onRemove = () => {} }) {
    Object.assign(this, { stage, conditions, onChange, onRemove, selectedId: null });
    this.element = element("ol", { class: conditions ? "lines has-conditions" : "lines", "aria-label": label, reversed: true });
    this.element.addEventListener("click", (event) => this._pressed(event));
    this._take(stage.parts().flat());
  }

  /** Every line that was not taken away. */
  get all() {
    return this.slots.filter(Boolean);
  }

  /** How many there are. */
  get size() {
    return this.byId.size;
  }

  /** The lines that can be confirmed: all that nothing was refused of. */
  get going() {
    return this.all.filter((line) => line.severity !== "stop");
  }

  /** The lines that were refused. */
  get staying() {
    return this.all.filter((line) => line.severity === "stop");
  }

  /** The line that keys are about: the selected one, else the newest. */
  get current() {
    return this.byId.get(this.selectedId) ?? this.slots.findLast(Boolean) ?? null;
  }

  /** The line of an id. */
  get(id) {
    return this.byId.get(id) ?? null;
  }

  /** Takes these lines in place of those before. */
  load(lines) {
    this.stage.forgetParts();
    const slots = [];
    for (const line of lines) slots[line.number - 1] = line;
    this._take(Array.from(slots, (line) => line ?? null));
    for (let part = 0; part * PART < this.slots.length; part += 1) this._keep(part * PART + 1);
  }

  /** Adds a line, on top. */
  add(line) {
    const number = this.slots.length + 1;
    const added = { severity: "asking", words: "", ...line, number, id: String(number) };
    this.slots.push(added);
    this.byId.set(added.id, added);
    this._keep(number);
    this._unselect();
    this.element.prepend(this._row(added));
    if (this.element.children.length > SHOWN) this.element.lastElementChild.remove();
    this.onChange();
    return added;
  }

  /** Changes a line; one that was taken away meanwhile stays so. */
  change(line, fields) {
    if (!this.byId.has(line.id)) return;
    Object.assign(line, fields);
    this._keep(line.number);
    this._rowOf(line.id)?.replaceWith(this._row(line));
    this.onChange();
  }

  /** Takes a line off the list. */
  remove(line) {
    if (!this.forget(line)) return;
    this._rowOf(line.id)?.remove();
    this.onRemove(line);
    this.onChange();
  }

  /** Writes a line down no more; on the page it stays, and can't be taken away there. Gives whether it was there. */
  forget(line) {
    if (!this.byId.delete(line.id)) return false;
    if (line.id === this.selectedId) this._unselect();
    this.slots[line.number - 1] = null;
    this._keep(line.number);
    this._rowOf(line.id)?.querySelector(".remove")?.remove();
    return true;
  }

  /** Selects the next line on the page downward (1) or upward (-1). */
  select(step) {
    const ids = [...this.element.children].map((row) => row.dataset.id).filter((id) => this.byId.has(id));
    if (!ids.length) return;
    const at = this.selectedId === null ? -1 : ids.indexOf(this.selectedId);
    this._select(ids[Math.min(Math.max(at + step, 0), ids.length - 1)]);
  }

  /** Says the next condition of the current line, or this one. */
  condition(wanted = null) {
    const line = this.current;
    if (!line || !this.conditions) return;
    this.change(line, { condition: wanted || CONDITIONS[(CONDITIONS.indexOf(line.condition) + 1) % CONDITIONS.length] });
  }

  /** Shows which line is meant. */
  show(line) {
    if (this._rowOf(line.id)) this._select(line.id);
  }

  _take(slots) {
    this.slots = slots;
    this.byId = new Map(this.all.map((line) => [line.id, line]));
    this.selectedId = null;
    this.element.replaceChildren(...this.all.slice(-SHOWN).reverse().map((line) => this._row(line)));
  }

  _keep(number) {
    const part = Math.floor((number - 1) / PART);
    this.stage.keepPart(part, this.slots.slice(part * PART, (part + 1) * PART));
  }

  _unselect() {
    this._rowOf(this.selectedId)?.classList.remove("selected");
    this.selectedId = null;
  }

  _select(id) {
    this._unselect();
    this.selectedId = id;
    this._rowOf(id)?.classList.add("selected");
    this._rowOf(id)?.scrollIntoView({ block: "nearest" });
  }

  _pressed(event) {
    const line = this.get(event.target.closest("[data-id]")?.dataset.id);
    if (!line) return;
    const press = event.target.closest("[data-press]")?.dataset.press;
    if (press === "remove") return this.remove(line);
    this._select(line.id);
    if (press === "condition") this.condition();
  }

  _rowOf(id) {
    return id === null ? null : this.element.querySelector(`[data-id="${id}"]`);
  }

  _row(line) {
    return element(
      "li",
      { class: `line ${line.severity}${line.id === this.selectedId ? " selected" : ""}`, "data-id": line.id },
      element("span", { class: "number" }, line.number),
      element("span", { class: "icon", role: "img", "aria-label": SAID[line.severity]() }, ICONS[line.severity]),
      element("span", { class: "what" }, element("bdi", { class: "name" }, named(line)), element("span", { class: "words" }, line.words)),
      this.conditions && line.condition ? conditionOf(line) : null,
      element("button", { type: "button", class: "remove", "data-press": "remove", "aria-label": say("Remove {name}", { name: named(line) }) }, "×"),
    );
  }
}

function conditionOf(line) {
  return element("button", { type: "button", class: `condition ${line.condition}`, "data-press": "condition" }, CONDITION_SAID[line.condition]());
}
