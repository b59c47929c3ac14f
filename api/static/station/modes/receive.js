/**
 * Receive: what stands at the counter is ticked off against what was declared or shipped, and taken in as found, whatever the list says;
 * at the end the clerk says whether that was all.
 */

import { ask } from "../dialogs.js";
import { button, element, fill } from "../elements.js";
import { counted, isCounted, named } from "../lines.js";
import { LongList } from "../long_list.js";
import { NoAnswer, Problem } from "../service.js";
import { say } from "../words.js";
import { Awaited } from "./awaited.js";
import { namesOf } from "./models.js";
import { fresh, VoucherSession } from "./voucher.js";

const CHOICES = 8;
const MOST_LINES = 2000;
const MISSING_SHOWN = 200;
/** Signs of a mark read by machine: it is no serial number. */
const MARK = /[\u0000-\u001f]|^\[\)>/;
const FOUND = {
  shortage: (n) => say("{n} short", { n }),
  excess: (n) => say("{n} more than declared", { n }),
  "same serial number twice": (n) => say("{n} of a number that another bears", { n }),
  "model mismatch": (n) => say("{n} otherwise than declared", { n }),
  "doubtful as it came": (n) => say("{n} doubtful", { n }),
};

/** What is chosen where there is no list. */
const ALONE = { kind: "alone" };

/** A receipt in the making. */
export class ReceiveSession extends VoucherSession {
  constructor(stage) {
    super(stage);
    this.state.counts ??= {};
    this.state.seals ??= [];
    this.awaited = null;
    this.choice = element("ol", { class: "deliveries", "aria-label": say("What is on its way") });
    this.side = element("div", { class: "aside" });
    stage.view.replaceChildren(this.head, this.count, this.done, this.choice, this.side);
    this.show();
    stage.enqueue(() => this._begun(), say("Receive"));
  }

  makeList() {
    return new LongList(this.stage, {
      label: say("Scanned"),
      conditions: true,
      onChange: () => this.changed(),
      onRemove: (line) => this.awaited?.tick(line.item, null),
    });
  }

  // What is received

  /** Shows what may be chosen, or the list of what was chosen before a reload. */
  async _begun() {
    if (this.state.delivery) return this._load();
    this.deliveries = this.state.done ? [] : await this.stage.service.deliveries();
    return this.show();
  }

  async _load() {
    const { delivery } = this.state;
    const lines = delivery.kind === "alone" ? [] : await this._lines(delivery);
    this.unread = lines === null;
    this.awaited = new Awaited(lines || []);
    for (const line of this.list.all) this.awaited.tick(line.item, line.id);
    this.show();
  }

  /** What is awaited; null: no answer, it is asked for again at the next scan. */
  async _lines(delivery) {
    try {
      return await this.stage.service.deliveryLines(delivery.delivery_id);
    } catch (problem) {
      if (!(problem instanceof NoAnswer)) throw problem;
      return null;
    }
  }

  async _choose(delivery) {
    this.state.delivery = delivery;
    this.changed();
    await this._load();
    if (delivery.kind === "alone") return this.stage.tell({ severity: "ready", title: say("Without a list"), words: say("Everything is new to the books") });
    const words = say("{n} pieces are awaited", { n: delivery.outstanding });
    return this.stage.tell({ severity: "ready", title: `${delivery.number} · ${delivery.sender}`, words });
  }

  _choiceByText(text) {
    const digit = /^[1-9]$/.test(text) ? this.deliveries[Number(text) - 1] : null;
    const wanted = text.trim().toUpperCase();
    const called = ({ number, delivery_id, consignment }) =>
      [number, delivery_id].some((name) => name.toUpperCase() === wanted) || (consignment || "").toUpperCase().endsWith(` ${wanted}`);
    const found = digit || this.deliveries.find(called);
    if (found) return this._choose(found);
    return this.stage.tell({ severity: "stop", title: text, words: say("Nothing under this number is on its way here. Choose what is received.") });
  }

  suggest(text) {
    if (this.state.delivery || !this.deliveries) return this.awaited ? this._typedHalf(text) : null;
    const part = text.toUpperCase();
    const found = this.deliveries.filter((one) => `${one.number} ${one.consignment || ""} ${one.sender}`.toUpperCase().includes(part)).slice(0, CHOICES);
    return Promise.resolve(found.map((one) => ({ model: "", serial_number: one.number, asset_tag: one.number, where: one.sender })));
  }

