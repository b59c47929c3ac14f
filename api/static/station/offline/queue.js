/**
 * The vouchers that this device wrote, on their way to the service: what is not sent, sending it, what became of each, and all of it
 * as a file for another machine. A voucher stays here until it was answered, and long after.
 */

import { say } from "../words.js";

const MOST = 500;
const LONGEST = 1_500_000;
const KEPT_DAYS = 30;
const OTHER_CONTENT = "/docs#posted-with-other-content";

/** @typedef {{status: number, problem: object}} Refusal */

/** The service did not take the contact: nobody is signed in, or the device is unknown at the signer's site. */
export class NotTaken extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? say("The service did not take it."));
    this.status = status;
  }
}

/** The link broke, or the service asks to come again. */
export class NoLink extends Error {}

/** Everything not sent, sent and set aside; writes only through the storage it was given. */
export class Queue {
  #storage;
  #device;

  /** @param {import("./storage.js").Storage} storage @param {import("./device.js").Device} device */
  constructor(storage, device) {
    this.#storage = storage;
    this.#device = device;
  }

  /** @returns {Promise<object[]>} all vouchers, in the order they were written */
  async all() {
    const vouchers = await this.#storage.read(["vouchers"], ({ vouchers }) => vouchers.getAll());
    return vouchers.sort((a, b) => a.order[0] - b.order[0] || a.order[1] - b.order[1]);
  }

  /** @returns {Promise<object[]>} those that no answer came for yet */
  async waiting() {
    return (await this.all()).filter((voucher) => voucher.state === "waiting");
  }

  /**
   * Sends what waits, in its order; first the files that it names. Safe to call again at any time.
   * @returns {Promise<{sent: number, clockOffset: number|null}>}
   * @throws {NoLink|NotTaken} what was answered before that is kept
   */
  async send() {
    let [sent, clockOffset] = [0, null];
    for (;;) {
      const [some] = batches(await this.waiting());
      if (!some) return { sent, clockOffset };
      await this.#sendFiles(some);
      const answer = await this.#contact(some);
      clockOffset = answer.clock_offset;
      for (const [place, outcome] of answer.vouchers.entries()) await this.#keepOutcome(some[place], outcome);
      sent += some.length;
    }
  }

  /** Only measures the clock. */
  async touch() {
    return (await this.#contact([])).clock_offset;
  }

  async #contact(vouchers) {
    return ask("POST", `/v1/devices/${this.#device.enrolled.device_id}/vouchers`, {
      device_time: new Date().toISOString(),
      vouchers: vouchers.map(({ payload, signature }) => ({ payload, signature })),
    });
  }

