/**
 * How a weapon is told from another, as `stockpile/identity.py` has it: serial key, fold and asset tag. The two must give the same
 * for every text; `tests/browser/test_station_identity.py` holds them together. Decides nothing, and never changes what is marked.
 */

export const LONGEST_SERIAL = 64;

const NOTHING = /[\p{Zs}\p{Zl}\p{Zp}\p{Pd}\p{Cf}\t-\r\x1c-\x1f\x85\u2043\u2212\u207b\u208b\u0640]/u;
const DIGIT = /\p{Nd}/u;

/** Rows: what they all become, and what is taken for it (identity.py, LOOK_ALIKE_ROWS). */
const LOOK_ALIKE_ROWS = [
  ["0", "OØОѲӨΟΘ"], ["1", "ILŁІӀΙ"], ["2", "ZΖ"], ["3", "ЗӠ"], ["5", "SЅ"], ["8", "BВΒ"], ["A", "АΑ"], ["C", "СϹ"], ["D", "ĐÐ"],
  ["E", "ЕΕ"], ["H", "НҺΗ"], ["J", "ЈͿ"], ["K", "КΚ"], ["M", "МΜ"], ["N", "Ν"], ["P", "РΡ"], ["Q", "Ԛ"], ["T", "ТΤ"], ["W", "Ԝ"],
  ["X", "ХΧ"], ["Y", "УҮΥ"], ["\u064a", "\u06cc\u0649"], ["\u0643", "\u06a9"], ["\u0647", "\u0629\u06c1\u06d5"],
];
const LOOK_ALIKES = new Map(LOOK_ALIKE_ROWS.flatMap(([target, others]) => [...others].map((one) => [one, target])));

/** What a character gives to the key: nothing, its decimal digit, or itself. */
function keyCharacter(character) {
  if (NOTHING.test(character)) return "";
  return DIGIT.test(character) ? digitOf(character) : character;
}

/** Decimal digits stand in rows of ten, zero first (Unicode, property Nd); some rows follow one another. */
function digitOf(character) {
  const code = character.codePointAt(0);
  let first = code;
  while (DIGIT.test(String.fromCodePoint(first - 1))) first -= 1;
  return String((code - first) % 10);
}

function normalised(text) {
  const compatible = Array.from(text, keyCharacter).join("").normalize("NFKC");
  return Array.from(compatible.toUpperCase().normalize("NFKC"), keyCharacter).join("");
}

/**
 * The exact but normalised key of a serial number: capitals, no blanks, dashes or invisible characters, digits of any script.
 * @param {string} serial
 * @returns {string} empty: the text holds nothing that tells a weapon
 */
export function serialKey(serial) {
  if (/^[\x00-\x7f]*$/.test(serial)) return serial.replace(/[\s\x1c-\x1f-]/g, "").toUpperCase();
  let key = normalised(serial);
  for (let again = normalised(key); again !== key; again = normalised(key)) key = again;
  return key;
}

/**
 * The serial key with look-alikes merged and accents dropped: for near matches only.
 * @param {string} serial
 * @returns {string}
 */
export function fold(serial) {
  const key = serialKey(serial);
  const bare = /^[\x00-\x7f]*$/.test(key) ? key : key.normalize("NFKD").replace(/\p{Mn}/gu, "").normalize("NFKC");
  return Array.from(bare, (character) => LOOK_ALIKES.get(character) ?? character).join("");
}

const BASE_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const TAG = /^SP([0-9A-Z]{6,13})([0-9A-Z])$/;
const LARGEST_TAG = 2n ** 63n - 1n;

/** ISO 7064 Mod 37,36. */
function checkCharacter(text) {
  let check = 18;
  for (const character of text) check = (((check || 36) * 2) % 37 + BASE_36.indexOf(character)) % 36;
  return BASE_36[(37 - ((check || 36) * 2) % 37) % 36];
}

/**
 * The asset tag of a number, e.g. `SP-000001-4`.
 * @param {number|bigint} number
 * @returns {string}
 */
export function assetTag(number) {
  const body = number.toString(36).toUpperCase().padStart(6, "0");
  return `SP-${body}-${checkCharacter("SP" + body)}`;
}

/**
 * The number of an asset tag in any spelling, as decimal text; null if it is none or its check character does not fit.
 * @param {string} text
 * @returns {string|null}
 */
export function readAssetTag(text) {
  if (Array.from(text).length > LONGEST_SERIAL) return null;
  const key = serialKey(text);
  const match = TAG.exec(key);
  if (match === null) return null;
  const number = Array.from(match[1]).reduce((sum, digit) => sum * 36n + BigInt(BASE_36.indexOf(digit)), 0n);
  return number <= LARGEST_TAG && serialKey(assetTag(number)) === key ? String(number) : null;
}