  /** Of a number typed half: those that are still missing and hold it. */
  async _typedHalf(text) {
    const part = text.toUpperCase().replace(/[\s-]/g, "");
    const found = [];
    for (const { line, by } of this.awaited.weapons.values()) {
      if (found.length === CHOICES) break;
      if (by === null && (line.serial_number || "").toUpperCase().replace(/[\s-]/g, "").includes(part)) found.push({ ...line, where: say("missing") });
    }
    return found;
  }

  prompt() {
    if (this.state.done) return say("Scan the number of what comes next");
    if (!this.state.delivery) return say("Scan the number of the consignment or shipping order");
    return say("Scan what stands here");
  }

  keys() {
    return [
      ["→", say("Condition of the current line: serviceable, unserviceable, unknown")],
      ["F8", say("Another model than the list says")],
      ["Insert", say("Equipment that is counted")],
      ["End", say("A number that can't be read, or was removed")],
    ];
  }

  actions() {
    if (this.state.done || !this.state.delivery) return;
    this.stage.action(say("Condition"), "→", () => this._press(() => this.condition(null)));
    if (this.state.delivery.kind !== "shipment") this.stage.action(say("Another model"), "F8", () => this._press(() => this._modelInHand()));
    this.stage.action(say("Equipment"), "Insert", () => this._press(() => this._equipment()));
    if (this.state.delivery.kind !== "shipment") this.stage.action(say("Unreadable"), "End", () => this._press(() => this._unreadable()));
  }

  otherKey(event) {
    const act = { Insert: () => this._equipment(), F8: () => this._modelInHand(), End: () => this._unreadable() }[event.key];
    if (!act || this.state.done || this.state.sent || !this.state.delivery) return false;
    this._press(act);
    return true;
  }

  refresh() {
    if (this.state.delivery || this.state.done || this.state.sent) super.refresh();
    else this.show();
  }

  // A scan

  async scan(scan) {
    if (this.state.done && !this.state.sent) {
      this._begin();
      this.deliveries = await this.stage.service.deliveries();
      this.show();
    }
    return super.scan(scan);
  }

  async take(scan) {
    if (!this.state.delivery) return this._choiceByText(scan.text);
    if (this.unread || !this.awaited) await this._load();
    const seal = this._seals().find((one) => one.toUpperCase() === scan.text.trim().toUpperCase());
    if (seal) return this._sealSeen(seal);
    if (this.list.size >= MOST_LINES) {
      const words = say("{n} lines are one receiving report. Confirm them with \"more to come\", then go on.", { n: MOST_LINES });
      return this.stage.tell({ severity: "stop", title: scan.text, words });
    }
    return this._seen(scan, { scan: scan.text, model: this.state.model || undefined });
  }

  async _seen(scan, asked) {
    let told;
    try {
      told = await this.stage.service.verdict({ mode: "receive", delivery: this.state.delivery.delivery_id, ...asked });
    } catch (problem) {
      if (!(problem instanceof NoAnswer)) throw problem;
      told = this._withoutAnswer(scan);
    }
    return (this[`_${TAKEN[told.verdict]}`] || this._takeIn).call(this, scan, told, asked);
  }

  /** Nobody answers: the list that was loaded says what it can. */
  _withoutAnswer(scan) {
    const line = this.awaited?.bearing(scan.text);
    if (line) return { verdict: "declared", severity: "ready", words: say("On the list"), weapon: line };
    const words = say("No answer: it stays on the list, and is judged at the end");
    return { verdict: "not asked", severity: "attention", words, weapon: null };
  }

