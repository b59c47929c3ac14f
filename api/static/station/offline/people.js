/**
 * Who may write at this station while the link is down: who was signed in here, with it, not long ago, and knows the PIN they set for
 * this device. The PIN's verifier lies on the device (PBKDF2, its own salt): it stops the curious, not somebody who takes the device
 * apart (docs/offline-station.md says so).
 */

export const DAYS = 7;
export const SHORTEST_PIN = 6;
export const IDLE_MINUTES = 10;
const ROUNDS = 600_000;
const TRIES = 5;
const PAUSE_MINUTES = 15;

/** @typedef {{code: string, name: string, role: string, seen_at: string, pin?: object, wrong?: number, wait_until?: string}} Person */

/** The people who worked at this station. */
export class People {
  #storage;

  /** @param {import("./storage.js").Storage} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /** @returns {Promise<Person[]>} who was here with the link in the last days */
  async recent(now = Date.now()) {
    const all = (await this.#storage.get("about", "people")) ?? [];
    return all.filter((person) => now - Date.parse(person.seen_at) < DAYS * 86_400_000);
  }

  /** Keeps that somebody is signed in here, now. */
  seen(asker, now = new Date()) {
    return this.#change(asker.code, (before) => ({ ...before, ...asker, seen_at: now.toISOString() }));
  }

  /** Sets the PIN of somebody who is signed in here. */
  async setPin(code, pin) {
    const salt = crypto.getRandomValues(new Uint8Array(16));
    const verifier = { salt, rounds: ROUNDS, hash: await stretched(pin, salt, ROUNDS) };
    return this.#change(code, (before) => ({ ...before, pin: verifier, wrong: 0, wait_until: undefined }));
  }

  /**
   * Whether somebody may go on by their PIN.
   * @returns {Promise<{person: Person|null, problem: ""|"unknown"|"no pin"|"wait"|"wrong"}>}
   */
  async open(code, pin, now = Date.now()) {
    const wanted = code.trim().toUpperCase();
    const person = (await this.recent(now)).find((one) => one.code.toUpperCase() === wanted);
    if (!person) return { person: null, problem: "unknown" };
    if (!person.pin) return { person: null, problem: "no pin" };
    if (person.wait_until && now < Date.parse(person.wait_until)) return { person: null, problem: "wait" };
    const given = await stretched(pin, person.pin.salt, person.pin.rounds);
    const same = given.reduce((difference, byte, place) => difference | (byte ^ person.pin.hash[place]), 0) === 0;
    await this.#change(person.code, (before) => (same ? opened(before) : failed(before, now)));
    return same ? { person, problem: "" } : { person: null, problem: "wrong" };
  }

  #change(code, work) {
    return this.#storage.write(["about"], ({ about }) => {
      const asked = about.get("people");
      asked.onsuccess = () => {
        const people = asked.result ?? [];
        const before = people.find((person) => person.code === code) ?? {};
        about.put([...people.filter((person) => person.code !== code), work(before)], "people");
      };
    });
  }
}

function opened(person) {
  return { ...person, wrong: 0, wait_until: undefined };
}

function failed(person, now) {
  const wrong = (person.wrong ?? 0) + 1;
  const waits = wrong >= TRIES ? new Date(now + PAUSE_MINUTES * 60_000).toISOString() : undefined;
  return { ...person, wrong: wrong % TRIES, wait_until: waits };
}

async function stretched(pin, salt, rounds) {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: rounds }, key, 256));
}
