/**
 * What an act would say of one weapon, from the books that this station has: the same verdicts in the same words as
 * `stockpile/verdicts.py` gives, told in the page's language. `tests/verdict_cases.json` holds the two together. Nothing here refuses anything: what is written
 * down without the service is posted as a fact, whatever is said here.
 */

import { begun, say } from "../words.js";
import { assetTag } from "./identity.js";

const SEVERITY = {
  ready: "ready",
  "brought by another": "attention",
  "already listed": "attention",
  several: "attention",
  "did you mean": "attention",
};

const GONE = {
  lost: () => say("it was lost"),
  expended: () => say("it was expended"),
  destroyed: () => say("it was destroyed"),
  exported: () => say("it was exported"),
};
const BY_CLASS = {
  supply: "not arrived", transit: "not arrived", missing: "missing", outside: "not in the books",
  lost: "gone", expended: "gone", destroyed: "gone", exported: "gone",
};
const CANDIDATES = 5;
const SAME_SCAN_SECONDS = 60;

/** A question that cannot be answered as it is asked, such as one that leaves the store open. */
export class Unanswerable extends Error {
  constructor(detail, field) {
    super(detail);
    this.problem = { title: say("The input has mistakes"), status: 422, detail, faults: [{ message: detail, field }] };
  }
}

/**
 * @typedef {{mode: string, item?: string, scan?: string, model?: string, quantity?: number, lot?: string, receiver?: string,
 *   store?: string, lines?: object[]}} Asked
 */

/**
 * The verdict on one weapon.
 * @param {import("./site_books.js").SiteBooks} books
 * @param {Asked} asked
 * @param {Date} now
 * @returns {{verdict: string, severity: string, words: string, weapon: object|null, candidates: object[], line: number|null,
 *   recover: boolean, party: string|null, as_of: string}}
 * @throws {Unanswerable}
 */
export function judge(books, asked, now = new Date()) {
  const judged = asked.item || asked.scan ? ofWeapon(books, asked, now) : ofCounted(books, asked);
  const withSince = judged.verdict !== "ready" || asked.mode === "look up";
  return {
    verdict: judged.verdict,
    severity: SEVERITY[judged.verdict] ?? "stop",
    words: judged.words,
    weapon: judged.weapon ? seen(books, judged.weapon, withSince) : null,
    candidates: (judged.candidates ?? []).map((weapon) => seen(books, weapon, withSince)),
    line: judged.line ?? null,
    recover: judged.verdict === "missing" || judged.verdict === "gone",
    party: judged.party ?? null,
    as_of: books.recordedAt,
  };
}

function ofWeapon(books, asked, now) {
  const store = asked.mode === "issue" ? need(books, asked.store) : null;
  const found = books.meant(asked);
  if (found.length > 1) {
    const words = say("{count} weapons bear this number: choose one, or scan the asset tag", { count: found.length });
    return { verdict: "several", words, candidates: found.slice(0, CANDIDATES) };
  }
  if (!found.length) {
    const alike = asked.scan ? books.lookAlikes(asked.scan, CANDIDATES) : [];
    if (!alike.length) return { verdict: "unknown", words: say("Nothing in the books bears this number") };
    const words = say("Nothing in the books bears this number. Did you mean one of these?");
    return { verdict: "did you mean", words, candidates: alike };
  }
  const [weapon] = found;
  const line = (asked.lines ?? []).findIndex((one) => one.item === weapon.item) + 1;
  if (line) return { verdict: "already listed", words: begun(say("already on this list, line {line}", { line })), weapon, line };
  return { weapon, ...MODES[asked.mode](books, weapon, asked, store, now) };
}

const MODES = { issue: toIssue, return: toReturn, draw: toDraw, "look up": toLookUp };

function toIssue(books, weapon, asked, store) {
  if (weapon.account.class !== "store") return notThere(books, weapon);
  if (weapon.account !== store) {
    const words = say("It is in {where}, not in {store}", { where: weapon.account.name, store: store.name });
    return { verdict: "in another store", words };
  }
  return notToBeHandedOut(weapon) ?? ready(weapon);
}