  /** The weapon goes on the list; once. */
  _takeIn(scan, told, asked = {}) {
    const { weapon } = told;
    const by = weapon && this.awaited.tickedBy(weapon.item_id);
    const model = asked.model || (weapon && this._modelOf(weapon)) || this.state.model || this.awaited.models[0];
    const serial = told.verdict === "twin" ? scan.text : weapon?.serial_number || scan.text;
    const before = by ? this.list.get(by) : this._before(weapon, model, serial);
    if (before && !asked.mark) return this._again(before, scan, told, model, serial);
    if (!model && this.state.delivery.kind !== "shipment") return this._whichModel(scan, told);
    const line = this.list.add({
      name: [weapon?.model && told.verdict !== "another model" ? weapon.model : model, serial].filter(Boolean).join(" "),
      text: scan.text, how: scan.how, severity: told.severity, verdict: told.verdict, words: told.words, condition: "serviceable",
      item: told.verdict === "twin" ? null : weapon?.item_id ?? null, wanted: model, serial, mark: asked.mark || null,
    });
    this.seen?.set(this._key(line), line.id);
    this.awaited.tick(line.item, line.id);
    this.show();
    return this.stage.tell({ severity: told.severity, title: line.name, words: told.words });
  }

  _modelOf(weapon) {
    return this.awaited.line(weapon.item_id)?.model_name || `${weapon.maker} ${weapon.model}`;
  }

  _key({ item, wanted, serial }) {
    return item || `${wanted} ${serial}`.toUpperCase().replace(/[\s-]/g, "");
  }

  /** The line that stands for the same weapon; the keys are read from the list once. */
  _before(weapon, model, serial) {
    this.seen ??= new Map(this.list.all.map((line) => [this._key(line), line.id]));
    const keys = [weapon?.item_id, this._key({ item: null, wanted: model, serial })];
    return keys.map((key) => this.list.get(this.seen.get(key))).find(Boolean);
  }

  _again(before, scan, told, model, serial) {
    this.list.show(before);
    const second = {
      name: say("A second weapon bears this number"),
      words: say("say how it can be told apart"),
      pick: () => this._second(scan, told, model, serial),
    };
    return this.stage.tell({
      severity: "attention",
      title: named(before),
      words: say("Ticked off already, on line {n}", { n: before.number }),
      choices: this.state.delivery.kind === "shipment" ? [] : [second],
    });
  }

  async _second(scan, told, model, serial) {
    const mark = element("input", { id: "mark", maxlength: 200, required: true });
    const body = [element("p", { class: "asked" }, element("label", { for: "mark" }, say("What tells it from the other")), mark)];
    const title = say("A second {name}", { name: serial });
    const given = await ask({ title, body, yes: say("Take it in"), confirm: () => (mark.reportValidity() ? mark.value : undefined) });
    if (!given) return;
    const words = say("Two weapons of one number: both are taken in, and told");
    this._takeIn(scan, { ...told, verdict: "twin", severity: "attention", weapon: null, words }, { model, mark: given });
  }

  /** Several weapons may be meant, or one that only looks like it. */
  _chooseWeapon(scan, told, asked) {
    const choices = told.candidates.map((weapon) => ({
      name: [weapon.model, weapon.serial_number || weapon.asset_tag].join(" "),
      words: this.awaited.line(weapon.item_id) ? say("on the list") : weapon.where,
      pick: () => this._seen(scan, { item: weapon.item_id, model: asked.model }),
    }));
    if (told.verdict === "look-alike") {
      choices.push({ name: say("It really bears {text}", { text: scan.text }), words: "", pick: () => this._notListed(scan, asked) });
    }
    return this.stage.tell({ severity: told.severity, title: scan.text, words: told.words, choices });
  }

  _notListed(scan, asked) {
    const words = say("Not on the list: taken in as more than was declared");
    return this._whichModel(scan, { verdict: "excess", severity: "attention", weapon: null, words }, asked);
  }

  /** The list says nothing of it: its model is the only one there is, the one in hand, or asked for. */
  _whichModel(scan, told, asked = {}) {
    if (MARK.test(scan.text)) {
      return this.stage.tell({ severity: "stop", title: say("A mark that nothing in the books bears"), words: say("Type the serial number that stands on it.") });
    }
    const { models } = this.awaited;
    const model = asked.model || this.state.model || (models.length === 1 ? models[0] : null);
    const settled = told.verdict !== "which model";
    if (this.state.delivery.kind === "shipment" || (settled && model)) return this._takeIn(scan, told, { model });
    if (model) return this._seen(scan, { scan: scan.text, model });
    const choices = models.slice(0, CHOICES).map((name) => ({ name, words: "", pick: () => this._ofModel(scan, told, name) }));
    choices.push({ name: say("Another model"), words: "", pick: () => this._ofAnother(scan, told) });
    return this.stage.tell({ severity: "attention", title: scan.text, words: say("Not on the list. Say which model it is"), choices });
  }

