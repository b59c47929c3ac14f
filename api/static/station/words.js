/**
 * Every word that a script shows. English is the source language; the catalogue of another comes from `/words/{language}.json`.
 */

let catalogue = {};
let zone;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/**
 * From here on moments are told by the clock of this zone: a PC may be set to any other.
 * @param {string} timeZone such as Asia/Baghdad
 */
export function useTimeZone(timeZone) {
  zone = timeZone;
}

/**
 * A text of the books among other words, in its own direction; a number in brackets at its end too. Most need nothing.
 * @param {unknown} text
 * @returns {string}
 */
export function inItsDirection(text) {
  const plain = String(text);
  if (!RIGHT_TO_LEFT.test(plain)) return plain;
  return `\u2068${plain.replace(/\(([^()]+)\)$/, "\u2068($1)\u2069")}\u2069`;
}

/**
 * Loads the catalogue of the page's language. Without one, or where it does not come, words stay English.
 * @param {string} [language]
 */
export async function loadWords(language = document.documentElement.lang || "en") {
  if (language === "en") return;
  try {
    const answer = await fetch(`/words/${encodeURIComponent(language)}.json`);
    if (answer.ok) catalogue = await answer.json();
  } catch {
    catalogue = {};
  }
}

/**
 * Words in the page's language, with what stands in braces filled in; {name!r} in quotation marks, as in the service's sentences.
 * @param {string} words English
 * @param {Record<string, unknown>} [values]
 * @returns {string}
 */
export function say(words, values = {}) {
  const said = catalogue[words] || words;
  return said.replace(/\{(\w+)(!r)?\}/g, (whole, name, quoted) => {
    if (!(name in values)) return whole;
    return quoted ? `'${inItsDirection(values[name])}'` : inItsDirection(values[name]);
  });
}

/**
 * Words with a capital at their beginning.
 * @param {string} words
 * @returns {string}
 */
export function begun(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * A moment on the page: day and time, or the time alone if it is today.
 * @param {string | Date} moment
 * @returns {string}
 */
export function sayMoment(moment) {
  const at = new Date(moment);
  const language = document.documentElement.lang || "en";
  const time = at.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone });
  const day = at.toLocaleDateString(language, { timeZone: zone });
  return day === new Date().toLocaleDateString(language, { timeZone: zone }) ? time : `${day} ${time}`;
}
