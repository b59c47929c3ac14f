/**
 * What a mode of many scans and one confirmation has in common: a list that survives a reload, a document id made once, a confirmation
 * that is posted once however often it is sent, a refusal that leaves the rest of the list standing, and an undo.
 */

import { ask } from "../dialogs.js";
import { breakable, button, element, fill } from "../elements.js";
import { newKey } from "../keys.js";
import { counted, isCounted, Lines, named } from "../lines.js";
import { NoAnswer, Problem } from "../service.js";
import { SignaturePad } from "../signature.js";
import { say, sayMoment } from "../words.js";
import { recover } from "./recover.js";

const UNDO_WITHIN = 15 * 60 * 1000;
const LEFT_OUT_SHOWN = 6;
const NOTHING_BEARS_IT = new Set(["unknown", "did you mean"]);

/** What is kept of a list that was not begun. */
export const fresh = () => ({ documentId: newKey(), lines: [], party: null, drawnBy: null, each: [], sent: null, done: null });

/**
 * A list in the making. A mode gives: `act` ("issue"), `path` of its route, `request(answer)` without document id and lines, `take(scan)`,
 * `badge(badge)`, `prompt()`, `heading()`, `askTitle()`, `askWords()`, `doneWords(posted)`, `paper()`; and may give `missing()`: why nothing
 * can be confirmed yet, `makeList()`: a list of its own, which keeps itself, `signer()`, `about()`, `actions()`, `otherKey(event)`,
 * `warnings(going)`: what confirming does besides, in words, `otherWays(staying)`: [[words, what the answer says more]].
 */
export class VoucherSession {
  /** @param {object} stage @param {{conditions?: boolean}} [options] */
  constructor(stage, { conditions = false } = {}) {
    this.stage = stage;
    this.state = { ...fresh(), ...stage.kept };
    this.list = this.makeList?.() ?? new Lines({ label: say("Scanned"), conditions, onChange: () => this.changed() });
    this.head = element("div", { class: "head" });
    this.done = element("div", { class: "done", hidden: true });
    this.count = element("p", { class: "count" });
    stage.view.replaceChildren(this.head, this.count, this.done, this.list.element);
    if (this.list instanceof Lines) this.list.load(this.state.lines);
    this.tick = setInterval(() => this.state.done && this.show(), 30000);
    if (this.state.sent) stage.enqueue(() => this._send(), say("Confirm"));
  }

  close() {
    clearInterval(this.tick);
  }

  /** Keeps what is on the list. */
  changed() {
    this.state.lines = this.list.all;
    this.stage.keep(this.state);
    this.show();
  }

  /** Draws all but the lines. */
  show() {
    const { going, staying } = this.list;
    fill(this.head, ...this.heading());
    const pieces = going.reduce((sum, line) => sum + (line.quantity || 1), 0);
    this.count.hidden = Boolean(this.state.done);
    fill(
      this.count,
      element("strong", { class: "digits" }, pieces),
      element("span", {}, pieces === 1 ? say("piece on the list") : say("pieces on the list")),
      staying.length ? element("span", { class: "staying" }, say("{n} cannot go", { n: staying.length })) : null,
    );
    this.done.hidden = !this.state.done;
    if (this.state.done) fill(this.done, ...this._doneShown());
  }

  refresh() {
    this.show();
    const { stage, state } = this;
    if (state.sent) {
      stage.action(say("Send again"), "F10", () => this._press(() => this.confirm()), { class: "main" });
      return;
    }
    if (!state.done) {
      stage.action(this.confirmWords(), "F10", () => this._press(() => this.confirm()), { class: "main" });
      stage.action(say("Remove"), "Delete", () => this._press(() => this.remove()));
    }
    this.actions?.();
    if (!state.done && (this.list.all.length || state.party)) {
      stage.action(say("Begin anew"), null, () => this._press(() => this.clear()));
    }
  }

  _press(act) {
    this.stage.enqueue(act, say("Command"));
  }

  async scan(scan) {
    if (this.state.sent) {
      return this.stage.tell({
        severity: "attention",
        title: scan.text,
        words: say("Not taken: the list before has no answer yet. F10 sends it again."),
      });
    }
    if (this.state.done) this._begin();
    return this.take(scan);
  }

