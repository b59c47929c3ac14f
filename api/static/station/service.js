/**
 * All that the station asks of the service. Whoever works without a network wraps this object: each function gives what the
 * service would give, or throws a `Problem`, or `NoAnswer` where nobody knows whether the service heard it.
 */

import { say } from "./words.js";

/** The service said no, and why. */
export class Problem extends Error {
  /** @param {{status: number, title: string, detail: string, reasons?: object[], faults?: object[]}} told */
  constructor(told) {
    super(told.detail || told.title);
    this.status = told.status;
    this.title = told.title;
    this.reasons = told.reasons || [];
    this.faults = told.faults || [];
  }
}

/** No answer came: what was sent may have been heard or not. Send the same again. */
export class NoAnswer extends Error {}

const PATIENCE = 20000;
/** Milliseconds that a queue of soldiers waits for an answer to a scan. */
const AT_THE_COUNTER = 5000;
const listeners = new Set();

/**
 * Hears whether the service answers.
 * @param {(answers: boolean) => void} listener
 */
export function onLink(listener) {
  listeners.add(listener);
}

function heard(answers) {
  listeners.forEach((listener) => listener(answers));
}

async function ask(method, path, body, { headers = {}, patience = PATIENCE } = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: body instanceof Blob || body === undefined ? headers : { "Content-Type": "application/json", ...headers },
      body: body instanceof Blob || body === undefined ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(patience),
    });
  } catch {
    heard(false);
    throw new NoAnswer(say("The service does not answer."));
  }
  heard(true);
  const told = await read(answer);
  if (answer.ok) return told;
  if (answer.status === 503) throw new NoAnswer(told.detail);
  throw new Problem({ status: answer.status, title: answer.statusText, detail: "", ...told });
}

async function read(answer) {
  try {
    return await answer.json();
  } catch {
    if (answer.ok) throw new NoAnswer(say("The answer broke off."));
    return {};
  }
}

function query(path, given) {
  const asked = Object.entries(given).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return `${path}?${new URLSearchParams(asked)}`;
}

async function everyRow(path, given = {}) {
  const rows = [];
  let cursor = null;
  do {
    const page = await ask("GET", query(path, { ...given, limit: 500, cursor }));
    rows.push(...page.rows);
    cursor = page.cursor;
  } while (cursor);
  return rows;
}

async function keepEvidence(content) {
  const headers = { "Content-Type": "application/octet-stream" };
  return (await ask("POST", "/v1/files?evidence=true", content, { headers })).sha256;
}

/** The service over the network. */
export const service = {
  /** Where and as whom one works. */
  counter: () => ask("GET", "/v1/station"),

  /** What an act would say of one weapon: {verdict, severity, words, weapon, candidates, line, recover}. */
  verdict: (asked) => ask("POST", "/v1/station/verdicts", asked, { patience: AT_THE_COUNTER }),

  /** Whose badge it is, and whether they may receive ("issue") or bring back ("return"). */
  badge: (code, act, receivedBy) => 
    ask("GET", query("/v1/station/badges", { code, act, received_by: receivedBy }), undefined, { patience: AT_THE_COUNTER }),

  /** Weapons that may be meant by what is typed so far. */
  suggestions: async (text, store) => (await ask("GET", query("/v1/station/suggestions", { text, store }))).rows,

  /** What is counted in the stores, or what a holder has of it: {account, model, lot, quantity}. */
  equipment: async (holder) => (await ask("GET", query("/v1/station/equipment", { holder }))).rows,

  /** Everything that a text may mean. */
  find: (text) => ask("GET", query("/v1/find", { q: text })),

  /** What happened to a weapon. */
  history: (itemId) => ask("GET", query(`/v1/weapons/${itemId}/history`, { limit: 500 })),

  /** Which weapon cards stand in the racks. */
  cards: () => ask("GET", query("/v1/weapon-cards", { limit: 500 })),

  /** What the site waits for: {kind, delivery_id, number, sender, outstanding, carrier, seal_numbers, expected_on, overdue, consignment}. */
  deliveries: async () => (await ask("GET", "/v1/station/deliveries")).rows,

  /** What is outstanding of a delivery, all of it. */
  deliveryLines: (id) => everyRow(`/v1/station/deliveries/${id}/lines`),

  /** The catalogue: {maker, name, tracked_by, ...}. */
  models: () => everyRow("/v1/models"),

  /** The counts that are open: {count_id, name, scope, of, counters, ...}. */
  openCounts: () => everyRow("/v1/counts", { state: "open" }),

  /** A count and how many weapons were read in it: {count, weapons}. */
  readSoFar: (countId) => ask("GET", `/v1/station/counts/${countId}`),

  /** Opens a count; the same count_id again opens nothing. */
  openCount: async (wanted) => (await ask("POST", "/v1/counts", wanted)).count,

  /** Sends lines of a count; the same batch_id again gets the first answer. */
  sendLines: (countId, batch) => ask("POST", `/v1/counts/${countId}/lines`, batch),

  /** Closes a count, as who is signed in or as a second person by their token. */
  closeCount: (countId, token) =>
    ask("POST", `/v1/counts/${countId}/close`, undefined, token ? { headers: { Authorization: `Bearer ${token}` } } : {}),

  /** What a closed count found. */
  findings: (countId) => everyRow(`/v1/counts/${countId}/findings`),

  /** Says that a seal is broken. */
  breakSeal: (number) => ask("POST", "/v1/seals/break", { number }),

  /** A second person at this counter, by badge and PIN: {token, person, role}. */
  second: (badge, pin) => ask("POST", "/v1/station/second", { badge, pin }),

  /**
   * Posts a document: `path` is the act's, such as "issues". Sent again with the same document_id it gets the first answer.
   */
  confirm: (path, body) => ask("POST", `/v1/${path}`, body),

  /** Takes back one's own last document; `undoId` is the id of the undo itself. */
  undo: (documentId, undoId) => ask("POST", "/v1/undo", { document_id: undoId, document: documentId }),

  /** Stores a drawn signature; gives its SHA-256. */
  keepSignature: (png) => keepEvidence(png),

  /** Stores a photo; gives its SHA-256. */
  keepPhoto: (photo) => keepEvidence(photo),

  /** Signs for a document, by {person, pin} or {person, file}; gives the signature's id. */
  sign: async (documentId, signed) => {
    const made = await ask("POST", "/v1/signatures", { document_id: documentId, ...signed });
    return made.signature_id || made.id;
  },
};