  _ofModel(scan, told, model) {
    return told.verdict === "which model" ? this._seen(scan, { scan: scan.text, model }) : this._takeIn(scan, told, { model });
  }

  async _ofAnother(scan, told) {
    const model = await this._askModel(say("Which model is {name}?", { name: scan.text }), null);
    if (model) await this._ofModel(scan, told, model);
  }

  /** A seal of the shipment: found whole. */
  _sealSeen(seal) {
    if (!this.state.seals.includes(seal)) this.state.seals.push(seal);
    this.changed();
    return this.stage.tell({ severity: "ready", title: say("Seal {number}", { number: seal }), words: say("On the shipping order: found whole") });
  }

  _seals() {
    return (this.state.delivery?.seal_numbers || "").split(/[,;\s]+/).filter(Boolean);
  }

  /** Of the line that was scanned last, also while its verdict is on the way. */
  condition(which) {
    this._press(() => this.list.condition(which));
  }

  // Models, equipment, what can't be read

  async _models() {
    this.catalogue ??= await this.stage.service.models();
    return this.catalogue;
  }

  async _weaponModels() {
    return namesOf((await this._models()).filter((one) => one.tracked_by === "serial"));
  }

  /** One model of the catalogue, those of the list first; gives its name as a receipt names it, "" for none, null: cancelled. */
  async _askModel(title, none) {
    const names = [...new Set([...this.awaited.models, ...(await this._weaponModels())])];
    const select = element(
      "select",
      { id: "model" },
      none === null ? null : element("option", { value: "" }, none),
      ...names.map((name) => element("option", { value: name, selected: name === this.state.model }, name)),
    );
    const body = [element("p", { class: "asked" }, element("label", { for: "model" }, say("Model")), select)];
    return ask({ title, body, yes: say("Take"), confirm: () => select.value });
  }

  /** From now on: every weapon that is scanned is of this model, whatever the list says. */
  async _modelInHand() {
    const model = await this._askModel(say("Which model stands here?"), say("as the list says"));
    if (model === null) return;
    this.state.model = model || null;
    this.changed();
  }

  async _unreadable() {
    if (this.state.delivery.kind === "shipment") {
      return this.stage.tell({ severity: "attention", title: say("Type what can be read"), words: say("Those that are missing and hold it are listed.") });
    }
    const text = element("input", { id: "readable", maxlength: 64, autocomplete: "off" });
    const mark = element("input", { id: "mark", maxlength: 200 });
    const models = [...new Set([...this.awaited.models, ...(await this._weaponModels())])];
    const select = element("select", { id: "model" }, ...models.map((name) => element("option", { value: name }, name)));
    const given = await ask({
      title: say("A number that can't be read"),
      body: [
        element("p", { class: "asked" }, element("label", { for: "model" }, say("Model")), select),
        element("p", { class: "asked" }, element("label", { for: "readable" }, say("What can be read of it")), text),
        element("p", { class: "asked" }, element("label", { for: "mark" }, say("What tells it from others")), mark),
      ],
      yes: say("Take it in"),
      confirm: () => ({ model: select.value, serial: text.value.trim(), mark: mark.value.trim() }),
    });
    if (!given) return undefined;
    const words = say("Its number can't be read: taken in, to be marked");
    const name = [given.model, given.serial || say("no number")].join(" ");
    this.list.add({
      name, text: given.serial, how: "typed", severity: "attention", verdict: "unreadable", words, condition: "serviceable",
      item: null, wanted: given.model, serial: given.serial || null, mark: given.mark || null, obliterated: true,
    });
    return this.stage.tell({ severity: "attention", title: name, words });
  }