function toReturn(books, weapon, asked) {
  if (weapon.account.class === "person" || weapon.account.class === "unit") {
    const giver = asked.receiver ? books.party(asked.receiver) : null;
    if (!giver || giver.code === weapon.account.party) return ready(weapon);
    const values = { where: weapon.account.name, giver: books.display(giver) };
    const words = say("{where} has it, not {giver}: this will be said on the turn-in", values);
    return { verdict: "brought by another", words };
  }
  if (weapon.account.class === "store") {
    const words = say("It is in {where}{since}: nobody has it", { where: weapon.account.name, since: since(books, weapon) });
    return { verdict: "in a store", words };
  }
  return notThere(books, weapon);
}

function toLookUp(books, weapon) {
  return ready(weapon);
}

/** As `stockpile/acts/draw.py`: where the weapon is decides which way it goes. */
function toDraw(books, weapon, asked, _store, now) {
  if (asked.store && !books.store(asked.store)) need(books, asked.store);
  if (asked.receiver && !books.people.has(asked.receiver)) {
    throw new Unanswerable(say("Person: nobody at {site} has the number {code!r}.", { site: books.site.code, code: asked.receiver }), "person");
  }
  if (weapon.account.class === "store") return toDrawOut(books, weapon, asked, now);
  if (weapon.account.class === "unit") return refused(say("it is neither in a store nor with its person"));
  if (weapon.account.class !== "person") return notThere(books, weapon);
  return toDrawBack(books, weapon, asked, now);
}

function toDrawOut(books, weapon, asked, now) {
  const again = weapon.moved === "return" && sameScan(weapon, now, (values) =>
    say("it came back {ago} s ago, as {document}: scanned twice? If it really goes out again, say direction 'out'", values));
  if (again) return refused(again);
  if (weapon.person === null) return refused(say("it is assigned to nobody: assign it first, or issue it against a hand receipt"));
  const owner = books.people.get(weapon.person);
  if (!owner) return refused(say("the person it is assigned to serves at this site no more: assign it anew"));
  if (owner.objection) {
    return refused(say("it is assigned to somebody who may not draw: {objection}", { objection: owner.objection }));
  }
  if (asked.receiver && asked.receiver !== weapon.person) {
    const values = { owner: books.display(owner), person: books.display(books.people.get(asked.receiver)) };
    return refused(say("it is assigned to {owner}, not to {person}", values));
  }
  if (asked.store && weapon.account !== books.store(asked.store)) {
    return refused(say("it is not in {store}", { store: books.store(asked.store).name }));
  }
  const kept = notToBeHandedOut(weapon);
  if (kept) return kept;
  return { verdict: "ready", words: say("Goes out to {to}", { to: books.display(owner) }), party: books.display(owner) };
}

function toDrawBack(books, weapon, asked, now) {
  const holder = weapon.account.name;
  if (!weapon.card && weapon.account.party !== weapon.person) {
    if (weapon.person === null) {
      return refused(say("{holder} holds it, and it is assigned to nobody: take it back by a return", { holder }));
    }
    const owner = books.people.get(weapon.person);
    const whose = owner ? books.display(owner) : say("its person");
    return refused(say("{holder} holds it, not {whose}, to whom it is assigned: take it back by a return", { holder, whose }));
  }
  const again = weapon.moved === "issue" && sameScan(weapon, now, (values) =>
    say("it went out {ago} s ago, as {document}: scanned twice? If it really goes back again, say direction 'back'", values));
  if (again) return refused(again);
  if (asked.receiver && asked.receiver !== weapon.account.party) {
    return refused(say("{holder} holds it, not {person}", { holder, person: books.display(books.people.get(asked.receiver)) }));
  }
  const to = asked.store ? books.store(asked.store) : weapon.rack;
  if (!to) return refused(say("nobody knows the rack it was taken from: say the store"));
  return { verdict: "ready", words: say("Comes back into {to}", { to: to.name }), party: holder };
}

function sameScan(weapon, now, words) {
  const ago = Math.floor(now.getTime() / 1000) - weapon.since;
  if (ago < 0 || ago >= SAME_SCAN_SECONDS) return null;
  return words({ ago, document: weapon.document });
}

function ready(weapon) {
  return { verdict: "ready", words: weapon.account.name };
}

function refused(reason) {
  return { verdict: "refused", words: begun(reason) };
}

function notToBeHandedOut(weapon) {
  if (!weapon.marked) return { verdict: "not marked", words: say("It bears no serial number or mark: mark it first") };
  if (weapon.condition === "unserviceable") {
    return { verdict: "unserviceable", words: say("It is unserviceable: it stays, or goes to the workshop") };
  }
  return null;
}

