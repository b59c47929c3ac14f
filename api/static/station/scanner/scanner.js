/**
 * What comes in by a keyboard: a scanner types fast and ends with Enter, a person types slowly.
 */

const FAST = 50;
const PAUSE = 300;
const SHORTEST = 3;

/**
 * Hears scans and typed texts. Typing goes to `target`; both are given when Enter ends them.
 * @param {HTMLInputElement} target the station's field
 * @param {(scan: {text: string, how: "scanned" | "typed"}) => void} onScan
 * @returns {() => void} stops listening
 */
export function listen(target, onScan) {
  let burst = "";
  let first = 0;
  let last = 0;
  const hear = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.timeStamp - last > PAUSE) burst = "";
    last = event.timeStamp;
    if (!burst) first = last;
    if (event.key.length === 1) burst += event.key;
    if (event.key !== "Enter") return;
    const inField = document.activeElement === target;
    const fast = burst.length >= SHORTEST && (last - first) / burst.length < FAST;
    const scanned = fast && (!inField || target.value === burst || target.value === "");
    const text = inField && !scanned ? target.value : burst;
    burst = "";
    if (!scanned && !inField) return;
    event.preventDefault();
    event.stopPropagation();
    if (inField) target.value = "";
    if (text.trim()) onScan({ text: text.trim(), how: scanned ? "scanned" : "typed" });
  };
  window.addEventListener("keydown", hear, true);
  return () => window.removeEventListener("keydown", hear, true);
}
