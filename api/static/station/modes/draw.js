/** The morning draw: one scan hands a rifle out, one scan takes it back, one key undoes it. The rack's missing cards are in view. */

import { element, fill } from "../elements.js";
import { newKey } from "../keys.js";
import { named } from "../lines.js";
import { NoAnswer, Problem } from "../service.js";
import { say, sayMoment } from "../words.js";

const RECENT = 12;
const SAME_SCAN = 60 * 1000;

/** The mode. */
export const draw = {
  name: "draw",
  key: "F4",
  command: "SPDODRAW",
  title: () => say("Morning draw"),
  open: (stage) => new DrawSession(stage),
};

class DrawSession {
  constructor(stage) {
    this.stage = stage;
    this.state = { recent: [], pending: null, ...stage.kept };
    this.cards = [];
    this.head = element("div", { class: "head" });
    this.recent = element("ol", { class: "recent", "aria-label": say("Drawn here") });
    this.rack = element("ol", { class: "lines", "aria-label": say("Cards in the rack") });
    stage.view.replaceChildren(this.head, this.recent, this.rack);
    this.show();
    stage.enqueue(() => (this.state.pending ? this._post() : this._readCards()), say("Morning draw"));
  }

  prompt() {
    return say("Scan a rifle: out, or back");
  }

  keys() {
    return [["Ctrl+Z", say("Undo the last scan, at once")]];
  }

  refresh() {
    if (this.state.pending) this.stage.action(say("Send again"), "F10", () => this._press(() => this.confirm()), { class: "main" });
    else if (this._last()) this.stage.action(say("Undo the last scan"), "Ctrl+Z", () => this._press(() => this.undo()));
  }

  _press(act) {
    this.stage.enqueue(act, say("Command"));
  }

  suggest(text) {
    return this.stage.service.suggestions(text, null);
  }

  async scan({ text, how }) {
    if (this.state.pending) {
      const words = say("Not taken: the scan before has no answer yet. F10 sends it again.");
      return this.stage.tell({ severity: "attention", title: text, words });
    }
    return this._draw({ scan: text, how }, text);
  }

  async _draw(line, title) {
    const { how, ...asked } = line;
    const told = await this.stage.service.verdict({ mode: "draw", ...asked });
    if (told.verdict !== "ready") return this._refused(told, line, title);
    this.state.pending = { body: { document_id: newKey(), lines: [line] }, told };
    return this._post();
  }

  _refused(told, line, title) {
    const before = told.weapon && this.state.recent.find((one) => one.item === told.weapon.item_id && !one.undone);
    if (told.verdict === "refused" && before && Date.now() - before.at < SAME_SCAN) {
      const back = before.act === "issue";
      const choice = { name: back ? say("It really comes back") : say("It really goes out"), words: "" };
      const choices = [{ ...choice, pick: () => this._turnRound(told, line, back ? "back" : "out") }];
      return this.stage.tell({ severity: "attention", title: named(told), words: told.words, choices });
    }
    const choices = told.candidates.map((weapon) => ({
      name: [weapon.model, weapon.serial_number || weapon.asset_tag].join(" "),
      words: weapon.where,
      pick: () => this._draw({ item: weapon.item_id, how: line.how }, title),
    }));
    return this.stage.tell({ severity: told.severity, title: told.weapon ? named(told) : title, words: told.words, choices });
  }

  _turnRound(told, line, direction) {
    this.state.pending = { body: { document_id: newKey(), direction, lines: [line] }, told };
    return this._post();
  }

  confirm() {
    if (this.state.pending) return this._post();
    return this.stage.tell({ severity: "attention", title: say("Nothing to confirm: a scan is enough here"), words: "" });
  }

  async _post() {
    const { pending } = this.state;
    this.stage.keep(this.state);
    let posted;
    try {
      posted = await this.stage.service.confirm("draws", pending.body);
    } catch (problem) {
      if (problem instanceof NoAnswer) return this._unanswered();
      this._settled();
      return this._told(problem);
    }
    this._settled();
    this._drawn(posted, pending.told);
    return this._readCards();
  }

