/**
 * What an act would say of one weapon, from the books that this station has: the same verdicts in the same words as
 * `stockpile/verdicts.py` gives. `tests/verdict_cases.json` holds the two together. Nothing here refuses anything: what is written
 * down without the service is posted as a fact, whatever is said here.
 */

import { assetTag } from "./identity.js";

const SEVERITY = {
  ready: "ready",
  "brought by another": "attention",
  "already listed": "attention",
  several: "attention",
  "did you mean": "attention",
};

const GONE = { lost: "it was lost", expended: "it was expended", destroyed: "it was destroyed", exported: "it was exported" };
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
    this.problem = { title: "The input has mistakes", status: 422, detail, faults: [{ message: detail, field }] };
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
    const words = `${found.length} weapons bear this number: choose one, or scan the asset tag`;
    return { verdict: "several", words, candidates: found.slice(0, CANDIDATES) };
  }
  if (!found.length) {
    const alike = asked.scan ? books.lookAlikes(asked.scan, CANDIDATES) : [];
    if (!alike.length) return { verdict: "unknown", words: "Nothing in the books bears this number" };
    return { verdict: "did you mean", words: "Nothing in the books bears this number. Did you mean one of these?", candidates: alike };
  }
  const [weapon] = found;
  const line = (asked.lines ?? []).findIndex((one) => one.item === weapon.item) + 1;
  if (line) return { verdict: "already listed", words: `Already on this list, line ${line}`, weapon, line };
  return { weapon, ...MODES[asked.mode](books, weapon, asked, store, now) };
}

const MODES = { issue: toIssue, return: toReturn, draw: toDraw, "look up": toLookUp };

function toIssue(books, weapon, asked, store) {
  if (weapon.account.class !== "store") return notThere(books, weapon);
  if (weapon.account !== store) {
    return { verdict: "in another store", words: `It is in ${weapon.account.name}, not in ${store.name}` };
  }
  return notToBeHandedOut(weapon) ?? ready(weapon);
}

function toReturn(books, weapon, asked) {
  if (weapon.account.class === "person" || weapon.account.class === "unit") {
    const giver = asked.receiver ? books.party(asked.receiver) : null;
    if (!giver || giver.code === weapon.account.party) return ready(weapon);
    const words = `${weapon.account.name} has it, not ${books.display(giver)}: this will be said on the turn-in`;
    return { verdict: "brought by another", words };
  }
  if (weapon.account.class === "store") {
    return { verdict: "in a store", words: `It is in ${weapon.account.name}${since(books, weapon)}: nobody has it` };
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
    throw new Unanswerable(`Person: nobody at ${books.site.code} has the number '${asked.receiver}'.`, "person");
  }
  if (weapon.account.class === "store") return toDrawOut(books, weapon, asked, now);
  if (weapon.account.class === "unit") return refused("it is neither in a store nor with its person");
  if (weapon.account.class !== "person") return notThere(books, weapon);
  return toDrawBack(books, weapon, asked, now);
}

function toDrawOut(books, weapon, asked, now) {
  const again = weapon.moved === "return" && sameScan(weapon, now, "came back", "out");
  if (again) return refused(again);
  if (weapon.person === null) return refused("it is assigned to nobody: assign it first, or issue it against a hand receipt");
  const owner = books.people.get(weapon.person);
  if (!owner) return refused("the person it is assigned to serves at this site no more: assign it anew");
  if (owner.objection) return refused(`it is assigned to somebody who may not draw: ${owner.objection}`);
  if (asked.receiver && asked.receiver !== weapon.person) {
    return refused(`it is assigned to ${books.display(owner)}, not to ${books.display(books.people.get(asked.receiver))}`);
  }
  if (asked.store && weapon.account !== books.store(asked.store)) return refused(`it is not in ${books.store(asked.store).name}`);
  const kept = notToBeHandedOut(weapon);
  if (kept) return kept;
  return { verdict: "ready", words: `Goes out to ${books.display(owner)}`, party: books.display(owner) };
}

function toDrawBack(books, weapon, asked, now) {
  const holder = weapon.account.name;
  if (!weapon.card && weapon.account.party !== weapon.person) {
    if (weapon.person === null) return refused(`${holder} holds it, and it is assigned to nobody: take it back by a return`);
    const owner = books.people.get(weapon.person);
    const whose = owner ? books.display(owner) : "its person";
    return refused(`${holder} holds it, not ${whose}, to whom it is assigned: take it back by a return`);
  }
  const again = weapon.moved === "issue" && sameScan(weapon, now, "went out", "back");
  if (again) return refused(again);
  if (asked.receiver && asked.receiver !== weapon.account.party) {
    return refused(`${holder} holds it, not ${books.display(books.people.get(asked.receiver))}`);
  }
  const to = asked.store ? books.store(asked.store) : weapon.rack;
  if (!to) return refused("nobody knows the rack it was taken from: say the store");
  return { verdict: "ready", words: `Comes back into ${to.name}`, party: holder };
}

