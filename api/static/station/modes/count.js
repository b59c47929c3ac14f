/**
 * Count: everything on the shelves is read, each once, blind: nothing here says what to expect. What is read is kept in this browser
 * first and sent in batches; what had no answer is sent again, and kept once. What is missing at the end leads to a loss report.
 */

import { ask } from "../dialogs.js";
import { button, element, fill } from "../elements.js";
import { newKey } from "../keys.js";
import { named } from "../lines.js";
import { LongList } from "../long_list.js";
import { NoAnswer, Problem } from "../service.js";
import { say } from "../words.js";
import { namesOf } from "./models.js";

const BATCH = 50;
const SENT_AT = 20;
const PAUSE = 1200;
const AGAIN = 4000;

const nothing = () => ({ count: null, opening: null, by: null, batch: null, unsettled: null, closed: null, loss: null });

/** A count that is read at this counter. */
export class CountSession {
  constructor(stage) {
    this.stage = stage;
    this.state = { ...nothing(), ...stage.kept };
    this.read = 0;
    this.silent = false;
    this.ahead = 0;
    this.list = new LongList(stage, { label: say("Read last"), onChange: () => this.show() });
    this.known = new Map();
    for (const line of this.list.all) this._remember(line);
    this.head = element("div", { class: "head" });
    this.count = element("p", { class: "count" });
    this.choice = element("ol", { class: "deliveries", "aria-label": say("Open counts") });
    this.side = element("div", { class: "aside" }, this.list.element);
    this.found = element("div", { class: "aside findings" });
    stage.view.replaceChildren(this.head, this.count, this.choice, this.side, this.found);
    this.show();
    stage.enqueue(() => this._begun(), say("Count"));
  }

  /** What was read and not sent is sent when the mode is opened again, and tried once now. */
  close() {
    clearTimeout(this.timer);
    this.left = true;
    this._flush();
  }

  // Which count

  async _begun() {
    if (this.state.opening) await this._open();
    else if (this.state.closed) await this._showFound();
    else if (this.state.count) await this._resume();
    else await this._offer();
  }

  async _offer() {
    this.offered = await this.stage.service.openCounts();
    this.show();
  }

  async _resume() {
    try {
      const { count, weapons, moment } = await this.stage.service.readSoFar(this.state.count.count_id);
      this.state.count = count;
      this.read = weapons;
      this.ahead = Date.now() - Date.parse(moment);
    } catch (problem) {
      if (!(problem instanceof NoAnswer)) throw problem;
    }
    this.show();
    await this._flush();
  }

  async _choose(one) {
    this.state.count = one;
    this._keep();
    await this._resume();
    this.stage.tell({ severity: "ready", title: one.name, words: this._counters().join(", ") });
  }

  _choiceByText(text) {
    const wanted = text.trim().toUpperCase();
    const found = /^[1-9]$/.test(wanted) ? this.offered[Number(wanted) - 1] : this.offered.find((one) => one.name.toUpperCase() === wanted);
    if (found) return this._choose(found);
    return this.stage.tell({ severity: "stop", title: text, words: say("No count of this name is open. Choose one, or open one.") });
  }

  /** Opens a count: what is counted, and who counts. */
  async _openNew() {
    const stores = this.stage.counter.stores.map((name) => ["account", name, name]);
    const kinds = [
      ...stores, ["whole_site", say("The whole site"), null], ["unit", say("A unit with its people: its code"), null],
      ["account", say("A person or the workshop: number, or maintenance"), null], ["seals", say("Sealed containers: their numbers"), null],
    ];
    const what = element("select", { id: "scope" }, ...kinds.map(([, words], n) => element("option", { value: n, selected: kinds[n][2] === this.stage.store }, words)));
    const of = element("input", { id: "scope-of", maxlength: 500, autocomplete: "off" });
    const method = element("select", { id: "method" }, element("option", { value: "serial" }, say("every number is read")), element("option", { value: "quantity" }, say("only how many")));
    const fields = this._whoCounts();
    const given = await ask({
      title: say("Open a count"),
      body: [asked("scope", say("What is counted"), what), asked("scope-of", say("Code or numbers, where needed"), of), asked("method", say("How"), method), ...fields.body],
      yes: say("Open"),
      confirm: () => {
        const [kind, , value] = kinds[Number(what.value)];
        if (value === null && kind !== "whole_site" && !of.value.trim()) return void of.focus();
        const scope = { whole_site: true, seals: words(of.value), unit: of.value.trim(), account: value ?? of.value.trim() }[kind];
        return fields.given({ [kind]: scope, method: method.value });
      },
    });
    if (given) await this._openWith(given);
  }