  async _equipment() {
    const rows = this.awaited.counted.map((one) => ({ ...one, field: numberField(one.model, this._arrived(one)) }));
    const others = (await this._models()).filter((one) => one.tracked_by === "quantity" && !rows.some((row) => row.model === one.name));
    const extra = element("select", { id: "extra", "aria-label": say("Another model") }, ...others.map((one) => element("option", { value: one.name }, one.name)));
    const number = numberField(say("How many"), "");
    const heads = [say("What"), say("Awaited"), say("Stands here")].map((words) => element("th", { scope: "col" }, words));
    const table = element(
      "table",
      { class: "equipment" },
      element("thead", {}, element("tr", {}, ...heads)),
      element(
        "tbody",
        {},
        ...rows.map((row) => element("tr", {}, element("th", { scope: "row" }, row.lot ? `${row.model}, ${row.lot}` : row.model), element("td", {}, row.quantity), element("td", {}, row.field))),
        others.length ? element("tr", {}, element("td", {}, extra), element("td", {}, "–"), element("td", {}, number)) : null,
      ),
    );
    if (!(await ask({ title: say("Equipment that is counted"), body: [table], yes: say("Take"), confirm: () => true, wide: true }))) return;
    for (const row of rows) this._counted(row.model_name, row.lot, Number(row.field.value), row.quantity);
    if (Number(number.value) > 0) this._counted(extra.value, null, Number(number.value), 0);
    this.show();
  }

  _arrived({ model_name: model, lot }) {
    return this._lineOfCounted(model, lot)?.quantity ?? "";
  }

  _lineOfCounted(model, lot) {
    return this.list.all.find((line) => isCounted(line) && line.model === model && (line.lot || null) === (lot || null));
  }

  _counted(model, lot, quantity, wanted) {
    const before = this._lineOfCounted(model, lot);
    if (before && before.quantity !== quantity) this.list.remove(before);
    if (!quantity || before?.quantity === quantity) return;
    const severity = quantity > wanted ? "attention" : "ready";
    const words = say("{n} awaited", { n: wanted });
    this.list.add({ model, lot, quantity, how: "typed", severity, verdict: "counted", words, condition: null });
  }

  // Shown

  changed() {
    this.stage.keep(this.state);
    this.show();
  }

  show() {
    if (!this.side) return;
    const { delivery, done, model } = this.state;
    fill(this.head, ...(delivery && !done ? this._heading(delivery, model) : []));
    this.choice.hidden = Boolean(delivery || done);
    if (!this.choice.hidden && this.shown !== this.deliveries) this._showChoice();
    this.count.hidden = Boolean(done || !delivery || !this.awaited);
    if (!this.count.hidden) this._showCount();
    this.done.hidden = !done;
    if (done) fill(this.done, ...this._doneShown());
    this.side.hidden = Boolean(done || !delivery);
    if (this.awaited && this.shownAwaited !== this.awaited) {
      this.shownAwaited = this.awaited;
      fill(this.side, this.list.element, this.awaited.size ? this.awaited.element : null);
    }
  }

  _heading(delivery, model) {
    const seals = this._seals();
    const who = delivery.kind === "alone" ? say("Without a list") : `${delivery.number} · ${delivery.sender}`;
    const { carrier } = delivery;
    return [
      element(
        "p",
        { class: "who" },
        element("span", { class: "label" }, say("Receive")),
        element("bdi", { class: "party" }, who),
        carrier ? element("span", { class: "words" }, say("brought by {carrier}", { carrier })) : null,
      ),
      model ? element("p", { class: "kit" }, say("All that is scanned now is {model}", { model })) : null,
      seals.length
        ? element("p", { class: "kit" }, say("Seals"), " ", ...seals.map((one) => element("bdi", { class: "seal" }, `${this.state.seals.includes(one) ? "✓" : "?"} ${one} `)))
        : null,
    ];
  }

  _showCount() {
    const { awaited, list } = this;
    const weapons = awaited?.size ?? 0;
    const other = list.size - (awaited?.ticked ?? 0);
    fill(
      this.count,
      element("strong", { class: "digits" }, weapons ? awaited.ticked : list.size),
      element("span", {}, weapons ? say("of {n} ticked off", { n: weapons }) : say("on the list")),
      weapons && other ? element("span", { class: "staying" }, say("{n} other lines", { n: other })) : null,
    );
  }

  _whence(delivery) {
    if (delivery.kind !== "shipment") return say("consignment of {donor}", { donor: delivery.sender });
    if (delivery.consignment) return say("consignment {number}", { number: delivery.consignment });
    return say("shipment from {site}", { site: delivery.sender });
  }

