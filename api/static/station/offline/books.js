/**
 * The station with and without its link: offers what `service.js` offers, and decides answer by answer whether the service gives it or
 * the books kept here do. What is confirmed without the service becomes a voucher of this device, and is posted as a fact when the link
 * returns. Nothing is said to be done before it is kept.
 *
 * `openOffline(service, onLink)` puts itself before a service in place, so that whoever asks it need not know.
 */

import { Device, objection, ownKey, sha256 } from "./device.js";
import { IDLE_MINUTES, People } from "./people.js";
import { NoLink, NotTaken, Queue, ask } from "./queue.js";
import { SiteBooks, merged } from "./site_books.js";
import { NotKept, Storage, askToPersist, becomeWriter } from "./storage.js";
import { Unanswerable, judge, onTheWall, seen } from "./verdict.js";
import { newKey } from "../keys.js";
import { NoAnswer, Problem } from "../service.js";
import { say } from "../words.js";

const VERDICT_PATIENCE = 1500;
const PROBE_SECONDS = 5;
const PROBE_PATIENCE = 4000;
const REFRESH_SECONDS = 60;
const CLOCK_TOLERANCE = 60;
const UNDO_MINUTES = 15;
const SUGGESTIONS = 8;

/** Acts of the counter that may be written without the service, by their route. Draws become issues and returns. */
const ACT_OF = {
  issues: "issue", returns: "return", "hand-overs": "hand over", "work-orders": "maintain", receipts: "receive", arrivals: "receive",
  gains: "register gain", markings: "mark", shipments: "ship", rejections: "reject", "loss-reports": "report missing",
  expenditures: "expend", recoveries: "recover", voids: "void",
};
/** Modes whose verdicts the books here can't give: what is awaited, and what others read, is not in them. */
const OF_THE_SERVICE_ALONE = new Set(["receive", "count"]);
const OF_THE_COUNTER_ALONE = ["document_id", "site", "signatures", "paper"];

/**
 * @typedef {object} State what the station shows of itself
 * @property {string|null} objection why this browser can keep no books: "insecure", "no keys", "no storage"
 * @property {import("./device.js").Enrolled|null} enrolled
 * @property {boolean} writer whether this tab is the one that writes
 * @property {boolean} up whether the service answers
 * @property {boolean} signedIn whether somebody of the site is signed in, as far as is known
 * @property {boolean} locked whether somebody must say who they are before the books go on
 * @property {object|null} person who works here
 * @property {number} waiting vouchers not sent
 * @property {number} setAside vouchers that the service could not post
 * @property {string|null} asOf of which moment the books here are
 * @property {number|null} clockOffset seconds that this clock is ahead
 * @property {string|null} trouble what could not be kept, in words
 * @property {boolean} full whether the disk is full
 * @property {boolean} revoked
 * @property {boolean} wiped whether everything was taken off this browser
 * @property {boolean} pinSet whether who is signed in set a PIN for when the link is down
 * @property {boolean} persisted whether the browser promised not to clear what is kept
 */

/** The station's books; dispatches "change" whenever its state does. */
export class Books extends EventTarget {
  #online;
  #storage = null;
  #device = null;
  #queue = null;
  #people = null;
  #site = null;
  #kept = null;
  #signatures = new Map();
  #active = Date.now();
  #sending = null;
  #refreshing = null;
  #others = new BroadcastChannel("stockpile-station");

  /** @param {object} online the functions of `service.js` as they ask the service */
  constructor(online) {
    super();
    this.#online = online;
    /** @type {State} */
    this.state = {
      objection: null, enrolled: null, writer: false, up: true, signedIn: true, locked: false, person: null, waiting: 0, setAside: 0,
      asOf: null, clockOffset: null, trouble: null, full: false, revoked: false, wiped: false, persisted: false,
      pinSet: true,
    };
  }

