/**
 * A site's books as this station last saw them (`GET /v1/station/snapshot`), in memory with what is needed to find a weapon by any
 * scan in a moment, and with what this station wrote since laid on top. It only reads; what a scan means is said as
 * `stockpile/scans.py` says it.
 */

import { fold, readAssetTag, serialKey } from "./identity.js";
import { readMark } from "./marks.js";

/**
 * @typedef {object} Weapon
 * @property {string} item
 * @property {number} tag
 * @property {Account} account where it is
 * @property {Model} model
 * @property {string|null} serial
 * @property {string|null} uii
 * @property {boolean} marked
 * @property {string|null} condition
 * @property {number} since seconds
 * @property {string|null} person whose it is at the draw; "" somebody who serves here no more
 * @property {Account|null} rack
 * @property {boolean} card
 * @property {string} document the number it came there under
 * @property {string|undefined} moved by which act this station itself brought it there
 *
 * @typedef {{account: string, class: string, name: string, party: string|null}} Account
 * @typedef {{model: string, maker: string, name: string, tracked_by: string}} Model
 */

/** A table's rows from its columns. */
export function rows(columns) {
  const names = Object.keys(columns);
  const [first] = names;
  return columns[first].map((_, place) => Object.fromEntries(names.map((name) => [name, columns[name][place]])));
}

/** A table's columns from its rows. */
function columns(names, all) {
  return Object.fromEntries(names.map((name) => [name, all.map((row) => row[name])]));
}

const WEAPON = ["item", "tag", "account", "model", "serial", "uii", "mark", "marked", "condition", "since", "person", "rack", "card", "document"];

/**
 * What was kept brought up to a new answer of the service.
 * @param {object|null} kept
 * @param {object} answer
 * @returns {object|null} null: they do not fit together, ask for everything
 */
export function merged(kept, answer) {
  const reference = answer.reference ?? kept?.reference;
  if (!reference) return null;
  if (answer.whole) return checked({ ...answer, reference });
  if (!kept || kept.site.code !== answer.site.code) return null;
  const places = new Map(answer.accounts.account.map((account, place) => [account, place]));
  const models = new Map(reference.models.model.map((model, place) => [model, place]));
  const newer = new Set([...answer.weapons.item, ...answer.gone]);
  const stayed = rows(kept.weapons)
    .filter((weapon) => !newer.has(weapon.item))
    .map((weapon) => ({
      ...weapon,
      account: places.get(kept.accounts.account[weapon.account]),
      model: models.get(kept.reference.models.model[weapon.model]),
      rack: weapon.rack === null ? null : (places.get(kept.accounts.account[weapon.rack]) ?? null),
    }));
  if (stayed.some((weapon) => weapon.account === undefined || weapon.model === undefined)) return null;
  const formerly = rows(kept.formerly).filter((one) => !newer.has(one.item));
  return checked({
    ...answer,
    whole: true,
    gone: [],
    reference,
    weapons: columns(WEAPON, [...stayed, ...rows(answer.weapons)]),
    formerly: columns(["item", "serial", "uii"], [...formerly, ...rows(answer.formerly)]),
  });
}

/** The books, if each account holds as many weapons as the service counted. */
function checked(books) {
  const counts = new Array(books.accounts.account.length).fill(0);
  for (const account of books.weapons.account) counts[account] += 1;
  return counts.every((count, place) => count === books.counts[place]) ? books : null;
}

/** A site's books, ready to be asked. */
export class SiteBooks {
  /** @param {object} kept as `merged` gives them */
  constructor(kept) {
    this.site = kept.site;
    this.recordedAt = kept.recorded_at;
    this.accounts = rows(kept.accounts);
    this.models = rows(kept.reference.models);
    this.people = new Map(rows(kept.reference.people).map((person) => [person.code, { ...person, kind: "person" }]));
    this.units = new Map(rows(kept.reference.units).map((unit) => [unit.code, { ...unit, kind: "unit", rank: null }]));
    this.weapons = new Map();
    this.counted = rows(kept.counted).map((one) => ({ ...one, account: this.accounts[one.account], model: this.models[one.model] }));
    this.byTag = new Map();
    this.byUii = new Map();
    this.byKey = new Map();
    this.formerlyByUii = new Map();
    this.formerlyByKey = new Map();
    this.accountOf = new Map(this.accounts.map((account) => [account.account, account]));
    this.stores = this.accounts.filter((account) => account.class === "store" && account.party === null);
    for (const row of rows(kept.weapons)) this.#add(row);
    for (const row of rows(kept.formerly)) this.#addFormerly(row);
    this.#nameModels(kept.reference);
    this.#folded = null;
  }

