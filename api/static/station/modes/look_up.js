/** Look up: one scan tells everything, and leads to the page that tells more. It changes nothing. */

import { element, fill } from "../elements.js";
import { say, sayMoment } from "../words.js";

const LAST_ENTRIES = 6;
const HELD_SHOWN = 12;

/** The mode. */
export const lookUp = {
  name: "look up",
  key: "F9",
  command: "SPDOFIND",
  title: () => say("Look up"),
  open: (stage) => new LookUpSession(stage),
};

class LookUpSession {
  constructor(stage) {
    this.stage = stage;
    this.found = element("div", { class: "aside found" });
    stage.view.replaceChildren(this.found);
  }

  prompt() {
    return say("Scan anything: a weapon, a badge, a document");
  }

  suggest(text) {
    return this.stage.service.suggestions(text, this.stage.store);
  }

  async scan({ text }) {
    const found = await this.stage.service.find(text);
    const { items, parties, documents, counted } = found;
    const alone = items.length === 1;
    fill(
      this.found,
      ...(await Promise.all(items.map((one) => this._weapon(one, alone)))),
      ...parties.map(party),
      ...documents.map((one) => this._document(one)),
      ...counted.map(countedLine),
    );
    this.stage.tell(told(text, found));
  }

  async _weapon({ item, standings }, alone) {
    const facts = [
      [say("Where"), standings.map(standing).join("; ") || say("not in the books")],
      [say("Condition"), standings.map((one) => one.condition).filter(Boolean).join(", ")],
      [say("Asset tag"), item.asset_tag],
      [say("Maker"), item.maker],
      [say("Formerly"), item.formerly.join(", ")],
      [say("UII"), item.uii],
      [say("Import mark"), item.import_mark],
      [say("Donor"), item.donor],
    ];
    return element(
      "article",
      {},
      element("h2", {}, element("bdi", {}, nameOf(item))),
      factList(facts),
      alone && item.tracked_by === "serial" ? await this._history(item.item_id) : null,
      element("a", { class: "to-page", href: `/weapons/${item.item_id}` }, say("Its page")),
    );
  }

  async _history(itemId) {
    const { entries } = await this.stage.service.history(itemId);
    const rows = entries.slice(-LAST_ENTRIES).reverse().map(entryRow);
    return element("ol", { class: "history", "aria-label": say("What happened last") }, ...rows);
  }

  _document(one) {
    const page = element("a", { href: `/documents/${one.document_id}` }, one.number);
    const print = { class: "to-page", href: `/v1/documents/${one.document_id}/paper.pdf`, target: "_blank" };
    return element(
      "article",
      {},
      element("h2", {}, page),
      element("p", {}, `${one.act}, ${sayMoment(one.happened_at)}, ${say("{n} lines", { n: one.lines })}`),
      element("a", print, say("Print")),
    );
  }
}

/** The answer in a line. */
function told(text, found) {
  const { items, parties, documents, counted } = found;
  const all = items.length + parties.length + documents.length + counted.length;
  if (!all) return { severity: "stop", title: text, words: say("Nothing in the books bears this") };
  if (found.did_you_mean) {
    return { severity: "attention", title: text, words: say("Nothing in the books bears this number. Did you mean one of these?") };
  }
  if (all > 1) return { severity: "attention", title: text, words: say("{n} things bear this", { n: all }) };
  const [item] = items;
  const [someone] = parties;
  const [document_] = documents;
  if (item) return { severity: "ready", title: nameOf(item.item), words: item.standings.map(standing).join("; ") || say("not in the books") };
  if (someone) return { severity: "ready", title: someone.name, words: say("holds {n}", { n: someone.holds.quantity }) };
  if (document_) return { severity: "ready", title: document_.number, words: say(document_.act) };
  return { severity: "ready", title: counted[0].model, words: `${counted[0].quantity} · ${counted[0].site}` };
}

function nameOf(item) {
  return [item.model, item.serial_number || item.distinguishing_mark || item.asset_tag].filter(Boolean).join(" ");
}

function standing(one) {
  const where = one.account && one.account !== one.account_class ? `${one.account} (${say(one.account_class)})` : say(one.account_class);
  const number = one.document_number ? `, ${one.document_number}` : "";
  return `${one.site}: ${where} ${say("since {time}", { time: sayMoment(one.since) })}${number}`;
}

function entryRow(one) {
  const ends = [one.origin, one.to].map((end) => end.account || say(end.account_class)).join(" → ");
  const words = [sayMoment(one.happened_at), say(one.act), ends, one.document_number].filter(Boolean).join(" · ");
  return element("li", { class: one.reversed_by ? "undone" : null }, words);
}

function party(one) {
  const held = one.holds.rows.slice(0, HELD_SHOWN).map((row) => element("li", {}, heldWords(row)));
  return element(
    "article",
    {},
    element("h2", {}, element("bdi", {}, one.name)),
    element("p", {}, [...one.sites, ...one.units].join(", ")),
    element("ul", { class: "history" }, ...(held.length ? held : [element("li", {}, say("holds nothing"))])),
    element("a", { class: "to-page", href: `/parties/${one.party_id}` }, say("Its page")),
  );
}

function heldWords(row) {
  return row.serial_number ? `${row.model} ${row.serial_number}` : `${row.quantity} × ${row.model}`;
}

function countedLine(one) {
  return element("article", {}, element("h2", {}, one.model), element("p", {}, `${one.quantity} · ${one.site} · ${say(one.account_class)}`));
}

function factList(facts) {
  const list = element("dl", { class: "facts" });
  for (const [name, value] of facts) if (value) list.append(element("dt", {}, name), element("dd", {}, element("bdi", {}, value)));
  return list;
}