  /** Opens what is kept here, if this browser is a device, and begins to watch the link. */
  async open() {
    this.#set({ objection: await objection() });
    if (this.state.objection) return this;
    try {
      await this.#openStorage();
      await this.#read();
    } catch (problem) {
      this.#trouble(problem);
      return this;
    }
    const writes = await becomeWriter(() => this.#set({ writer: true }));
    if (writes && this.#device) await this.#queue.forget().catch((problem) => this.#trouble(problem));
    this.#watch();
    return this;
  }

  async #openStorage() {
    this.#storage = await Storage.open();
    this.#people = new People(this.#storage);
    this.#storage.addEventListener("closed", () => this.#closed());
  }

  async #read() {
    this.#device = await Device.read(this.#storage);
    this.#queue = this.#device && new Queue(this.#storage, this.#device);
    this.#kept = this.#device && ((await this.#storage.get("books", "site")) ?? null);
    this.#set({ enrolled: this.#device?.enrolled ?? null, locked: Boolean(this.#device), revoked: false });
    if (this.#device) await this.#build();
  }

  /** The site's books with what this station wrote since on top; never while something is being written. */
  #build() {
    if (!this.#device) return Promise.resolve();
    return this.#alone(() => this.#buildNow());
  }

  /** One after another: books that are built while a voucher is written would not have it. */
  #alone(work) {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #turn = Promise.resolve();

  async #buildNow() {
    const vouchers = await this.#queue.all();
    const count = (state) => vouchers.filter((voucher) => voucher.state === state).length;
    this.#set({ waiting: count("waiting"), setAside: count("set aside") });
    if (!this.#kept) return;
    this.#site = new SiteBooks(this.#kept);
    const known = Date.parse(this.#kept.recorded_at);
    const online = await this.#storage.read(["online"], ({ online }) => online.getAll());
    const newer = online.filter((one) => Date.parse(one.at) > known).flatMap((one) => one.written.map((written) => ({ ...written, at: one.at })));
    const own = vouchers
      .filter((one) => one.state === "waiting" || one.state === "set aside" || Date.parse(one.outcome?.recorded_at ?? 0) > known)
      .filter((one) => one.state !== "taken back")
      .map((one) => ({ act: one.act, request: JSON.parse(one.payload).request, at: one.written_at, number: one.number, card: one.card }));
    for (const written of [...newer, ...own].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))) this.#site.lay(written);
    this.#set({ asOf: this.#kept.recorded_at });
  }

  // The link

