/**
 * This browser as an enrolled device (docs/offline.md): its Ed25519 key, which never leaves it and cannot be read out, its book, and
 * the vouchers that it numbers and signs. A number is given out only together with its voucher, in one transaction.
 */

import { newKey } from "../keys.js";

const ALGORITHM = "Ed25519";

/** Why this browser cannot be a device, in words; null: it can. */
export async function objection() {
  if (!globalThis.isSecureContext) return "insecure";
  if (!globalThis.crypto?.subtle) return "no keys";
  if (!globalThis.indexedDB) return "no storage";
  try {
    await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  } catch {
    return "no keys";
  }
  return null;
}

/** @param {ArrayBuffer|Uint8Array} bytes @returns {string} */
export function base64(bytes) {
  return btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
}

/** @param {ArrayBuffer} bytes @returns {Promise<string>} SHA-256 in hex */
export async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {Date} moment @param {string} timeZone @returns {number} the year on the site's wall */
export function yearOnTheWall(moment, timeZone) {
  return Number(new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", { timeZone, year: "numeric" }).format(moment));
}

/**
 * The key that this browser made for its next enrolment: made once and kept, so that an enrolment whose answer got lost is the same
 * when it is asked for again.
 * @param {import("./storage.js").Storage} storage
 * @returns {Promise<{keys: CryptoKeyPair, public_key: string}>}
 */
export async function ownKey(storage) {
  const kept = await storage.get("about", "key");
  if (kept) return kept;
  const keys = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  const made = { keys, public_key: base64(await crypto.subtle.exportKey("raw", keys.publicKey)) };
  await storage.keep("key", made);
  return made;
}

/**
 * @typedef {{device_id: string, site: string, book: string, label: string, time_zone: string, enrolled_at: string}} Enrolled
 */

/** A device that was enrolled: numbers and signs. */
export class Device {
  #storage;
  #keys;
  /** One after another: a voucher's number is that after the last one kept. */
  #last = Promise.resolve();

  /** @param {import("./storage.js").Storage} storage @param {Enrolled} enrolled @param {CryptoKeyPair} keys */
  constructor(storage, enrolled, keys) {
    this.#storage = storage;
    this.#keys = keys;
    this.enrolled = enrolled;
  }

  /**
   * The device that this browser is, if it is one.
   * @param {import("./storage.js").Storage} storage
   * @returns {Promise<Device|null>}
   */
  static async read(storage) {
    const { enrolled, key } = await storage.read(["about"], ({ about }) => ({ enrolled: about.get("enrolled"), key: about.get("key") }));
    return enrolled && key ? new Device(storage, enrolled, key.keys) : null;
  }

  /** Keeps what the service answered to an enrolment. @returns {Promise<Device>} */
  static async keep(storage, enrolled) {
    await storage.keep("enrolled", enrolled);
    return Device.read(storage);
  }

  /**
   * Writes a voucher: numbers it, signs it and keeps it, with the files that it names, all in one transaction.
   * @param {{act: string, clerk: string, request: object, document_id?: string, happened_at?: Date, about?: object, files?: object[]}} written
   *   `about` is for the station alone and is not signed
   * @returns {Promise<object>} the voucher as kept
   * @throws {import("./storage.js").NotKept} nothing was kept, and no number is spoilt
   */
  write(written) {
    const next = this.#last.then(() => this.#write(written));
    this.#last = next.catch(() => {});
    return next;
  }

  /**
   * Spoils the number of a voucher that was not sent: a void voucher takes its place, and the voucher stays as `instead` says.
   * @param {object} voucher
   * @param {object} instead the voucher as it is to be kept from now on, in a state that is not sent
   * @param {string} remarks why
   * @returns {Promise<object>} the void voucher
   */
  async void(voucher, instead, remarks) {
    const { clerk, number } = JSON.parse(voucher.payload);
    const document_id = newKey();
    const happened_at = new Date().toISOString();
    const request = { reason: remarks };
    const payload = JSON.stringify({
      device: this.enrolled.device_id, document_id, number, happened_at, precision: "second", act: "void", clerk, request,
    });
    const signature = await this.#sign(payload);
    const spoilt = {
      document_id, number: voucher.number, order: voucher.order, written_at: happened_at, act: "void", payload, signature,
      files: [], state: "waiting", outcome: null, acknowledged_at: null, voids: voucher.document_id,
    };
    await this.#storage.write(["vouchers"], ({ vouchers }) => {
      vouchers.put(instead);
      vouchers.add(spoilt);
    });
    return spoilt;
  }

  async #sign(payload) {
    return base64(await crypto.subtle.sign(ALGORITHM, this.#keys.privateKey, new TextEncoder().encode(payload)));
  }

  async #write({ act, clerk, request, document_id = newKey(), happened_at = new Date(), about = {}, files = [] }) {
    const year = yearOnTheWall(happened_at, this.enrolled.time_zone);
    const counter = `number of ${year}`;
    const number = ((await this.#storage.get("about", counter)) ?? 0) + 1;
    const payload = JSON.stringify({
      device: this.enrolled.device_id,
      document_id,
      number,
      happened_at: happened_at.toISOString(),
      precision: "second",
      act,
      clerk,
      request,
    });
    const signature = await this.#sign(payload);
    const voucher = {
      document_id,
      number: `${this.enrolled.site}/${this.enrolled.book}/${year}/${number}`,
      order: [year, number],
      written_at: happened_at.toISOString(),
      act,
      payload,
      signature,
      files: files.map((file) => file.sha256),
      state: "waiting",
      outcome: null,
      acknowledged_at: null,
      ...about,
    };
    await this.#storage.write(["about", "vouchers", "files"], (stores, transaction) => {
      const asked = stores.about.get(counter);
      asked.onsuccess = () => {
        if ((asked.result ?? 0) !== number - 1) {
          transaction.abort();
          return;
        }
        stores.about.put(number, counter);
        stores.vouchers.add(voucher);
        for (const file of files) stores.files.put(file);
      };
    });
    return voucher;
  }
}
