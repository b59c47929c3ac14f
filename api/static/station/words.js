/**
 * Every word that a script shows. English is the source language; the catalogue of another comes from `/words/{language}.json`.
 */

let catalogue = {};

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
 * Words in the page's language, with what stands in braces filled in.
 * @param {string} words English
 * @param {Record<string, unknown>} [values]
 * @returns {string}
 */
export function say(words, values = {}) {
  const said = catalogue[words] || words;
  return said.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/**
 * A moment on the page: day and time, or the time alone if it is today.
 * @param {string | Date} moment
 * @returns {string}
 */
export function sayMoment(moment) {
  const at = new Date(moment);
  const language = document.documentElement.lang || "en";
  const time = at.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hour12: false });
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.toLocaleDateString(language)} ${time}`;
}