  _showChoice() {
    this.shown = this.deliveries;
    if (!this.deliveries) return;
    const row = (one, n) => {
      const words = [
        this._whence(one),
        say("{n} pieces", { n: one.outstanding }), one.carrier, one.overdue ? say("overdue") : null,
      ];
      return element(
        "li",
        { class: one.overdue ? "late" : null },
        button(one.number, n < 9 ? String(n + 1) : null, () => this._press(() => this._choose(one)), { class: "choice" }),
        element("span", { class: "words" }, words.filter(Boolean).join(" · ")),
      );
    };
    fill(
      this.choice,
      ...this.deliveries.map(row),
      element(
        "li",
        {},
        button(say("Without a list"), null, () => this._press(() => this._choose(ALONE)), { class: "choice" }),
        element("span", { class: "words" }, say("bought, or nobody declared it")),
      ),
    );
  }

  // The end

  get path() {
    return this.state.delivery.kind === "shipment" ? "arrivals" : "receipts";
  }

  confirmWords() {
    return say("Take in");
  }

  async _askToConfirm(going) {
    const { delivery } = this.state;
    const missing = this.awaited?.missing ?? [];
    const short = this._shortOfCounted(going);
    const by = element("input", { id: "delivered-by", maxlength: 200, value: delivery.carrier || "" });
    const remarks = element("input", { id: "remarks", maxlength: 300 });
    const photos = element("input", { id: "photos", type: "file", accept: "image/*", multiple: true });
    const given = (complete) => ({ complete, deliveredBy: by.value.trim(), remarks: remarks.value.trim(), photos: [...photos.files] });
    const listed = delivery.kind !== "alone";
    const whole = listed && !this.unread && !missing.length && !short.length;
    const asked = (id, words, field) => element("p", { class: "asked" }, element("label", { for: id }, words), field);
    const pieces = going.reduce((sum, line) => sum + (line.quantity || 1), 0);
    return ask({
      title: say("Take into {store}", { store: this.stage.store }),
      wide: true,
      body: [
        element("p", { class: "count" }, element("strong", { class: "digits" }, pieces), element("span", {}, say("pieces"))),
        this.list.staying.length ? this._leftOut(this.list.staying) : null,
        listed && !this.unread ? missingShown(missing, short) : null,
        this.unread ? element("p", { class: "staying" }, say("The list could not be read: nobody knows what is missing")) : null,
        asked("delivered-by", say("Delivered by"), by),
        asked("remarks", say("Remarks, damage"), remarks),
        asked("photos", say("Photos"), photos),
      ].filter(Boolean),
      yes: !listed ? this.confirmWords() : whole ? say("Complete") : say("More to come"),
      confirm: () => given(whole),
      buttons: listed && !whole && !this.unread ? [[say("Complete: nothing more comes, the rest is short"), null, () => given(true)]] : [],
    });
  }

  _shortOfCounted(going) {
    return this.awaited.counted
      .map((one) => ({ ...one, short: one.quantity - (going.find((line) => isCounted(line) && line.model === one.model_name && (line.lot || null) === one.lot)?.quantity ?? 0) }))
      .filter((one) => one.short > 0);
  }

  async _sign({ photos }) {
    const attachments = [];
    for (const photo of photos) attachments.push(await this.stage.service.keepPhoto(photo));
    return attachments.length ? { attachments } : {};
  }

  request({ complete, deliveredBy, remarks }) {
    const { delivery } = this.state;
    const said = [remarks, this._sealsInWords()].filter(Boolean).join(" ");
    const which = {
      shipment: { shipment: delivery.delivery_id },
      consignment: { donor: delivery.sender, consignment: delivery.number },
      alone: {},
    }[delivery.kind];
    return {
      ...which,
      store: this.stage.store,
      ...(complete ? { complete } : {}),
      ...(deliveredBy ? { delivered_by: deliveredBy } : {}),
      ...(said ? { remarks: said } : {}),
    };
  }