  _unanswered() {
    this.stage.refresh();
    const words = say("It may be posted or not. F10 sends the same again: it is posted once.");
    return this.stage.tell({ severity: "stop", title: say("No answer"), words });
  }

  _settled() {
    this.state.pending = null;
    this.stage.keep(this.state);
    this.stage.refresh();
  }

  _told(problem) {
    if (!(problem instanceof Problem)) throw problem;
    const [reason] = problem.reasons;
    const words = reason ? [reason.reason, reason.where].filter(Boolean).join(" · ") : problem.message;
    this.stage.tell({ severity: "stop", title: reason?.weapon || say("Nothing was posted"), words });
  }

  _drawn(posted, told) {
    const out = posted.act === "issue";
    const who = told.party || told.weapon.where;
    const { document_id: documentId, number, act } = posted;
    const one = { documentId, number, act, item: told.weapon.item_id, what: named(told), who, at: Date.now() };
    this.state.recent = [one, ...this.state.recent].slice(0, RECENT);
    this.stage.keep(this.state);
    this.stage.tell({
      severity: "ready",
      sound: out ? "out" : "back",
      icon: out ? "↗" : "↙",
      title: `${out ? say("OUT") : say("BACK")} · ${who}`,
      words: `${one.what} · ${number}`,
    });
    this.show();
  }

  _last() {
    return this.state.recent.find((one) => !one.undone) || null;
  }

  /** One key undoes the last scan, without a question. */
  async undo() {
    const last = this._last();
    if (!last) return this.stage.tell({ severity: "attention", title: say("There is nothing to take back here"), words: "" });
    last.undoId ??= newKey();
    this.stage.keep(this.state);
    const posted = await this.stage.service.undo(last.documentId, last.undoId);
    last.undone = posted.number;
    this.stage.keep(this.state);
    const title = say("{number} is taken back", { number: last.number });
    this.stage.tell({ severity: "attention", title, words: `${last.what} · ${last.who}` });
    return this._readCards();
  }

  async _readCards() {
    try {
      const page = await this.stage.service.cards();
      this.cards = page.rows;
      this.more = page.cursor !== null;
    } catch (problem) {
      if (!(problem instanceof NoAnswer)) throw problem;
    }
    this.show();
  }

  show() {
    const overdue = this.cards.filter((card) => card.overdue).length;
    fill(
      this.head,
      element(
        "p",
        { class: "count" },
        element("strong", { class: "digits" }, `${this.cards.length}${this.more ? "+" : ""}`),
        element("span", {}, say("out: their cards stand in the rack")),
        overdue ? element("span", { class: "staying" }, say("{n} for more than a day", { n: overdue })) : null,
      ),
    );
    fill(this.recent, ...this.state.recent.map(recentRow));
    fill(this.rack, ...this.cards.map(card));
  }
}

function recentRow(one) {
  const way = one.act === "issue" ? say("out") : say("back");
  return element(
    "li",
    { class: one.undone ? "undone" : null },
    element("span", { class: "icon", "aria-hidden": "true" }, one.act === "issue" ? "↗" : "↙"),
    element("span", {}, `${way} · ${one.what} · ${one.who}`),
    element("span", { class: "words" }, sayMoment(new Date(one.at))),
  );
}

function card(one) {
  const who = [one.rank, one.name, one.person && `(${one.person})`].filter(Boolean).join(" ");
  const words = [one.model, one.serial_number, say("since {time}", { time: sayMoment(one.since) })];
  return element(
    "li",
    { class: `line card ${one.overdue ? "stop" : ""}` },
    element("span", { class: "icon", "aria-hidden": "true" }, one.overdue ? "!" : "↗"),
    element(
      "span",
      { class: "what" },
      element("bdi", { class: "name" }, who || say("erased person")),
      element("span", { class: "words" }, words.filter(Boolean).join(" · ")),
    ),
  );
}
