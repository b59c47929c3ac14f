/**
 * The log, verified by the donor's own browser: that the newest checkpoint is signed by the log's key, which the donor got by other hands, and
 * that the log grew out of the checkpoint that this browser keeps. What is kept stays in this browser alone.
 */

import { openCheckpoint, ProofFailed, readKey, SignatureFailed, strictBase64, verifyConsistency } from "/portal/checkpoint.js";
import { element, fill } from "./station/elements.js";
import { loadWords, say } from "./station/words.js";

const section = document.getElementById("log-check");
const place = section.querySelector(".checked");
const SHELF = `stockpile checkpoint ${section.dataset.donor}`;
const LONGEST = 1 << 20;

class Trouble extends Error {}

const language = () => document.documentElement.lang || "en";
const CLOCK = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false };
const moment = (at) => new Date(at).toLocaleString(language(), CLOCK);
const count = (size) => Number(size).toLocaleString(language());
const withLineFeed = (text) => `${text.replace(/\r\n/g, "\n").replace(/\n+$/, "")}\n`;

/** What this browser keeps: a checkpoint and the keys; since when, and the last verification. */
function kept() {
  try {
    return JSON.parse(localStorage.getItem(SHELF));
  } catch {
    return null;
  }
}

function keep(what) {
  try {
    localStorage.setItem(SHELF, JSON.stringify(what));
  } catch {
    throw new Trouble(say("This browser keeps nothing: the checkpoint must be kept as a file or on paper."));
  }
}

async function keysOf(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  if (!lines.length) throw new Trouble(say("Give the key of the log: without it nothing can be checked."));
  try {
    return await Promise.all(lines.map(readKey));
  } catch {
    throw new Trouble(say("A key can't be used: write it as name+id+base64, as you were given it."));
  }
}

async function asked(path) {
  let answer;
  try {
    answer = await fetch(path, { headers: { Accept: "application/json" } });
  } catch {
    throw new Trouble(say("The service does not answer: nothing was checked."));
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const why = said.detail || String(answer.status);
    if (answer.status === 401 || answer.status >= 500) throw new Trouble(say("Nothing was checked: {why}", { why }));
    throw new ProofFailed(say("The service can't show that its log grew out of your checkpoint: {why}", { why }));
  }
  return said;
}

async function opened(note, keys) {
  try {
    return (await openCheckpoint(note, keys)).checkpoint;
  } catch (problem) {
    if (problem instanceof SignatureFailed) throw new ProofFailed(say("A checkpoint is not signed by a key that you gave."));
    if (problem instanceof ProofFailed) throw new Trouble(say("This is no checkpoint of a log: put it in as it was signed, every line."));
    throw problem;
  }
}

/** Verifies the newest checkpoint against the one that is kept. Throws ProofFailed where the log is not the one it was. */
async function verify(note, keyTexts) {
  const keys = await keysOf(keyTexts);
  const old = note ? await opened(note, keys) : null;
  const newest = await asked(old ? `/v1/log/growth?${new URLSearchParams({ origin: old.origin, size: String(old.size) })}` : "/v1/log/growth");
  let now;
  try {
    now = await opened(newest.checkpoint, keys);
  } catch (problem) {
    throw problem instanceof Trouble ? new ProofFailed(problem.message) : problem;
  }
  if (old) {
    if (now.origin !== old.origin || now.size < old.size) throw new ProofFailed(say("The service shows a smaller or another log than the one you keep."));
    try {
      await verifyConsistency(old.size, old.root, now.size, now.root, newest.hashes.map((hash) => strictBase64(hash, 32)));
    } catch (problem) {
      if (!(problem instanceof ProofFailed)) throw problem;
      throw new ProofFailed(say("The log does not hold what your checkpoint covers: its history was rewritten."));
    }
  }
  return { note: newest.checkpoint, origin: now.origin, size: String(now.size), from: old ? String(old.size) : null };
}

