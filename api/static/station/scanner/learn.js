/**
 * Learns a scanner from one scan of the set-up code, whose text is known: which keystroke is which character, what stands
 * before and after a scan, how fast the keys follow. Then the PC's layout no longer matters.
 *
 * Pure.
 *
 * @typedef {object} Learnt
 * @property {object} settings  as the decoder takes them
 * @property {{keyboard: string|null, missing: string[], turned: {printed: string, arrived: string}[], capsLock: boolean,
 *   symbology: string|null, slowest: number}} findings  what there is to say about the scanner
 */

import { EOT, GS, RS, US_KEYBOARD, characterOf, withoutShift } from "./keys.js";

/** What the set-up code says: `api/pages/scanner.py` prints the same. The end repeats letters, so that a part fits nowhere else. */
export const SET_UP_TEXT = `0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ-/.:+_()[]>${RS}${GS}${EOT}SETUP`;

const SEPARATORS = [RS, GS, EOT];
const LONGEST_PREFIX = 12;
/** Of Code 128 and QR, the two that the set-up code is printed in; its bracket may be lost where a page was not set up to learn. */
const SYMBOLOGY = /\][A-Za-z][0-9]$|^[CQ][0-9]$/;
const SLOWEST = 60;
const SLOWEST_BEHIND_PREFIX = 200;
const OWN_CHARACTERS = 0xe000;

/**
 * What a scan of the set-up code teaches; null if it was another code.
 * @param {import("./keys.js").Stroke[]} strokes  without what ended the scan
 * @param {string|null} suffix  what ended it
 * @returns {Learnt|null}
 */
export function learn(strokes, suffix) {
  const found = readings(strokes).sort((one, other) => other.fit - one.fit)[0];
  if (!found) return null;
  const capsLock = strokes.some((stroke) => stroke.capsLock);
  const capsFollows = capsLock && found.pairs.filter(([sign]) => /[A-Z]/.test(sign)).every(([, stroke]) => !stroke.shift);
  const map = mapOf(found.pairs, capsFollows);
  const { prefix, symbology } = prefixOf(strokes.slice(0, strokes.length - found.pairs.length), map);
  const slowest = slowestOf(strokes);
  const gap = Math.ceil(Math.min(Math.max(35, slowest * 1.6), prefix ? SLOWEST_BEHIND_PREFIX : SLOWEST));
  const keyboard = isUs(found.pairs, map) ? "US" : null;
  return {
    settings: { gap, suffix: suffix ?? "none", prefix, map: keyboard ? { ...US_KEYBOARD, ...map } : map, capsFollows },
    findings: { keyboard, missing: missing(found.pairs), turned: turned(found.pairs), capsLock, symbology, slowest },
  };
}

/** Whether a text is the set-up code, its separators or not: where it arrives as text there is nothing to learn from it. */
export function isSetUp(text) {
  const bare = (words) => words.replace(/[\x00-\x1f]/g, "");
  return bare(text) === bare(SET_UP_TEXT);
}

/** Whether so many strokes may be the set-up code at all. */
export function mayBeSetUp(strokes) {
  const most = SET_UP_TEXT.length;
  return strokes.length >= most - SEPARATORS.length && strokes.length <= most + LONGEST_PREFIX;
}

/** Each way to lay the text over the strokes in which equal characters are equal strokes, and others are not. */
function readings(strokes) {
  if (!mayBeSetUp(strokes)) return [];
  const left = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => SEPARATORS.filter((_, n) => bits & (1 << n)));
  return left.flatMap((absent) => {
    const text = [...SET_UP_TEXT].filter((sign) => !absent.includes(sign));
    const before = strokes.length - text.length;
    if (before < 0 || before > LONGEST_PREFIX) return [];
    const pairs = text.map((sign, n) => [sign, strokes[before + n]]);
    return agrees(pairs) ? [{ pairs, fit: fit(pairs) }] : [];
  });
}

function agrees(pairs) {
  const strokeOf = new Map();
  const signOf = new Map();
  for (const [sign, { signature }] of pairs) {
    if (SEPARATORS.includes(sign)) continue;
    if ((strokeOf.get(sign) ?? signature) !== signature || (signOf.get(signature) ?? sign) !== sign) return false;
    strokeOf.set(sign, signature);
    signOf.set(signature, sign);
  }
  return true;
}

/** How many separators arrive, and as one expects: of several absent ones this says which. */
function fit(pairs) {
  const separators = pairs.filter(([sign]) => SEPARATORS.includes(sign));
  return separators.filter(([sign, stroke]) => characterOf(stroke, { map: null }) === sign).length * 10 + separators.length;
}

/** Signature to character. A small letter is its capital without Shift. */
function mapOf(pairs, capsFollows) {
  const map = {};
  for (const [sign, { signature }] of pairs) {
    if (SEPARATORS.includes(sign)) continue;
    const letter = /[A-Z]/.test(sign);
    const other = withoutShift(signature) ?? shifted(signature);
    map[letter && capsFollows ? other : signature] = sign;
    if (letter) map[capsFollows ? signature : other] = sign.toLowerCase();
  }
  for (const [sign, { signature, number }] of pairs) {
    if (SEPARATORS.includes(sign) && number === undefined && !(signature in map)) map[signature] = sign;
  }
  return map;
}

function shifted(signature) {
  const [code, ...held] = signature.split("+").reverse();
  return [...held.reverse(), "Shift", code].join("+");
}

/** What stands before every scan; an AIM symbology identifier differs from code to code, so it is none. */
function prefixOf(strokes, map) {
  strokes.forEach((stroke, n) => {
    if (characterOf(stroke, { map }) === null) map[stroke.signature] = String.fromCharCode(OWN_CHARACTERS + n);
  });
  const text = strokes.map((stroke) => characterOf(stroke, { map })).join("");
  const symbology = SYMBOLOGY.exec(text)?.[0] ?? null;
  return { prefix: symbology ? text.slice(0, -symbology.length) : text, symbology };
}

function slowestOf(strokes) {
  return Math.max(...strokes.slice(1).map((stroke, n) => stroke.time - strokes[n].time));
}

function isUs(pairs, map) {
  return pairs.every(([sign, stroke]) => SEPARATORS.includes(sign) || stroke.number !== undefined || US_KEYBOARD[stroke.signature] === sign)
    && Object.keys(map).some((signature) => signature in US_KEYBOARD);
}

function missing(pairs) {
  const arrived = new Set(pairs.filter(([sign, stroke]) => SEPARATORS.includes(sign) && characterOf(stroke, { map: null }) !== null).map(([sign]) => sign));
  return SEPARATORS.filter((sign) => !arrived.has(sign));
}

/** What the PC's layout made of it, where that is not what is printed. */
function turned(pairs) {
  return pairs.filter(([sign, stroke]) => !SEPARATORS.includes(sign) && stroke.key !== sign)
    .map(([printed, stroke]) => ({ printed, arrived: stroke.key }))
    .filter(({ printed }, n, all) => all.findIndex((each) => each.printed === printed) === n);
}
