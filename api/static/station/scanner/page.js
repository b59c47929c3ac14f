/**
 * The page `/station/scanner`: shows what a scanner sends, key by key, and what was made of it; learns it from the set-up
 * code; keeps, carries and forgets what is known of it; tries the camera.
 */

import { showCamera } from "./camera.js";
import { Decoder, TO_LEARN } from "./decode.js";
import { nameOf, ofLearnt, ofScan, ofSetUpAsText, ofUnheard } from "./diagnose.js";
import { characterOf, isModifier, strokeOf, usCharacterOf } from "./keys.js";
import { isSetUp, learn } from "./learn.js";
import { Ear } from "./scanner.js";
import { asText, fromText, load, reset, save, whenChanged } from "./settings.js";
import { loadWords, say } from "../words.js";

const ROWS = 120;
const NEW_SCAN = 300;
const SIGNS = { good: "✓", attention: "!", wrong: "✗" };

const at = (id) => document.getElementById(id);

let settings = load();
let ear;
let learning = new Decoder(TO_LEARN);
let timer = null;
let setUpHeard = -Infinity;
let lastKey = -Infinity;
let keys = [];

function start() {
  ear = new Ear({ settings, onScan: () => {}, watch: { event: heardEvent, outcome: heardOutcome } });
  whenChanged(know);
  at("print").addEventListener("click", () => window.print());
  at("settings").addEventListener("submit", keepForm);
  at("reset").addEventListener("click", forget);
  at("take").addEventListener("click", takeText);
  at("copy-keys").addEventListener("click", copyKeys);
  showCamera(at("camera"), ({ text }) => showScan([text], [{ severity: "good", words: say("Read by the camera.") }]));
  know(settings);
  document.documentElement.dataset.scanner = "ready";
}

/** Every event goes to a second decoder too, one that is patient enough for a slow scanner and begins with any key. */
function heardEvent(event, held) {
  if (event.kind === "down") showKey(event, held);
  if (event.kind === "input" && event.data) showText(event);
  const { outcomes } = learning.take(event);
  outcomes.forEach(patient);
  clearTimeout(timer);
  if (learning.deadline !== null) timer = setTimeout(() => learning.quiet().forEach(patient), learning.deadline - performance.now() + 1);
}

function patient(outcome) {
  if (outcome.kind !== "scan") return;
  const learnt = learn(outcome.strokes, outcome.suffix);
  if (learnt) {
    takeLearnt(learnt, outcome.strokes);
  } else if (outcome.strokes.length > 5 && outcome.suffix === "enter") {
    unheardScan(outcome);
  }
}

function takeLearnt(learnt, strokes) {
  // By the keys' own clock: the ear tells of the same scan a moment later, and that is not news.
  setUpHeard = Math.max(performance.now(), strokes.at(-1).time);
  const kept = save(learnt.settings);
  // Not before the keys that are on their way were met by the ear as it was.
  setTimeout(() => know(learnt.settings));
  showScan([say("Set-up code")], ofLearnt(learnt, kept));
}

/** Only where the ear took it for typing. */
function unheardScan(outcome) {
  const begun = outcome.strokes[0].time;
  setTimeout(() => {
    if (lastScan.time < begun) showScan([outcome.texts.join(" ")], ofUnheard(outcome.strokes, settings));
  });
}

const lastScan = { time: -Infinity };

function heardOutcome(outcome) {
  if (outcome.kind !== "scan") return;
  lastScan.time = performance.now();
  setTimeout(() => {
    const begun = outcome.strokes[0]?.time ?? Infinity;
    if (begun <= setUpHeard) return;
    const asText = outcome.restore && outcome.texts.some(isSetUp);
    showScan(asText ? [say("Set-up code")] : outcome.texts, asText ? ofSetUpAsText() : ofScan(outcome, settings));
  });
}