function showForm(trouble, given = {}) {
  const key = element("textarea", { id: "log-keys", name: "keys", rows: 2, spellcheck: "false", autocomplete: "off", required: true, value: given.keys || "" });
  const pinned = element("textarea", { id: "log-pinned", name: "pinned", rows: 3, spellcheck: "false", autocomplete: "off", value: given.pinned || "" });
  const file = element("input", { id: "log-file", type: "file", name: "file" });
  const form = element("form", { class: "stacked", on: { submit: begin } },
    element("div", { class: "field" }, element("label", { for: "log-keys" }, say("The log's key")), key,
      element("p", { class: "help" }, say("As you were given it by other hands, not by this service; witnesses' keys below it, one a line."))),
    element("div", { class: "field" }, element("label", { for: "log-pinned" }, say("A checkpoint that you kept earlier")), pinned,
      element("p", { class: "help" }, say("If you have one, as text or as a file. Without one the newest is kept from now on.")),
      element("label", { class: "unseen", for: "log-file" }, say("The checkpoint as a file")), file),
    element("div", {}, element("button", {}, say("Verify, and keep it in this browser"))));
  async function begin(event) {
    event.preventDefault();
    const values = { keys: key.value, pinned: pinned.value };
    try {
      const [chosen] = file.files;
      if (chosen && chosen.size > LONGEST) throw new Trouble(say("This is no checkpoint of a log: put it in as it was signed, every line."));
      const text = chosen ? await chosen.text() : values.pinned;
      const found = await verify(text.trim() ? withLineFeed(text) : null, values.keys);
      const at = new Date().toISOString();
      keep({ note: found.note, keys: values.keys, first: { size: found.from ?? found.size, at }, last: { ...found, note: undefined, at } });
      showKept();
    } catch (problem) {
      if (problem instanceof ProofFailed) showAlarm(problem.message, () => showForm(null, values));
      else showForm(problem instanceof Trouble ? problem.message : say("The check could not be finished: {why}", { why: problem.message }), values);
    }
  }
  fill(place, trouble && element("p", { class: "trouble", role: "alert" }, trouble),
    element("p", {}, say("This browser keeps no checkpoint yet. Once it does, each visit verifies that nothing under it was altered.")),
    element("details", { open: Boolean(trouble || given.keys) }, element("summary", {}, say("Keep a checkpoint in this browser")), form));
}

function showAlarm(why, then, what) {
  fill(place,
    element("div", { class: "trouble", role: "alert" },
      element("p", {}, element("strong", {}, say("NOT PROVEN."), " ", why)),
      element("p", {}, say("Keep your checkpoint, tell your own people, and compare with your witnesses before you trust a number on this page. After a declared restore the log has another name and perhaps another key: its page says so."))),
    what && element("pre", { tabindex: "0" }, what),
    element("p", { class: "tools" }, element("button", { type: "button", class: "quiet", on: { click: then } }, say("Begin again with a key and a checkpoint"))));
}

function showKept() {
  const { first, last, note } = kept();
  const words = last.from === null
    ? say("Checkpoint {size} of the log {origin} is signed by a key that you gave, and is kept in this browser since {at}.", { size: count(last.size), origin: last.origin, at: moment(last.at) })
    : last.from === last.size ? say("PROVEN: the newest checkpoint of the log {origin} is the one that this browser keeps, {size}.", { origin: last.origin, size: count(last.size) })
    : say("PROVEN: nothing in the log {origin} was changed or taken out between checkpoint {from} and checkpoint {size}.", { origin: last.origin, from: count(last.from), size: count(last.size) });
  const file = new Blob([note], { type: "text/plain" });
  const link = element("a", { class: "button quiet", href: URL.createObjectURL(file), download: `checkpoint-${last.size}.txt` }, say("Keep it as a file, too"));
  const forget = element("button", { type: "button", class: "quiet", on: { click: () => { localStorage.removeItem(SHELF); showForm(); } } }, say("Forget it"));
  fill(place, element("p", { class: "remark ready" }, words),
    element("p", {}, say("Verified in this browser: {at}. The first checkpoint that it kept: {size}, since {since}.",
      { at: moment(last.at), size: count(first.size), since: moment(first.at) })),
    element("p", { class: "help" }, say("The page is the service's own. What trusts it in nothing: a witness of your own, and the page that checks proofs, from a stick.")),
    element("p", { class: "tools" }, link, forget));
}

async function verifyKept() {
  const before = kept();
  try {
    const found = await verify(before.note, before.keys);
    keep({ ...before, note: found.note, last: { ...found, note: undefined, at: new Date().toISOString() } });
    showKept();
  } catch (problem) {
    if (problem instanceof ProofFailed) showAlarm(problem.message, () => showForm(null, { keys: before.keys, pinned: before.note }), before.note);
    else {
      showKept();
      place.prepend(element("p", { class: "trouble", role: "alert" }, problem instanceof Trouble ? problem.message : String(problem.message)));
    }
  }
}

async function begin() {
  await loadWords();
  if (!globalThis.crypto?.subtle) {
    fill(place, element("p", { class: "remark" }, say("This page did not come over HTTPS, so this browser checks no signatures.")));
    return;
  }
  try {
    await crypto.subtle.importKey("raw", Uint8Array.of(88, ...Array(31).fill(102)), { name: "Ed25519" }, false, ["verify"]);
  } catch {
    fill(place, element("p", { class: "remark" }, say("This browser can't check Ed25519 signatures: take Chrome or Edge from 137, Firefox from 129 or Safari from 17.")));
    return;
  }
  if (kept()) await verifyKept();
  else showForm();
}

begin();
