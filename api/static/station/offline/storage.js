/**
 * What this browser keeps for the station, in IndexedDB: the site's books as last seen, every scan, and every voucher until long after
 * the service acknowledged it. Nothing is told to be kept before its transaction is complete, on the disk (durability strict).
 * One tab writes at a time; the others read.
 */

const NAME = "stockpile-station";
const WRITER = "stockpile-station-writer";

/** Each step brings the database from the version of its place to the next; a step once shipped never changes. */
const STEPS = [
  (database) => {
    database.createObjectStore("about");
    database.createObjectStore("books");
    database.createObjectStore("journal", { keyPath: "entry", autoIncrement: true }).createIndex("at", "at");
    const vouchers = database.createObjectStore("vouchers", { keyPath: "document_id" });
    vouchers.createIndex("state", "state");
    vouchers.createIndex("written_at", "written_at");
    database.createObjectStore("files", { keyPath: "sha256" });
    database.createObjectStore("online", { keyPath: "document_id" }).createIndex("at", "at");
  },
];

/**
 * What could not be kept, with words for who works here. `name` is that of the browser's error: QuotaExceededError is a full disk.
 */
export class NotKept extends Error {
  /** @param {DOMException|Error|null} cause */
  constructor(cause) {
    super(cause?.message || "The transaction was not completed.", { cause });
    this.name = cause?.name || "AbortError";
  }

  /** @returns {boolean} whether the disk, or this browser's share of it, is full */
  get full() {
    return this.name === "QuotaExceededError";
  }
}

/** A database that is open, until another version of the program wants it. */
export class Storage extends EventTarget {
  #database;

  constructor(database) {
    super();
    this.#database = database;
    database.onversionchange = () => {
      database.close();
      this.dispatchEvent(new Event("closed"));
    };
    database.onclose = () => this.dispatchEvent(new Event("closed"));
  }

  /**
   * Opens the database, and brings it up to this version of the program.
   * @returns {Promise<Storage>}
   * @throws {NotKept} there is no IndexedDB, it is closed to us, or another tab with an older program holds it
   */
  static async open() {
    if (!globalThis.indexedDB) throw new NotKept(new DOMException("This browser keeps nothing.", "NotSupportedError"));
    const request = indexedDB.open(NAME, STEPS.length);
    request.onupgradeneeded = (event) => STEPS.slice(event.oldVersion).forEach((step) => step(request.result, request.transaction));
    const database = await new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(new NotKept(request.error));
      request.onblocked = () => reject(new NotKept(new DOMException("Another tab holds the books open.", "BlockedError")));
    });
    return new Storage(database);
  }

  /**
   * Writes in one transaction. `work` gets the stores by name and must ask for all it does before anything else is awaited; a request
   * made inside of another's answer counts.
   * @template T
   * @param {string[]} names
   * @param {(stores: Record<string, IDBObjectStore>, transaction: IDBTransaction) => T} work
   * @returns {Promise<T>} once it is on the disk
   * @throws {NotKept} nothing of it was kept
   */
  write(names, work) {
    return this.#run(names, "readwrite", work);
  }

  /** Reads in one transaction; `work` gives a request, or an object of requests. */
  async read(names, work) {
    const asked = await this.#run(names, "readonly", work);
    if (asked instanceof IDBRequest) return asked.result;
    return Object.fromEntries(Object.entries(asked).map(([name, request]) => [name, request.result]));
  }

  /** What stands under a key of a store. */
  get(store, key) {
    return this.read([store], (stores) => stores[store].get(key));
  }

  /** Keeps something under a key of `about`. */
  keep(key, value) {
    return this.write(["about"], ({ about }) => void about.put(value, key));
  }

  #run(names, mode, work) {
    return new Promise((resolve, reject) => {
      let given;
      let thrown = null;
      let transaction;
      try {
        transaction = this.#database.transaction(names, mode, { durability: "strict" });
      } catch (problem) {
        reject(new NotKept(problem));
        return;
      }
      transaction.oncomplete = () => resolve(given);
      transaction.onabort = () => reject(thrown ?? new NotKept(transaction.error));
      const stores = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
      try {
        given = work(stores, transaction);
      } catch (problem) {
        thrown = problem instanceof DOMException ? new NotKept(problem) : problem;
        transaction.abort();
      }
    });
  }

  /** Closes it, and takes everything off the device. */
  async wipe() {
    this.#database.close();
    const request = indexedDB.deleteDatabase(NAME);
    await new Promise((resolve, reject) => {
      request.onsuccess = () => resolve();
      request.onerror = () => reject(new NotKept(request.error));
      request.onblocked = () => {};
    });
  }
}

/**
 * Asks the browser not to clear what is kept here when it runs short of room.
 * @returns {Promise<boolean>}
 */
export async function askToPersist() {
  try {
    return (await navigator.storage.persisted()) || (await navigator.storage.persist());
  } catch {
    return false;
  }
}

/**
 * Becomes the one tab that writes, for as long as the tab lives.
 * @param {() => void} onTurn called when it is this tab's turn: at once, or when the other tab is closed
 * @returns {Promise<boolean>} whether it is at once
 */
export async function becomeWriter(onTurn) {
  if (!navigator.locks) {
    onTurn();
    return true;
  }
  const forEver = () => new Promise(() => {});
  const first = await new Promise((resolve) => {
    navigator.locks.request(WRITER, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : forEver();
    });
  });
  if (first) onTurn();
  else
    navigator.locks.request(WRITER, () => {
      onTurn();
      return forEver();
    });
  return first;
}
