/** Issue: the receiver's badge, then weapons, then one key; what goes with each weapon, and what is counted, by a few. */

import { ask } from "../dialogs.js";
import { element } from "../elements.js";
import { say } from "../words.js";
import { VoucherSession } from "./voucher.js";

/** The mode. */
export const issue = {
  name: "issue",
  key: "F2",
  command: "SPDOISSUE",
  title: () => say("Issue"),
  open: (stage) => new IssueSession(stage),
};

class IssueSession extends VoucherSession {
  act = "issue";
  path = "issues";

  constructor(stage) {
    super(stage);
    this.state.each ??= [];
    this.show();
  }

  prompt() {
    if (this.state.done) return say("Scan the next receiver's badge");
    if (!this.state.party) return say("Scan the receiver's badge");
    if (this._wantsDrawer()) return say("Scan the badge of who draws for {unit}", { unit: this.state.party.name });
    return say("Scan weapons for {name}", { name: this.state.party.name });
  }

  confirmWords() {
    return say("Hand out");
  }

  keys() {
    return [["Insert", say("Equipment: what is counted, and what goes with each weapon")]];
  }

  actions() {
    if (!this.state.done) this.stage.action(say("Equipment"), "Insert", () => this._press(() => this._equipment()));
  }

  otherKey(event) {
    if (event.key !== "Insert" || this.state.done || this.state.sent) return false;
    this._press(() => this._equipment());
    return true;
  }

  _wantsDrawer() {
    return this.state.party?.kind === "unit" && !this.state.drawnBy;
  }

  about() {
    return { receiver: this.state.party?.code };
  }

  async take(scan) {
    if (!this.state.party || this._wantsDrawer()) return this._badgeFirst(scan);
    const told = await this.weapon(scan);
    return told.verdict === "unknown" ? this._perhapsBadge(scan) : told;
  }

  /** A badge is expected; a weapon that comes before it is kept on the list all the same. */
  async _badgeFirst(scan) {
    const unit = this._wantsDrawer() ? this.state.party : null;
    const badge = await this._badge(unit ? unit.code : scan.text, unit ? scan.text : null);
    if (badge.verdict !== "unknown" && (!unit || badge.verdict === "ready")) return this._receive(badge);
    const told = await this.stage.service.verdict({ mode: "issue", store: this.stage.store, scan: scan.text, lines: this.list.soFar() });
    if (told.verdict !== "unknown" && told.verdict !== "did you mean") return this.weapon(scan);
    return this.stage.tell({ severity: "stop", title: scan.text, words: badge.words, choices: this._drawerChoices(badge) });
  }

  _badge(code, receivedBy = null) {
    return this.stage.service.badge(code, "issue", receivedBy);
  }

  /** Nothing in the books bears it: it may be a badge, scanned out of turn. */
  async _perhapsBadge(scan) {
    const badge = await this._badge(scan.text);
    if (badge.verdict === "unknown") return undefined;
    this.list.remove(this.list.all.at(-1));
    if (!this.list.all.length) return this._receive(badge);
    return this.stage.tell({
      severity: "attention",
      title: badge.party.name,
      words: say("This is a badge. The list is for {name}.", { name: this.state.party.name }),
      choices: [{ name: say("Hand out to {name} instead", { name: badge.party.name }), words: "", pick: () => this._receive(badge) }],
    });
  }

  _receive(badge) {
    if (badge.verdict === "refused") {
      return this.stage.tell({ severity: "stop", title: badge.party.name, words: badge.words, choices: this._drawerChoices(badge) });
    }
    this.state.party = badge.party;
    this.state.drawnBy = badge.drawn_by;
    this.changed();
    const words = badge.verdict === "who draws" ? badge.words : say("holds {n} weapons here", { n: badge.party.holds });
    return this.stage.tell({ severity: badge.severity, title: badge.party.name, words, choices: this._drawerChoices(badge) });
  }