function sameScan(weapon, now, done, other) {
  const ago = Math.floor(now.getTime() / 1000) - weapon.since;
  if (ago < 0 || ago >= SAME_SCAN_SECONDS) return null;
  return `it ${done} ${ago} s ago, as ${weapon.document}: scanned twice? If it really goes ${other} again, say direction '${other}'`;
}

function ready(weapon) {
  return { verdict: "ready", words: weapon.account.name };
}

function refused(reason) {
  return { verdict: "refused", words: reason[0].toUpperCase() + reason.slice(1) };
}

function notToBeHandedOut(weapon) {
  if (!weapon.marked) return { verdict: "not marked", words: "It bears no serial number or mark: mark it first" };
  if (weapon.condition === "unserviceable") {
    return { verdict: "unserviceable", words: "It is unserviceable: it stays, or goes to the workshop" };
  }
  return null;
}

/** What is said of a weapon that is not where the act begins. */
function notThere(books, weapon) {
  const when = since(books, weapon);
  const { class: kind, name } = weapon.account;
  if (kind === "maintenance") return { verdict: "in the workshop", words: `It is in the workshop${when}` };
  const verdict = BY_CLASS[kind] ?? "held";
  const words = {
    "not arrived": `It has not been received yet: ${name}`,
    missing: `Reported missing${when}. In your hand? Recover it`,
    gone: `The books say ${GONE[kind]}${when}. In your hand? Recover it`,
    "not in the books": "It was taken back out of the books",
    held: `Held by ${name}${when}`,
  };
  return { verdict, words: words[verdict] };
}

/** What is counted, by its model, after what the lines before it take. */
function ofCounted(books, asked) {
  const model = books.model(asked.model ?? "");
  if (!model) return refused("unknown model: name it as the catalogue does, or have a registrar say once what is meant by it");
  if (model.tracked_by === "serial") return refused(`${model.name} is tracked by serial number: scan each weapon`);
  const place = asked.mode === "return" ? (asked.receiver ? books.accountOfParty(asked.receiver) : null) : need(books, asked.store);
  if (!place) return refused(`${model.name} is counted: say where it is taken from, or scan a weapon`);
  if (model.tracked_by === "lot" && !asked.lot) return refused(`${model.name} is tracked by lot: give the lot`);
  const same = (one) => !one.item && !one.scan && books.model(one.model ?? "") === model && (one.lot ?? null) === (asked.lot ?? null);
  const before = (asked.lines ?? []).filter(same).reduce((sum, one) => sum + (one.quantity ?? 1), 0);
  const there = books.counted
    .filter((one) => one.account === place && one.model === model && (!asked.lot || one.lot === asked.lot))
    .reduce((sum, one) => sum + one.quantity, 0);
  const wanted = asked.quantity ?? 1;
  if (before + wanted <= there) return { verdict: "ready", words: place.name };
  const name = asked.lot ? `${model.name}, lot ${asked.lot}` : model.name;
  const more = before ? `${wanted} more asked for: other lines take ${before}` : `${wanted} asked for`;
  return { ...refused(`only ${there} ${name} at ${place.name}, ${more}`), verdict: "too few" };
}

function need(books, name) {
  const store = books.store(name);
  if (store) return store;
  const known = books.stores.map((one) => one.name).join(", ") || "none yet";
  const problem = name ? `${books.site.code} has no store '${name}'` : `say which store of ${books.site.code}`;
  throw new Unanswerable(`Store: ${problem}. Its stores: ${known}.`, "store");
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
  return ` since ${onTheWall(new Date(weapon.since * 1000), books.site.time_zone)}${weapon.document ? `, ${weapon.document}` : ""}`;
}

/** @param {Date} moment @param {string} timeZone @returns {string} YYYY-MM-DD HH:MM on the site's wall */
export function onTheWall(moment, timeZone) {
  const form = { timeZone, dateStyle: "short", timeStyle: "short", hourCycle: "h23", numberingSystem: "latn", calendar: "gregory" };
  return new Intl.DateTimeFormat("sv-SE", form).format(moment);
}