function showScan(texts, findings) {
  at("read").replaceChildren(...texts.flatMap((text, n) => [...(n ? [document.createElement("br")] : []), ...signs(text)]));
  at("findings").replaceChildren(...findings.map(({ severity, words }) => {
    const row = document.createElement("li");
    row.className = severity;
    row.append(part("span", SIGNS[severity], { ariaHidden: "true" }), part("span", words));
    return row;
  }));
}

/** A text with its control characters in view. */
function signs(text) {
  return text.split(/([\x00-\x1f\x7f])/).filter(Boolean).map((piece) => {
    const name = nameOf(piece);
    return name && piece.length === 1 ? part("span", name, { className: "control" }) : document.createTextNode(piece);
  });
}

function showKey(event, held) {
  if (isModifier(event)) return;
  const stroke = strokeOf(event, false);
  const sign = event.keyCode === 229 ? null : characterOf(stroke, settings) ?? (settings.map ? null : usCharacterOf(stroke));
  const withIt = stroke.signature.split("+").slice(0, -1).join(" + ");
  const meant = sign === null ? "" : nameOf(sign) ?? sign;
  const shown = [event.code || "?", withIt, event.key === " " ? say("Space") : event.key, held ? meant : say("{sign} (typing)", { sign: meant })];
  addRow(event.time, shown);
}

function showText(event) {
  addRow(event.time, [say("text"), event.inputType, event.data, ""]);
}

function addRow(time, shown) {
  const gap = time - lastKey;
  lastKey = time;
  const begins = gap > NEW_SCAN;
  const body = at("strokes");
  if (!keys.length || (begins && keys.length > ROWS)) {
    body.replaceChildren();
    keys = [];
  }
  keys.push([begins ? "" : gap.toFixed(1), ...shown]);
  const row = document.createElement("tr");
  if (begins) row.className = "begins";
  row.append(...keys.at(-1).map((text, n) => part("td", text, { className: n ? "" : "figure" })));
  body.append(row);
  const view = body.closest(".wide");
  view.scrollTop = view.scrollHeight;
}

function part(name, text, given = {}) {
  return Object.assign(document.createElement(name), { textContent: text, ...given });
}

/** Hears by settings from now on, and shows them. */
function know(known) {
  settings = known;
  ear.attune(known);
  learning = new Decoder(TO_LEARN);
  at("suffix").value = known.suffix;
  at("prefix").value = [...known.prefix].map((sign) => (nameOf(sign) ? `<${nameOf(sign)}>` : sign)).join("");
  at("prefix").readOnly = /[^\x20-\x7e]/.test(known.prefix);
  at("gap").value = known.gap;
  at("text").value = asText(known);
  const learnt = known.map ? Object.keys(known.map).length : 0;
  at("summary").textContent = learnt
    ? say("The scanner's keys are learnt: {n} of them.", { n: learnt })
    : say("No set-up code was scanned in this browser yet: keys are taken as the PC's layout has them.");
}

function keepForm(event) {
  event.preventDefault();
  const prefix = at("prefix").readOnly ? settings.prefix : at("prefix").value;
  const given = { ...settings, gap: Number(at("gap").value), suffix: at("suffix").value, prefix };
  told("kept", () => keep(fromText(asText(given))));
}

function takeText() {
  told("taken", () => keep(fromText(at("text").value)));
}

function keep(given) {
  const kept = save(given);
  know(given);
  return kept ? say("Kept in this browser.") : say("In use, but this browser keeps nothing: it is forgotten when the page is closed.");
}

function forget() {
  reset();
  know(load());
  told("kept", () => say("Forgotten."));
}

/** Shows what came of something, or why nothing did. */
function told(place, act) {
  const words = at(place);
  try {
    words.textContent = act();
    words.className = "good";
  } catch (problem) {
    words.textContent = problem.message;
    words.className = "wrong";
  }
}

async function copyKeys() {
  const text = keys.map((row) => row.join("\t")).join("\n");
  try {
    await navigator.clipboard.writeText(text);
    told("keys-copied", () => say("Copied."));
  } catch {
    told("keys-copied", () => {
      throw new Error(say("The browser does not let this page copy: mark the rows and copy them by hand."));
    });
  }
}

await loadWords();
start();