  #folded;

  #add(row) {
    const weapon = {
      ...row,
      account: this.accounts[row.account],
      model: this.models[row.model],
      marked: row.marked === 1,
      rack: row.rack === null ? null : this.accounts[row.rack],
      card: row.card === 1,
    };
    this.weapons.set(weapon.item, weapon);
    this.byTag.set(String(weapon.tag), weapon);
    if (weapon.uii) push(this.byUii, weapon.uii, weapon);
    if (weapon.serial) push(this.byKey, serialKey(weapon.serial), weapon);
  }

  #addFormerly(row) {
    const weapon = this.weapons.get(row.item);
    if (!weapon) return;
    if (row.uii && row.uii !== weapon.uii) push(this.formerlyByUii, row.uii, weapon);
    if (row.serial && (!weapon.serial || serialKey(row.serial) !== serialKey(weapon.serial))) {
      push(this.formerlyByKey, serialKey(row.serial), weapon);
    }
  }

  /** As `stockpile/catalogue.py`: the site's own alias, a model's own name if one maker alone uses it, the catalogue's alias. */
  #nameModels(reference) {
    this.modelOf = new Map();
    for (const model of this.models) {
      for (const name of new Set([nameKey(model.name), nameKey(`${model.maker} ${model.name}`)])) push(this.modelOf, name, model);
    }
    for (const [name, models] of this.modelOf) this.modelOf.set(name, models.length === 1 ? models[0] : null);
    for (const alias of rows(reference.aliases)) {
      const name = nameKey(alias.name);
      if (!this.modelOf.get(name)) this.modelOf.set(name, this.models[alias.model]);
    }
  }

  /** @param {string} name @returns {Model|null} the model of a name or alias */
  model(name) {
    return this.modelOf.get(nameKey(name)) ?? null;
  }

  /**
   * What a scan may mean: by tag, UII, serial number; who bears it now before who once did.
   * @param {string} scan
   * @returns {Weapon[]} none: these books never heard of it
   */
  lookUp(scan) {
    const tag = readAssetTag(scan);
    const tagged = tag === null ? undefined : this.byTag.get(tag);
    if (tagged) return [tagged];
    const [uii, serial] = marked(scan);
    const key = serialKey(serial);
    return (
      (uii && (this.byUii.get(uii) ?? this.formerlyByUii.get(uii))) || this.byKey.get(key) || this.formerlyByKey.get(key) || []
    );
  }

  /**
   * Weapons whose serial number looks like a text that nothing bears; `?` stands for one character, `*` for any number.
   * @param {string} text
   * @param {number} most
   * @param {boolean} beginning whether it may go on after the text
   * @returns {Weapon[]}
   */
  lookAlikes(text, most, beginning = false) {
    const pattern = patternOf(text, beginning);
    if (pattern === null) return [];
    const found = [];
    for (const [key, weapon] of this.#byFold()) {
      if (pattern.test(key) && !found.includes(weapon)) found.push(weapon);
      if (found.length === most) break;
    }
    return found;
  }

  /** Every number that is or was borne, folded, in order. */
  #byFold() {
    if (this.#folded === null) {
      const all = [];
      for (const numbers of [this.byKey, this.formerlyByKey]) {
        for (const [key, weapons] of numbers) for (const weapon of weapons) all.push([fold(key), weapon]);
      }
      this.#folded = all.sort((a, b) => (a[0] < b[0] || (a[0] === b[0] && a[1].item < b[1].item) ? -1 : 1));
    }
    return this.#folded;
  }

  /** The person or unit of a code; a code that both have means the person. */
  party(code) {
    return this.people.get(code) ?? this.units.get(code) ?? null;
  }

  /** How a party is called on a paper. */
  display(party) {
    return `${party.rank ? `${party.rank} ` : ""}${party.name} (${party.code})`;
  }

  /** The account of a person or unit; one that holds nothing yet gets one here. */
  accountOfParty(code) {
    const known = this.accounts.find((account) => account.party === code && (account.class === "person" || account.class === "unit"));
    if (known) return known;
    const party = this.party(code);
    const name = party === null ? `unidentified person of ${this.site.code}` : this.display(party);
    const account = { account: `of ${code}`, class: party?.kind ?? "person", name, party: code };
    this.accounts.push(account);
    return account;
  }

  /** @param {string|null|undefined} name @returns {Account|null} the store of a name, or the only one */
  store(name) {
    if (name === null || name === undefined) return this.stores.length === 1 ? this.stores[0] : null;
    const wanted = name.trim().toLowerCase();
    return this.stores.find((store) => store.name.toLowerCase() === wanted) ?? null;
  }

  /** How many weapons a person or unit holds. */
  holds(code) {
    let count = 0;
    for (const { account } of this.weapons.values()) if (account.party === code && account.class !== "store") count += 1;
    return count;
  }

  /**
   * Lays what this station wrote on top, as the service will post it: weapons go where it says from wherever they were.
   * @param {{act: string, request: object, at: string, number: string, card?: boolean}} written
   */
  lay({ act, request, at, number, card = false }) {
    const to = act === "issue" ? this.accountOfParty(request.receiver) : act === "return" ? this.store(request.store) : null;
    if (!to) return;
    const from = act === "issue" ? this.store(request.store) : request.returned_by ? this.accountOfParty(request.returned_by) : null;
    for (const line of request.lines ?? []) {
      if (!line.item && !line.scan) {
        this.#move(line, from, to);
        continue;
      }
      const meant = this.meant(line);
      if (meant.length !== 1) continue;
      const [weapon] = meant;
      if (act === "issue" && weapon.account.class === "store") weapon.rack = weapon.account;
      Object.assign(weapon, {
        account: to,
        since: Math.floor(Date.parse(at) / 1000),
        document: number,
        card: act === "issue" && card,
        moved: act,
        condition: line.condition ?? weapon.condition,
      });
    }
  }

  #move(line, from, to) {
    const model = this.model(line.model ?? "");
    if (!model) return;
    const lot = line.lot ?? null;
    let left = line.quantity ?? 1;
    for (const one of this.counted) {
      if (one.account !== from || one.model !== model || (lot !== null && one.lot !== lot)) continue;
      const taken = Math.min(left, one.quantity);
      one.quantity -= taken;
      left -= taken;
    }
    const there = this.counted.find((one) => one.account === to && one.model === model && one.lot === lot);
    if (there) there.quantity += line.quantity ?? 1;
    else this.counted.push({ account: to, model, lot, quantity: line.quantity ?? 1 });
  }

  /** The weapons that a line may mean. */
  meant(line) {
    if (line.item) {
      const weapon = this.weapons.get(line.item);
      return weapon ? [weapon] : [];
    }
    const found = this.lookUp(line.scan);
    if (!line.model || found.length < 2) return found;
    const wanted = line.model.toLowerCase();
    const ofModel = found.filter((weapon) => weapon.model.name.toLowerCase() === wanted);
    return ofModel.length ? ofModel : found;
  }
}