/** What is said of a weapon that is not where the act begins. */
function notThere(books, weapon) {
  const { class: kind, name } = weapon.account;
  const values = { where: name === kind ? say(name) : name, since: since(books, weapon), gone: GONE[kind]?.() };
  if (kind === "maintenance") return { verdict: "in the workshop", words: say("It is in the workshop{since}", values) };
  const verdict = BY_CLASS[kind] ?? "held";
  const words = {
    "not arrived": say("It has not been received yet: {where}", values),
    missing: say("Reported missing{since}. In your hand? Recover it", values),
    gone: say("The books say {gone}{since}. In your hand? Recover it", values),
    "not in the books": say("It was taken back out of the books"),
    held: say("Held by {where}{since}", values),
  };
  return { verdict, words: words[verdict] };
}

/** What is counted, by its model, after what the lines before it take. */
function ofCounted(books, asked) {
  const model = books.model(asked.model ?? "");
  if (!model) return refused(say("unknown model: name it as the catalogue does, or have a registrar say once what is meant by it"));
  if (model.tracked_by === "serial") return refused(say("{model} is tracked by serial number: scan each weapon", { model: model.name }));
  const place = asked.mode === "return" ? (asked.receiver ? books.accountOfParty(asked.receiver) : null) : need(books, asked.store);
  if (!place) return refused(say("{name} is counted: say where it is taken from, or scan a weapon", { name: model.name }));
  if (model.tracked_by === "lot" && !asked.lot) return refused(say("{model} is tracked by lot: give the lot", { model: model.name }));
  const same = (one) => !one.item && !one.scan && books.model(one.model ?? "") === model && (one.lot ?? null) === (asked.lot ?? null);
  const before = (asked.lines ?? []).filter(same).reduce((sum, one) => sum + (one.quantity ?? 1), 0);
  const there = books.counted
    .filter((one) => one.account === place && one.model === model && (!asked.lot || one.lot === asked.lot))
    .reduce((sum, one) => sum + one.quantity, 0);
  const wanted = asked.quantity ?? 1;
  if (before + wanted <= there) return { verdict: "ready", words: place.name };
  const name = asked.lot ? say("{model}, lot {lot}", { model: model.name, lot: asked.lot }) : model.name;
  const values = { there, name, where: place.name, asked: wanted };
  const more = say("{asked} more asked for: other lines take {before}", { asked: wanted, before });
  const words = before
    ? say("only {there} {name} at {where}, {more}", { ...values, more })
    : say("only {there} {name} at {where}, {asked} asked for", values);
  return { ...refused(words), verdict: "too few" };
}

function need(books, name) {
  const store = books.store(name);
  if (store) return store;
  const known = books.stores.map((one) => one.name).join(", ") || say("none yet");
  const site = books.site.code;
  const problem = name ? say("{site} has no store {name!r}", { site, name }) : say("say which store of {site}", { site });
  throw new Unanswerable(say("Store: {problem}. Its stores: {known}.", { problem, known }), "store");
}

/** A weapon as the counter shows it. */
export function seen(books, weapon, withSince = false) {
  return {
    item_id: weapon.item,
    asset_tag: assetTag(weapon.tag),
    tracked_by: "serial",
    maker: weapon.model.maker,
    model: weapon.model.name,
    serial_number: weapon.serial,
    condition: weapon.condition,
    account_class: weapon.account.class,
    where: weapon.account.name,
    site: withSince ? books.site.code : null,
    since: withSince ? new Date(weapon.since * 1000).toISOString() : null,
    document_number: withSince ? weapon.document : null,
    accessories: [],
  };
}

function since(books, weapon) {
  const moment = onTheWall(new Date(weapon.since * 1000), books.site.time_zone);
  if (!weapon.document) return say(" since {moment}", { moment });
  return say(" since {moment}, {document}", { moment, document: weapon.document });
}

/** @param {Date} moment @param {string} timeZone @returns {string} YYYY-MM-DD HH:MM on the site's wall */
export function onTheWall(moment, timeZone) {
  const form = { timeZone, dateStyle: "short", timeStyle: "short", hourCycle: "h23", numberingSystem: "latn", calendar: "gregory" };
  return new Intl.DateTimeFormat("sv-SE", form).format(moment);
}
