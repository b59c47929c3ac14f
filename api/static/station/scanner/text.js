/**
 * From what a scanner typed to the texts it read: prefixes and symbology identifiers taken off, codes that ran together
 * taken apart, an ISO/IEC 15434 envelope kept with its separators as `stockpile.marks.read_mark` takes it.
 *
 * Pure.
 */

import { EOT, RS, characterOf, usCharacterOf } from "./keys.js";

const HEADER = "[)>";
const SYMBOLOGY = /^\][A-Za-z][0-9]/;
const ENVELOPE_WITHIN = /(?<=.)(?=\[\)>)/s;
const SYMBOLOGY_WITHIN = /(?<=.)(?=\][A-Za-z][0-9])/s;

/**
 * What the strokes say, separators included.
 *
 * Without a learnt map it is what the PC's layout made of them; but letters that no bar code holds, or the beginning of a
 * mark, show that the scanner is a US keyboard on a PC with another layout.
 * @param {import("./keys.js").Stroke[]} strokes
 * @param {object} settings
 * @returns {string}
 */
export function textOf(strokes, settings) {
  const asLaidOut = strokes.map((stroke) => characterOf(stroke, settings) ?? "").join("");
  if (settings.map) return asLaidOut;
  const us = strokes.map(usCharacterOf);
  if (us.includes(null)) return asLaidOut;
  const asUs = us.join("");
  const foreign = [...asLaidOut].some((sign) => sign > "\x7f");
  return foreign || asUs.startsWith(HEADER) || SYMBOLOGY.test(asUs) ? asUs : asLaidOut;
}

/**
 * The codes in what was typed between two silences, each ready to be looked up.
 * @param {string} typed
 * @param {string} [prefix]
 * @returns {string[]}
 */
export function codesIn(typed, prefix = "") {
  const pieces = prefix ? typed.split(prefix) : [typed];
  return pieces.flatMap(apart).map(normalised).filter(Boolean);
}

function apart(typed) {
  const separator = SYMBOLOGY.test(typed) ? SYMBOLOGY_WITHIN : ENVELOPE_WITHIN;
  return typed.split(separator).flatMap(afterEnvelope);
}

/** What follows an envelope's end is another code. */
function afterEnvelope(typed) {
  const end = typed.indexOf(RS + EOT);
  if (!typed.replace(SYMBOLOGY, "").startsWith(HEADER) || end < 0) return [typed];
  return [typed.slice(0, end + 2), typed.slice(end + 2)];
}

/**
 * One code as it is looked up: without symbology identifier (AIM's `]C1`, `]d2`), and without blanks and line ends about it.
 * @param {string} text
 * @returns {string}
 */
export function normalised(text) {
  return text.replace(/^[ \t\r\n\ufeff]+|[ \t\r\n]+$/g, "").replace(SYMBOLOGY, "").replace(/^ +/, "");
}