function push(map, key, value) {
  const there = map.get(key);
  if (there) there.push(value);
  else map.set(key, [value]);
}

function nameKey(name) {
  return name.trim().split(/\s+/u).join(" ").toLowerCase();
}

/** The UII in a scan, and the serial number to look for: the mark's own, else the scan as it is. */
function marked(scan) {
  let mark = null;
  try {
    mark = readMark(scan);
  } catch {
    return [null, scan];
  }
  return mark === null ? [null, scan] : [mark.uii, mark.serialNumber ?? scan];
}

/** Whether a text was read by machine: it means what it says, or nothing. */
function readByMachine(text) {
  try {
    return Boolean(readMark(text)?.format) || readAssetTag(text) !== null;
  } catch {
    return text.startsWith("[)>");
  }
}

function patternOf(text, beginning) {
  const asked = text.trim();
  if (!asked || Array.from(asked).length > 64 || readByMachine(asked)) return null;
  if (/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Zl}\p{Zp}\ufffd]/u.test(asked)) return null;
  const pieces = asked
    .replace(/[\u061f\uff1f]/gu, "?")
    .replace(/[\uff0a\u066d]/gu, "*")
    .split(/(\?|\*+)/u)
    .map((piece) => (piece === "?" || piece.startsWith("*") ? piece[0] : fold(piece)))
    .filter((piece) => piece !== "");
  if (!pieces.length || pieces[0] === "?" || pieces[0] === "*") return null;
  const written = pieces.map((piece) =>
    piece === "?" ? "." : piece === "*" ? ".*" : piece.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"),
  );
  return new RegExp(`^${written.join("")}${beginning ? "" : "$"}`, "su");
}