  _drawerChoices(badge) {
    const unit = badge.party?.kind === "unit" ? badge.party : this.state.party;
    return (badge.drawers || []).map((drawer) => ({
      name: drawer.name,
      words: "",
      pick: async () => this._receive(await this._badge(unit.code, drawer.code)),
    }));
  }

  heading() {
    const { party, drawnBy, each } = this.state;
    if (this.state.done) return [];
    const who = party
      ? [
          element("span", { class: "label" }, say("Hand out to")),
          element("bdi", { class: "party" }, party.name),
          element("span", { class: "words" }, drawnBy ? say("drawn by {code}", { code: drawnBy }) : say("holds {n} here", { n: party.holds })),
        ]
      : [element("span", { class: "label" }, say("Hand out to")), element("span", { class: "party empty" }, this.prompt())];
    const kit = each?.length
      ? element("p", { class: "kit" }, say("With each weapon: {list}", { list: each.map((one) => `${one.quantity} × ${one.model}`).join(", ") }))
      : null;
    return [element("p", { class: "who" }, ...who), kit];
  }

  missing() {
    if (!this.state.party) return say("Scan the receiver's badge");
    return this._wantsDrawer() ? this.prompt() : null;
  }

  signer() {
    const { party, drawnBy } = this.state;
    return drawnBy ? { code: drawnBy, name: drawnBy } : party;
  }

  askTitle() {
    return say("Hand out to {name}", { name: this.state.party.name });
  }

  askWords() {
    return say("from {store}", { store: this.stage.store });
  }

  request() {
    const { party, drawnBy, each } = this.state;
    return {
      receiver: party.code,
      ...(drawnBy ? { received_by: drawnBy } : {}),
      store: this.stage.store,
      ...(each.length ? { accessories: each } : {}),
    };
  }

  doneWords(posted) {
    return say("{n} handed out to {name}", { n: posted.quantity, name: posted.party || this.state.done?.party || "" });
  }

  paper() {
    return say("Hand receipt");
  }

  /** What is counted: a number by itself, or with each weapon of the list. */
  async _equipment() {
    const { store } = this.stage;
    const there = (await this.stage.service.equipment()).filter((one) => one.store === store);
    if (!there.length) {
      return this.stage.tell({ severity: "attention", title: say("Nothing counted is in {store}", { store }), words: "" });
    }
    const rows = there.map((one) => ({ ...one, withEach: this._number(one, this._eachOf(one)), alone: this._number(one, "") }));
    const table = element(
      "table",
      { class: "equipment" },
      element("thead", {}, element("tr", {}, ...[say("What"), say("There"), say("With each weapon"), say("By itself")].map((words) => element("th", { scope: "col" }, words)))),
      element(
        "tbody",
        {},
        ...rows.map((row) =>
          element(
            "tr",
            {},
            element("th", { scope: "row" }, row.lot ? `${row.model}, ${row.lot}` : row.model),
            element("td", {}, row.quantity),
            element("td", {}, row.withEach),
            element("td", {}, row.alone),
          ),
        ),
      ),
    );
    const answer = await ask({ title: say("Equipment from {store}", { store }), body: [table], yes: say("Take"), confirm: () => rows, wide: true });
    if (!answer) return undefined;
    this.state.each = answer
      .filter((row) => Number(row.withEach.value) > 0)
      .map((row) => ({ model: row.model, quantity: Number(row.withEach.value), ...(row.lot ? { lot: row.lot } : {}) }));
    this.changed();
    for (const row of answer.filter((one) => Number(one.alone.value) > 0)) {
      await this.counted(row.model, Number(row.alone.value), row.lot);
    }
    return undefined;
  }

  _eachOf({ model, lot }) {
    return this.state.each.find((one) => one.model === model && (one.lot || null) === lot)?.quantity || "";
  }

  _number(one, value) {
    return element("input", { type: "number", min: 0, max: one.quantity, value, inputmode: "numeric", "aria-label": one.model });
  }
}
