/** What a delivery is to bring, ticked off weapon by weapon; what is still missing is in view. One tick changes one row. */

import { element, fill } from "../elements.js";
import { say } from "../words.js";

/** Without the service: serial numbers as a clerk compares them, by letters and digits alone. */
const bare = (text) => text.toUpperCase().replace(/[^\p{L}\p{N}]/gu, "");

/** The lines of a delivery. */
export class Awaited {
  /** @param {object[]} lines as GET /v1/station/deliveries/{id}/lines gives them */
  constructor(lines) {
    this.weapons = new Map();
    this.bySerial = new Map();
    this.counted = lines.filter((line) => line.tracked_by !== "serial");
    for (const line of lines) if (line.tracked_by === "serial") this._add(line);
    this.ticked = 0;
    this.heading = element("h2", {});
    this.list = element("ol", { class: "awaited", "aria-labelledby": "still-missing", tabindex: "0" }, ...[...this.weapons.values()].map((one) => one.row));
    this.heading.id = "still-missing";
    this.element = element("section", { class: "missing" }, this.heading, this.list);
    this._count();
  }

  _add(line) {
    const row = element("li", {}, element("bdi", { class: "name" }, line.serial_number || line.asset_tag), element("span", { class: "words" }, line.model));
    const one = { line, row, by: null };
    this.weapons.set(line.item_id, one);
    for (const text of [line.serial_number, line.asset_tag].filter(Boolean)) {
      const key = bare(text);
      this.bySerial.set(key, this.bySerial.has(key) ? null : one);
    }
  }

  /** How many weapons are on it. */
  get size() {
    return this.weapons.size;
  }

  /** The weapons that were not ticked off. */
  get missing() {
    return [...this.weapons.values()].filter((one) => one.by === null).map((one) => one.line);
  }

  /** The models of its weapons, as a receipt names them. */
  get models() {
    return [...new Set([...this.weapons.values()].map((one) => one.line.model_name))];
  }

  /** The line of a weapon; undefined: it is not awaited. */
  line(itemId) {
    return this.weapons.get(itemId)?.line;
  }

  /** The one weapon that bears a number, by letters and digits alone; null: none, or several. */
  bearing(text) {
    return this.bySerial.get(bare(text))?.line ?? null;
  }

  /** Which line of the list ticked it off; null: none. */
  tickedBy(itemId) {
    return this.weapons.get(itemId)?.by ?? null;
  }

  /** Ticks a weapon off by a line of the list, or, with null, takes the tick away. */
  tick(itemId, lineId) {
    const one = this.weapons.get(itemId);
    if (!one || (one.by === null) === (lineId === null)) return;
    one.by = lineId;
    one.row.hidden = lineId !== null;
    this.ticked += lineId === null ? -1 : 1;
    this._count();
  }

  _count() {
    fill(this.heading, say("Still missing: {n}", { n: this.size - this.ticked }));
  }
}