  suggest(text) {
    return this.stage.service.suggestions(text, this.stage.store);
  }

  /** Puts a weapon on the list and asks for its verdict, which is told. */
  async weapon(scan, more = {}) {
    const before = this.list.soFar();
    const line = this.list.add({ text: scan.text, how: scan.how, ...more });
    return this._judge(line, { scan: scan.text }, before);
  }

  /** Puts a number of what is counted on the list. */
  async counted(model, quantity, lot = null) {
    const before = this.list.soFar();
    const line = this.list.add({ model, quantity, lot });
    return this._judge(line, counted(line), before);
  }

  async _judge(line, asked, before) {
    let told;
    try {
      told = await this.stage.service.verdict({ mode: this.act, store: this.stage.store, ...this.about(), ...asked, lines: before });
    } catch (problem) {
      if (problem instanceof Problem) {
        this.list.remove(line);
        throw problem;
      }
      told = { verdict: "not asked", severity: "attention", words: say("No answer: it stays on the list, and is judged at the end") };
    }
    if (told.verdict === "already listed") return this._listedBefore(line, told);
    if (NOTHING_BEARS_IT.has(told.verdict) && asked.scan && (await this._isBadge(line, asked.scan))) return told;
    this.list.change(line, { ...told, candidates: undefined, picked: asked.item !== undefined || line.picked });
    await this.judged?.(line, told);
    this._tellOf(line, told, before);
    return told;
  }

  /** Nothing in the books bears it: it may be a badge, scanned out of turn. */
  async _isBadge(line, text) {
    const badge = await this.stage.service.badge(text, this.act).catch(() => null);
    if (!badge || badge.verdict === "unknown") return false;
    this.list.remove(line);
    await this.badge(badge);
    return true;
  }

  _listedBefore(line, told) {
    this.list.remove(line);
    const first = this.list.all[told.line - 1];
    if (first) this.list.selectedId = first.id;
    this.list.select(0);
    this.stage.tell({ severity: "attention", title: named(first || line), words: told.words });
    return told;
  }

  _tellOf(line, told, before) {
    if (!this.list.all.includes(line)) return;
    const choices = (told.candidates || []).map((weapon) => ({
      name: [weapon.model, weapon.serial_number || weapon.asset_tag].join(" "),
      words: `${weapon.maker}, ${weapon.where}`,
      pick: () => this._judge(line, { item: weapon.item_id }, before),
    }));
    if (told.recover) {
      choices.push({
        name: say("It is in my hand: recover it"),
        words: say("into {store}", { store: this.stage.store }),
        pick: () => this._recover(line),
      });
    }
    this.stage.tell({ severity: told.severity, title: named(line), words: told.words, choices });
  }

  async _recover(line) {
    if (await recover(this.stage, line.weapon)) this.list.remove(line);
  }

  /** What a verdict must know beside the scan. */
  about() {
    return {};
  }

  remove() {
    const line = this.list.current;
    if (!line) return this.stage.tell({ severity: "attention", title: say("The list is empty"), words: "" });
    this.list.remove(line);
    return this.stage.tell({ severity: "attention", title: named(line), words: say("Taken off the list") });
  }

  move(step) {
    this.list.select(step);
  }

  condition(which) {
    this.list.condition(which);
  }

  /** Asks before a list is thrown away. */
  async clear() {
    if (this.list.all.length && !this.state.done) {
      const title = say("Begin anew? {n} lines are thrown away.", { n: this.list.all.length });
      if (!(await ask({ title, body: [], yes: say("Throw away"), confirm: () => true }))) return;
    }
    this._begin();
    this.stage.tell({});
  }

  _begin() {
    this.state = fresh();
    this.list.load([]);
    this.changed();
  }

  confirmWords() {
    return say("Confirm");
  }

