/** How the station looks: by day, in the sun, at night. Kept for this browser. */

const KEY = "stockpile.station.theme";
const THEMES = ["day", "sunlight", "night"];

/** Applies the theme that was chosen; without one the night's where the machine is set to dark. */
export function applyTheme() {
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches ? "night" : "day";
  document.documentElement.dataset.theme = localStorage.getItem(KEY) || dark;
}

/** Goes on to the next theme. */
export function nextTheme() {
  const now = THEMES.indexOf(document.documentElement.dataset.theme);
  localStorage.setItem(KEY, THEMES[(now + 1) % THEMES.length]);
  applyTheme();
}
