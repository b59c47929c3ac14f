/**
 * What a browser knows about its scanner: kept in this browser alone (localStorage), written out and read in as text.
 */

import { UNTAUGHT } from "./decode.js";
import { say } from "../words.js";

const PLACE = "stockpile.scanner";
const FORMAT = "stockpile scanner 1";
const SUFFIXES = ["auto", "enter", "tab", "none"];

/** The settings of this browser; those of a scanner that nobody taught where there are none, or none that can be read. */
export function load() {
  try {
    const kept = localStorage.getItem(PLACE);
    return kept === null ? { ...UNTAUGHT } : fromText(kept);
  } catch {
    return { ...UNTAUGHT };
  }
}

/**
 * Keeps settings in this browser.
 * @returns {boolean} whether it kept them: a browser may be told to keep nothing
 */
export function save(settings) {
  try {
    localStorage.setItem(PLACE, asText(settings));
    return true;
  } catch {
    return false;
  }
}

/** Forgets what was learnt. */
export function reset() {
  try {
    localStorage.removeItem(PLACE);
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}

/** Calls back when another window of this browser changed the settings. @returns {() => void} stops it */
export function whenChanged(callback) {
  const heard = (event) => {
    if (event.key === PLACE || event.key === null) callback(load());
  };
  window.addEventListener("storage", heard);
  return () => window.removeEventListener("storage", heard);
}

/** The settings as text, to carry to another PC with the same scanner. */
export function asText(settings) {
  return JSON.stringify({ format: FORMAT, ...settings }, null, 1);
}

/**
 * Settings from text.
 * @throws {Error} with what is wrong, in words
 */
export function fromText(text) {
  let given;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Error(say("This is not a scanner's settings: copy the whole text, from { to }."));
  }
  if (given?.format !== FORMAT) throw new Error(say("This is not a scanner's settings: copy the whole text, from { to }."));
  const { gap, suffix, prefix, map, capsFollows } = given;
  if (!Number.isFinite(gap) || gap < 5 || gap > 500) throw new Error(say("The gap between keys is a number from 5 to 500 milliseconds."));
  if (!SUFFIXES.includes(suffix)) throw new Error(say("What ends a scan is one of: {choices}.", { choices: SUFFIXES.join(", ") }));
  if (typeof prefix !== "string" || prefix.length > 20) throw new Error(say("A prefix is a text of at most 20 characters."));
  const readable = map === null || (typeof map === "object" && Object.keys(map).length <= 500
    && Object.values(map).every((sign) => typeof sign === "string" && sign.length === 1));
  if (!readable) throw new Error(say("The keys that were learnt cannot be read: scan the set-up code anew."));
  return { gap, suffix, prefix, map, capsFollows: Boolean(capsFollows) };
}