  /** Only what the closed count found otherwise than the books have it. */
  async _recount() {
    const fields = this._whoCounts();
    const given = await ask({
      title: say("Count the differences again"),
      body: [element("p", {}, say("Only what was missing or unexpected is looked for. Who alone counted before does not count alone again.")), ...fields.body],
      yes: say("Open"),
      confirm: () => fields.given({ recount_of: this.state.closed.count_id }),
    });
    if (given) await this._openWith(given);
  }

  _whoCounts() {
    const own = /\(([^)]+)\)$/.exec(this.stage.counter.name)?.[1] || "";
    const who = element("input", { id: "counters", maxlength: 500, value: own, autocomplete: "off" });
    const why = element("input", { id: "override", maxlength: 300 });
    const mayAllow = this.stage.counter.role === "commander";
    return {
      body: [
        asked("counters", say("Who counts: service numbers"), who),
        mayAllow ? asked("override", say("Why the same person, or who answers for it, counts alone"), why) : null,
      ].filter(Boolean),
      given: (scope) => {
        const counters = words(who.value);
        if (!counters.length) return void who.focus();
        return { ...scope, counters, ...(why.value.trim() ? { override: why.value.trim() } : {}) };
      },
    };
  }

  async _openWith(wanted) {
    this.state = { ...nothing(), opening: { count_id: newKey(), ...wanted } };
    this._keep();
    await this._open();
  }

  async _open() {
    let opened;
    try {
      opened = await this.stage.service.openCount(this.state.opening);
    } catch (problem) {
      if (problem instanceof NoAnswer) throw problem;
      this.state.opening = null;
      this._keep();
      await this._offer();
      const faults = (problem.faults || []).map((fault) => [fault.value, fault.message].filter(Boolean).join(": "));
      return this.stage.tell({ severity: "stop", title: say("No count was opened"), words: [problem.message, ...faults].join(" ") });
    }
    this.state = { ...nothing(), by: this.state.by };
    this.list.load([]);
    this.known.clear();
    return this._choose(opened);
  }

  // What is read

  prompt() {
    const { count, closed } = this.state;
    if (closed) return say("Scan the name of the next count");
    if (!count) return say("Scan the name of a count");
    if (count.method === "quantity") return say("Insert: a model and how many");
    return this._needsBadge() ? say("Scan the badge of who reads") : say("Scan everything that lies here");
  }

  suggest() {
    return null;
  }

  keys() {
    return [
      ["Insert", say("Equipment that is counted; before: open a count; after: count the differences again")],
      ["F8", say("After the count: report what is missing")],
    ];
  }

  key(event) {
    const { closed, count } = this.state;
    const insert = closed ? () => this._recount() : count ? () => this._equipment() : () => this._openNew();
    const act = { Insert: insert, F8: closed && (() => this._reportMissing()) }[event.key];
    if (!act) return false;
    this._press(act);
    return true;
  }

  async scan(scan) {
    const { closed, count } = this.state;
    if (closed || !count) {
      if (closed) await this._next();
      return this._choiceByText(scan.text);
    }
    this._settle();
    const counter = this._counters().find((name) => name.toUpperCase().endsWith(`(${scan.text.trim().toUpperCase()})`));
    if (counter) return this._readBy(counter, scan.text.trim().toUpperCase());
    if (count.method === "quantity" || this._needsBadge()) return this.stage.tell({ severity: "stop", title: scan.text, words: this.prompt() });
    return this._seen(scan, { scan: scan.text }, this._moment());
  }

  /** Now by the service's clock: a line can't be read before the count was opened, nor in time to come. */
  _moment() {
    return new Date(Date.now() - this.ahead).toISOString();
  }

  _counters() {
    return this.state.count?.counters ?? [];
  }

  _needsBadge() {
    return !this.state.by && this._counters().length > 1 && !this._counters().includes(this.stage.counter.name);
  }

  _readBy(name, code) {
    this.state.by = code;
    this._keep();
    return this.stage.tell({ severity: "ready", title: name, words: say("reads from now on") });
  }

  async _seen(scan, about, at) {
    let told;
    try {
      told = await this.stage.service.verdict({ mode: "count", count: this.state.count.count_id, ...about });
    } catch (problem) {
      if (!(problem instanceof NoAnswer)) throw problem;
      told = { verdict: "not asked", severity: "attention", words: say("No answer: kept here, and sent later"), candidates: [], weapon: null };
    }
    const name = told.weapon ? [told.weapon.model, told.weapon.serial_number || told.weapon.asset_tag].join(" ") : scan.text;
    if (told.verdict === "several" || told.verdict === "did you mean") return this._ask(scan, told, at);
    if (told.verdict === "seal says nothing") return this.stage.tell({ severity: told.severity, title: scan.text, words: told.words });
    const before = this.known.get(keyOf({ item: told.weapon?.item_id, text: scan.text }));
    if (told.verdict === "read before" || before) {
      const said = told.verdict === "read before" ? told.words : say("Read before: it counts once");
      return this.stage.tell({ severity: "attention", title: name, words: said });
    }
    const line = this._add({ name, text: about.item ? told.weapon.asset_tag : scan.text, how: scan.how, at, item: told.weapon?.item_id ?? null, ...kept(told) });
    return this._tellOf(line, told);
  }

  _tellOf(line, told) {
    const broken = { name: say("It is broken"), words: say("open the container, and scan what is in it"), pick: () => this._broken(line) };
    return this.stage.tell({
      severity: told.severity, title: line.name, words: told.words, choices: told.verdict === "sealed" ? [broken] : [],
    });
  }

  /** Which weapon it is must be chosen; whoever goes on without a choice has read it as it stands. */
  _ask(scan, told, at) {
    this.state.unsettled = { name: scan.text, text: scan.text, how: scan.how, at, item: null, ...kept(told) };
    this._keep();
    const choices = told.candidates.map((weapon) => ({
      name: [weapon.model, weapon.serial_number || weapon.asset_tag].join(" "),
      words: `${weapon.maker}, ${weapon.asset_tag}`,
      pick: () => {
        this.state.unsettled = null;
        return this._seen(scan, { item: weapon.item_id }, at);
      },
    }));
    return this.stage.tell({ severity: told.severity, title: scan.text, words: told.words, choices });
  }

  _settle() {
    const { unsettled } = this.state;
    if (!unsettled) return;
    this.state.unsettled = null;
    this._keep();
    if (!this.known.has(keyOf(unsettled))) this._add(unsettled);
  }

  _add(line) {
    const added = this.list.add({ ...line, by: this.state.by });
    this._remember(added);
    this._soon();
    return added;
  }

  _remember(line) {
    if (line.text) this.known.set(keyOf(line), line.number);
  }

  async _broken(line) {
    await this.stage.service.breakSeal(line.text);
    this.list.remove(line);
    this.known.delete(keyOf(line));
    this.stage.tell({ severity: "attention", title: line.name, words: say("Broken: scan every weapon in the container") });
  }

  async _equipment() {
    this.catalogue ??= await this.stage.service.models();
    const every = this.state.count.method === "quantity";
    const models = namesOf(this.catalogue.filter((one) => every || one.tracked_by !== "serial"));
    const model = element("select", { id: "model" }, ...models.map((name) => element("option", { value: name }, name)));
    const quantity = element("input", { id: "quantity", type: "number", min: 0, required: true, inputmode: "numeric" });
    const lot = element("input", { id: "lot", maxlength: 64 });
    const given = await ask({
      title: say("How many of what"),
      body: [asked("model", say("Model"), model), asked("quantity", say("How many lie here"), quantity), asked("lot", say("Lot, where it has one"), lot)],
      yes: say("Take"),
      confirm: () => (quantity.reportValidity() ? { model: model.value, quantity: Number(quantity.value), lot: lot.value.trim() || null } : undefined),
    });
    if (!given) return;
    const name = `${given.quantity} × ${given.model}${given.lot ? `, ${given.lot}` : ""}`;
    const line = this._add({ ...given, name, how: "typed", at: this._moment(), severity: "ready", verdict: "counted", words: say("Counted by number") });
    this.stage.tell({ severity: "ready", title: line.name, words: line.words });
  }

  remove() {
    const line = this.list.current;
    if (!line || this.state.batch?.ids.includes(line.id)) {
      return this.stage.tell({ severity: "attention", title: say("Nothing to take away"), words: say("What was sent stays: a count keeps all that was read.") });
    }
    this.list.remove(line);
    this.known.delete(keyOf(line));
    return this.stage.tell({ severity: "attention", title: named(line), words: say("Taken off the list") });
  }

  move(step) {
    this.list.select(step);
  }

  // What is sent

  _soon() {
    clearTimeout(this.timer);
    if (this.list.size >= SENT_AT) this._flush();
    else this.timer = setTimeout(() => this._flush(), PAUSE);
  }

  /** Sends what was read, batch by batch; one at a time. What has no answer is sent again under the same key. */
  _flush() {
    clearTimeout(this.timer);
    this.flushing ??= this._send()
      .catch((problem) => this._notSent(problem))
      .finally(() => {
        this.flushing = null;
        if (!this.left) this.show();
      });
    return this.flushing;
  }

  async _send() {
    const { count } = this.state;
    while (count && (this.state.batch || this._unsent().length)) {
      this.state.batch ??= await this._batch();
      this._keep();
      const { ids, sent } = this.state.batch;
      let taken;
      try {
        taken = await this.stage.service.sendLines(count.count_id, sent);
      } catch (problem) {
        if (problem instanceof NoAnswer || !this._refused(problem, ids)) throw problem;
        continue;
      }
      this.silent = false;
      this.read += taken.weapons;
      for (const id of ids) if (this.list.get(id)) this.list.forget(this.list.get(id));
      this.state.batch = null;
      this._keep();
    }
  }

  /** The next lines to send; what nobody judged before is judged now, for it may be a seal. */
  async _batch() {
    const lines = this._unsent().slice(0, BATCH);
    for (const line of lines.filter((one) => one.verdict === "not asked")) {
      const told = await this.stage.service.verdict({ mode: "count", count: this.state.count.count_id, scan: line.text });
      this.list.change(line, kept(told));
    }
    return { ids: lines.map((line) => line.id), sent: { batch_id: newKey(), lines: lines.map(asSent) } };
  }

  /** Lines that can't be taken stay on the list in red, and the others are sent without them. Gives whether some could. */
  _refused(problem, ids) {
    const faults = (problem.faults || []).filter((fault) => fault.row);
    if (!(problem instanceof Problem) || !faults.length) return false;
    for (const { row, message } of faults) {
      const line = this.list.get(ids[row - 1]);
      if (line) this.list.change(line, { severity: "stop", words: message });
    }
    this.state.batch = null;
    this._keep();
    return true;
  }

  _notSent(problem) {
    if (problem instanceof NoAnswer) {
      this.silent = true;
      if (!this.left) this.timer = setTimeout(() => this._flush(), AGAIN);
      return;
    }
    this.state.batch = null;
    this._keep();
    if (!this.left) this.stage.tell({ severity: "stop", title: say("Not sent"), words: problem.message });
  }

  _unsent() {
    return this.list.all.filter((line) => line.severity !== "stop");
  }

  // The end

  async confirm() {
    const { count, closed } = this.state;
    if (!count || closed) return this.stage.tell({ severity: "attention", title: say("No count is open here"), words: "" });
    this._settle();
    await this._flush();
    if (this._unsent().length) {
      const words = say("{n} lines have no answer yet. They are kept, and sent again.", { n: this._unsent().length });
      return this.stage.tell({ severity: "stop", title: say("Not closed"), words });
    }
    const { weapons } = await this.stage.service.readSoFar(count.count_id);
    const signed = await this._askToClose(count, weapons);
    return signed ? this._close(signed) : undefined;
  }

  _askToClose(count, weapons) {
    const badge = element("input", { id: "badge", maxlength: 64, autocomplete: "off" });
    const pin = element("input", { id: "pin", type: "password", inputmode: "numeric", autocomplete: "off", maxlength: 32 });
    const second = this.stage.counter.signs_by_pin;
    return ask({
      title: say("Close {name}", { name: count.name }),
      body: [
        element("p", { class: "count" }, element("strong", { class: "digits" }, weapons), element("span", {}, say("weapons were read"))),
        element("p", {}, say("Counted by {list}", { list: this._counters().join(", ") })),
        element("p", {}, say("No line can be added after this. It takes somebody who did not count it alone.")),
        second ? element("p", {}, say("The second person signs by badge and PIN; left empty, you close it yourself.")) : null,
        second ? asked("badge", say("Badge"), badge) : null,
        second ? asked("pin", say("PIN"), pin) : null,
      ].filter(Boolean),
      yes: say("Close the count"),
      confirm: () => ({ badge: badge.value.trim(), pin: pin.value }),
    });
  }

  async _close({ badge, pin }) {
    const { service } = this.stage;
    const second = badge ? await service.second(badge, pin) : null;
    const closed = await service.closeCount(this.state.count.count_id, second?.token);
    this.state.closed = { count_id: closed.count.count_id, name: closed.count.name, figures: closed.findings, by: second?.person ?? this.stage.counter.name };
    this.list.load([]);
    this.known.clear();
    this._keep();
    await this._showFound();
    const { missing = 0, unexpected = 0 } = closed.findings;
    const severity = missing || unexpected ? "attention" : "posted";
    this.stage.tell({ severity, sound: "posted", title: say("{name} is closed", { name: closed.count.name }), words: this._figuresInWords() });
  }

  _figuresInWords() {
    const { matched = 0, missing = 0, unexpected = 0 } = this.state.closed.figures;
    return say("{matched} matched · {missing} missing · {unexpected} unexpected", { matched, missing, unexpected });
  }

  async _showFound() {
    this.findings = await this.stage.service.findings(this.state.closed.count_id);
    this.show();
    const page = element("a", { class: "to-page", href: `/counts/${this.state.closed.count_id}`, target: "_blank" }, say("Its page, to print and to export"));
    fill(this.found, page, ...GROUPS.map(([kind, title, bad]) => group(title(), this.findings.filter((one) => one.kind === kind), bad)));
  }

  /** What nobody found is reported, never taken off the books by a count. */
  async _reportMissing() {
    const missing = (this.findings || []).filter((one) => one.kind === "missing" && one.item_id);
    if (!missing.length) return this.stage.tell({ severity: "attention", title: say("Nothing is missing"), words: "" });
    const place = element("input", { id: "place", maxlength: 200, required: true });
    const circumstances = element("input", { id: "circumstances", maxlength: 500, required: true, value: `${say("Not found at the count")} ${this.state.closed.name}` });
    const ticks = missing.map((one, n) => [one, element("input", { type: "checkbox", checked: true, id: `missing-${n}` })]);
    const given = await ask({
      title: say("Report missing"),
      wide: true,
      body: [
        asked("place", say("Where it was last, as far as is known"), place),
        asked("circumstances", say("Circumstances"), circumstances),
        element("ul", { class: "ticks" }, ...ticks.map(([one, tick]) => element("li", {}, element("label", {}, tick, nameOf(one))))),
      ],
      yes: say("Report"),
      confirm: () => {
        const lines = ticks.filter(([, tick]) => tick.checked).map(([one]) => ({ item: one.item_id }));
        if (!place.reportValidity() || !circumstances.reportValidity() || !lines.length) return undefined;
        return { place: place.value, circumstances: circumstances.value, lines };
      },
    });
    if (!given) return undefined;
    this.state.loss ??= newKey();
    this._keep();
    const posted = await this.stage.service.confirm("loss-reports", { document_id: this.state.loss, ...given });
    this.state.loss = null;
    this._keep();
    return this.stage.tell({ severity: "posted", title: posted.number, words: say("{n} reported missing", { n: posted.quantity }) });
  }

  /** Leaves the count for another: what was read of it is sent first. */
  async _next() {
    if (this.state.count && !this.state.closed) {
      this._settle();
      await this._flush();
      if (this._unsent().length) return this.confirm();
    }
    this.state = nothing();
    this.findings = null;
    this.list.load([]);
    this.known.clear();
    this._keep();
    this.stage.tell({});
    return this._offer();
  }

  clear() {
    return this._next();
  }

  // Shown

  _keep() {
    this.stage.keep(this.state);
  }

  _press(act) {
    this.stage.enqueue(act, say("Command"));
  }

  refresh() {
    this.show();
    const { stage, state } = this;
    if (state.closed) {
      const missing = (state.closed.figures.missing ?? 0) > 0;
      if (missing) stage.action(say("Report missing"), "F8", () => this._press(() => this._reportMissing()), { class: "main" });
      if (missing || state.closed.figures.unexpected) stage.action(say("Count the differences again"), "Insert", () => this._press(() => this._recount()));
      stage.action(say("Another count"), null, () => this._press(() => this._next()));
    } else if (state.count) {
      stage.action(say("Close the count"), "F10", () => this._press(() => this.confirm()), { class: "main" });
      stage.action(say("Equipment"), "Insert", () => this._press(() => this._equipment()));
      stage.action(say("Another count"), null, () => this._press(() => this._next()));
    } else {
      stage.action(say("Open a count"), "Insert", () => this._press(() => this._openNew()), { class: "main" });
    }
  }

  show() {
    if (!this.found) return;
    const { count, closed } = this.state;
    this.choice.hidden = Boolean(count);
    this.count.hidden = !count || Boolean(closed);
    this.side.hidden = !count || Boolean(closed);
    this.found.hidden = !closed;
    if (!count) this._showChoice();
    fill(this.head, ...(count ? this._heading(count, closed) : []));
    if (!this.count.hidden) this._showCount();
  }

  _heading(count, closed) {
    const reads = this.state.by && this._counters().find((name) => name.endsWith(`(${this.state.by})`));
    return [
      element(
        "p",
        { class: "who" },
        element("span", { class: "label" }, closed ? say("Closed") : say("Count")),
        element("bdi", { class: "party" }, count.name),
        element("span", { class: "words" }, count.scope === "recount" ? say("the differences of {name}", { name: count.of }) : count.of || ""),
      ),
      closed
        ? element("p", { class: "kit" }, this._figuresInWords(), " · ", say("signed by {name}", { name: closed.by }))
        : element("p", { class: "kit" }, reads ? say("{name} reads", { name: reads }) : this._counters().join(", ")),
    ];
  }

  _showCount() {
    const unsent = this.list.all;
    const fresh_ = unsent.filter((line) => line.text && line.severity !== "stop" && line.verdict !== "sealed").length;
    fill(
      this.count,
      element("strong", { class: "digits" }, this.read + fresh_),
      element("span", {}, say("read")),
      this.silent && unsent.length ? element("span", { class: "staying" }, say("{n} not sent", { n: unsent.length })) : null,
    );
  }

  _showChoice() {
    if (this.shown === this.offered || !this.offered) return;
    this.shown = this.offered;
    const row = (one, n) =>
      element(
        "li",
        {},
        button(one.name, n < 9 ? String(n + 1) : null, () => this._press(() => this._choose(one)), { class: "choice" }),
        element("span", { class: "words" }, [one.of, one.counters.join(", ")].filter(Boolean).join(" · ")),
      );
    fill(this.choice, ...(this.offered.length ? this.offered.map(row) : [element("li", {}, say("No count is open at this site"))]));
  }
}