  _sealsInWords() {
    const seals = this._seals();
    if (!seals.length) return "";
    const whole = seals.filter((one) => this.state.seals.includes(one));
    const others = seals.filter((one) => !this.state.seals.includes(one));
    return [
      whole.length ? `Seals found whole: ${whole.join(", ")}.` : "",
      others.length ? `Seals not found whole: ${others.join(", ")}.` : "",
    ].filter(Boolean).join(" ");
  }

  lineOf(line) {
    const how = line.how ? { how: line.how } : {};
    if (isCounted(line)) return { ...counted(line), ...how };
    if (this.state.delivery.kind === "shipment") {
      return { ...(line.item ? { item: line.item } : { scan: line.text }), condition: line.condition, ...how };
    }
    return {
      model: line.wanted,
      ...(line.serial ? { serial_number: line.serial } : {}),
      ...(line.obliterated ? { obliterated: true } : {}),
      ...(line.mark ? { distinguishing_mark: line.mark } : {}),
      condition: line.condition,
      ...how,
    };
  }

  _posted(posted) {
    const kept = { delivery: this.state.delivery, model: this.state.model, seals: this.state.seals };
    const missing = this.state.sent.body.complete ? 0 : this.awaited?.missing.length ?? 0;
    super._posted({ ...posted, missing, kept });
    this._forget();
    Object.assign(this.state, { seals: [], deliveries: null });
    this.show();
  }

  _refused(problem, sent) {
    const rows = (problem.faults || []).filter((fault) => fault.row);
    const more = rows.map((fault) => ({ line: fault.row, reason: fault.message, where: null }));
    const said = new Problem({ status: problem.status, title: problem.title, detail: problem.message, reasons: [...(problem.reasons || []), ...more] });
    said.faults = (problem.faults || []).filter((fault) => !fault.row);
    super._refused(said, sent);
  }

  _begin() {
    this.state = { ...fresh(), seals: [], delivery: null, model: null };
    this._forget();
    this.list.load([]);
    this.changed();
  }

  _forget() {
    this.awaited = null;
    this.seen = null;
    this.unread = false;
    this.side.replaceChildren();
  }

  async clear() {
    await super.clear();
    if (!this.state.delivery) await this._begun();
  }

  _takeAgain() {
    super._takeAgain();
    this._press(() => this._load());
  }

  doneWords(posted) {
    const words = [say("{n} taken into {store}", { n: posted.quantity, store: this.stage.store }), ...found(posted)];
    if (posted.missing) words.push(say("{n} still to come", { n: posted.missing }));
    return words.join(" · ");
  }

  paper() {
    return say("Receiving report");
  }
}

/** Verdicts after which something is asked; after all others the weapon goes on the list. */
const TAKEN = { several: "chooseWeapon", "look-alike": "chooseWeapon", "which model": "whichModel", excess: "whichModel", new: "whichModel" };

/** The discrepancies of a receipt in words, by their kinds; an answer names no more than a hundred. */
function found({ discrepancies = [], discrepancy_count: all = 0 }) {
  if (all > discrepancies.length) return [say("{n} differences from the list", { n: all })];
  const kinds = new Map();
  for (const { kind } of discrepancies) kinds.set(kind, (kinds.get(kind) || 0) + 1);
  return [...kinds].map(([kind, n]) => FOUND[kind]?.(n) ?? `${n} ${say(kind)}`);
}

function numberField(label, value) {
  return element("input", { type: "number", min: 0, value, inputmode: "numeric", "aria-label": label });
}

/** What did not come, by serial number and by quantity. */
function missingShown(missing, short) {
  if (!missing.length && !short.length) return element("p", { class: "kit" }, say("Nothing is missing"));
  const shown = missing.slice(0, MISSING_SHOWN);
  const more = missing.length - shown.length;
  return element(
    "div",
    { class: "left-out not-here", role: "region", tabindex: "0", "aria-label": say("Not here") },
    element("strong", {}, say("Not here: {n}", { n: missing.length + short.reduce((sum, one) => sum + one.short, 0) })),
    element(
      "ul",
      {},
      ...short.map((one) => element("li", {}, `${one.short} × ${one.model}`)),
      ...shown.map((one) => element("li", {}, element("bdi", {}, [one.model, one.serial_number || one.asset_tag].join(" ")))),
      more > 0 ? element("li", {}, say("and {n} more", { n: more })) : null,
    ),
  );
}
