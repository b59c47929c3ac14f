/**
 * What is to be said about a scanner, in words: what is well, what to look at, what is wrong and how to mend it.
 *
 * @typedef {{severity: "good"|"attention"|"wrong", words: string}} Finding
 */

import { say } from "../words.js";
import { EOT, FS, GS, RS, US_SEPARATOR, usCharacterOf } from "./keys.js";

const NAMES = { [FS]: "FS", [GS]: "GS", [RS]: "RS", [US_SEPARATOR]: "US", [EOT]: "EOT", "\t": "TAB", "\r": "CR", "\n": "LF", "\x02": "STX", "\x03": "ETX" };
const SLOW = 35;
const SHOWN = 3;

/** The name of a control character: "GS". Null: it is none. */
export function nameOf(sign) {
  if (sign in NAMES) return NAMES[sign];
  return sign < " " || sign === "\x7f" ? `0x${sign.charCodeAt(0).toString(16).padStart(2, "0")}` : null;
}

/**
 * After a scan of the set-up code.
 * @param {import("./learn.js").Learnt} learnt
 * @param {boolean} kept  whether this browser keeps it
 * @returns {Finding[]}
 */
export function ofLearnt({ settings, findings }, kept) {
  const { keyboard, turned, missing, capsLock, symbology, slowest } = findings;
  return [
    good(keyboard === "US"
      ? say("Learnt: the scanner types as a US keyboard. From now on this PC's layout does not matter.")
      : say("Learnt: the scanner types as a keyboard of another country. From now on this PC's layout does not matter.")),
    !kept && wrong(say("This browser keeps nothing, so it forgets this when the page is closed: use a window that is not private.")),
    turned.length && good(say("The PC's layout turned {letters}; that is put right.", { letters: pairs(turned) })),
    ending(settings.suffix === "none" ? null : settings.suffix),
    missing.length && wrong(separators(missing)),
    slowest > SLOW && attention(slow(slowest)),
    capsLock && attention(say("Caps Lock was on. That does no harm; but switch it off and scan the code once more, if capitals and small letters matter to you.")),
    symbology && good(say("Each scan begins with the kind of its code ({symbology}); that is taken off.", { symbology })),
    settings.prefix && good(say("Each scan begins with the same keys; only what begins with them is taken for a scan.")),
  ].filter(Boolean);
}

/**
 * After any other scan.
 * @param {import("./decode.js").Outcome} outcome
 * @param {object} settings
 * @returns {Finding[]}
 */
export function ofScan({ strokes, suffix, restore, texts }, settings) {
  return [
    restore && good(say("It arrived as text, as on Android, and was taken out of the field again.")),
    suffix === "enter" && settings.map && good(say("This scanner is set up.")),
    suffix !== "enter" && settings.suffix !== "none" && ending(suffix),
    !settings.map && strokes.length && layout(strokes),
    damaged(texts),
  ].filter(Boolean);
}

/** After a set-up code that arrived as text. */
export function ofSetUpAsText() {
  return [good(say("The set-up code arrived as text, every character as it is printed: this device needs no setting up."))];
}

/** After keys that were no scan here, though Enter followed: nobody knows whether somebody typed them. */
export function ofUnheard(strokes, settings) {
  const slowest = Math.max(...strokes.slice(1).map((stroke, n) => stroke.time - strokes[n].time));
  const words = settings.prefix && slowest <= settings.gap
    ? say("it does not begin with the keys that each scan begins with here. Scan the set-up code again.")
    : slow(slowest);
  return [attention(say("If this was a scan: {words}", { words }))];
}

function layout(strokes) {
  const turned = strokes.map((stroke) => ({ printed: usCharacterOf(stroke), arrived: stroke.key }))
    .filter(({ printed, arrived }) => printed !== null && printed >= " " && printed.toLowerCase() !== arrived.toLowerCase())
    .filter(({ printed }, n, all) => all.findIndex((each) => each.printed === printed) === n);
  if (!turned.length) return attention(say("Not set up yet: scan the set-up code once, so that no layout can turn characters into others."));
  return wrong(say("If the scanner types as a US keyboard, the PC's layout turned {letters}: scan the set-up code.", { letters: pairs(turned) }));
}

function ending(suffix) {
  if (suffix === "enter") return good(say("Each scan ends with Enter."));
  if (suffix === "tab") return good(say("Each scan ends with Tab; that works like Enter."));
  return attention(say("Your scanner adds no Enter: a scan counts only after a pause, and two quick ones run together. Set its suffix to Enter (CR) by its manual, then scan the set-up code again."));
}

function separators(missing) {
  const names = missing.map(nameOf).join(", ");
  if (missing.includes(GS) || missing.includes(RS)) {
    return say("{names} does not arrive: marks (Data Matrix) on weapons cannot be read. Set the scanner to send control characters, or GS as F8 or as Alt and 029.", { names });
  }
  return say("{names} does not arrive; marks can be read without it.", { names });
}

/** A mark whose separators are gone. */
function damaged(texts) {
  const torn = texts.some((text) => text.startsWith("[)>") && !text.includes(RS) && !text.includes(GS));
  return torn && wrong(separators([RS, GS]));
}

function slow(slowest) {
  return say("the scanner is slow, with up to {n} ms between keys. Set its delay between characters to 0, or give it a prefix and scan the set-up code.", { n: Math.round(slowest) });
}

function pairs(turned) {
  const some = turned.slice(0, SHOWN).map(({ printed, arrived }) => say("{printed} into {arrived}", { printed, arrived })).join(", ");
  return turned.length > SHOWN ? say("{some} and {n} more", { some, n: turned.length - SHOWN }) : some;
}

const good = (words) => ({ severity: "good", words });
const attention = (words) => ({ severity: "attention", words: words.charAt(0).toUpperCase() + words.slice(1) });
const wrong = (words) => ({ severity: "wrong", words });