  /** One key: the list is shown as it will be posted, the other side signs, and it is sent. */
  async confirm() {
    if (this.state.sent) return this._send();
    const { going } = this.list;
    const missing = this.state.done || !going.length ? say("Nothing is on the list") : this.missing?.();
    if (missing) return this.stage.tell({ severity: "attention", title: missing, words: "" });
    const answer = await this._askToConfirm(going);
    if (!answer) return undefined;
    const lines = answer.inHand ? this.list.all.filter((line) => line.text || isCounted(line)) : going;
    const signed = await this._signed(answer);
    if (!signed) return undefined;
    const body = { document_id: this.state.documentId, ...this.request(answer), ...signed, lines: lines.map((line) => this.lineOf(line)) };
    this.state.sent = { body, ids: lines.map((line) => line.id) };
    this.stage.keep(this.state);
    return this._send();
  }

  async _askToConfirm(going) {
    const { staying } = this.list;
    const pad = new SignaturePad();
    const signer = this.signer?.();
    const pin = this.stage.counter.signs_by_pin && signer
      ? element("input", { type: "password", inputmode: "numeric", autocomplete: "off", id: "pin", maxlength: 32 })
      : null;
    const pieces = going.reduce((sum, line) => sum + (line.quantity || 1), 0);
    const body = [
      element("p", { class: "count" }, element("strong", { class: "digits" }, pieces), element("span", {}, this.askWords())),
      staying.length ? this._leftOut(staying) : null,
      ...(this.warnings?.(going) || []).map((words) => element("p", { class: "warning" }, words)),
      signer ? element("p", {}, say("{name} signs here, or on the printed paper:", { name: signer.name })) : null,
      signer ? pad.element : null,
      pin ? element("p", { class: "pin" }, element("label", { for: "pin" }, say("or by PIN")), pin) : null,
    ].filter(Boolean);
    return ask({
      title: this.askTitle(),
      body,
      yes: this.confirmWords(),
      confirm: () => ({ pad, pin: pin?.value || null }),
      buttons: (this.otherWays?.(staying) || []).map(([words, more]) => [words, null, () => ({ pad, pin: pin?.value || null, ...more })]),
    });
  }

  _leftOut(staying) {
    const shown = staying.slice(0, LEFT_OUT_SHOWN).map((line) => element("li", {}, `${named(line)}: ${line.words}`));
    const more = staying.length - shown.length;
    return element(
      "div",
      { class: "left-out" },
      element("strong", {}, say("Left out: {n}", { n: staying.length })),
      element("ul", {}, ...shown, more > 0 ? element("li", {}, say("and {n} more", { n: more })) : null),
    );
  }

  /** What the signature adds to the request; null where it was refused, or its window was closed. */
  async _signed(answer) {
    try {
      return await this._sign(answer);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.stage.tell({ severity: "stop", title: say("Nothing was posted"), words: problem.message });
      return null;
    }
  }

  /** Keeps the signature, where one was given. */
  async _sign({ pad, pin }) {
    const signer = this.signer?.();
    const picture = pad && (await pad.png());
    if (!signer || (!picture && !pin)) return {};
    const { service } = this.stage;
    if (pin) {
      const { signByPin } = await import("./sign_by_pin.js");
      const signature = await signByPin(service, this.state.documentId, signer, pin);
      return signature && { signatures: [signature] };
    }
    const file = await service.keepSignature(picture);
    return { signatures: [await service.sign(this.state.documentId, { person: signer.code, file })] };
  }

  /** A line as the act takes it. */
  lineOf(line) {
    const what = isCounted(line) ? counted(line) : line.picked && line.weapon ? { item: line.weapon.item_id } : { scan: line.text };
    return {
      ...what,
      ...(line.how ? { how: line.how } : {}),
      ...(this.list.conditions && line.condition ? { condition: line.condition } : {}),
    };
  }

  async _send() {
    const { sent } = this.state;
    try {
      const posted = await this.stage.service.confirm(this.path, sent.body);
      this._posted(posted);
    } catch (problem) {
      if (problem instanceof NoAnswer) {
        this.stage.tell({
          severity: "stop",
          title: say("No answer"),
          words: say("It may be posted or not. F10 sends the same again: it is posted once."),
        });
      } else {
        this._refused(problem, sent);
      }
    }
    this.stage.refresh();
  }