  #watch() {
    this.#others.onmessage = () => this.#build().catch((problem) => this.#trouble(problem));
    addEventListener("online", () => this.touch());
    addEventListener("offline", () => this.#heard(false));
    setInterval(() => this.#tick(), PROBE_SECONDS * 1000);
    this.touch();
  }

  #tick() {
    const idle = (Date.now() - this.#active) / 60_000;
    if (!this.state.up && this.#device && !this.state.locked && idle > IDLE_MINUTES) this.#set({ locked: true, person: null });
    const old = this.state.asOf === null || Date.now() - this.#refreshedAt > REFRESH_SECONDS * 1000;
    if (!this.state.up || (this.#device && old) || this.state.waiting) this.touch();
  }

  #refreshedAt = 0;

  /** Tells whether the service answered. */
  #heard(up) {
    const returned = up && !this.state.up;
    this.#set({ up });
    if (returned) this.touch();
  }

  /**
   * Is in touch with the service: sends what waits, brings the books up to date, and hears whether the device is still one.
   * @returns {Promise<void>}
   */
  touch() {
    this.#refreshing ??= this.#touch().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  /**
   * Waits until it is known whether the service answers, but not for long: one that is slow is taken for one that is not there.
   * @param {number} patience milliseconds
   */
  async settled(patience) {
    const late = new Promise((resolve) => setTimeout(resolve, patience, true));
    if ((await Promise.race([this.touch(), late])) && this.#site) this.#set({ up: false });
  }

  async #touch() {
    try {
      await ask("GET", "/v1/health", undefined, PROBE_PATIENCE);
      this.#set({ up: true });
      if (!this.#device) return;
      await this.send();
      await this.#refresh();
      await this.#hearOfDevice();
    } catch (problem) {
      this.#missed(problem);
    }
  }

  #missed(problem) {
    if (problem instanceof NoLink || problem instanceof NoAnswer) this.#set({ up: false });
    else if (problem instanceof NotTaken) this.#set({ signedIn: ![401, 403, 404].includes(problem.status) });
    else this.#trouble(problem);
  }

  /** Sends what waits. @throws {NoLink|NotTaken} */
  async send() {
    if (!this.state.writer || !this.#queue) return;
    this.#sending ??= this.#send().finally(() => (this.#sending = null));
    await this.#sending;
  }

  async #send() {
    if (!(await this.#queue.waiting()).length) return;
    try {
      const { clockOffset } = await this.#queue.send();
      if (clockOffset !== null) this.#set({ clockOffset, signedIn: true });
    } finally {
      await this.#build();
      this.#tellOthers();
    }
  }

  /** What was written is shown in the other windows too. */
  #tellOthers() {
    this.#others.postMessage("written");
  }

  async #refresh() {
    const kept = this.#kept;
    const since = kept ? { since: kept.recorded_at, reference: kept.reference_digest } : {};
    const answer = await ask("GET", `/v1/station/snapshot?${new URLSearchParams(since)}`);
    const moment = Date.now();
    if (answer.site.code !== this.#device.enrolled.site) {
      this.#set({ signedIn: false });
      return;
    }
    let books = merged(kept, answer);
    if (books === null) books = merged(null, await ask("GET", "/v1/station/snapshot"));
    if (books === null) return;
    this.#kept = books;
    this.#refreshedAt = moment;
    const offset = (moment - Date.parse(answer.recorded_at)) / 1000;
    this.#set({ signedIn: true, locked: false, person: answer.asker, clockOffset: Math.abs(offset) < 5 ? 0 : offset });
    if (this.state.writer) {
      await this.#people.seen(answer.asker);
      const people = await this.#people.recent();
      this.#set({ pinSet: people.some((person) => person.code === answer.asker.code && person.pin) });
      await this.#storage.write(["books"], ({ books: store }) => void store.put(books, "site"));
      this.#set({ trouble: null, full: false });
    }
    await this.#build();
  }

  async #hearOfDevice() {
    const { device_id, book } = this.#device.enrolled;
    const { rows } = await ask("GET", `/v1/devices?${new URLSearchParams({ text: book, limit: 500 })}`);
    const known = rows.find((one) => one.device_id === device_id);
    if (!known?.revoked_at) return;
    this.#set({ revoked: true });
    if (this.state.writer && !this.state.waiting) await this.wipe();
  }

  // What the counter asks

  /** The functions of `service.js`, over whatever answers. */
  functions() {
    const online = this.#online;
    return {
      ...online,
      counter: () => this.#either(() => online.counter(), () => this.#counter()),
      verdict: (asked) => this.#verdict(asked),
      badge: (code, act, by) => this.#either(() => online.badge(code, act, by), () => this.#badge(code, act, by)),
      suggestions: (text, store) => this.#either(() => online.suggestions(text, store), () => this.#suggestions(text, store)),
      equipment: (holder) => this.#either(() => online.equipment(holder), () => this.#equipment(holder)),
      find: (text) => this.#either(() => online.find(text), () => this.#find(text)),
      history: (item) => this.#either(() => online.history(item), () => ({ entries: [], cursor: null })),
      cards: () => this.#either(() => online.cards(), () => this.#cards()),
      confirm: (path, body) => this.#confirm(path, body),
      undo: (document, undo) => this.#undo(document, undo),
      keepSignature: (png) => this.#keepSignature(png),
      sign: (document, signed) => this.#sign(document, signed),
    };
  }

  /** Asks the service if it is there, else the books here; without books the service's silence is the answer. */
  async #either(asking, here, patience = null) {
    this.#active = Date.now();
    if (this.state.up && navigator.onLine) {
      try {
        const answer = await (patience === null ? asking() : within(asking(), patience));
        this.#heard(true);
        return answer;
      } catch (problem) {
        if (!(problem instanceof NoAnswer)) throw problem;
        if (!problem.slow) this.#heard(false);
      }
    } else this.#set({ up: false });
    if (!this.#site) throw new NoAnswer(say("The service does not answer, and this station keeps no books of its own."));
    if (this.state.locked) throw new Problem({ status: 401, title: say("Locked"), detail: say("Say who you are first: badge and PIN.") });
    return told(here);
  }

  async #verdict(asked) {
    await this.#journal(asked);
    if (OF_THE_SERVICE_ALONE.has(asked.mode)) return this.#online.verdict(asked);
    const verdict = await this.#either(
      () => this.#online.verdict(asked),
      () => judge(this.#site, asked),
      this.#site ? VERDICT_PATIENCE : null,
    );
    return verdict.as_of ? { ...verdict, as_of_words: this.asOfWords() } : verdict;
  }

  /** How old the books here are, in words. */
  asOfWords() {
    const { asOf } = this.state;
    return asOf === null ? "" : say("By the books of {moment}", { moment: onTheWall(new Date(asOf), this.state.enrolled.time_zone) });
  }

  /** Every scan is kept at once, before anybody says what it means. */
  async #journal(asked) {
    if (!this.#device || !this.state.writer) return;
    const entry = {
      at: new Date().toISOString(), mode: asked.mode, text: asked.scan ?? asked.item ?? asked.model, how: asked.how ?? null,
    };
    try {
      await Promise.all([this.#lists, this.#storage.write(["journal"], ({ journal }) => void journal.add(entry))]);
    } catch (problem) {
      this.#trouble(problem);
    }
  }

  /**
   * Keeps a mode's list, so that it is there again after the browser was killed.
   * @param {string} name as the station keeps it
   * @param {object} state
   */
  keepList(name, state) {
    if (!this.#device || !this.state.writer) return;
    const written = this.#storage.write(["about"], ({ about }) => void about.put({ ...this.#listsKept, [name]: state }, "lists"));
    this.#listsKept = { ...this.#listsKept, [name]: state };
    this.#lists = written.catch((problem) => this.#trouble(problem));
  }

  #lists = Promise.resolve();
  #listsKept = {};

  /** @returns {Promise<Record<string, object>>} the lists that were open when this station was last closed or killed */
  async lists() {
    if (!this.#device || !this.state.writer) return {};
    this.#listsKept = (await this.#storage.get("about", "lists")) ?? {};
    return this.#listsKept;
  }

  #counter() {
    const { person } = this.state;
    const site = this.#site.site;
    return {
      site: site.code, site_name: site.name, time_zone: site.time_zone, role: person.role, name: person.name,
      book: this.state.enrolled.book, stores: this.#site.stores.map((store) => store.name),
    };
  }

  /** As `stockpile/at_the_counter.py`. */
  #badge(code, act, receivedBy) {
    const books = this.#site;
    const party = books.party(code.trim());
    const answer = (verdict, severity, words, more = {}) => ({
      verdict, severity, words, party: party ? this.#partySeen(party) : null, drawn_by: null, drawers: [], ...more,
    });
    if (!party) return answer("unknown", "stop", say("Nobody at {site} has the number {code}", { site: books.site.code, code }));
    if (act === "return") return answer("ready", "ready", this.#name(party));
    if (party.objection) return answer("refused", "stop", party.objection);
    if (party.kind === "person") return answer("ready", "ready", this.#name(party));
    const drawers = party.drawn_by.map((one) => books.people.get(one)).filter(Boolean).slice(0, 9).map((one) => this.#partySeen(one));
    if (!receivedBy) return answer("who draws", "attention", say("Say who draws for {unit}.", { unit: this.#name(party) }), { drawers });
    if (party.drawn_by.includes(receivedBy)) return answer("ready", "ready", this.#name(party), { drawn_by: receivedBy });
    const who = books.people.get(receivedBy);
    const values = { who: who ? this.#name(who) : `'${receivedBy}'`, unit: this.#name(party) };
    return answer("refused", "stop", say("{who} is not on the signature card of {unit}", values), { drawers });
  }

  #name(party) {
    return this.#site.display(party);
  }

  #partySeen(party) {
    return { code: party.code, kind: party.kind, name: this.#name(party), holds: this.#site.holds(party.code) };
  }

  #suggestions(text, name) {
    const store = name ? this.#site.store(name) : null;
    const order = (weapon) => (weapon.account === store ? 0 : 1);
    const found = this.#site.lookAlikes(text, 60, true).sort((a, b) => order(a) - order(b));
    return found.slice(0, SUGGESTIONS).map((weapon) => seen(this.#site, weapon));
  }

  #equipment(holder) {
    return this.#site.counted
      .filter((one) => (holder ? one.account.party === holder : this.#site.stores.includes(one.account)) && one.quantity > 0)
      .map((one) => ({ account: one.account.name, model: one.model.name, lot: one.lot, quantity: one.quantity }));
  }

  #find(text) {
    let items = this.#site.lookUp(text);
    const alike = !items.length;
    if (alike) items = this.#site.lookAlikes(text, 20);
    return {
      text, did_you_mean: alike && items.length > 0, documents: [], parties: [], counted: [], cursor: null,
      items: items.slice(0, 20).map((weapon) => this.#found(weapon)), as_of: this.state.asOf,
    };
  }

  #found(weapon) {
    const one = seen(this.#site, weapon, true);
    return {
      item: {
        item_id: one.item_id, tracked_by: "serial", asset_tag: one.asset_tag, maker: one.maker, model: one.model,
        serial_number: one.serial_number, formerly: [], obliterated: false, distinguishing_mark: weapon.mark, uii: weapon.uii,
        lot: null, donor: null, import_mark: null, import_country: null, import_year: null,
      },
      standings: [{
        item_id: one.item_id, account_class: one.account_class, account: one.where, site: one.site, quantity: 1,
        condition: one.condition, unverified: false, since: one.since, document_number: one.document_number, act: "",
      }],
    };
  }

  #cards() {
    const rows = [...this.#site.weapons.values()]
      .filter((weapon) => weapon.card && weapon.account.class === "person")
      .sort((a, b) => a.since - b.since)
      .map((weapon) => this.#card(weapon));
    return { rows, cursor: null };
  }

  #card(weapon) {
    const person = this.#site.people.get(weapon.account.party);
    const who = person
      ? { person: person.code, name: person.name, rank: person.rank, unit: person.units[0] ?? null }
      : { person: null, name: weapon.account.name, rank: null, unit: null };
    return { ...seen(this.#site, weapon, true), ...who, overdue: Date.now() / 1000 - weapon.since > 86_400 };
  }

  // What the counter writes

  async #confirm(path, body) {
    const before = await this.#writtenBefore(body.document_id);
    if (before) return before;
    this.#active = Date.now();
    if (this.state.up && navigator.onLine) {
      try {
        const posted = await this.#online.confirm(path, body);
        this.#heard(true);
        await this.#keepOnline(path, body, posted);
        return posted;
      } catch (problem) {
        if (!(problem instanceof NoAnswer) || !this.#site) throw problem;
        this.#heard(false);
      }
    }
    return this.#write(path, body);
  }

  /** The answer that this station gave to the same document before, if it did. */
  async #writtenBefore(documentId) {
    if (!this.#device || !documentId) return null;
    const voucher = await this.#storage.get("vouchers", documentId);
    return voucher && voucher.state !== "taken back" ? answerOf(voucher) : null;
  }

  async #write(path, body) {
    if (!this.#site) throw new NoAnswer(say("The service does not answer, and this station keeps no books of its own."));
    if (!this.state.writer) {
      throw new Problem({ status: 409, title: say("Another window writes"), detail: say("The station is open in another window. Go on there, or close it.") });
    }
    if (this.state.locked) throw new Problem({ status: 401, title: say("Locked"), detail: say("Say who you are first: badge and PIN.") });
    return this.#alone(() => this.#writeNow(path, body));
  }

  async #writeNow(path, body) {
    const written = told(() => asWritten(path, body, this.#site));
    const signed = this.#signedFor(body);
    if (signed.length) {
      written.request.attachments = [...new Set([...(written.request.attachments ?? []), ...signed.map((file) => file.sha256)])];
    }
    try {
      const voucher = await this.#device.write({
        act: written.act,
        clerk: this.state.person.code,
        request: written.request,
        document_id: body.document_id ?? newKey(),
        files: signed,
        about: { card: written.card, asked: { path: `/v1/${path}`, body } },
      });
      this.#site.lay({ ...written, at: voucher.written_at, number: voucher.number });
      this.#set({ waiting: this.state.waiting + 1, trouble: null, full: false });
      this.#tellOthers();
      return answerOf(voucher);
    } catch (problem) {
      this.#trouble(problem);
      throw new Problem({ status: 507, title: say("Not kept"), detail: this.state.trouble ?? String(problem) });
    }
  }

  /** What the service acknowledged is kept too, to be posted again should it ever lose it. */
  async #keepOnline(path, body, posted) {
    if (!this.#device || !this.state.writer || !posted.number) return;
    let written = [];
    try {
      written = this.#site && (ACT_OF[path] || path === "draws") ? [{ ...asWritten(path, body, this.#site), number: posted.number }] : [];
      for (const one of written) this.#site.lay({ ...one, at: posted.happened_at });
    } catch {
      written = [];
    }
    const record = { document_id: posted.document_id, path: `/v1/${path}`, body, act: posted.act, number: posted.number, at: posted.recorded_at, written };
    try {
      await this.#storage.write(["online"], ({ online }) => void online.put(record));
    } catch (problem) {
      this.#trouble(problem);
    }
  }

  /** Takes back what was just written here: its number becomes a void one. What the service has, the service takes back. */
  async #undo(documentId, undoId) {
    const voucher = this.#device && (await this.#storage.get("vouchers", documentId));
    if (!voucher || voucher.state !== "waiting") return this.#online.undo(documentId, undoId);
    const last = (await this.#queue.waiting()).filter((one) => one.act !== "void").at(-1);
    const young = Date.now() - Date.parse(voucher.written_at) < UNDO_MINUTES * 60_000;
    if (!young || last.document_id !== documentId || this.#sending || !this.state.writer) {
      throw new Problem({ status: 409, title: say("Not taken back"), detail: say("Only the last document of the last {minutes} minutes is taken back. Take the weapons back by a return.", { minutes: UNDO_MINUTES }) });
    }
    await this.#device.void(voucher, { ...voucher, state: "taken back" }, "Taken back at the counter before it was sent");
    await this.#build();
    this.#tellOthers();
    return { ...answerOf(voucher), document_id: undoId, act: "void" };
  }

  async #keepSignature(png) {
    const bytes = await png.arrayBuffer();
    const digest = await sha256(bytes);
    this.#signatures.set(digest, { sha256: digest, bytes, sent: false });
    if (!this.state.up) return digest;
    try {
      return await this.#online.keepSignature(png);
    } catch (problem) {
      if (!(problem instanceof NoAnswer) || !this.#site) throw problem;
      this.#heard(false);
      return digest;
    }
  }

  /** Without the service nobody can check a PIN: who receives signs on the screen. */
  async #sign(documentId, signed) {
    const file = signed.file ? this.#signatures.get(signed.file) : null;
    const here = () => {
      if (!file) throw new Problem({ status: 409, title: say("No PIN without the service"), detail: say("Nobody can check a PIN now. Let the receiver sign on the screen.") });
      return `drawn:${signed.file}`;
    };
    const id = await this.#either(() => this.#online.sign(documentId, signed), here);
    if (file) this.#signatures.set(id, file);
    return id;
  }

  #signedFor(body) {
    const named = [...(body.signatures ?? []), ...(body.attachments ?? [])].map((id) => this.#signatures.get(id)).filter(Boolean);
    return named.filter((file, place) => named.indexOf(file) === place);
  }

  // The device

  /** Who is signed in, and at which site, as the service has it. @throws {NoLink|NotTaken} */
  async whoIsSignedIn() {
    const snapshot = await ask("GET", "/v1/station/snapshot?since=2999-01-01T00:00:00Z");
    return { site: snapshot.site, ...snapshot.asker };
  }

  /**
   * Enrols this browser as a device, and takes the site's books along.
   * @param {string} book
   * @param {string} label
   * @throws {NoLink|NotTaken|NotKept}
   */
  async enrol(book, label) {
    const { public_key } = await ownKey(this.#storage);
    const { site } = await this.whoIsSignedIn();
    const device = await ask("POST", "/v1/devices", { book, label, public_key });
    const enrolled = {
      device_id: device.device_id, site: device.site, book: device.book, label: device.label, enrolled_at: device.enrolled_at,
      time_zone: site.time_zone,
    };
    await Device.keep(this.#storage, enrolled);
    this.#set({ persisted: await askToPersist() });
    await this.#read();
    await this.#refresh();
  }

  /**
   * Gives the device up: the service is told, and everything is taken off it.
   * @throws {NoLink|NotTaken} nothing was done
   */
  async unenrol() {
    await ask("POST", `/v1/devices/${this.#device.enrolled.device_id}/revoke`);
    await this.wipe();
  }

  /** Takes everything off this browser. Nothing may wait to be sent, or it was saved to a file before. */
  async wipe() {
    const storage = this.#storage;
    this.#device = this.#queue = this.#site = this.#kept = this.#people = null;
    this.#set({ enrolled: null, waiting: 0, setAside: 0, asOf: null, locked: false, wiped: true });
    await storage.wipe();
    for (const name of (await globalThis.caches?.keys()) ?? []) await caches.delete(name);
    for (const one of (await navigator.serviceWorker?.getRegistrations()) ?? []) await one.unregister();
    await this.#openStorage();
    this.dispatchEvent(new Event("change"));
  }

  /** Another window wiped it, or a newer program took it over: nothing more is kept or read here. */
  #closed() {
    this.#device = this.#queue = this.#site = this.#kept = this.#people = null;
    this.#set({ enrolled: null, writer: false, waiting: 0, asOf: null, locked: false, wiped: true });
  }

  /** Opens the books to who knows the PIN they set here. */
  async unlock(code, pin) {
    const { person, problem } = await this.#people.open(code, pin);
    if (!problem) {
      this.#active = Date.now();
      this.#set({ locked: false, person: { code: person.code, name: person.name, role: person.role } });
    }
    return problem;
  }

  /** Locks the books until somebody says who they are. */
  lock() {
    if (!this.state.up) this.#set({ locked: true, person: null });
  }

  /** Sets the device's PIN of who is signed in. @throws {NoLink|NotTaken} */
  async setPin(pin) {
    const asker = await this.whoIsSignedIn();
    await this.#people.seen({ code: asker.code, name: asker.name, role: asker.role });
    await this.#people.setPin(asker.code, pin);
    this.#set({ pinSet: true });
    this.#tellOthers();
  }

  /** @returns {Promise<import("./people.js").Person[]>} */
  recent() {
    return this.#people ? this.#people.recent() : Promise.resolve([]);
  }

  /** @returns {Promise<object[]>} every voucher of this device */
  vouchers() {
    return this.#queue ? this.#queue.all() : Promise.resolve([]);
  }

  /** @returns {Promise<Blob>} */
  file(everything = false) {
    return this.#queue.file(everything, this.state.clockOffset ?? 0);
  }

  /** Posts again what this station acknowledged. @throws {NoLink|NotTaken} */
  postAgain() {
    return this.#queue.postAgain();
  }

  /** Whether this clock is off by more than anybody would overlook. */
  get clockIsOff() {
    return this.state.clockOffset !== null && Math.abs(this.state.clockOffset) > CLOCK_TOLERANCE;
  }

  #trouble(problem) {
    const full = problem instanceof NotKept && problem.full;
    const words = full
      ? say("The disk is full: nothing more can be kept here. Save what is not sent to a file, then make room or go on on paper.")
      : say("This browser could not keep it ({problem}). Save what is not sent to a file, and go on on paper.", { problem: problem.message });
    this.#set({ trouble: words, full });
  }

  #set(change) {
    const before = this.state;
    this.state = { ...before, ...change };
    if (Object.keys(change).some((name) => before[name] !== change[name])) this.dispatchEvent(new Event("change"));
  }
}

/**
 * What a counter's request is as a fact that a device writes.
 * @param {string} path the act's route
 * @param {object} body
 * @param {SiteBooks} books
 * @returns {{act: string, request: object, card: boolean}}
 */
function asWritten(path, body, books) {
  if (path === "draws") return asDrawn(body, books);
  const act = ACT_OF[path];
  if (!act) throw new Unanswerable(say("This takes the service: it cannot be written down here."), "act");
  const request = Object.fromEntries(Object.entries(body).filter(([name]) => !OF_THE_COUNTER_ALONE.includes(name)));
  return { act, request, card: false };
}

/** A draw, as the issue or the return that it is. */
function asDrawn(body, books) {
  const lines = body.lines?.length ? body.lines : [{ scan: body.scan }];
  const ways = lines.map((line) => {
    const verdict = judge(books, { ...line, mode: "draw", receiver: body.person, store: body.store });
    if (verdict.severity !== "ready" && !body.direction) throw new Unanswerable(verdict.words, "scan");
    const [weapon] = books.meant(line);
    const out = body.direction ? body.direction === "out" : weapon.account.class === "store";
    return { out, person: out ? weapon.person : weapon.account.party, store: out ? weapon.account : (body.store && books.store(body.store)) || weapon.rack };
  });
  const [first] = ways;
  if (ways.some((way) => way.out !== first.out || way.person !== first.person || way.store !== first.store)) {
    throw new Unanswerable(say("Without the service draw one person's weapons at a time."), "lines");
  }
  if (!first.person || !first.store) throw new Unanswerable(say("It is assigned to nobody, or nobody knows its rack: issue or return it."), "scan");
  const request = first.out
    ? { receiver: first.person, store: first.store.name, lines, remarks: "Drawn" }
    : { returned_by: first.person, store: first.store.name, lines };
  return { act: first.out ? "issue" : "return", request, card: first.out };
}

/** A voucher as the counter is answered: as a posting, but for what only the service can say. */
function answerOf(voucher) {
  const { request, happened_at } = JSON.parse(voucher.payload);
  const lines = request.lines ?? [];
  return {
    document_id: voucher.document_id, number: voucher.number, act: voucher.act, fact: true, happened_at, recorded_at: null,
    lines: lines.length, quantity: lines.reduce((sum, line) => sum + (line.quantity ?? 1), 0), leaf: null, discrepancy_count: 0,
    discrepancies: [], not_sent: voucher.state === "waiting",
  };
}

/** What the books here say; a question that they cannot answer is a problem as the service tells it. */
function told(here) {
  try {
    return here();
  } catch (problem) {
    throw problem instanceof Unanswerable ? new Problem(problem.problem) : problem;
  }
}

/** An answer, or none if it takes too long. */
function within(answer, patience) {
  const slow = new NoAnswer(say("The service is slow."));
  slow.slow = true;
  return Promise.race([answer, new Promise((_, reject) => setTimeout(() => reject(slow), patience))]);
}

/**
 * Opens the books and puts them before a service, in place.
 * @param {Record<string, Function>} service
 * @returns {Promise<Books>}
 */
export async function openOffline(service) {
  const books = await new Books({ ...service }).open();
  Object.assign(service, books.functions());
  return books;
}
