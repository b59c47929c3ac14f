/** Return: weapons as they come, each with its condition by one key; who brings them, if it is not who has them. */

import { element } from "../elements.js";
import { named } from "../lines.js";
import { say } from "../words.js";
import { askEquipment } from "./equipment.js";
import { VoucherSession } from "./voucher.js";

/** The mode. */
export const turnIn = {
  name: "return",
  key: "F3",
  command: "SPDORETURN",
  title: () => say("Return"),
  open: (stage) => new ReturnSession(stage),
};

class ReturnSession extends VoucherSession {
  act = "return";
  path = "returns";

  constructor(stage) {
    super(stage, { conditions: true });
    this.show();
  }

  prompt() {
    if (this.state.done) return say("Scan what comes back next");
    return this.state.party ? say("Scan what {name} brings", { name: this.state.party.name }) : say("Scan what comes back, or who brings it");
  }

  confirmWords() {
    return say("Take back");
  }

  keys() {
    return [
      ["→", say("Condition of the current line: serviceable, unserviceable, unknown")],
      ["Insert", say("Equipment that is counted, of who brings it")],
    ];
  }

  actions() {
    if (this.state.done) return;
    this.stage.action(say("Condition"), "→", () => this._press(() => this.condition(null)));
    this.stage.action(say("Equipment"), "Insert", () => this._press(() => this._equipment()));
  }

  otherKey(event) {
    if (event.key !== "Insert" || this.state.done || this.state.sent) return false;
    this._press(() => this._equipment());
    return true;
  }

  about() {
    return { receiver: this.state.party?.code };
  }

  take(scan) {
    return this.weapon(scan, { condition: "serviceable" });
  }

  /** What went out with a weapon stands on its line: it should lie on the counter too. */
  judged(line, told) {
    const list = (told.weapon?.accessories || []).map((one) => `${one.quantity} × ${one.model}`);
    if (list.length && told.verdict !== "in a store") this.list.change(line, { accessories: list.join(", ") });
  }

  /** Who brings it: from now on each line says so, where somebody else has it. */
  async badge(badge) {
    if (badge.verdict === "refused") {
      return this.stage.tell({ severity: "stop", title: badge.party.name, words: badge.words });
    }
    this.state.party = badge.party;
    this.changed();
    for (const line of [...this.list.going]) await this._again(line);
    const words = say("brings it; holds {n} weapons here", { n: badge.party.holds });
    return this.stage.tell({ severity: "ready", title: badge.party.name, words });
  }

  async _again(line) {
    if (!line.weapon || line.model) return;
    const asked = { mode: this.act, store: this.stage.store, ...this.about(), item: line.weapon.item_id };
    const { severity, verdict, words } = await this.stage.service.verdict(asked);
    this.list.change(line, { severity, verdict, words });
  }

  heading() {
    const { party, done } = this.state;
    if (done) return [];
    return [
      element(
        "p",
        { class: "who" },
        element("span", { class: "label" }, say("Brought by")),
        element("bdi", { class: party ? "party" : "party empty" }, party ? party.name : say("who has them")),
        party ? element("span", { class: "words" }, say("holds {n} here", { n: party.holds })) : null,
      ),
    ];
  }

  signer() {
    return this.state.party?.kind === "person" ? this.state.party : null;
  }

  askTitle() {
    return say("Take back into {store}", { store: this.stage.store });
  }

  askWords() {
    const bad = this.list.going.filter((line) => line.condition === "unserviceable").length;
    return bad ? say("pieces, {n} of them unserviceable", { n: bad }) : say("pieces");
  }

  /** What went out with the weapons is missed unless it is said that it came back. */
  warnings(going) {
    const list = going.filter((line) => line.accessories).map((line) => `${named(line)}: ${line.accessories}`);
    return list.length ? [say("Went out with them, and is reported short unless you say that it is all here:"), ...list] : [];
  }

  /** Without this what went out with the weapons is reported short, and what the books speak against stays behind. */
  otherWays(staying) {
    const ways = [];
    if (this.list.going.some((line) => line.accessories)) ways.push([say("With all that went out with them"), { complete: true }]);
    if (staying.some((line) => line.text)) ways.push([say("All of it lies here: take it in, whatever the books say"), { inHand: true }]);
    return ways;
  }

  request({ complete, inHand }) {
    return {
      ...(this.state.party ? { returned_by: this.state.party.code } : {}),
      store: this.stage.store,
      ...(complete ? { accessories_complete: true } : {}),
      ...(inHand ? { in_hand: true } : {}),
    };
  }

  doneWords(posted) {
    return say("{n} taken back into {store}", { n: posted.quantity, store: this.stage.store });
  }

  paper() {
    return say("Turn-in");
  }

  async _equipment() {
    const { party } = this.state;
    if (!party) {
      const words = say("Counted equipment comes back from somebody.");
      return this.stage.tell({ severity: "attention", title: say("Scan the badge of who brings it"), words });
    }
    const taken = await askEquipment(this.stage, await this.stage.service.equipment(party.code), party.name, null);
    for (const one of taken?.alone || []) await this.counted(one.model, one.quantity, one.lot);
    return undefined;
  }
}