  async #sendFiles(vouchers) {
    for (const sha256 of new Set(vouchers.flatMap((voucher) => voucher.files))) {
      const file = await this.#storage.get("files", sha256);
      if (!file || file.sent) continue;
      await sendFile(file);
      await this.#storage.write(["files"], ({ files }) => void files.put({ ...file, sent: true }));
    }
  }

  /**
   * Where the counter's own request was posted before its answer got lost, the voucher comes under an id that is taken: the document
   * stands, and the device's number becomes a void one.
   */
  async #keepOutcome(voucher, outcome) {
    if (outcome.became === "set aside" && outcome.problem?.type === OTHER_CONTENT) {
      const document = await this.#posted(voucher.document_id);
      if (document) return this.#standsAlready(voucher, document);
    }
    const state = outcome.became === "posted" ? "posted" : "set aside";
    return this.#put({ ...voucher, state, outcome: outcome.posted ?? outcome.problem, acknowledged_at: new Date().toISOString() });
  }

  /** The document of an id, if this site has it. */
  async #posted(documentId) {
    try {
      return (await ask("GET", `/v1/documents/${documentId}`)).document;
    } catch (problem) {
      if (problem instanceof NotTaken && problem.status === 404) return null;
      throw problem;
    }
  }

  async #standsAlready(voucher, document) {
    const remarks = `Posted at the counter as ${document.number}: its answer did not arrive`;
    const stands = {
      ...voucher,
      state: "at the counter",
      outcome: { ...document, discrepancies: [], discrepancy_count: 0 },
      acknowledged_at: new Date().toISOString(),
    };
    await this.#device.void(voucher, stands, remarks);
    const { path, body } = voucher.asked;
    const { document_id, act, number, recorded_at } = document;
    await this.#storage.write(["online"], ({ online }) => void online.put({ document_id, path, body, act, number, at: recorded_at, written: [] }));
  }

  #put(voucher) {
    return this.#storage.write(["vouchers"], ({ vouchers }) => void vouchers.put(voucher));
  }

  /**
   * Sends everything again that this station ever acknowledged and still has: after a restore the service may have lost it. What it
   * has gets its first answer again.
   * @returns {Promise<{number: string, act: string, became: string, now: string|null, words: string}[]>}
   */
  async postAgain() {
    const told = [];
    for (const one of await this.#storage.read(["online"], ({ online }) => online.index("at").getAll())) {
      told.push(await this.#onlineAgain(one));
    }
    const vouchers = (await this.all()).filter((voucher) => voucher.state === "posted" || voucher.state === "set aside");
    for (const some of batches(vouchers)) {
      for (const voucher of some) await this.#filesAgain(voucher);
      const answer = await this.#contact(some);
      for (const [place, outcome] of answer.vouchers.entries()) {
        told.push(voucherAgain(some[place], outcome));
        if (some[place].state === "set aside") await this.#keepOutcome(some[place], outcome);
      }
    }
    return told;
  }

  async #onlineAgain(one) {
    const about = { number: one.number, act: one.act };
    try {
      const posted = await ask("POST", one.path, one.body);
      const same = posted.number === one.number;
      return { ...about, became: same ? "there" : "posted", now: posted.number ?? null, words: "" };
    } catch (problem) {
      if (!(problem instanceof NotTaken)) throw problem;
      return { ...about, became: "refused", now: null, words: problem.message };
    }
  }

  async #filesAgain(voucher) {
    for (const sha256 of voucher.files) {
      const file = await this.#storage.get("files", sha256);
      if (file) await sendFile(file);
    }
  }

  /**
   * What is not sent, with the files that it names, to be brought in on another machine (page /vouchers, `stockpile device bring`).
   * @param {boolean} everything also what was acknowledged
   * @param {number} clockOffset seconds that this clock was ahead when it was last compared
   * @returns {Promise<Blob>}
   */
  async file(everything, clockOffset) {
    const vouchers = everything ? (await this.all()).filter(isSigned) : await this.waiting();
    const files = {};
    for (const sha256 of new Set(vouchers.flatMap((voucher) => voucher.files))) {
      const file = await this.#storage.get("files", sha256);
      if (file) files[sha256] = base64Of(file.bytes);
    }
    const written = {
      kind: "stockpile vouchers",
      version: 1,
      device: this.#device.enrolled.device_id,
      site: this.#device.enrolled.site,
      book: this.#device.enrolled.book,
      saved_at: new Date().toISOString(),
      clock_offset: clockOffset,
      vouchers: vouchers.map(({ number, payload, signature }) => ({ number, payload, signature })),
      files,
    };
    return new Blob([JSON.stringify(written, null, 1)], { type: "application/json" });
  }

  /** Lets go of what was acknowledged more than 30 days ago, and of scans as old. */
  async forget(now = Date.now()) {
    const before = new Date(now - KEPT_DAYS * 86_400_000).toISOString();
    const old = (await this.all()).filter((voucher) => voucher.acknowledged_at !== null && voucher.acknowledged_at < before);
    await this.#storage.write(["vouchers", "files", "online", "journal"], ({ vouchers, files, online, journal }) => {
      for (const voucher of old) {
        vouchers.delete(voucher.document_id);
        voucher.files.forEach((sha256) => files.delete(sha256));
      }
      for (const store of [online, journal]) {
        store.index("at").openKeyCursor(IDBKeyRange.upperBound(before, true)).onsuccess = (event) => {
          const cursor = event.target.result;
          if (!cursor) return;
          store.delete(cursor.primaryKey);
          cursor.continue();
        };
      }
    });
  }
}

/** Whether a voucher is the one under its number: neither taken back nor posted at the counter. */
function isSigned({ state }) {
  return state !== "taken back" && state !== "at the counter";
}

/**
 * Vouchers in portions that the service takes at once, by number and by size.
 * @param {{payload: string}[]} vouchers
 * @returns {object[][]}
 */
export function batches(vouchers) {
  const cut = [];
  let room = 0;
  for (const voucher of vouchers) {
    const last = cut.at(-1);
    room -= voucher.payload.length;
    if (last && last.length < MOST && room >= 0) last.push(voucher);
    else {
      cut.push([voucher]);
      room = LONGEST - voucher.payload.length;
    }
  }
  return cut;
}

/** A file that the service refuses stops nobody: the voucher that names it is set aside, and says why. */
async function sendFile(file) {
  try {
    await ask("POST", "/v1/files?evidence=true", file.bytes);
  } catch (problem) {
    if (!(problem instanceof NotTaken) || ![413, 422].includes(problem.status)) throw problem;
  }
}

function voucherAgain(voucher, outcome) {
  const about = { number: voucher.number, act: voucher.act };
  if (outcome.became === "posted") {
    const same = outcome.posted.number === voucher.outcome?.number;
    return { ...about, became: same ? "there" : "posted", now: outcome.posted.number, words: "" };
  }
  return { ...about, became: "set aside", now: null, words: outcome.problem.detail };
}

function base64Of(bytes) {
  let text = "";
  for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
  return btoa(text);
}

/** A device is in touch by itself: that keeps nobody signed in who went away. */
const UNATTENDED = { "X-Stockpile-Unattended": "1" };

/**
 * Asks the service, for what no page asks.
 * @throws {NoLink|NotTaken}
 */
export async function ask(method, path, body, patience = 60_000) {
  const binary = body instanceof ArrayBuffer;
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: { ...UNATTENDED, ...(body === undefined ? {} : { "Content-Type": binary ? "application/octet-stream" : "application/json" }) },
      body: body === undefined || binary ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(patience),
      cache: "no-store",
    });
  } catch {
    throw new NoLink(say("The service does not answer."));
  }
  let told;
  try {
    told = await answer.json();
  } catch {
    throw new NoLink(say("The answer broke off."));
  }
  if (answer.ok) return told;
  if ([502, 503, 504].includes(answer.status)) throw new NoLink(told.detail ?? say("The service is not there."));
  throw new NotTaken(answer.status, told);
}
