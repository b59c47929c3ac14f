/** Issue: the receiver's badge, then weapons, then one key; what goes with each weapon, and what is counted, by a few. */

import { element } from "../elements.js";
import { say } from "../words.js";
import { askEquipment } from "./equipment.js";
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
    return this.weapon(scan);
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

  /** A badge in the middle of a list changes nothing by itself. */
  badge(badge) {
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
    const { store, service } = this.stage;
    const there = (await service.equipment()).filter((one) => one.account === store);
    const taken = await askEquipment(this.stage, there, store, this.state.each);
    if (!taken) return;
    this.state.each = taken.each;
    this.changed();
    for (const one of taken.alone) await this.counted(one.model, one.quantity, one.lot);
  }
}