  _posted(posted) {
    const { party, drawnBy, each } = this.state;
    const lines = this.list.all.filter((line) => this.state.sent.ids.includes(line.id));
    const done = { ...posted, party: party?.name, at: Date.now(), lines, kept: { party, drawnBy, each, ...posted.kept } };
    this.state = { ...fresh(), done };
    this.list.load([]);
    this.changed();
    this.stage.tell({ severity: "posted", title: posted.number || say("Waits for a second person"), words: this.doneWords(posted) });
  }

  _refused(problem, sent) {
    this.state.sent = null;
    for (const { line, reason, where } of problem.reasons || []) {
      const refused = this.list.all.find((one) => one.id === sent.ids[line - 1]);
      const words = [reason.charAt(0).toUpperCase() + reason.slice(1), where].filter(Boolean).join(" · ");
      if (refused) this.list.change(refused, { severity: "stop", verdict: "refused", words });
    }
    this.stage.keep(this.state);
    const faults = (problem.faults || []).map((fault) => [fault.field, fault.message].filter(Boolean).join(": "));
    this.stage.tell({ severity: "stop", title: say("Nothing was posted"), words: [problem.message, ...faults].join(" ") });
  }

  _doneShown() {
    const { done } = this.state;
    const left = Math.max(0, UNDO_WITHIN - (Date.now() - done.at));
    const undone = done.undone;
    return [
      element("p", { class: "label" }, undone ? say("Taken back by {number}", { number: undone }) : this.paper()),
      element("p", { class: `number${undone ? " undone" : ""}` }, element("bdi", {}, ...breakable(done.number || ""))),
      element("p", {}, this.doneWords(done)),
      done.discrepancy_count ? this._contradicted(done) : null,
      element(
        "p",
        { class: "actions" },
        !undone && !done.not_sent ? button(say("Print"), "Ctrl+P", () => this.print()) : null,
        !undone && left > 0
          ? button(say("Undo, until {time}", { time: sayMoment(new Date(done.at + UNDO_WITHIN)) }), "Ctrl+Z", () => this._press(() => this.undo()))
          : null,
        undone ? button(say("Take the list again"), null, () => this._takeAgain()) : null,
      ),
      element("p", { class: "next" }, this.prompt()),
    ];
  }

  /** How many discrepancies it opened; what it is that contradicts stands on the document's page. */
  _contradicted({ document_id: id, discrepancy_count: n }) {
    const words = n === 1
      ? say("1 contradiction was opened as a discrepancy")
      : say("{n} contradictions were opened as discrepancies", { n });
    const page = { class: "to-page", href: `/documents/${id}`, target: "_blank" };
    return element("p", { class: "staying" }, words, " ", element("a", page, say("Look at it")));
  }

  /** Opens the paper of the last document. */
  print() {
    if (this.state.done && !this.state.done.not_sent) {
      window.open(`/v1/documents/${this.state.done.document_id}/paper.pdf`, "_blank", "noopener");
    }
  }

  key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "p" && this.state.done) {
      this.print();
      return true;
    }
    return this.otherKey?.(event) || false;
  }

  /** Takes back the last document, alone, within fifteen minutes. */
  async undo() {
    const { done } = this.state;
    if (!done || done.undone || !done.number) {
      return this.stage.tell({ severity: "attention", title: say("There is nothing to take back here"), words: "" });
    }
    done.undoId ??= newKey();
    this.stage.keep(this.state);
    const title = say("Take back {number}?", { number: done.number });
    if (!(await ask({ title, body: [element("p", {}, this.doneWords(done))], yes: say("Take back"), confirm: () => true }))) return undefined;
    const posted = await this.stage.service.undo(done.document_id, done.undoId);
    done.undone = posted.number;
    this.stage.keep(this.state);
    return this.stage.tell({
      severity: "attention",
      title: say("{number} is taken back", { number: done.number }),
      words: say("by {number}", { number: posted.number }),
    });
  }

  /** The list of what was taken back, to be mended and confirmed anew. */
  _takeAgain() {
    const { lines, kept } = this.state.done;
    this.state = { ...fresh(), ...kept };
    this.list.load(lines);
    this.changed();
    this.stage.refresh();
  }
}