const GROUPS = [
  ["missing", () => say("Missing"), true],
  ["unexpected", () => say("Unexpected"), true],
  ["quantity differs", () => say("Another number"), true],
  ["unclear", () => say("Unclear: count again by asset tag"), true],
  ["not counted", () => say("Not counted"), false],
  ["moved meanwhile", () => say("Came or went meanwhile"), false],
];

/** What is said of a finding. */
const SAID = {
  missing: (one) => say("the books have it at {account}", { account: one.account }),
  unexpected: (one) => (one.account ? say("the books have it at {account}", { account: `${one.site || ""} ${one.account}`.trim() }) : say("nowhere in the books")),
  "quantity differs": (one) => say("{counted} counted, {expected} in the books", { counted: one.counted, expected: one.expected }),
  "not counted": (one) => say("{expected} in the books", { expected: one.expected }),
  "moved meanwhile": (one) => one.document_number || "",
  unclear: () => "",
};

function group(title, rows, bad) {
  if (!rows.length) return null;
  const shown = rows.map((one) => element("li", {}, element("bdi", { class: "name" }, nameOf(one)), element("span", { class: "words" }, SAID[one.kind](one))));
  return element("section", { class: bad ? "bad" : null }, element("h2", {}, `${title}: ${rows.length}`), element("ul", {}, ...shown));
}

function nameOf(one) {
  return [one.model, one.serial_number || (one.item_id ? one.asset_tag : one.scan), one.lot].filter(Boolean).join(" ") || say("no number");
}

/** What of a verdict stays on its line. */
function kept({ verdict, severity, words: said }) {
  return { verdict, severity, words: said };
}

/** What tells that the same was read: the weapon, or the number by letters and digits. */
function keyOf({ item, text }) {
  return item || (text || "").toUpperCase().replace(/[^\p{L}\p{N}]/gu, "");
}

function asSent(line) {
  const what = line.model
    ? { model: line.model, quantity: line.quantity, ...(line.lot ? { lot: line.lot } : {}) }
    : { [line.verdict === "sealed" ? "seal" : "scan"]: line.text };
  return { ...what, entered: line.how === "typed" ? "typed" : "scanned", counted_at: line.at, ...(line.by ? { counted_by: line.by } : {}) };
}

function words(text) {
  return text.split(/[,;\s]+/).map((one) => one.trim()).filter(Boolean);
}

function asked(id, said, field) {
  return element("p", { class: "asked" }, element("label", { for: id }, said), field);
}
